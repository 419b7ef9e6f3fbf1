"""Roles, and the access keys that stand for a principal each."""

from __future__ import annotations

import json

from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends

from ..aws.client import ACCOUNT, ADMIN_KEY, REGION, ROLE_KEY
from . import policies
from .world import (
    ENVIRONMENT_NAME,
    EXECUTION_ROLE,
    MODEL_ROLE,
    PIPELINE_ROLE,
    PREFIX,
    TEAM,
    World,
    policy_arn,
    role_arn,
    tags,
    unless_there,
)

ADMIN = "demo-admin"
SESSION = "SageMaker"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
# Managed policies of the execution role: name -> document.
ATTACHED = {f"{PREFIX}-sagemaker-execution": policies.EXECUTION}
BOUNDARY_NAME = f"{PREFIX}-boundary"
ROLE_TAGS = {"Team": TEAM, "EnvironmentName": ENVIRONMENT_NAME}


def plant(world: World) -> None:
    """Create the roles, and tie the two access keys to their principals."""
    iam = world.client("iam")
    for name in (EXECUTION_ROLE, PIPELINE_ROLE, MODEL_ROLE):
        with unless_there():
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(
            RoleName=name, PolicyName="sagemaker", PolicyDocument=json.dumps(policies.SAGEMAKER)
        )
    _govern(world)
    fix_user_key(ACCOUNT, ADMIN, ADMIN_KEY)
    _fix_role_key()


def _govern(world: World) -> None:
    """Give the execution role its managed policy, its boundary and its tags."""
    iam = world.client("iam")
    for name, document in {**ATTACHED, BOUNDARY_NAME: policies.BOUNDARY}.items():
        with unless_there():
            iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))
    for name in ATTACHED:
        iam.attach_role_policy(RoleName=EXECUTION_ROLE, PolicyArn=policy_arn(name))
    iam.put_role_permissions_boundary(
        RoleName=EXECUTION_ROLE, PermissionsBoundary=policy_arn(BOUNDARY_NAME)
    )
    iam.tag_role(RoleName=EXECUTION_ROLE, Tags=tags(**ROLE_TAGS))


def fix_user_key(account: str, name: str, access_key: str) -> None:
    """Create a user with a fixed key; moto gives out random ones, so it goes beside its API."""
    iam = iam_backends[account]["aws"]
    if name not in iam.users:
        iam.create_user(region_name=REGION, user_name=name)
    user = iam.get_user(name)
    if all(key.access_key_id != access_key for key in user.access_keys):
        key = iam.create_access_key(user_name=name)
        iam.access_keys.pop(key.access_key_id, None)
        key.access_key_id = access_key
        iam.access_keys[access_key] = key


def _fix_role_key() -> None:
    """Make the fixed key of the execution role one that moto knows as assumed."""
    sts = sts_backends[ACCOUNT]["aws"]
    if sts.get_assumed_role_from_access_key(ROLE_KEY) is None:
        role: AssumedRole = sts.assume_role(
            region_name=REGION,
            role_session_name=SESSION,
            role_arn=role_arn(EXECUTION_ROLE),
            policy=json.dumps(policies.SAGEMAKER),
            duration=43_200,
            external_id="",
        )
        role.access_key.access_key_id = role.access_key_id = ROLE_KEY
