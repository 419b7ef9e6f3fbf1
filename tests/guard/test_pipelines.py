"""Pipelines in the guard: every step is checked before the definition leaves."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from secure_ml_ext.check.documents import Checker
from secure_ml_ext.check.pipeline import read_pipeline
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard import RequestBlocked
from secure_ml_ext.guard.inline import text
from secure_ml_ext.rules import profile_from_dict

from .conftest import PROFILE, SECRET, Shown, compliant

MakeGuard = Callable[..., Any]
ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"


def step(name: str, request: dict[str, Any]) -> dict[str, Any]:
    arguments = {k: v for k, v in request.items() if k not in ("TrainingJobName", "Tags")}
    return {"Name": name, "Type": "Training", "Arguments": arguments}


def definition() -> dict[str, Any]:
    """A compliant step, then one inside a condition that lacks network, key and encryption."""
    bad = compliant()
    del bad["VpcConfig"], bad["ResourceConfig"]["VolumeKmsKeyId"]
    bad["ResourceConfig"]["InstanceType"] = {"Get": "Parameters.Instance"}
    inner = {
        "Name": "Check",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
            "IfSteps": [step("Retrain", bad)],
            "ElseSteps": [
                {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}},
            ],
        },
    }
    return {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.xlarge"}],
        "Steps": [step("Train", compliant()), inner],
    }


def create(client: Any, name: str, content: dict[str, Any]) -> None:
    client.create_pipeline(
        PipelineName=name,
        ClientRequestToken=name.ljust(32, "x"),
        RoleArn=ROLE,
        PipelineDefinition=json.dumps(content),
    )


def errors(content: str) -> list[str]:
    """The errors of a definition, checked on its own."""
    profile = profile_from_dict({"values": PROFILE}, "test")
    report = Checker.of(profile).report(read_pipeline(content))
    return [f.rule for s in report.subjects for f in s.findings if f.severity == "error"]


def test_a_step_without_network_blocks_the_pipeline(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded, shown: Shown
) -> None:
    make_guard("block")
    with pytest.raises(RequestBlocked) as blocked:
        create(sagemaker, "blocked-pipeline", definition())
    assert aws.requests(operation="CreatePipeline") == []
    assert "step Retrain, in Check (if): VPC: no subnets or security groups" in str(blocked.value)
    (card,) = shown.cards
    steps = [(s.kind, s.operation, s.where) for s in card.report.subjects]
    assert steps == [
        ("request", "CreatePipeline", None),
        ("pipeline-step", "CreateTrainingJob", "step Train"),
        ("pipeline-step", "CreateTrainingJob", "step Retrain, in Check (if)"),
    ]
    assert any("Stop" in (note.where or "") for note in card.report.notes)
    assert SECRET not in text(card)
    assert SECRET not in str(blocked.value.report)


def test_fix_mode_sends_a_definition_in_which_every_step_is_mended(
    make_guard: MakeGuard, sagemaker: Any, bodies: Any
) -> None:
    make_guard("fix")
    content = definition()
    before = copy.deepcopy(content)
    create(sagemaker, "fixed-pipeline", content)
    sent = bodies[0]["PipelineDefinition"]
    assert errors(json.dumps(before)) != []
    assert errors(sent) == []
    changed = json.loads(sent)
    inner = changed["Steps"][1]["Arguments"]["IfSteps"][0]["Arguments"]
    assert inner["VpcConfig"]["Subnets"] == PROFILE["subnets"]
    # What is decided later stays as the user wrote it; nothing else is touched.
    assert inner["ResourceConfig"]["InstanceType"] == {"Get": "Parameters.Instance"}
    assert changed["Steps"][0] == before["Steps"][0]
    assert changed["Parameters"] == before["Parameters"]


def test_send_with_fix_sends_the_mended_definition(
    make_guard: MakeGuard, sagemaker: Any, bodies: Any, shown: Shown
) -> None:
    guard = make_guard("block")
    with pytest.raises(RequestBlocked):
        create(sagemaker, "held-pipeline", definition())
    held = shown.cards[0].held
    assert held is not None
    replies: list[Any] = []
    guard.send_held(held, replies.append)
    assert replies[0]["ok"], replies
    assert errors(bodies[-1]["PipelineDefinition"]) == []


def test_starting_is_checked_with_its_parameters(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded, shown: Shown
) -> None:
    """A local-disk type takes no volume key: the step has one, so the override breaks it."""
    content = definition()
    content["Steps"] = [step("Train", compliant())]
    arguments = content["Steps"][0]["Arguments"]
    arguments["ResourceConfig"]["InstanceType"] = {"Get": "Parameters.Instance"}
    create(sagemaker, "started-pipeline", content)
    guard = make_guard("block")
    for lookups in guard.engine()._lookups.values():
        lookups.budget = 20
    guard.engine().lookups("eu-west-1").budget = 20
    sagemaker.start_pipeline_execution(PipelineName="started-pipeline")
    with pytest.raises(RequestBlocked, match=r"ml\.g5\.xlarge has local disks"):
        sagemaker.start_pipeline_execution(
            PipelineName="started-pipeline",
            PipelineParameters=[{"Name": "Instance", "Value": "ml.g5.xlarge"}],
        )
    assert shown.cards[-1].held is None  # the definition is not in this request
    assert len(aws.requests(operation="StartPipelineExecution")) == 1


def test_a_definition_in_s3_is_read(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded, shown: Shown
) -> None:
    bucket = "sm-mlops-dev-eu-west-1-data"
    aws.client("s3").put_object(
        Bucket=bucket, Key="p/definition.json", Body=json.dumps(definition()).encode()
    )
    guard = make_guard("block")
    guard.engine().lookups("eu-west-1").budget = 20
    with pytest.raises(RequestBlocked, match="step Retrain"):
        sagemaker.create_pipeline(
            PipelineName="stored-pipeline",
            ClientRequestToken="x" * 32,
            RoleArn=ROLE,
            PipelineDefinitionS3Location={"Bucket": bucket, "ObjectKey": "p/definition.json"},
        )
    assert shown.cards[-1].held is None


def test_what_cannot_be_read_is_sent_and_said(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded, shown: Shown
) -> None:
    make_guard("block")
    with pytest.raises(sagemaker.exceptions.ClientError):
        sagemaker.start_pipeline_execution(PipelineName="nowhere")
    notes = shown.cards[-1].report.notes
    assert [note.message for note in notes] == ["not looked up, so its steps are not checked"]
