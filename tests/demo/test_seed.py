"""The demo's world, as a client sees it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.demo.aws.client import ROLE_KEY

MLOPS = [
    "data-bucket-name",
    "model-bucket-name",
    "kms-s3-key-arn",
    "kms-ebs-key-arn",
    "kms-efs-key-arn",
    "sagemaker-sg-ids",
    "private-subnet-ids",
    "private-sn-1a-id",
    "private-sn-2a-id",
    "private-sn-3a-id",
    "vpc-id",
    "s3-vpce-id",
    "kms-vpce-id",
    "sagemaker-domain-id",
    "sm-pipeline-execution-role-arn",
    "sm-model-execution-role-name",
    "stackset-administration-role-arn",
    "stackset-execution-role-name",
    "staging-account-list",
    "production-account-list",
    "ou-staging-id",
    "ou-prod-id",
    "env-type-staging-name",
    "env-type-prod-name",
    "seed-code-s3bucket-name",
]
WORKSHOP = [
    "ds-vpc-fsi-dev-id",
    "ds-subnet-a-fsi-dev-id",
    "ds-subnet-b-fsi-dev-id",
    "ds-subnet-c-fsi-dev-id",
    "ds-sagemaker-vpc-sg-fsi-dev-id",
    "ds-userprofile-sg-fsi-dev-id",
    "ds-s3-endpoint-fsi-dev-id",
    "ds-kms-cmk-fsi-dev-arn",
    "ds-s3-data-bucket-fsi-dev",
    "ds-s3-model-artifact-bucket-fsi-dev",
    "ds-s3-data-lake-fsi-dev",
]


@pytest.fixture
def parameters(aws: Embedded) -> dict[str, str]:
    """All SSM parameters."""
    ssm = aws.client("ssm")
    names = [
        entry["Name"]
        for page in ssm.get_paginator("describe_parameters").paginate()
        for entry in page["Parameters"]
    ]
    return {name: ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in names}


def test_both_naming_schemes_are_there(parameters: dict[str, str]) -> None:
    wanted = {f"sm-mlops-dev-{name}" for name in MLOPS} | set(WORKSHOP)
    assert wanted <= set(parameters)
    assert all(parameters[name] for name in wanted)


def test_the_parameters_name_what_exists(aws: Embedded, parameters: dict[str, str]) -> None:
    subnets = parameters["sm-mlops-dev-private-subnet-ids"].split(",")
    found = aws.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    assert {subnet["VpcId"] for subnet in found} == {parameters["sm-mlops-dev-vpc-id"]}
    assert len({subnet["AvailabilityZone"] for subnet in found}) == 3
    kms = aws.client("kms")
    for short in ("ebs", "s3", "efs"):
        told = kms.describe_key(KeyId=f"alias/sm-mlops-dev-{short}")["KeyMetadata"]
        assert told["Arn"] == parameters[f"sm-mlops-dev-kms-{short}-key-arn"]
    endpoints = aws.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    ids = {entry["VpcEndpointId"] for entry in endpoints}
    assert parameters["sm-mlops-dev-s3-vpce-id"] in ids
    assert parameters["sm-mlops-dev-kms-vpce-id"] in ids


def test_buckets_encrypt_and_are_closed(aws: Embedded, parameters: dict[str, str]) -> None:
    s3 = aws.client("s3")
    for name in ("sm-mlops-dev-eu-west-1-data", "sm-mlops-dev-eu-west-1-models"):
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        default = rules[0]["ApplyServerSideEncryptionByDefault"]
        assert default["SSEAlgorithm"] == "aws:kms"
        assert default["KMSMasterKeyID"] == parameters["sm-mlops-dev-kms-s3-key-arn"]
        closed = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        assert all(closed.values())


def test_the_project_leads_to_the_domain_and_its_environment(aws: Embedded) -> None:
    sm = aws.client("sagemaker", access_key=ROLE_KEY)
    project = sm.describe_project(ProjectName="secure-mlops-demo")
    domain = sm.describe_domain(DomainId=project["CreatedBy"]["DomainId"])
    assert domain["Status"] == "InService"
    assert domain["AppNetworkAccessType"] == "VpcOnly"
    assert domain["DefaultUserSettings"]["SecurityGroups"]
    tags = sm.list_tags(ResourceArn=domain["DomainArn"])["Tags"]
    told = {tag["Key"]: tag["Value"] for tag in tags}
    assert (told["EnvironmentName"], told["EnvironmentType"]) == ("sm-mlops", "dev")


def test_the_foreign_network_is_another_one(aws: Embedded, parameters: dict[str, str]) -> None:
    ec2 = aws.client("ec2")
    by_name = [{"Name": "tag:Name", "Values": ["foreign-subnet-a"]}]
    foreign = ec2.describe_subnets(Filters=by_name)["Subnets"][0]
    assert foreign["VpcId"] != parameters["sm-mlops-dev-vpc-id"]
    by_name = [{"Name": "tag:Name", "Values": ["foreign-sg"]}]
    group = ec2.describe_security_groups(Filters=by_name)["SecurityGroups"][0]
    assert group["VpcId"] == foreign["VpcId"]


def test_some_jobs_ran_as_wanted_and_some_did_not(
    aws: Embedded, parameters: dict[str, str]
) -> None:
    sm = aws.client("sagemaker")
    good = sm.describe_training_job(TrainingJobName="credit-risk-train-monday")
    assert good["TrainingJobStatus"] == "Completed"
    assert good["ResourceConfig"]["VolumeKmsKeyId"] == parameters["sm-mlops-dev-kms-ebs-key-arn"]
    assert good["VpcConfig"]["Subnets"] == parameters["sm-mlops-dev-private-subnet-ids"].split(",")
    assert good["TrainingEndTime"] > good["TrainingStartTime"]
    bad = sm.describe_training_job(TrainingJobName="credit-risk-quick-test")
    assert bad["TrainingJobStatus"] == "Stopped"
    assert "VpcConfig" not in bad
    ours = {"NameContains": "credit-risk-"}
    assert len(sm.list_processing_jobs(**ours)["ProcessingJobSummaries"]) == 2
    assert len(sm.list_models(**ours)["Models"]) == 2


def test_planting_twice_changes_nothing(aws: Embedded) -> None:
    script = (
        "import os, secure_ml_ext.demo.seed.network as n, secure_ml_ext.demo.seed.storage as s;"
        "from secure_ml_ext.demo.seed.world import World;"
        "w = World(os.environ['URL']); n.plant(w); s.plant(w)"
    )
    ec2, kms = aws.client("ec2"), aws.client("kms")

    def counts() -> tuple[int, ...]:
        return (
            len(ec2.describe_vpcs()["Vpcs"]),
            len(ec2.describe_subnets()["Subnets"]),
            len(ec2.describe_security_groups()["SecurityGroups"]),
            len(ec2.describe_vpc_endpoints()["VpcEndpoints"]),
            len(kms.list_keys()["Keys"]),
        )

    before = counts()
    environment = {**os.environ, "URL": aws.url}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, timeout=60)
    assert counts() == before
