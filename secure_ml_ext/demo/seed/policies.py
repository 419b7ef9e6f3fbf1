"""The policies of the demo: identity, boundary, and the organisation's service control policy.

The identity policies follow aws-samples/amazon-sagemaker-secure-mlops (the execution role), the
service control policy AWS's data-perimeter and SageMaker examples, with the present names of the
condition keys and one key per ``Null``: several keys in one block are ANDed.
"""

from __future__ import annotations

from typing import Any

from ..aws.client import ACCOUNT, REGION
from .world import DATA_BUCKET, LAKE_BUCKET, MODEL_BUCKET, PREFIX

Document = dict[str, Any]
VERSION = "2012-10-17"
JOBS = (
    "sagemaker:CreateTrainingJob",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateHyperParameterTuningJob",
)
AUTOML = ("sagemaker:CreateAutoMLJob", "sagemaker:CreateAutoMLJobV2")


def _deny(sid: str, actions: tuple[str, ...], **condition: Any) -> Document:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Action": list(actions),
        "Resource": "*",
        "Condition": condition,
    }


def _allow(sid: str, actions: list[str], resources: list[str]) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


# Inline, on every role.
SAGEMAKER: Document = {
    "Version": VERSION,
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

# Managed, on the execution role. The Deny is the published one but for the jobs and models, which
# the organisation's own policy covers; that it always denies CreateCompilationJob, which carries
# neither key, is a defect of the original.
EXECUTION: Document = {
    "Version": VERSION,
    "Statement": [
        _allow(
            "Parameters",
            ["ssm:GetParameters", "ssm:GetParameter"],
            [f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{PREFIX}*"],
        ),
        {
            "Sid": "NetworkRequired",
            "Effect": "Deny",
            "Action": ["sagemaker:CreateNotebookInstance", "sagemaker:CreateCompilationJob"],
            "Resource": [f"arn:aws:sagemaker:*:{ACCOUNT}:*"],
            "Condition": {
                "Null": {
                    "sagemaker:VpcSubnets": "true",
                    "sagemaker:VpcSecurityGroupIds": "true",
                }
            },
        },
        _allow("Tags", ["sagemaker:ListTags"], [f"arn:aws:sagemaker:*:{ACCOUNT}:*"]),
        _allow(
            "Keys",
            [
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:ListAliases",
            ],
            [f"arn:aws:kms:*:{ACCOUNT}:*"],
        ),
        _allow(
            "Objects",
            [
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:GetObjectVersion",
                "s3:AbortMultipartUpload",
            ],
            [f"arn:aws:s3:::{name}/*" for name in (DATA_BUCKET, MODEL_BUCKET, LAKE_BUCKET)],
        ),
        _allow(
            "Buckets",
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListAllMyBuckets"],
            ["arn:aws:s3:::*"],
        ),
        _allow("Roles", ["iam:GetRole", "iam:ListRoleTags"], [f"arn:aws:iam::{ACCOUNT}:role/*"]),
    ],
}

# The most that the execution role can ever have.
BOUNDARY: Document = {
    "Version": VERSION,
    "Statement": [
        _allow(
            "Workloads",
            [
                "sagemaker:*",
                "s3:*",
                "kms:*",
                "ec2:Describe*",
                "ecr:*",
                "logs:*",
                "ssm:Get*",
                "iam:GetRole",
                "iam:ListRoleTags",
                "iam:PassRole",
            ],
            ["*"],
        )
    ],
}

# On the organisational unit: the second level from the root.
GUARDRAILS: Document = {
    "Version": VERSION,
    "Statement": [
        _deny(
            "DenyNoVpc",
            (*JOBS, *AUTOML, "sagemaker:CreateModel"),
            Null={"sagemaker:VpcSubnets": "true"},
        ),
        _deny(
            "DenyNoSecurityGroup",
            (*JOBS, *AUTOML, "sagemaker:CreateModel"),
            Null={"sagemaker:VpcSecurityGroupIds": "true"},
        ),
        _deny(
            "DenyNoVolumeKey",
            (*JOBS, "sagemaker:CreateTransformJob", "sagemaker:CreateEndpointConfig"),
            Null={"sagemaker:VolumeKmsKeyArn": "true"},
        ),
        _deny(
            "DenyNoOutputKey",
            (*JOBS, *AUTOML, "sagemaker:CreateTransformJob"),
            Null={"sagemaker:OutputKmsKeyArn": "true"},
        ),
        _deny(
            "DenyPlainTraffic",
            JOBS,
            Bool={"sagemaker:InterContainerTrafficEncryption": "false"},
        ),
        _deny(
            "DenyDirectInternet",
            ("sagemaker:CreateNotebookInstance", "sagemaker:UpdateNotebookInstance"),
            StringEquals={"sagemaker:DirectInternetAccess": "Enabled"},
        ),
        _deny(
            "DenyPublicStudio",
            ("sagemaker:CreateDomain", "sagemaker:UpdateDomain"),
            StringNotEquals={"sagemaker:AppNetworkAccessType": "VpcOnly"},
        ),
    ],
}
