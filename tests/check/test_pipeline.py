"""Pipeline definitions: which requests their steps are, where they stand, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from secure_ml_ext.check import check_request
from secure_ml_ext.check.items import Reading
from secure_ml_ext.check.pipeline import is_pipeline, read_pipeline
from secure_ml_ext.check.pipeline_steps import BRANCHES, OPERATIONS, WITHOUT_REQUEST
from secure_ml_ext.inventory import operations
from secure_ml_ext.inventory.paths import get, parse
from tests.check.definitions import ROLE, condition, definition, said, step
from tests.worlds import profile

DATA = Path(__file__).resolve().parents[1] / "data" / "pipelines"


def errors(reading: Reading) -> list[tuple[str, str, set[str]]]:
    """Operation, place and rules broken with severity error, step by step."""
    found = []
    for item in reading.items:
        subject = check_request(item.operation, item.params, where=item.where).subjects[0]
        rules = {f.rule for f in subject.findings if f.severity == "error"}
        found.append((item.operation, item.where or "", rules))
    return found


# -- real definitions ------------------------------------------------------------------------------


def test_the_lambda_example_of_aws_lacks_everything() -> None:
    # By eye: no VpcConfig, NetworkConfig, KMS key or encryption flag stands anywhere in the file.
    # Both processing steps have outputs, so the output key is asked for.
    process = {"processing-vpc", "processing-volume-kms", "job-output-kms"}
    training = {"training-vpc", "training-volume-kms", "training-output-kms"}
    traffic = {"job-traffic-encryption"}
    reading = read_pipeline((DATA / "lambda-step.json").read_text(), role=ROLE)
    assert errors(reading) == [
        ("CreateProcessingJob", "step PreprocessAbaloneData", process | traffic),
        ("CreateTrainingJob", "step TrainAbaloneModel", training | traffic),
        ("CreateProcessingJob", "step EvaluateAbaloneModel", process | traffic),
        (
            "CreateModel",
            "step CreateModel-CreateModel, in CheckMSEAbaloneEvaluation (if)",
            {"model-vpc"},
        ),
    ]
    assert said(reading) == [
        (
            "step LambdaStep, in CheckMSEAbaloneEvaluation (if)",
            "nothing to check here: a Lambda function may start anything; "
            "its own role decides what",
        )
    ]
    assert [item.role for item in reading.items] == [ROLE] * 4
    assert {item.kind for item in reading.items} == {"pipeline-step"}


def test_the_secure_mlops_example_is_compliant_but_for_isolation() -> None:
    # By eye: every job has VPC, both keys and traffic encryption; isolation is false or absent,
    # which is a warning. The model package has no validation profiles, so no field is asked for.
    reading = read_pipeline((DATA / "secure-mlops-abalone.json").read_text())
    inside = "step RegisterAbaloneModel-RegisterModel, in CheckMSEAbaloneEvaluation (if)"
    assert errors(reading) == [
        ("CreateProcessingJob", "step PreprocessAbaloneData", set()),
        ("CreateTrainingJob", "step TrainAbaloneModel", set()),
        ("CreateProcessingJob", "step EvaluateAbaloneModel", set()),
        ("CreateModelPackage", inside, set()),
    ]
    assert reading.notes == []
    assert [item.role for item in reading.items] == [None] * 4
    cluster = reading.items[0].params["ProcessingResources"]["ClusterConfig"]
    # Both are parameters in the file, with these defaults.
    assert cluster["InstanceType"] == "ml.m5.xlarge"
    assert cluster["InstanceCount"] == 1
    # The execution's id is in this one, so it stays as it is.
    output = reading.items[0].params["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert output["Std:Join"]["Values"][3] == {"Get": "Execution.PipelineExecutionId"}


def test_an_execution_with_local_disks_needs_no_volume_key_and_refuses_one() -> None:
    text = (DATA / "lambda-step.json").read_text()
    reading = read_pipeline(text, parameters={"TrainingInstanceType": "ml.g5.2xlarge"})
    training = errors(reading)[1][2]
    assert training == {"training-vpc", "training-output-kms", "job-traffic-encryption"}
    text = (DATA / "secure-mlops-abalone.json").read_text()
    listed = [{"Name": "TrainingInstanceType", "Value": "ml.g5.2xlarge"}]
    assert errors(read_pipeline(text, parameters=listed))[1][2] == {"training-volume-kms"}


@pytest.mark.parametrize("name", ["lambda-step", "secure-mlops-abalone"])
def test_a_definition_is_told_as_text_and_parsed_alike_and_never_changed(name: str) -> None:
    text = (DATA / f"{name}.json").read_text()
    content = json.loads(text)
    assert is_pipeline(content)
    reading = read_pipeline(content)
    assert reading == read_pipeline(text)
    assert content == json.loads(text)
    for item in reading.items:
        spoil(item.params)
    assert content == json.loads(text)


def spoil(value: Any) -> None:
    """Empty every list and object below a value."""
    for inner in list(value.values() if isinstance(value, dict) else value):
        if isinstance(inner, (dict, list)):
            spoil(inner)
    value.clear()


@pytest.mark.parametrize("name", ["lambda-step", "secure-mlops-abalone"])
def test_the_pointer_leads_to_the_arguments(name: str) -> None:
    content = json.loads((DATA / f"{name}.json").read_text())
    for item in read_pipeline(content).items:
        assert item.pointer is not None
        path = tuple(int(p) if str(p).isdecimal() else p for p in parse(item.pointer))
        assert set(get(content, path)) == set(item.params)


# -- kinds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "arguments", "operation"),
    [
        ("Processing", {}, "CreateProcessingJob"),
        ("QualityCheck", {}, "CreateProcessingJob"),
        ("ClarifyCheck", {}, "CreateProcessingJob"),
        ("Training", {}, "CreateTrainingJob"),
        ("Tuning", {}, "CreateHyperParameterTuningJob"),
        ("Transform", {}, "CreateTransformJob"),
        ("Model", {}, "CreateModel"),
        ("RegisterModel", {}, "CreateModelPackage"),
        ("AutoML", {"AutoMLJobConfig": {"Mode": "ENSEMBLING"}}, "CreateAutoMLJob"),
        ("AutoML", {"AutoMLProblemTypeConfig": {}}, "CreateAutoMLJobV2"),
        ("EndpointConfig", {"ProductionVariants": []}, "CreateEndpointConfig"),
        ("Endpoint", {"EndpointConfigName": "c"}, "CreateEndpoint"),
        ("Endpoint", {"ProductionVariants": []}, "CreateEndpointConfig"),
    ],
)
def test_each_kind_is_a_request(kind: str, arguments: Any, operation: str) -> None:
    reading = read_pipeline(definition(step(kind, **arguments)))
    assert [(i.operation, i.params, i.where) for i in reading.items] == [
        (operation, arguments, "step S")
    ]
    assert reading.notes == []


@pytest.mark.parametrize("kind", sorted(WITHOUT_REQUEST))
def test_each_kind_without_a_request_says_why(kind: str) -> None:
    reading = read_pipeline(definition(step(kind), step("Training", "T")))
    assert [item.where for item in reading.items] == ["step T"]
    assert [note.where for note in reading.notes] == ["step S"]
    assert reading.notes[0].message.startswith(("nothing to check here: ", "not checked: "))


def test_an_unknown_kind_is_said_and_the_rest_read() -> None:
    reading = read_pipeline(definition(step("Quantum", "Q"), step("Training", "T")))
    assert [item.where for item in reading.items] == ["step T"]
    assert said(reading) == [
        ("step Q", "not checked: steps of kind Quantum are not known to this version")
    ]


def test_every_operation_of_a_step_is_in_the_field_table() -> None:
    assert {*OPERATIONS.values(), "CreateAutoMLJobV2"} <= set(operations())


def test_every_kind_that_botocore_knows_is_known() -> None:
    """The members of a step's metadata are called like the kinds, but for ``…Job``."""
    service = botocore.session.get_session().get_service_model("sagemaker")
    members = service.shape_for("PipelineExecutionStepMetadata").members
    kinds = {name.removesuffix("Job") or name for name in members}
    assert kinds <= {*OPERATIONS, *WITHOUT_REQUEST, *BRANCHES}


