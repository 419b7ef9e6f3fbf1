"""Requests, a profile and policies that the tests of the check share."""

from __future__ import annotations

import copy
from typing import Any

from secure_ml_ext.rules.profile import Profile, ProfileValue

ACCOUNT = "123456789012"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/analyst"
JOB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/sm-execution"
VOLUME_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
OUTPUT_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/2222aaaa-22bb-33cc-44dd-5555eeee6666"
SUBNETS = ["subnet-0fc1aaaaaaaaaaaa1", "subnet-0f39aaaaaaaaaaaa2"]
GROUPS = ["sg-0da8aaaaaaaaaaaa3"]

PROFILE = Profile(
    values={
        "subnets": ProfileValue(SUBNETS, "test"),
        "security_groups": ProfileValue(GROUPS, "test"),
        "volume_kms_key": ProfileValue(VOLUME_KEY, "test"),
        "output_kms_key": ProfileValue(OUTPUT_KEY, "test"),
    }
)
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def training(**changes: Any) -> dict[str, Any]:
    """A training job with everything in order; a change of None takes a member away."""
    request: dict[str, Any] = {
        "TrainingJobName": "abalone-1",
        "RoleArn": JOB_ROLE,
        "AlgorithmSpecification": {"TrainingImage": "x", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/o", "KmsKeyId": OUTPUT_KEY},
        "ResourceConfig": {
            "InstanceType": "ml.m5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
            "VolumeKmsKeyId": VOLUME_KEY,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "VpcConfig": {"Subnets": list(SUBNETS), "SecurityGroupIds": list(GROUPS)},
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
    }
    request.update(copy.deepcopy(changes))
    return {key: value for key, value in request.items() if value is not None}


def deny(sid: str, condition: Any = None, action: Any = "sagemaker:Create*") -> dict[str, Any]:
    """One Deny on every resource."""
    statement = {"Sid": sid, "Effect": "Deny", "Action": action, "Resource": "*"}
    return statement if condition is None else {**statement, "Condition": condition}


def bundle(*statements: dict[str, Any], **layers: Any) -> dict[str, Any]:
    """An identity that may do everything below an SCP with these statements."""
    scp = {"Version": "2012-10-17", "Statement": list(statements)}
    scps = [[EVERYTHING], [EVERYTHING, scp] if statements else [EVERYTHING]]
    return {"identity": [EVERYTHING], "scps": scps, **layers}
