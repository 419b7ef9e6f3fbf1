"""SSM parameters in the naming schemes of AWS's two reference systems, and where the bundle is.

`{EnvironmentName}-{EnvironmentType}-{parameter}`: aws-samples/amazon-sagemaker-secure-mlops;
`ds-…`: aws-samples/amazon-sagemaker-studio-secure-data-science-workshop.
"""

from __future__ import annotations

from ..aws.client import ACCOUNT
from .world import (
    BUNDLE_KEY,
    DATA_BUCKET,
    LAKE_BUCKET,
    MODEL_BUCKET,
    MODEL_ROLE,
    PIPELINE_ROLE,
    PREFIX,
    TEAM_ENVIRONMENT,
    World,
    role_arn,
)


def plant(world: World) -> None:
    """Write both sets; values are overwritten with themselves."""
    ssm = world.client("ssm")
    lists = {"private-subnet-ids", "sagemaker-sg-ids"}
    for name, value in secure_mlops(world).items():
        kind = "StringList" if name in lists else "String"
        ssm.put_parameter(Name=f"{PREFIX}-{name}", Value=value, Type=kind, Overwrite=True)
    for name, value in workshop(world).items():
        ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def secure_mlops(world: World) -> dict[str, str]:
    """The first scheme, without its prefix."""
    return {
        "vpc-id": world.vpc_id,
        "private-subnet-ids": ",".join(world.subnets),
        **{f"private-sn-{n}a-id": subnet for n, subnet in enumerate(world.subnets, start=1)},
        "sagemaker-sg-ids": world.security_groups["sagemaker-sg"],
        "s3-vpce-id": world.endpoints["s3"],
        "kms-vpce-id": world.endpoints["kms"],
        "kms-ebs-key-arn": world.keys["ebs"],
        "kms-s3-key-arn": world.keys["s3"],
        "kms-efs-key-arn": world.keys["efs"],
        "data-bucket-name": DATA_BUCKET,
        "model-bucket-name": MODEL_BUCKET,
        "sagemaker-domain-id": world.domain_id,
        "sm-pipeline-execution-role-arn": role_arn(PIPELINE_ROLE),
        "sm-model-execution-role-name": MODEL_ROLE,
        "secure-ml-policies": f"s3://{DATA_BUCKET}/{BUNDLE_KEY}",
        "stackset-administration-role-arn": role_arn(f"{PREFIX}-stackset-administration"),
        "stackset-execution-role-name": f"{PREFIX}-stackset-execution",
        "staging-account-list": ACCOUNT,
        "production-account-list": ACCOUNT,
        "ou-staging-id": "ou-demo-staging",
        "ou-prod-id": "ou-demo-prod",
        "env-type-staging-name": "staging",
        "env-type-prod-name": "prod",
        "seed-code-s3bucket-name": DATA_BUCKET,
    }


def workshop(world: World) -> dict[str, str]:
    """The second scheme, whole names. One key serves everything there."""
    suffix = TEAM_ENVIRONMENT
    return {
        f"ds-vpc-{suffix}-id": world.vpc_id,
        **{
            f"ds-subnet-{letter}-{suffix}-id": subnet
            for letter, subnet in zip("abc", world.subnets, strict=True)
        },
        f"ds-sagemaker-vpc-sg-{suffix}-id": world.security_groups["sagemaker-sg"],
        f"ds-userprofile-sg-{suffix}-id": world.security_groups["userprofile-sg"],
        f"ds-s3-endpoint-{suffix}-id": world.endpoints["s3"],
        f"ds-kms-cmk-{suffix}-arn": world.keys["s3"],
        f"ds-s3-data-bucket-{suffix}": DATA_BUCKET,
        f"ds-s3-model-artifact-bucket-{suffix}": MODEL_BUCKET,
        f"ds-s3-data-lake-{suffix}": LAKE_BUCKET,
    }
