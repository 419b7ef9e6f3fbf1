"""Pipelines of the embedded AWS over HTTP: executions and the jobs of their steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from secure_ml_ext.demo.aws import Embedded
from tests.demo.definitions import definition, refused


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


@pytest.mark.parametrize(
    "condition",
    [
        {"Type": "Equals", "LeftValue": {"Std:Join": {"On": "/"}}, "RightValue": 1},
        {"Type": "Equals", "LeftValue": 1},
        {"Type": "LessThan", "LeftValue": None, "RightValue": 1},
        {"Type": "Unheard", "LeftValue": 1, "RightValue": 1},
        {"Type": "In", "QueryValue": 1, "Values": 1},
        {"Type": "Not", "Expression": "x"},
    ],
)
def test_a_step_that_cannot_be_read_fails_alone(
    sm: Any, started: Callable[..., str], condition: dict[str, Any]
) -> None:
    step = {"Name": "Check", "Type": "Condition", "Arguments": {"Conditions": [condition]}}
    execution = started(definition(Steps=[step]))
    assert states(sm, execution) == [("Check", "Failed")]
    assert status(sm, execution) == "Failed"


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
