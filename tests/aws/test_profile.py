"""The profile: every source, missing values, precedence, and the derived sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.aws.profile import discover, discover_profile
from secure_ml_ext.demo.aws import ACCOUNT, Embedded
from secure_ml_ext.rules import PROFILE_VALUES, Config

from .conftest import Metadata


def write_profile(path: Path, **values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema": "secure-ml/profile@1", "values": values}))


def parameter(aws: Embedded, name: str) -> str:
    """Return the value of an SSM parameter."""
    reply = aws.client("ssm").get_parameter(Name=name)
    return str(reply["Parameter"]["Value"])


def test_nothing_known_names_every_value_and_the_places_asked(aws: Embedded) -> None:
    aws.fault("ssm", "DescribeParameters", "AccessDeniedException", times=-1)
    profile, problems = discover()
    assert profile.values == {}
    assert profile.missing() == [name for name in PROFILE_VALUES if name != "policies"]
    for name in PROFILE_VALUES:
        places = profile.looked[name]
        assert f"env:SECURE_ML_{name.upper()}" in places
        assert any(place.startswith("file:") for place in places)
    assert any("SECURE_ML_ENVIRONMENT" in place for place in profile.looked["subnets"])
    assert [problem.action for problem in problems] == ["ssm:DescribeParameters"]


def test_the_mlops_parameters(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "sm-mlops-dev")
    profile, problems = discover()
    assert problems == []
    start = "sm-mlops-dev-"
    for name, suffix in {
        "vpc_id": "vpc-id",
        "volume_kms_key": "kms-ebs-key-arn",
        "output_kms_key": "kms-s3-key-arn",
        "capture_kms_key": "kms-s3-key-arn",
        "efs_kms_key": "kms-efs-key-arn",
        "data_bucket": "data-bucket-name",
        "model_bucket": "model-bucket-name",
        "s3_vpce": "s3-vpce-id",
        "kms_vpce": "kms-vpce-id",
        "domain_id": "sagemaker-domain-id",
        "pipeline_role": "sm-pipeline-execution-role-arn",
    }.items():
        assert profile.get(name) == parameter(aws, start + suffix), name
        assert profile.source(name) == f"ssm:{start}{suffix}"
    subnets = parameter(aws, start + "private-subnet-ids").split(",")
    assert profile.get("subnets") == [subnet.strip() for subnet in subnets]
    assert len(subnets) > 1
    assert profile.account == ACCOUNT
    assert profile.region == "eu-west-1"
    assert profile.name == "sm-mlops-dev"


def test_the_approved_sets_follow_the_environment(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "sm-mlops-dev")
    monkeypatch.setenv("SECURE_ML_APPROVED_SECURITY_GROUPS", "sg-1, sg-2,")
    profile = discover_profile()
    assert profile.get("approved_subnets") == profile.get("subnets")
    assert profile.source("approved_subnets") == (
        "same as subnets (ssm:sm-mlops-dev-private-subnet-ids)"
    )
    assert profile.get("approved_security_groups") == ["sg-1", "sg-2"]
    assert profile.source("approved_security_groups") == "env:SECURE_ML_APPROVED_SECURITY_GROUPS"
    keys = ("volume_kms_key", "output_kms_key", "efs_kms_key")
    assert set(profile.get("approved_kms_keys")) == {profile.get(name) for name in keys}


def test_single_subnet_parameters_stand_in_for_the_list(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm = aws.client("ssm")
    for number in (1, 2):
        ssm.put_parameter(
            Name=f"solo-test-private-sn-{number}a-id", Value=f"subnet-{number}", Type="String"
        )
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "solo-test")
    try:
        profile = discover_profile()
    finally:
        ssm.delete_parameters(Names=[f"solo-test-private-sn-{number}a-id" for number in (1, 2)])
    assert profile.get("subnets") == ["subnet-1", "subnet-2"]
    # The other parameters are missing in this scheme; the workshop's stand in.
    assert profile.source("vpc_id") == "ssm:ds-vpc-fsi-dev-id"


def test_the_workshop_parameters(aws: Embedded) -> None:
    profile, problems = discover()
    assert problems == []
    assert profile.get("vpc_id") == parameter(aws, "ds-vpc-fsi-dev-id")
    assert profile.get("subnets") == [
        parameter(aws, f"ds-subnet-{letter}-fsi-dev-id") for letter in "abc"
    ]
    assert profile.get("security_groups") == [parameter(aws, "ds-sagemaker-vpc-sg-fsi-dev-id")]
    assert profile.get("volume_kms_key") == parameter(aws, "ds-kms-cmk-fsi-dev-arn")
    assert profile.get("data_bucket") == parameter(aws, "ds-s3-data-bucket-fsi-dev")
    assert profile.source("volume_kms_key") == "ssm:ds-kms-cmk-fsi-dev-arn"


@pytest.fixture
def second_team(aws: Embedded) -> Any:
    """Another team's VPC, by the workshop's scheme."""
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="ds-vpc-ops-prod-id", Value="vpc-ops", Type="String")
    yield
    ssm.delete_parameter(Name="ds-vpc-ops-prod-id")


def test_several_workshop_environments_are_not_guessed_at(aws: Embedded, second_team: None) -> None:
    profile, problems = discover()
    assert profile.get("vpc_id") is None
    assert "ssm:ds-vpc-…-id" in profile.looked["vpc_id"]
    (problem,) = problems
    assert "fsi-dev, ops-prod" in problem.message
    assert "SECURE_ML_ENVIRONMENT" in problem.remedy


def test_the_environment_decides_between_them(
    aws: Embedded, second_team: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "ops-prod")
    profile, problems = discover()
    assert profile.get("vpc_id") == "vpc-ops"
    assert problems == []


def test_the_domain_leads_to_everything(aws: Embedded, domain: str, metadata: Metadata) -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:app/{domain}/x/JupyterLab/default"
    path = metadata(DomainId=domain, SpaceName="data-scientist-lab", ResourceArn=arn)
    profile, problems = discover()
    assert problems == []
    assert profile.get("environment") == "sm-mlops-dev"
    assert profile.source("environment") == (f"domain:{domain} tag EnvironmentName-EnvironmentType")
    assert profile.source("subnets") == "ssm:sm-mlops-dev-private-subnet-ids"
    assert profile.get("network_access") == "VpcOnly"
    assert profile.source("network_access") == f"domain:{domain} AppNetworkAccessType"
    assert (
        profile.get("execution_role") == f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role"
    )
    assert profile.source("execution_role") == "user-profile:data-scientist ExecutionRole" or (
        profile.source("execution_role") == f"domain:{domain} DefaultUserSettings.ExecutionRole"
    )
    assert profile.account == ACCOUNT
    assert str(path) not in json.dumps(profile.to_dict()["looked"])
    assert aws.requests(operation="GetCallerIdentity") == [], "the ARN tells the account"


def test_without_parameters_the_domain_itself_is_read(
    aws: Embedded, domain: str, metadata: Metadata
) -> None:
    metadata(DomainId=domain)
    aws.fault("ssm", "*", "AccessDeniedException", times=-1)
    described = aws.client("sagemaker").describe_domain(DomainId=domain)
    profile, problems = discover()
    assert profile.get("subnets") == described["SubnetIds"]
    assert profile.source("subnets") == f"domain:{domain} SubnetIds"
    groups = described["DefaultUserSettings"]["SecurityGroups"]
    assert profile.get("security_groups") == groups
    assert profile.get("vpc_id") == described["VpcId"]
    assert profile.get("efs_kms_key") == described["KmsKeyId"]
    assert {problem.action for problem in problems} == {
        "ssm:GetParameters",
        "ssm:DescribeParameters",
    }


def test_the_project_leads_to_the_domain(
    aws: Embedded, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURE_ML_PROJECT", "secure-mlops-demo")
    profile, problems = discover()
    assert problems == []
    assert profile.get("project") == "secure-mlops-demo"
    assert profile.get("environment") == "sm-mlops-dev"
    assert profile.get("network_access") == "VpcOnly"


def test_a_project_that_is_not_there_breaks_nothing(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURE_ML_PROJECT", "no-such-project")
    profile, (problem,) = discover()
    assert problem.code == "not-found"
    assert profile.source("vpc_id") == "ssm:ds-vpc-fsi-dev-id"


def test_the_notebook_instance(aws: Embedded, metadata: Metadata) -> None:
    name = "governed-notebook"
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:notebook-instance/{name}"
    metadata(ResourceArn=arn, ResourceName=name)
    aws.fault("ssm", "*", "AccessDeniedException", times=-1)
    described = aws.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name)
    profile = discover_profile()
    assert profile.get("subnets") == [described["SubnetId"]]
    assert profile.source("subnets") == f"notebook-instance:{name} SubnetId"
    assert profile.get("security_groups") == described["SecurityGroups"]
    assert profile.get("volume_kms_key") == described["KmsKeyId"]
    assert profile.get("execution_role") == described["RoleArn"]
    assert profile.account == ACCOUNT


def test_the_sdks_defaults(aws: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    aws.fault("ssm", "*", "AccessDeniedException", times=-1)
    admin = tmp_path / "etc" / "sagemaker" / "config.yaml"
    admin.parent.mkdir(parents=True)
    admin.write_text(
        "SchemaVersion: '1.0'\n"
        "SageMaker:\n"
        "  TrainingJob:\n"
        "    VpcConfig: {Subnets: [subnet-admin], SecurityGroupIds: [sg-admin]}\n"
        "    ResourceConfig: {VolumeKmsKeyId: ''}\n"
        "  ProcessingJob:\n"
        "    ProcessingResources: {ClusterConfig: {VolumeKmsKeyId: key-volume}}\n"
    )
    monkeypatch.delenv("SAGEMAKER_ADMIN_CONFIG_OVERRIDE")
    user = tmp_path / "mine.yaml"
    user.write_text("SageMaker: {TrainingJob: {VpcConfig: {Subnets: [subnet-user]}}}\n")
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(user))
    profile = discover_profile()
    assert profile.get("subnets") == ["subnet-user"]
    assert profile.source("subnets") == f"sagemaker-sdk:{user}#TrainingJob.VpcConfig.Subnets"
    assert profile.get("security_groups") == ["sg-admin"]
    assert profile.get("volume_kms_key") == "key-volume", "an empty value is missing"
    assert profile.get("output_kms_key") is None
    assert f"sagemaker-sdk:{admin}" in profile.looked["output_kms_key"]


def test_broken_files_are_problems_and_break_nothing(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("{")
    monkeypatch.setenv("SECURE_ML_PROFILE", str(broken))
    monkeypatch.setenv("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", str(broken))
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", "s3://bucket/config.yaml")
    broken_metadata = tmp_path / "metadata"
    broken_metadata.write_text("[")
    monkeypatch.setenv("SECURE_ML_RESOURCE_METADATA", str(broken_metadata))
    profile, problems = discover()
    assert [problem.code for problem in problems] == ["bad-input", "bad-input"]
    assert all(str(broken) in problem.message for problem in problems)
    assert profile.source("vpc_id") == "ssm:ds-vpc-fsi-dev-id"
    assert any("in S3, not read" in place for place in profile.looked["execution_role"])


def test_a_profile_file_that_is_named_and_missing_is_a_problem(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURE_ML_PROFILE", "/nowhere/profile.json")
    _, (problem,) = discover()
    assert problem.code == "not-found"
    assert "/nowhere/profile.json" in problem.message


def test_the_order_of_the_sources(
    aws: Embedded, domain: str, metadata: Metadata, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    metadata(DomainId=domain)
    sdk = tmp_path / "sdk.yaml"
    sdk.write_text(
        "SageMaker: {TrainingJob: {VpcConfig: {Subnets: [subnet-sdk]}, RoleArn: role-sdk},"
        " Pipeline: {RoleArn: role-pipeline-sdk}}\n"
    )
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(sdk))

    def source(name: str = "subnets") -> str:
        return str(discover_profile(use_cache=False).source(name))

    assert source() == "ssm:sm-mlops-dev-private-subnet-ids"
    monkeypatch.setenv("SECURE_ML_SUBNETS", "subnet-env")
    assert source() == "env:SECURE_ML_SUBNETS"
    path = tmp_path / "config" / "secure-ml" / "profile.json"
    write_profile(path, subnets=["subnet-file"], security_groups=[], vpc_id="")
    assert source() == f"file:{path}"
    assert source("security_groups") == "ssm:sm-mlops-dev-sagemaker-sg-ids"
    assert source("vpc_id") == "ssm:sm-mlops-dev-vpc-id"

    other = tmp_path / "other.json"
    write_profile(other, subnets=["subnet-configured"])
    configured = discover_profile(config=Config(profile=str(other)))
    assert configured.get("subnets") == ["subnet-configured"]

    # Where SSM and the domain have nothing to say, the SDK's defaults count.
    monkeypatch.delenv("SECURE_ML_SUBNETS")
    path.unlink()
    aws.fault("*", "*", "AccessDeniedException", times=-1)
    from secure_ml_ext.aws import profile, profile_cache

    profile.forget()
    for file in profile_cache.cache_path("x").parent.glob("*"):
        file.unlink()
    assert source().startswith("sagemaker-sdk:")
    assert source("pipeline_role").startswith("sagemaker-sdk:")


def test_blank_values_are_missing_everywhere(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="blank-test-vpc-id", Value=" ", Type="String")
    ssm.put_parameter(Name="blank-test-private-subnet-ids", Value=" , ", Type="String")
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "blank-test")
    monkeypatch.setenv("SECURE_ML_VOLUME_KMS_KEY", "")
    aws.fault("ssm", "DescribeParameters", "AccessDeniedException", times=-1)
    try:
        profile = discover_profile()
    finally:
        ssm.delete_parameters(Names=["blank-test-vpc-id", "blank-test-private-subnet-ids"])
    assert set(profile.values) == {"environment"}
    assert "ssm:blank-test-vpc-id" in profile.looked["vpc_id"]
    assert all(profile.looked[name] for name in profile.missing())


def test_secure_strings_are_not_read(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="secret-test-vpc-id", Value="vpc-secret", Type="SecureString")
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "secret-test")
    aws.fault("ssm", "DescribeParameters", "AccessDeniedException", times=-1)
    try:
        assert discover_profile().get("vpc_id") is None
    finally:
        ssm.delete_parameter(Name="secret-test-vpc-id")
