"""The committed field table against the locked botocore and IAM data."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from secure_ml_ext.inventory import field_table, operations
from secure_ml_ext.inventory.classify import BAGS
from secure_ml_ext.inventory.derive import Unmapped, derive
from secure_ml_ext.inventory.paths import parse

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model() -> Any:
    loader = botocore.session.get_session().get_component("data_loader")
    return loader.load_service_model("sagemaker", "service-2")


def test_table_is_what_the_locked_botocore_and_iam_data_give() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/build_field_table.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_operation_with_a_security_field_is_there() -> None:
    assert len([o for o in operations().values() if o.fields]) >= 39
    for name in (
        "CreateTrainingJob",
        "CreateProcessingJob",
        "CreateHyperParameterTuningJob",
        "CreateTransformJob",
        "CreateAutoMLJobV2",
        "CreateCompilationJob",
        "CreateLabelingJob",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateNotebookInstance",
        "CreateDomain",
        "CreateCluster",
        "CreateFeatureGroup",
        "CreateMonitoringSchedule",
        "CreateInferenceExperiment",
    ):
        assert operations()[name].fields, name


def test_a_new_unmapped_field_stops_the_build(model: Any) -> None:
    changed = copy.deepcopy({"shapes": model["shapes"], "operations": model["operations"]})
    changed["shapes"]["CreateTrainingJobRequest"]["members"]["QuantumVpcTunnel"] = {
        "shape": "Boolean"
    }
    with pytest.raises(Unmapped, match="CreateTrainingJob:/QuantumVpcTunnel"):
        derive(changed, {})


def test_a_new_operation_with_known_names_needs_no_change(model: Any) -> None:
    changed = copy.deepcopy({"shapes": model["shapes"], "operations": model["operations"]})
    changed["operations"]["CreateDreamJob"] = {
        "name": "CreateDreamJob",
        "input": {"shape": "CreateTrainingJobRequest"},
    }
    entry = derive(changed, {})["CreateDreamJob"]
    assert {f["control"] for f in entry["fields"]} >= {"vpc", "volume-kms", "output-kms"}


def test_every_pointer_leads_to_a_member_of_the_request_shape(model: Any) -> None:
    shapes = model["shapes"]

    def walk(shape: str, parts: tuple[Any, ...]) -> None:
        for part in parts:
            spec = shapes[shape]
            if part == "*":
                assert spec["type"] == "list"
                shape = spec["member"]["shape"]
            else:
                shape = spec["members"][part]["shape"]

    for name, entry in operations().items():
        root = model["operations"][name]["input"]["shape"]
        for field in entry.fields:
            for pointer in [field.pointer, *field.instances]:
                walk(root, parse(pointer))
            assert field.pointer.startswith(field.anchor)
            rest = parse(field.pointer)[len(parse(field.anchor)) :]
            assert set(rest[:-1]) <= BAGS
        for reference in entry.references:
            for pointer in [reference.pointer, *([reference.by] if reference.by else [])]:
                walk(root, parse(pointer))
        if entry.name:
            assert entry.name in shapes[root]["members"]


def test_a_reference_knows_what_it_names(model: Any) -> None:
    """Either one operation, or one for every value of the member that chooses."""
    for entry in operations().values():
        for reference in entry.references:
            made_by = (
                {reference.operation} if reference.by is None else {*reference.choices.values()}
            )
            assert made_by <= operations().keys()
    schedule = operations()["CreateMonitoringSchedule"].references[0]
    assert set(schedule.choices) == set(model["shapes"]["MonitoringType"]["enum"])
    for kind, operation in schedule.choices.items():
        config = {"MonitoringJobDefinitionName": "d", "MonitoringType": kind}
        assert schedule.target({"MonitoringScheduleConfig": config}) == operation
    assert schedule.target({"MonitoringScheduleConfig": {"MonitoringType": {"Ref": "X"}}}) is None


def test_condition_keys_are_the_current_names() -> None:
    table = field_table()
    keys = {k for entry in table.operations.values() for f in entry.fields for k in f.keys}
    assert "sagemaker:VolumeKmsKeyArn" in keys
    assert not keys & set(table.deprecated_keys)


def test_fields_that_no_policy_can_see_are_marked_by_having_no_key() -> None:
    """The list of seed-systems §6: here the baseline is the only preventive control."""

    def keys(operation: str, pointer: str) -> list[str]:
        return next(f.keys for f in operations()[operation].fields if f.pointer == pointer)

    assert keys("CreateEndpointConfig", "/DataCaptureConfig/KmsKeyId") == []
    assert keys("CreateEndpointConfig", "/AsyncInferenceConfig/OutputConfig/KmsKeyId") == []
    assert keys("CreateTransformJob", "/DataCaptureConfig/KmsKeyId") == []
    assert keys("CreateCompilationJob", "/VpcConfig") == []
    assert keys("CreateTrainingJob", "/VpcConfig") == [
        "sagemaker:VpcSubnets",
        "sagemaker:VpcSecurityGroupIds",
    ]


def test_the_table_says_which_versions_it_came_from() -> None:
    sources = json.loads((ROOT / "secure_ml_ext/inventory/table.json").read_text())["sources"]
    assert sources["api_model"]["version"] == botocore.__version__
    assert sources["iam"]["licence"] == "MIT"
