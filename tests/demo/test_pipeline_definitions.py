"""Pipelines and model packages of the embedded AWS as they are stored, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from secure_ml_ext.demo.aws import Embedded
from tests.demo.definitions import IMAGE, ROLE, definition, processing, refused, training


def test_a_name_is_taken_once_in_the_words_the_sdks_wait_for(sm: Any) -> None:
    """Both SDKs' upsert() goes on to UpdatePipeline on these words alone."""
    request = {
        "PipelineName": "taken-once",
        "RoleArn": ROLE,
        "PipelineDefinition": json.dumps(definition()),
    }
    arn = sm.create_pipeline(**request, Tags=[{"Key": "a", "Value": "b"}])["PipelineArn"]
    code, message = refused(sm.create_pipeline, **request)
    assert code == "ValidationException"
    assert "Pipeline names must be unique within" in message
    updated = sm.update_pipeline(PipelineName="taken-once", PipelineDescription="new")
    assert updated["PipelineArn"] == arn
    told = sm.describe_pipeline(PipelineName="taken-once")
    assert told["PipelineDescription"] == "new"
    assert json.loads(told["PipelineDefinition"]) == definition()
    assert told["PipelineStatus"] == "Active"
    assert sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    listed = sm.list_pipelines(PipelineNamePrefix="taken-o")["PipelineSummaries"]
    assert [row["PipelineArn"] for row in listed] == [arn]
    assert sm.list_pipelines(PipelineNamePrefix="aken-once")["PipelineSummaries"] == []
    sm.delete_pipeline(PipelineName="taken-once")
    code, _ = refused(sm.describe_pipeline, PipelineName="taken-once")
    assert code == "ResourceNotFound"


def test_a_definition_in_s3_is_stored_as_text(world: Embedded, sm: Any) -> None:
    text = json.dumps(definition())
    world.client("s3").put_object(Bucket="bucket", Key="d.json", Body=text.encode())
    place = {"Bucket": "bucket", "ObjectKey": "d.json"}
    sm.create_pipeline(PipelineName="from-s3", RoleArn=ROLE, PipelineDefinitionS3Location=place)
    assert sm.describe_pipeline(PipelineName="from-s3")["PipelineDefinition"] == text
    missing = {**place, "ObjectKey": "nowhere.json"}
    for other in (missing, {**place, "Bucket": "no-such-bucket"}):
        code, message = refused(
            sm.update_pipeline, PipelineName="from-s3", PipelineDefinitionS3Location=other
        )
        assert code == "ValidationException"
        assert "Could not read the definition at s3://" in message


CIRCLE = definition(Steps=[training(), processing("Prepare", "train", DependsOn=["Train"])])
TRAIN_TWICE = definition(Steps=[training(), training(), processing("Prepare", "train")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "it has no Steps"),
        ('{"Steps": [{"Type": "Fail"}]}', "'Name'"),
        ('{"Steps": ["x"]}', "TypeError"),
        (json.dumps(TRAIN_TWICE), "Train is there twice"),
        (json.dumps(definition(Steps=[training()])), "refers to the unknown step Prepare"),
        (json.dumps(CIRCLE), "the steps Prepare, Train wait for each other"),
        (json.dumps(definition(Parameters=[])), "parameter Instance is not defined"),
    ],
)
def test_what_is_no_definition_is_refused(sm: Any, text: str, said: str) -> None:
    code, message = refused(
        sm.create_pipeline, PipelineName="refused", RoleArn=ROLE, PipelineDefinition=text
    )
    assert code == "ValidationException"
    assert said in message


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Other": "1"}, "[Other] are not defined"),
        ({"Count": "many"}, "[many] of parameter [Count] is no Integer"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    sm: Any, started: Callable[..., str], given: dict[str, str], said: str
) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        started(**given)
    assert said in str(caught.value)


def test_versions_of_a_model(sm: Any) -> None:
    specification = {"Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/m.tar.gz"}]}
    request = {"ModelPackageGroupName": "versions", "InferenceSpecification": specification}
    code, _ = refused(sm.create_model_package, **request)
    assert code in ("ValidationException", "ResourceNotFound")  # no such group
    sm.create_model_package_group(ModelPackageGroupName="versions")
    first, second = (sm.create_model_package(**request)["ModelPackageArn"] for _ in range(2))
    assert first.endswith(":model-package/versions/1")
    assert second.endswith(":model-package/versions/2")
    sm.update_model_package(ModelPackageArn=first, ModelApprovalStatus="Approved")
    listed = sm.list_model_packages(
        ModelPackageGroupName="versions", ModelApprovalStatus="Approved"
    )["ModelPackageSummaryList"]
    assert [row["ModelPackageVersion"] for row in listed] == [1]
    code, _ = refused(sm.delete_model_package_group, ModelPackageGroupName="versions")
    assert code == "ConflictException"
    for arn in (first, second):
        sm.delete_model_package(ModelPackageName=arn)
    sm.delete_model_package_group(ModelPackageGroupName="versions")
    assert sm.list_model_packages(ModelPackageGroupName="versions")["ModelPackageSummaryList"] == []
