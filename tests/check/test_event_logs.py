"""Events in logs and lists, and what a state change leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secure_ml_ext.check.event import is_event, read_event
from secure_ml_ext.check.items import Item, Reading
from tests.check.readers import found, messages, record, state, states

MODEL = record("CreateModel", {"modelName": "m"})


@pytest.mark.parametrize(
    "content",
    [
        MODEL,
        {"detail-type": "AWS API Call via CloudTrail", "source": "aws.sagemaker", "detail": MODEL},
        {"Records": [MODEL]},
        [MODEL],
        [{"Records": [MODEL]}],
        {"Events": [{"EventName": "CreateModel", "CloudTrailEvent": json.dumps(MODEL)}]},
    ],
)
def test_every_form_of_an_event(content: Any) -> None:
    assert is_event(content)
    reading = read_event(content)
    assert [item.operation for item in reading.items] == ["CreateModel"]
    assert reading.notes == []


def test_what_is_only_counted() -> None:
    other = record("PutObject", {}, eventSource="s3.amazonaws.com")
    records = [
        other,
        record("DescribeModel", {"modelName": "m"}, readOnly=True),
        MODEL,
        record("StopTrainingJob", {"trainingJobName": "t"}),
        record("StopTrainingJob", {"trainingJobName": "u"}),
        record("DeleteModel", {"modelName": "m"}),
        {"Events": [{"CloudTrailEvent": "no JSON"}]},
        other,
    ]
    reading = read_event(records)
    assert [item.operation for item in reading.items] == ["CreateModel"]
    assert messages(reading) == [
        "3 calls (StopTrainingJob 2, DeleteModel 1) without a security setting",
        "1 call (DescribeModel 1), reading only",
        "records of other services: 2",
        "entries that are no events: 1",
    ]
    assert messages(read_event({"Records": []})) == ["no events"]


def test_a_large_log_makes_few_notes() -> None:
    refused = record("CreateTrainingJob", None, errorCode="AccessDenied")
    other = record("AssumeRole", {}, eventSource="sts.amazonaws.com")
    reading = read_event({"Records": [other] * 10_000 + [refused] * 10_000 + [MODEL]})
    assert len(reading.items) == 1
    assert messages(reading)[50:] == [
        "refused, besides those above: 9950",
        "records of other services: 10000",
    ]


def test_what_a_state_change_leaves_out_is_not_known() -> None:
    """The members an event has count, null included; those that it lacks are open."""
    model = {"ModelName": "m", "PrimaryContainer": {"Image": "i"}, "Containers": None}
    (item,) = read_event(state("Model", model)).items
    assert found(item) == [
        ("info", "private-image", "/PrimaryContainer/ImageConfig/RepositoryAccessMode")
    ]
    assert states(item)["vpc"] == states(item)["isolation"] == "depends"
    config = {
        "EndpointConfigName": "c",
        "ProductionVariants": [{"ModelName": "m", "InitialInstanceCount": 2}],
        "KmsKeyId": None,
        "DataCaptureConfig": None,
        "AsyncInferenceConfig": None,
        "ShadowProductionVariants": None,
    }
    (item,) = read_event(state("Endpoint Config", config)).items
    assert found(item) == [("error", "endpoint-config-kms", "/KmsKeyId")]
    notebook = {"NotebookInstanceName": "n", "InstanceType": "ml.t3.medium"}
    assert read_event(state("Notebook Instance", notebook)).items == []


def test_a_hyperpod_cluster() -> None:
    detail = {
        "ClusterName": "c",
        "InstanceGroups": [{"InstanceGroupName": "g", "TargetCount": 2, "Status": "Failed"}],
        "VpcConfig": {"Subnets": ["subnet-2"], "SecurityGroupIds": ["sg-2"]},
    }
    (item,) = read_event(state("HyperPod Cluster", detail)).items
    assert item.operation == "CreateCluster"
    assert item.params["InstanceGroups"] == [{"InstanceGroupName": "g", "InstanceCount": 2}]
    assert states(item)["vpc"] == "pass"


def test_pipelines_are_read_where_there_is_a_reader() -> None:
    parameters = {
        "pipelineName": "p",
        "pipelineDefinition": "{}",
        "roleArn": "arn:aws:iam::1:role/p",
    }

    def reader(definition: str) -> Reading:
        return Reading(items=[Item(operation="CreateModel", params={}, kind="pipeline-step")])

    reading = read_event(record("UpdatePipeline", parameters), pipeline_reader=reader)
    assert [(item.operation, item.role) for item in reading.items] == [
        ("UpdatePipeline", "arn:aws:iam::111122223333:role/ds-role"),
        ("CreateModel", "arn:aws:iam::1:role/p"),
    ]
    location = {"bucket": "b", "objectKey": "k.json"}
    parameters = {"pipelineName": "p", "pipelineDefinitionS3Location": location}
    reading = read_event(record("CreatePipeline", parameters))
    assert messages(reading) == ["p: its definition lies in s3://b/k.json; check that object"]