def test_the_page_names_every_kind_and_operation() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "pipelines.md").read_text()
    table = page.partition("## What each kind of step is")[2].partition("\n## ")[0]
    for word in (*OPERATIONS, *OPERATIONS.values(), *WITHOUT_REQUEST, *BRANCHES):
        assert f"`{word}`" in table


def test_no_kind_is_two_things() -> None:
    kinds = [*OPERATIONS, *WITHOUT_REQUEST, *BRANCHES]
    assert len(kinds) == len(set(kinds))


def test_both_branches_are_read_and_keep_the_whole_chain() -> None:
    inner = condition("Inner", step("Training", "A"), otherwise=[step("Model", "B")])
    loop = step(
        "ForEach",
        "Loop",
        IterableItems=["x"],
        ForEachBody=[step("Processing", "C", Environment={"I": {"Get": "ForEach.CurrentItem"}})],
    )
    outer = condition("Outer", step("Fail", "F"), otherwise=[inner, loop])
    reading = read_pipeline(definition(outer))
    assert [item.where for item in reading.items] == [
        "step A, in Inner (if), in Outer (else)",
        "step B, in Inner (else), in Outer (else)",
        "step C, in Loop (each), in Outer (else)",
    ]
    assert [item.pointer for item in reading.items] == [
        "/Steps/0/Arguments/ElseSteps/0/Arguments/IfSteps/0/Arguments",
        "/Steps/0/Arguments/ElseSteps/0/Arguments/ElseSteps/0/Arguments",
        "/Steps/0/Arguments/ElseSteps/1/Arguments/ForEachBody/0/Arguments",
    ]
    assert said(reading) == [
        (
            "step F, in Outer (if)",
            "nothing to check here: the step ends the execution and starts nothing",
        )
    ]
    assert reading.items[2].params["Environment"] == {"I": {"Get": "ForEach.CurrentItem"}}


