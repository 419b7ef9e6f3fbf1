"""What the story of the abalone notebooks must be, whatever they are written with.

Used in three environments: boto3, and both generations of the SageMaker SDK.
"""

from __future__ import annotations

import json
import re
from typing import Any

from secure_ml_ext.check.testing import assert_compliant
from secure_ml_ext.demo.aws import Embedded

from .lab4 import CARD, Run, errors_of, profile_of

NAME = "abalone"
INSIDE = ", in CheckMSEAbaloneEvaluation (if)"
# Without network and keys a job breaks four rules that are errors, and one that warns.
PROCESSING = {
    "processing-vpc": "error",
    "processing-volume-kms": "error",
    "job-output-kms": "error",
    "job-traffic-encryption": "error",
    "job-isolation": "warning",
}
TRAINING = {
    "training-vpc": "error",
    "training-volume-kms": "error",
    "training-output-kms": "error",
    "job-traffic-encryption": "error",
    "job-isolation": "warning",
}
ISOLATION = {"job-isolation": "warning"}
# No control of a registered model is more than a note.
REGISTERED = {"model-card-kms": "info"}
LOCAL_DISKS = "Volume key: ml.g5.xlarge has local disks and refuses a volume key"

Steps = dict[str, dict[str, str]]


def findings(run: Run, cell: str) -> Steps:
    """The findings of every step on the card under a cell: rule and severity by place."""
    (bundle,) = run.cards(cell)
    first, *steps = bundle[CARD]["report"]["subjects"]
    assert first["findings"] == []  # the request itself names a pipeline, a role and a text
    assert {step["kind"] for step in steps} == {"pipeline-step"}
    return {step["where"]: {f["rule"]: f["severity"] for f in step["findings"]} for step in steps}


def notes(run: Run, cell: str) -> dict[str, str]:
    """What the card under a cell has to say about a step, by the step's name."""
    (bundle,) = run.cards(cell)
    steps = bundle[CARD]["report"]["subjects"][1:]
    return {re.split("[ ,]", step["where"])[1]: step["note"] for step in steps if step["note"]}


def check_story(run: Run, aws: Embedded, *, registered: str, hidden: str | None = None) -> None:
    """Check what every notebook must have said and done.

    ``registered`` is the step that registers the model, ``hidden`` the training step that the
    SDK adds before it.
    """
    inner: Steps = {} if hidden is None else {f"step {hidden}{INSIDE}": TRAINING}
    inner[f"step {registered}{INSIDE}"] = REGISTERED
    _check_cards(run, inner)
    _check_what_was_sent(run, aws)
    names = ["PreprocessAbaloneData", "TrainAbaloneModel", "EvaluateAbaloneModel"]
    names += ["CheckMSEAbaloneEvaluation", *([hidden] if hidden else []), registered]
    _check_what_ran(run, aws, names)


def _check_cards(run: Run, inner: Steps) -> None:
    assert "Profile: sm-mlops-dev" in run.text("profile")
    names = ("PreprocessAbaloneData", "TrainAbaloneModel", "EvaluateAbaloneModel")
    prepare, train, evaluate = (f"step {name}" for name in names)
    open_steps = {prepare: PROCESSING, train: TRAINING, evaluate: PROCESSING, **inner}
    assert findings(run, "blocked") == open_steps
    said = run.text("blocked")
    # Each error is one; so is each step that the organisation's policy denies.
    denied = [place for place, rules in open_steps.items() if len(rules) == 5]
    assert f"RequestBlocked: CreatePipeline {NAME} was not sent: {len(denied) * 5} errors." in said
    for place in denied:
        assert f'{place}: IAM would deny this  scp:1 "DenyNoVpc"' in said
        assert f"{place}: VPC: no subnets or security groups" in said
    # The user gave both processing steps what they need; the guard does the rest.
    closed = {prepare: {}, evaluate: {}}
    assert findings(run, "fixed") == {**open_steps, **closed}
    assert run.cards("fixed")[0][CARD]["action"] == "fixed"
    isolated = {
        place: ISOLATION if rules is TRAINING else rules for place, rules in open_steps.items()
    }
    assert findings(run, "start") == {**isolated, **closed}
    assert run.cards("start")[0][CARD]["action"] == "warned"
    keyless = {"processing-volume-kms": "error"}
    assert findings(run, "empty-key") == {**isolated, prepare: keyless, evaluate: keyless}
    said = run.text("empty-key")
    assert f"RequestBlocked: StartPipelineExecution {NAME} was not sent: 4 errors." in said
    assert f"{prepare}: Volume key: the volume has no KMS key of yours" in said
    on_disks = {**ISOLATION, "training-volume-kms": "error"}
    assert findings(run, "local-disks") == {**isolated, **closed, train: on_disks}
    assert f"{train}: {LOCAL_DISKS}" in run.text("local-disks")


