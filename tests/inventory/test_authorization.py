"""The committed IAM data against the locked packages, and what it says of well-known actions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from secure_ml_ext.inventory import operations
from secure_ml_ext.inventory.authorization import action_named, authorization, key_family

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_what_the_locked_packages_give() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/build_authorization.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_keys_of_the_field_table_are_filled_from_the_same_members() -> None:
    """Two derivations, one by control and one by key, have to agree on every field."""
    compared = 0
    for operation, entry in operations().items():
        action = action_named(operation)
        if action is None:
            continue
        for field in entry.fields:
            for key in field.keys:
                known = action.paths[key]
                ends = {
                    "sagemaker:VpcSubnets": "/Subnets",
                    "sagemaker:VpcSecurityGroupIds": "/SecurityGroupIds",
                }
                pointer = field.pointer
                if field.kind == "network":
                    pointer += ends[key]
                elif field.kind == "subnet" and key == "sagemaker:VpcSecurityGroupIds":
                    pointer = "/SecurityGroupIds"
                assert pointer in known, (operation, key)
                compared += 1
    assert compared > 100


def test_actions_carry_what_the_service_authorization_reference_says() -> None:
    training = action_named("sagemaker:createtrainingjob")
    assert training is not None
    assert training.carries("SAGEMAKER:VPCSubnets")
    assert training.carries("aws:RequestTag/CostCenter")
    assert not training.carries("sagemaker:VolumeKmsKey")  # renamed
    assert training.resources == ["training-job"]
    assert training.roles == ["/RoleArn"]
    transform = action_named("CreateTransformJob")
    assert transform is not None
    assert not transform.carries("sagemaker:VpcSubnets")
    assert transform.named["sagemaker:ModelArn"] == ["model", "/ModelName"]
    compilation = action_named("CreateCompilationJob")
    assert compilation is not None
    assert not compilation.carries("sagemaker:VpcSubnets")
    assert action_named("CreateTrainingJobs") is None


def test_resource_types_and_kinds_of_keys() -> None:
    data = authorization()
    arn = "arn:${Partition}:sagemaker:${Region}:${Account}:training-job/${TrainingJobName}"
    assert data.resources["training-job"].arn == arn
    assert data.keys["sagemaker:VpcSubnets"] == "ArrayOfString"
    assert data.keys["sagemaker:NetworkIsolation"] == "Bool"
    assert key_family("aws:PrincipalTag/Team") == key_family("AWS:principaltag/${TagKey}")
