"""Pipelines of the embedded AWS over HTTP: definitions, executions, the jobs of their steps."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions
import pytest

from secure_ml_ext.demo.aws import Embedded, running
from secure_ml_ext.demo.aws.expressions import Unreadable, at, holds, resolve, steps_named

ROLE = "arn:aws:iam::123456789012:role/pipeline-role"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/abalone:1"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"
EXECUTION = "Execution.PipelineExecutionId"
PREPARED = "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"
MSE = {
    "Std:JsonGet": {
        "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"},
        "Path": "regression_metrics.mse.value",
    }
}


def processing(name: str, output: str, **more: Any) -> dict[str, Any]:
    """A processing step that writes one output."""
    target = {"Std:Join": {"On": "/", "Values": ["s3://bucket", {"Get": EXECUTION}, output]}}
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "RoleArn": ROLE,
            "AppSpecification": {"ImageUri": IMAGE},
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": {"Get": "Parameters.Instance"},
                    "InstanceCount": {"Get": "Parameters.Count"},
                    "VolumeSizeInGB": 5,
                }
            },
            "ProcessingOutputConfig": {
                "KmsKeyId": KEY,
                "Outputs": [
                    {
                        "OutputName": output,
                        "S3Output": {
                            "S3Uri": target,
                            "LocalPath": f"/opt/ml/processing/{output}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ],
            },
        },
        **more,
    }


def training() -> dict[str, Any]:
    """A training step on what the first step wrote."""
    source = {"S3DataType": "S3Prefix", "S3Uri": {"Get": PREPARED}}
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models", "KmsKeyId": KEY},
            "ResourceConfig": {
                "InstanceType": {"Get": "Parameters.Instance"},
                "InstanceCount": 1,
                "VolumeSizeInGB": 5,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        },
    }


def registering() -> dict[str, Any]:
    """A registration of what the training step made."""
    model = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "abalone",
            "InferenceSpecification": {"Containers": [{"Image": IMAGE, "ModelDataUrl": model}]},
        },
    }


def definition(**changes: Any) -> dict[str, Any]:
    """Prepare, train, evaluate, then register or fail; the steps are not in their order."""
    report = {"PropertyFileName": "Report", "OutputName": "evaluation", "FilePath": "e.json"}
    condition = {"Type": "LessThanOrEqualTo", "LeftValue": MSE, "RightValue": 6.0}
    fail = {"Name": "TooHigh", "Type": "Fail", "Arguments": {"ErrorMessage": "MSE is too high"}}
    return {
        "Version": "2020-12-01",
        "Parameters": [
            {"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.large"},
            {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
        ],
        "PipelineExperimentConfig": {
            "ExperimentName": {"Get": "Execution.PipelineName"},
            "TrialName": {"Get": EXECUTION},
        },
        "Steps": [
            {
                "Name": "Check",
                "Type": "Condition",
                "Arguments": {
                    "Conditions": [condition],
                    "IfSteps": [registering()],
                    "ElseSteps": [fail],
                },
            },
            processing("Evaluate", "evaluation", PropertyFiles=[report], DependsOn=["Train"]),
            training(),
            processing("Prepare", "train"),
        ],
        **changes,
    }


_numbers = itertools.count()


@pytest.fixture(scope="module")
def world() -> Iterator[Embedded]:
    """An embedded AWS without a seed, whose jobs take 100 seconds."""
    with running(seed="none", job_seconds=100) as embedded:
        embedded.client("s3").create_bucket(
            Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield embedded


@pytest.fixture
def sm(world: Embedded) -> Any:
    return world.client("sagemaker")


@pytest.fixture
def started(sm: Any) -> Callable[..., str]:
    """Store a definition under a name of its own, start it, and return the execution's ARN."""

    def start(content: dict[str, Any] | None = None, **values: str) -> str:
        name = f"pipeline-{next(_numbers)}"
        text = json.dumps(content or definition())
        sm.create_pipeline(PipelineName=name, RoleArn=ROLE, PipelineDefinition=text)
        given = [{"Name": key, "Value": value} for key, value in values.items()]
        reply = sm.start_pipeline_execution(PipelineName=name, PipelineParameters=given)
        return str(reply["PipelineExecutionArn"])

    return start


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    """Code and message of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def states(sm: Any, execution: str) -> list[tuple[str, str]]:
    listed = sm.list_pipeline_execution_steps(
        PipelineExecutionArn=execution, SortOrder="Ascending"
    )["PipelineExecutionSteps"]
    return [(step["StepName"], step["StepStatus"]) for step in listed]


def status(sm: Any, execution: str) -> str:
    told = sm.describe_pipeline_execution(PipelineExecutionArn=execution)
    return str(told["PipelineExecutionStatus"])


def metadata(sm: Any, execution: str, name: str) -> dict[str, Any]:
    listed = sm.list_pipeline_execution_steps(PipelineExecutionArn=execution)
    steps = {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}
    return dict(steps[name]["Metadata"])


def test_steps_run_in_their_turn_as_jobs(
    world: Embedded, sm: Any, started: Callable[..., str]
) -> None:
    """A job takes 100 seconds, a step without one 5: after 150 seconds the second job is on."""
    execution = started(Instance="ml.m5.4xlarge", Count="2")
    assert states(sm, execution) == [("Prepare", "Executing")]
    world.advance(150)
    assert states(sm, execution) == [("Prepare", "Succeeded"), ("Train", "Executing")]
    assert status(sm, execution) == "Executing"
    job = metadata(sm, execution, "Train")["TrainingJob"]["Arn"].rpartition("/")[2]
    told = sm.describe_training_job(TrainingJobName=job)
    assert told["TrainingJobStatus"] == "InProgress"
    assert told["ResourceConfig"]["InstanceType"] == "ml.m5.4xlarge"
    assert told["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    identity = execution.rpartition("/")[2]
    assert job.startswith(f"pipelines-{identity}-Train-")
    (channel,) = told["InputDataConfig"]
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    assert uri == f"s3://bucket/{identity}/train"
    name = metadata(sm, execution, "Prepare")["ProcessingJob"]["Arn"].rpartition("/")[2]
    prepared = sm.describe_processing_job(ProcessingJobName=name)
    assert prepared["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 2
    world.advance(200)
    assert states(sm, execution) == [
        ("Prepare", "Succeeded"),
        ("Train", "Succeeded"),
        ("Evaluate", "Succeeded"),
        ("Check", "Succeeded"),
        ("Register", "Succeeded"),
    ]
    assert status(sm, execution) == "Succeeded"


def test_jobs_appear_without_asking_for_the_execution(
    world: Embedded, sm: Any, started: Callable[..., str]
) -> None:
    identity = started().rpartition("/")[2]
    world.advance(150)
    listed = sm.list_training_jobs(NameContains=identity)["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in listed] == ["InProgress"]


def test_the_model_is_registered_in_a_group_of_its_own(
    world: Embedded, sm: Any, started: Callable[..., str]
) -> None:
    execution = started()
    world.advance(1000)
    assert status(sm, execution) == "Succeeded"
    arn = metadata(sm, execution, "Register")["RegisterModel"]["Arn"]
    package = sm.describe_model_package(ModelPackageName=arn)
    assert package["ModelPackageGroupName"] == "abalone"
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    (container,) = package["InferenceSpecification"]["Containers"]
    job = metadata(sm, execution, "Train")["TrainingJob"]["Arn"].rpartition("/")[2]
    assert container["ModelDataUrl"] == f"s3://bucket/models/{job}/output/model.tar.gz"
    listed = sm.list_model_packages(ModelPackageGroupName="abalone")
    assert arn in [row["ModelPackageArn"] for row in listed["ModelPackageSummaryList"]]


@pytest.mark.parametrize(
    ("mse", "outcome", "last", "end"),
    [(5.9, "True", ("Register", "Succeeded"), "Succeeded"),
     (6.1, "False", ("TooHigh", "Failed"), "Failed")],
    ids=["below", "above"],
)  # fmt: skip
def test_a_report_in_s3_decides(
    world: Embedded,
    sm: Any,
    started: Callable[..., str],
    mse: float,
    outcome: str,
    last: tuple[str, str],
    end: str,
) -> None:
    execution = started()
    identity = execution.rpartition("/")[2]
    report = {"regression_metrics": {"mse": {"value": mse}}}
    world.client("s3").put_object(
        Bucket="bucket", Key=f"{identity}/evaluation/e.json", Body=json.dumps(report).encode()
    )
    world.advance(1000)
    assert states(sm, execution)[-1] == last
    assert metadata(sm, execution, "Check") == {"Condition": {"Outcome": outcome}}
    assert status(sm, execution) == end
    if end == "Failed":
        told = sm.describe_pipeline_execution(PipelineExecutionArn=execution)
        assert told["FailureReason"] == "Step failure: One or multiple steps failed."
        assert metadata(sm, execution, "TooHigh") == {"Fail": {"ErrorMessage": "MSE is too high"}}


def test_a_step_that_sagemaker_refuses_fails_the_execution(
    world: Embedded, sm: Any, started: Callable[..., str]
) -> None:
    execution = started(Instance="ml.unheard.of")
    assert status(sm, execution) == "Failed"
    (step,) = sm.list_pipeline_execution_steps(PipelineExecutionArn=execution)[
        "PipelineExecutionSteps"
    ]
    assert step["StepName"] == "Prepare"
    assert "'ml.unheard.of' at 'processingResources.clusterConfig" in step["FailureReason"]


def test_a_kind_of_step_that_is_not_run_says_so(sm: Any, started: Callable[..., str]) -> None:
    execution = started(definition(Steps=[{"Name": "Call", "Type": "Lambda", "Arguments": {}}]))
    (step,) = sm.list_pipeline_execution_steps(PipelineExecutionArn=execution)[
        "PipelineExecutionSteps"
    ]
    assert "does not run steps of type Lambda" in step["FailureReason"]
    assert status(sm, execution) == "Failed"


def test_stopping_stops_the_job_and_begins_nothing_else(
    world: Embedded, sm: Any, started: Callable[..., str]
) -> None:
    execution = started()
    sm.stop_pipeline_execution(PipelineExecutionArn=execution)
    assert status(sm, execution) == "Stopping"
    world.advance(1000)
    assert status(sm, execution) == "Stopped"
    assert states(sm, execution) == [("Prepare", "Stopped")]
    code, message = refused(sm.stop_pipeline_execution, PipelineExecutionArn=execution)
    assert (code, "Stopped" in message) == ("ValidationException", True)


def test_what_an_execution_was_started_with_stays_readable(
    sm: Any, started: Callable[..., str]
) -> None:
    execution = started(Instance="ml.m5.2xlarge")
    listed = sm.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)
    assert listed["PipelineParameters"] == [{"Name": "Instance", "Value": "ml.m5.2xlarge"}]
    told = sm.describe_pipeline_execution(PipelineExecutionArn=execution)
    name = told["PipelineArn"].rpartition("/")[2]
    identity = execution.rpartition("/")[2]
    experiment = {"ExperimentName": name, "TrialName": identity}
    assert told["PipelineExperimentConfig"] == experiment
    sm.update_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition(Steps=[])))
    kept = sm.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)
    assert json.loads(kept["PipelineDefinition"]) == definition()
    (row,) = sm.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert row["PipelineExecutionArn"] == execution
    found = sm.search(
        Resource="PipelineExecution",
        SearchExpression={
            "Filters": [{"Name": "PipelineExecutionArn", "Operator": "Equals", "Value": execution}]
        },
    )["Results"]
    assert [each["PipelineExecution"]["PipelineExecutionStatus"] for each in found] == ["Executing"]


def test_pages_of_executions_and_steps(
    world: Embedded, sm: Any, started: Callable[..., str]
) -> None:
    first = started()
    told = sm.describe_pipeline_execution(PipelineExecutionArn=first)
    name = told["PipelineArn"].rpartition("/")[2]
    second = sm.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    pages = sm.get_paginator("list_pipeline_executions").paginate(
        PipelineName=name, SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    arns = [[r["PipelineExecutionArn"] for r in p["PipelineExecutionSummaries"]] for p in pages]
    assert arns == [[first], [second]]
    world.advance(1000)
    pages = sm.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=first, PaginationConfig={"PageSize": 2}
    )
    names = [step["StepName"] for page in pages for step in page["PipelineExecutionSteps"]]
    assert names == ["Register", "Check", "Evaluate", "Train", "Prepare"]  # the newest first


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


def test_values_of_expressions() -> None:
    def get(reference: str) -> Any:
        return {"Parameters.A": "a", "Parameters.Yes": True}[reference]

    def read_json(reference: str) -> Any:
        return {"m": [{"value": 3}]}

    values = [{"Get": "Parameters.A"}, 1, {"Get": "Parameters.Yes"}]
    join = {"Std:Join": {"On": "-", "Values": values}}
    assert resolve({"k": [join]}, get, read_json) == {"k": ["a-1-true"]}
    file = {"Get": "Steps.E.PropertyFiles.R"}
    report = {"Std:JsonGet": {"PropertyFile": file, "Path": "m[0].value"}}
    assert resolve(report, get, read_json) == 3
    assert steps_named({"a": join, "b": [report]}) == {"E"}
    with pytest.raises(Unreadable, match="nothing at m"):
        at({"m": []}, "m[0]")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Type": "Equals", "LeftValue": "a", "RightValue": "a"}, True),
        ({"Type": "GreaterThan", "LeftValue": 2, "RightValue": 2}, False),
        ({"Type": "GreaterThanOrEqualTo", "LeftValue": 2, "RightValue": 2}, True),
        ({"Type": "LessThan", "LeftValue": 1, "RightValue": 2}, True),
        ({"Type": "In", "QueryValue": "a", "Values": ["b", "a"]}, True),
        (
            {"Type": "Not", "Expression": {"Type": "Equals", "LeftValue": 1, "RightValue": 1}},
            False,
        ),
        (
            {
                "Type": "Or",
                "Conditions": [
                    {"Type": "Equals", "LeftValue": 1, "RightValue": 2},
                    {"Type": "Equals", "LeftValue": 1, "RightValue": 1},
                ],
            },
            True,
        ),
    ],
)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition, lambda value: value) is expected