def _check_what_was_sent(run: Run, aws: Embedded) -> None:
    for operation in ("CreatePipeline", "StartPipelineExecution"):
        assert [r["status"] for r in aws.requests(operation=operation)] == [200]
    stored = aws.client("sagemaker").describe_pipeline(PipelineName=NAME)
    report = assert_compliant(stored["PipelineDefinition"], profile=profile_of(aws))
    assert f"0 errors, {report.summary.warning} warnings" in run.text("stored")
    for subject in report.subjects:
        assert f"{subject.operation} in {subject.where}" in run.text("stored")
    steps = {step["Name"]: step for step in json.loads(stored["PipelineDefinition"])["Steps"]}
    train = steps["TrainAbaloneModel"]["Arguments"]
    subnets = profile_of(aws).get("subnets")
    assert train["VpcConfig"]["Subnets"] == subnets
    assert train["ResourceConfig"]["InstanceType"] == {"Get": "Parameters.TrainingInstanceType"}
    volume = steps["EvaluateAbaloneModel"]["Arguments"]["ProcessingResources"]["ClusterConfig"]
    assert volume["VolumeKmsKeyId"] == {"Get": "Parameters.VolumeKmsKey"}


def _check_what_ran(run: Run, aws: Embedded, names: list[str]) -> None:
    sagemaker = aws.client("sagemaker")
    shown = [f"Succeeded   {name}" for name in (*names, NAME)]
    assert [line for line in run.text("wait").splitlines() if line] == shown
    (execution,) = sagemaker.list_pipeline_executions(PipelineName=NAME)[
        "PipelineExecutionSummaries"
    ]
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    listed = sagemaker.list_pipeline_execution_steps(
        PipelineExecutionArn=execution["PipelineExecutionArn"], SortOrder="Ascending"
    )["PipelineExecutionSteps"]
    assert [step["StepName"] for step in listed] == names
    for step in listed:
        for kind, value in step["Metadata"].items():
            _check_job(sagemaker, aws, kind, value.get("Arn", ""))
    package = sagemaker.describe_model_package(
        ModelPackageName=listed[-1]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert package["ModelPackageGroupName"] == NAME
    assert f"model: {package['ModelPackageArn']} PendingManualApproval" in run.text("ran")
    assert "instance: ml.m5.2xlarge" in run.text("ran")  # the override


def _check_job(sagemaker: Any, aws: Embedded, kind: str, arn: str) -> None:
    """A job of a step is as compliant as its definition."""
    name = arn.rpartition("/")[2]
    if kind == "TrainingJob":
        told = sagemaker.describe_training_job(TrainingJobName=name)
        assert errors_of(aws, "CreateTrainingJob", told) == []
    elif kind == "ProcessingJob":
        told = sagemaker.describe_processing_job(ProcessingJobName=name)
        assert errors_of(aws, "CreateProcessingJob", told) == []
    else:
        assert kind in ("Condition", "RegisterModel")
