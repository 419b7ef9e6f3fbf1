"""Roles, and the access keys that stand for a principal each."""

from __future__ import annotations

import json

from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends

from ..aws.client import ACCOUNT, ADMIN_KEY, REGION, ROLE_KEY
from .world import EXECUTION_ROLE, MODEL_ROLE, PIPELINE_ROLE, World, role_arn, unless_there

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
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["sagemaker:*", "s3:*", "kms:*", "ec2:Describe*", "ssm:Get*", "logs:*"],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        },
    ],
}


def plant(world: World) -> None:
    """Create the roles, and tie the two access keys to their principals."""
    iam = world.client("iam")
    for name in (EXECUTION_ROLE, PIPELINE_ROLE, MODEL_ROLE):
        with unless_there():
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(
            RoleName=name, PolicyName="sagemaker", PolicyDocument=json.dumps(POLICY)
        )
    with unless_there():
        iam.create_user(UserName=ADMIN)
    _fix_keys()


def _fix_keys() -> None:
    """moto gives out random keys; ours are fixed, so they are put in beside its API."""
    iam = iam_backends[ACCOUNT]["aws"]
    user = iam.users[ADMIN]
    if all(key.access_key_id != ADMIN_KEY for key in user.access_keys):
        key = iam.create_access_key(user_name=ADMIN)
        iam.access_keys.pop(key.access_key_id, None)
        key.access_key_id = ADMIN_KEY
        iam.access_keys[ADMIN_KEY] = key
    sts = sts_backends[ACCOUNT]["aws"]
    if sts.get_assumed_role_from_access_key(ROLE_KEY) is None:
        role: AssumedRole = sts.assume_role(
            region_name=REGION,
            role_session_name=SESSION,
            role_arn=role_arn(EXECUTION_ROLE),
            policy=json.dumps(POLICY),
            duration=43_200,
            external_id="",
        )
        role.access_key.access_key_id = role.access_key_id = ROLE_KEY
