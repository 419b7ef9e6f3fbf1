"""Documents told by their content, and every kind through the one check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_ml_ext.check import Caller
from secure_ml_ext.check.documents import Asked, Checker, detect, read_content, read_text
from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.request import UnknownOperation
from secure_ml_ext.iam import PolicyBundle

from .requests import ACCOUNT, EVERYTHING, PROFILE, REGION, bundle, deny, training

DATA = Path(__file__).parents[1] / "data"
PIPELINE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"
TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Model:
    Type: AWS::SageMaker::Model
    Properties:
      ExecutionRoleArn: !GetAtt Role.Arn
      VpcConfig: !Ref Network
"""


def pipeline(*arguments: dict[str, Any]) -> dict[str, Any]:
    steps = [
        {"Name": f"Train{n}", "Type": "Training", "Arguments": each}
        for n, each in enumerate(arguments)
    ]
    return {"Version": "2020-12-01", "Parameters": [], "Steps": steps}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"operation": "CreateModel", "params": {}}, "request"),
        (training(), "request"),
        (pipeline(training()), "pipeline"),
        ({**training(), "TrainingJobArn": "arn:aws:sagemaker:…", "CreationTime": 1}, "describe"),
        ({"eventSource": "sagemaker.amazonaws.com", "eventName": "CreateModel"}, "event"),
        ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}, "notebook"),
        ({"Resources": {"M": {"Type": "AWS::SageMaker::Model"}}}, "template"),
    ],
)
def test_the_content_tells_the_kind(content: Any, kind: str) -> None:
    assert detect(content) == kind


@pytest.mark.parametrize(
    ("folder", "kind"), [("describe", "describe"), ("events", "event"), ("pipelines", "pipeline")]
)
def test_the_recorded_files_are_told(folder: str, kind: str) -> None:
    files = sorted((DATA / folder).glob("*.json"))
    assert len(files) > 1
    for file in files:
        assert detect(json.loads(file.read_text())) == kind, file.name


def test_a_template_is_yaml_or_json_with_or_without_a_name() -> None:
    for origin in ("t.yaml", "standard input"):
        (item,) = read_text(TEMPLATE, origin).items
        assert (item.operation, item.kind) == ("CreateModel", "template-resource")
        states = {c.control: c.state for c in Checker.of(PROFILE).subject(item).controls}
        assert states["vpc"] == "depends"


def test_what_was_asked_for_wins_and_errors_name_the_document() -> None:
    with pytest.raises(InputError, match=r"^x\.json: "):
        read_text(json.dumps(training()), "x.json", Asked(kind="pipeline"))
    with pytest.raises(InputError, match=r"^x\.yaml: a pipeline is JSON"):
        read_text(TEMPLATE, "x.yaml", Asked(kind="pipeline"))
    with pytest.raises(InputError, match=r"^x\.json: line 1"):
        read_text("{,", "x.json")


def test_a_policy_in_the_place_of_a_request_is_told_where_it_belongs() -> None:
    for text in (json.dumps(EVERYTHING), json.dumps(bundle()), '{"Statement": [] // no\n}'):
        with pytest.raises(InputError, match="lint-policy"):
            read_text(text, "policy.json")


def test_the_steps_of_a_pipeline_are_requests_of_its_role() -> None:
    """The analyst may do everything; the pipeline's role may not train outside a VPC."""
    needs_vpc = deny("PipelineVpc", {"Null": {"sagemaker:VpcSubnets": "true"}})
    scp = {"Version": "2012-10-17", "Statement": [needs_vpc]}
    policies = PolicyBundle.from_dict(
        {
            "principals": {
                f"arn:aws:iam::{ACCOUNT}:role/analyst": {"identity": [EVERYTHING]},
                PIPELINE_ROLE: {"identity": [EVERYTHING, scp]},
            }
        }
    )
    caller = Caller(ACCOUNT, REGION, f"arn:aws:iam::{ACCOUNT}:role/analyst")
    checker = Checker.of(PROFILE, bundle=policies, caller=caller)
    bad = training(VpcConfig=None, TrainingJobName=None)
    request = {
        "PipelineName": "p",
        "RoleArn": PIPELINE_ROLE,
        "PipelineDefinition": json.dumps(pipeline(training(TrainingJobName=None), bad)),
    }
    reading = read_content({"operation": "CreatePipeline", "params": request})
    report = checker.report(reading, "p.json")
    assert [(s.operation, s.iam.verdict) for s in report.subjects] == [
        ("CreatePipeline", "allowed"),
        ("CreateTrainingJob", "allowed"),
        ("CreateTrainingJob", "explicitly-denied"),
    ]
    assert report.subjects[2].where == "step Train1"
    # The same definition alone, with the role given.
    alone = read_content(pipeline(bad), asked=Asked(role=PIPELINE_ROLE))
    assert checker.report(alone).subjects[0].iam.verdict == "explicitly-denied"


def test_parameters_of_a_pipeline_are_used() -> None:
    content = pipeline(training(EnableNetworkIsolation={"Get": "Parameters.Isolate"}))
    content["Parameters"] = [{"Name": "Isolate", "Type": "Boolean", "DefaultValue": False}]
    for value, state in (("true", "pass"), ("false", "warn")):
        reading = read_content(content, asked=Asked(parameters={"Isolate": value}))
        (subject,) = Checker.of(PROFILE).subjects(reading)
        assert {c.control: c.state for c in subject.controls}["isolation"] == state


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["Steps", "Version", "Resources", "Type", "cells", "nbformat", "eventName", "detail",
             "operation", "params", "TrainingJobArn", "Statement", "Arguments", "x"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(content=JSON)
def test_any_json_gives_a_reading_or_a_clear_error(content: Any) -> None:
    try:
        reading = read_content(content)
    except (InputError, UnknownOperation):
        return
    for subject in Checker.of(PROFILE).subjects(reading):
        assert subject.operation