def test_what_belongs_to_the_service_is_tolerated() -> None:
    training = {
        **step("Training", "T"),
        "DisplayName": "t",
        "Description": "d",
        "DependsOn": ["x", {"Step": "y", "Trigger": "Failed"}],
        "CacheConfig": {"Enabled": True, "ExpireAfter": "30d"},
        "RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"]}],
        "PropertyFiles": [],
    }
    reading = read_pipeline(
        definition(
            training,
            PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.PipelineName"}},
            MlflowConfig=None,
            Parameters=None,
        )
    )
    assert [item.params for item in reading.items] == [{}]
    assert reading.notes == []


# -- whose settings --------------------------------------------------------------------------------


def test_a_transform_says_which_model_it_takes_its_network_from() -> None:
    used = {"Get": "Steps.Make.ModelName"}
    reading = read_pipeline(
        definition(
            step("Model", "Make"),
            step("Transform", "Score", ModelName=used),
            step("Transform", "Named", ModelName="m"),
            step(
                "EndpointConfig",
                "Config",
                ProductionVariants=[{"ModelName": used}, {"ModelName": used}],
            ),
            step(
                "Endpoint", "Serve", EndpointConfigName={"Get": "Steps.Config.EndpointConfigName"}
            ),
        )
    )
    assert [item.note for item in reading.items] == [
        None,
        "VPC, Isolation: those of step Make",
        None,
        "VPC, Isolation: those of step Make",
        "VPC, Isolation, Volume key, Capture key: those of step Config",
    ]
    item = reading.items[1]
    controls = check_request(item.operation, item.params).subjects[0].controls
    states = {c.control: (c.state, c.note) for c in controls}
    assert states["vpc"] == states["isolation"] == ("depends", "taken from what is decided later")


@pytest.mark.parametrize(
    ("settings", "control", "state"),
    [
        ({"VpcConfig": {"Get": "Parameters.Vpc"}}, "vpc", "depends"),
        ({"VpcConfig": {"Get": "Parameters.Vpc"}}, "approved-network", "depends"),
        (
            {"VpcConfig": {"Subnets": [{"Get": "Parameters.S"}], "SecurityGroupIds": ["sg-1"]}},
            "approved-network",
            "fail",
        ),
        (
            {
                "VpcConfig": {
                    "Subnets": [{"Get": "Parameters.S"}],
                    "SecurityGroupIds": ["sg-0da87d40633b8f922"],
                }
            },
            "approved-network",
            "depends",
        ),
        ({"OutputDataConfig": {"KmsKeyId": {"Get": "Parameters.K"}}}, "output-kms", "depends"),
        ({"OutputDataConfig": {"KmsKeyId": {"Get": "Parameters.K"}}}, "approved-key", "depends"),
        ({"EnableNetworkIsolation": {"Get": "Parameters.I"}}, "isolation", "depends"),
    ],
)
def test_what_is_decided_later_is_not_determined(settings: Any, control: str, state: str) -> None:
    item = read_pipeline(definition(step("Training", **settings))).items[0]
    subject = check_request(item.operation, item.params, profile=profile()).subjects[0]
    assert {c.control: c.state for c in subject.controls}[control] == state


def test_a_number_that_is_decided_later_is_not_determined() -> None:
    variant = {"ModelName": "m", "InitialInstanceCount": {"Get": "Parameters.Count"}}
    item = read_pipeline(definition(step("EndpointConfig", ProductionVariants=[variant]))).items[0]
    controls = check_request(item.operation, item.params).subjects[0].controls
    assert {c.control: c.state for c in controls}["redundancy"] == "depends"
