"""The change as code to copy: valid, complete, and nothing of the user's in it."""

from __future__ import annotations

import ast
import copy
import itertools
from typing import Any

import botocore
import pytest

from secure_ml_ext.check import check_request
from secure_ml_ext.check.code import method_name, snippets
from secure_ml_ext.check.patch import apply_patch
from secure_ml_ext.check.records import PatchOp
from secure_ml_ext.inventory import mask, operations
from secure_ml_ext.rules import Profile, ProfileValue

KEY = "arn:aws:kms:eu-west-1:123456789012:key/"
SECRET = "hunter2-is-not-for-you"


def value(what: Any) -> ProfileValue:
    return ProfileValue(what, "test")


PROFILE = Profile(
    values={
        "subnets": value(["subnet-0a", "subnet-0b"]),
        "security_groups": value(["sg-0a"]),
        "volume_kms_key": value(f"{KEY}volume"),
        "output_kms_key": value(f"{KEY}output"),
    }
)
TRAINING: dict[str, Any] = {
    "TrainingJobName": "job",
    "Environment": {SECRET: SECRET},
    "HyperParameters": {"password": SECRET},
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    "OutputDataConfig": {"S3OutputPath": f"s3://{SECRET}/"},
}


def document(pointers: list[str]) -> dict[str, Any]:
    """A request that has the parents of all these pointers, and one element in each list."""
    made: dict[str, Any] = {}
    for pointer in pointers:
        parts = pointer[1:].split("/")
        node: Any = made
        for part, following in itertools.pairwise(parts):
            empty: Any = [] if following == "*" else {}
            if part == "*":
                if not node:
                    node.append({})
                node = node[0]
            else:
                node = node.setdefault(part, empty)
    return made


def every_fix(operation: str) -> tuple[dict[str, Any], list[PatchOp]]:
    """A request without any of its security fields, and a fix that sets them all."""
    fields = [f for f in operations()[operation].fields if f.kind != "count"]
    values = {
        "network": {"Subnets": ["subnet-0a"], "SecurityGroupIds": ["sg-0a"]},
        "subnet": "subnet-0a",
        "subnets": ["subnet-0a"],
        "groups": ["sg-0a"],
        "key": f"{KEY}one",
        "flag": True,
        "word": "Word",
    }
    request = document([f.pointer for f in fields])
    return request, [PatchOp("add", f.pointer.replace("*", "0"), values[f.kind]) for f in fields]


def with_fields() -> list[str]:
    return [op for op in operations() if every_fix(op)[1]]


def run(code: str, request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Execute boto3 code and return the calls it makes."""
    calls: list[tuple[str, dict[str, Any]]] = []

    class Client:
        def __getattr__(self, name: str) -> Any:
            return lambda **params: calls.append((name, params))

    exec(compile(code, "snippet", "exec"), {"request": request, "sagemaker": Client()})
    return calls


@pytest.mark.parametrize("operation", with_fields())
def test_every_operation_of_the_field_table(operation: str) -> None:
    request, fix = every_fix(operation)
    made = snippets(operation, request, fix)
    assert set(made) == {"v3", "v2", "boto3"}
    for text in made.values():
        ast.parse(text)
        assert text.endswith("\n")
        values = {f"{KEY}one", "subnet-0a", "Word", "True"}
        assert any(item in text for item in values)
    calls = run(made["boto3"], copy.deepcopy(request))
    assert calls == [(botocore.xform_name(operation), apply_patch(request, fix))]


@pytest.mark.parametrize("operation", with_fields())
def test_every_field_alone(operation: str) -> None:
    request, fix = every_fix(operation)
    for change in fix:
        made = snippets(operation, request, [change])
        for text in made.values():
            ast.parse(text)
        calls = run(made["boto3"], copy.deepcopy(request))
        assert calls == [(botocore.xform_name(operation), apply_patch(request, [change]))]


@pytest.mark.parametrize("operation", sorted(operations()))
def test_method_names_are_those_of_boto3(operation: str) -> None:
    assert method_name(operation) == botocore.xform_name(operation)


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_nothing_but_the_change_is_shown(masked: bool) -> None:
    fix = check_request("CreateTrainingJob", TRAINING, profile=PROFILE).subjects[0].fix
    request = mask("CreateTrainingJob", TRAINING) if masked else TRAINING
    made = snippets("CreateTrainingJob", request, fix)
    for text in made.values():
        assert SECRET not in text
        assert "s3://" not in text
        assert "…" not in text
        for wanted in ("subnet-0a", "subnet-0b", "sg-0a", f"{KEY}volume", f"{KEY}output", "True"):
            assert wanted in text


def test_the_boto3_form_makes_the_request_compliant() -> None:
    fix = check_request("CreateTrainingJob", TRAINING, profile=PROFILE).subjects[0].fix
    made = snippets("CreateTrainingJob", TRAINING, fix)
    ((name, sent),) = run(made["boto3"], copy.deepcopy(TRAINING))
    assert name == "create_training_job"
    assert sent["Environment"] == {SECRET: SECRET}
    assert check_request("CreateTrainingJob", sent, profile=PROFILE).summary.error == 0


def test_a_missing_parent_is_made() -> None:
    request = {"TrainingJobName": "job", "ResourceConfig": {"InstanceType": "ml.m5.xlarge"}}
    fix = [PatchOp("add", "/OutputDataConfig", {"KmsKeyId": f"{KEY}output"})]
    made = snippets("CreateTrainingJob", request, fix)
    ((_, sent),) = run(made["boto3"], dict(request))
    assert sent["OutputDataConfig"] == {"KmsKeyId": f"{KEY}output"}
    assert f'output_kms_key="{KEY}output"' in made["v2"]
    assert f'kms_key_id="{KEY}output"' in made["v3"]


def test_what_a_fix_takes_away() -> None:
    request = {
        "ResourceConfig": {"InstanceType": "ml.p4d.24xlarge", "VolumeKmsKeyId": f"{KEY}volume"}
    }
    fix = [PatchOp("remove", "/ResourceConfig/VolumeKmsKeyId")]
    made = snippets("CreateTrainingJob", request, fix)
    ((_, sent),) = run(made["boto3"], copy.deepcopy(request))
    assert sent == {"ResourceConfig": {"InstanceType": "ml.p4d.24xlarge"}}
    assert "# without volume_kms_key\n" in made["v2"]
    assert "# without volume_kms_key_id\n" in made["v3"]
    assert KEY not in "".join(made.values())


def test_an_object_of_the_network_is_written_out_in_full() -> None:
    request = {
        "NetworkConfig": {
            "EnableNetworkIsolation": True,
            "VpcConfig": {"Subnets": ["subnet-other"], "SecurityGroupIds": ["sg-mine"]},
        }
    }
    fix = [PatchOp("replace", "/NetworkConfig/VpcConfig/Subnets", ["subnet-0a"])]
    made = snippets("CreateProcessingJob", request, fix)
    for generation in ("v2", "v3"):
        assert 'subnets=["subnet-0a"]' in made[generation]
        assert 'security_group_ids=["sg-mine"]' in made[generation]
        assert "enable_network_isolation=True" in made[generation]
        assert "subnet-other" not in made[generation]


def test_what_an_sdk_cannot_say_is_said_with_boto3() -> None:
    fix = [PatchOp("add", "/RootAccess", "Disabled")]
    made = snippets("UpdateNotebookInstance", {"NotebookInstanceName": "mine"}, fix)
    for generation, title in (("v2", "SDK v2"), ("v3", "SDK v3")):
        assert made[generation].startswith(f"# {title} has no argument for RootAccess")
        ((name, sent),) = run(made[generation], {"NotebookInstanceName": "mine"})
        assert (name, sent["RootAccess"]) == ("update_notebook_instance", "Disabled")


def test_two_definitions_of_a_tuning_job_are_two_estimators() -> None:
    request = {"TrainingJobDefinitions": [{}, {}]}
    fix = [
        PatchOp("add", f"/TrainingJobDefinitions/{n}/EnableInterContainerTrafficEncryption", True)
        for n in (0, 1)
    ]
    made = snippets("CreateHyperParameterTuningJob", request, fix)
    assert made["v2"].count("Estimator(") == 2
    assert "definition 1" in made["v2"]
    ((_, sent),) = run(made["boto3"], copy.deepcopy(request))
    assert sent == apply_patch(request, fix)


@pytest.mark.parametrize("key", ['a"b', "a'b", "a\nb", "a\\", "é", "\u2028", "'\"\n"])
def test_values_are_quoted(key: str) -> None:
    request: dict[str, Any] = {"OutputDataConfig": {}}
    fix = [PatchOp("add", "/OutputDataConfig/KmsKeyId", key)]
    made = snippets("CreateTrainingJob", request, fix)
    ((_, sent),) = run(made["boto3"], copy.deepcopy(request))
    assert sent["OutputDataConfig"]["KmsKeyId"] == key
    keywords = [
        k.value.value
        for node in ast.walk(ast.parse(made["v2"]))
        if isinstance(node, ast.Call)
        for k in node.keywords
        if isinstance(k.value, ast.Constant)
    ]
    assert keywords == [key]


def test_nothing_to_change() -> None:
    for text in snippets("CreateTrainingJob", TRAINING, []).values():
        assert text == "# The request needs no change.\n"


def test_a_fix_outside_the_field_table_is_not_shown() -> None:
    fix = [PatchOp("add", "/Environment", {"A": SECRET})]
    for text in snippets("CreateTrainingJob", TRAINING, fix).values():
        assert SECRET not in text


class Client:
    """Stands for boto3's client in code to copy."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def create_training_job(self, **request: Any) -> None:
        self.sent.append(request)


def test_changes_that_no_field_of_the_table_shows_are_said_too() -> None:
    """A time limit and a tag lie where the request is masked; other values there stay hidden."""
    request = {
        "TrainingJobName": "a",
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 7200},
        "Tags": [{"Key": "owner", "Value": "hunter2"}],
    }
    fix = [
        PatchOp("replace", "/ResourceConfig/InstanceType", "ml.c5.xlarge"),
        PatchOp("replace", "/StoppingCondition/MaxRuntimeInSeconds", 3600),
        PatchOp("add", "/Tags/1", {"Key": "Stage", "Value": "dev"}),
        PatchOp("remove", "/Tags/0"),
    ]
    for params in (request, mask("CreateTrainingJob", request)):
        code = snippets("CreateTrainingJob", params, fix)
        for text in code.values():
            assert "hunter2" not in text
            made: dict[str, Any] = {"request": copy.deepcopy(request)}
            made["sagemaker"] = client = Client()
            exec(compile(text, "code", "exec"), made)
            sent = client.sent
            assert sent[0]["ResourceConfig"]["InstanceType"] == "ml.c5.xlarge"
            assert sent[0]["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
            assert sent[0]["Tags"] == [{"Key": "Stage", "Value": "dev"}]
        assert code["v3"].startswith("# StoppingCondition.MaxRuntimeInSeconds, Tags.1, Tags.0")
