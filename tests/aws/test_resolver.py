"""Following references: from memory, with one Describe, and within a time budget."""

from __future__ import annotations

import socket

import boto3
import pytest

from secure_ml_ext.aws.resolver import Lookups
from secure_ml_ext.check import check_request
from secure_ml_ext.demo.aws import Embedded

TRANSFORM = {"TransformJobName": "t", "ModelName": "looked-up"}


def test_a_model_is_described_once(aws: Embedded) -> None:
    boto3.client("sagemaker").create_model(
        ModelName="looked-up",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
        PrimaryContainer={"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"},
        EnableNetworkIsolation=True,
    )
    aws.reset_log()
    lookups = Lookups("eu-west-1", budget=20)
    for _ in range(3):
        lookups.begin()
        report = check_request("CreateTransformJob", TRANSFORM, resolver=lookups)
    states = {c.control: c.state for c in report.subjects[0].controls}
    assert (states["isolation"], states["vpc"]) == ("pass", "fail")
    asked = [r for r in aws.requests() if r["operation"] == "DescribeModel"]
    assert len(asked) == 1


def test_what_was_created_here_is_not_asked(aws: Embedded) -> None:
    lookups = Lookups("eu-west-1")
    lookups.remember("CreateModel", "looked-up", {"EnableNetworkIsolation": True})
    report = check_request("CreateTransformJob", TRANSFORM, resolver=lookups)
    assert {c.control: c.state for c in report.subjects[0].controls}["isolation"] == "pass"
    assert aws.requests() == []


def test_an_unknown_model_leaves_it_open_and_is_not_asked_again_at_once(aws: Embedded) -> None:
    lookups = Lookups("eu-west-1", budget=20)
    request = {"TransformJobName": "t", "ModelName": "nowhere"}
    for _ in range(2):
        lookups.begin()
        report = check_request("CreateTransformJob", request, resolver=lookups)
        states = {c.control: c for c in report.subjects[0].controls}
        assert states["vpc"].state == "depends"
        assert "nowhere" in (states["vpc"].note or "")
    assert len([r for r in aws.requests() if r["operation"] == "DescribeModel"]) == 1


def test_the_budget_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint accepts and never answers; waiting for it would mean a second attempt."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        lookups = Lookups("eu-west-1", budget=0.5)
        lookups.begin()
        assert lookups.request_of("CreateModel", "m") is None
        silent.settimeout(5)
        silent.accept()[0].close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_schedule_is_followed_to_its_definition(aws: Embedded) -> None:
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    boto3.client("sagemaker").create_data_quality_job_definition(
        JobDefinitionName="looked-up",
        DataQualityAppSpecification={
            "ImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"
        },
        DataQualityJobInput={
            "EndpointInput": {"EndpointName": "e", "LocalPath": "/opt/ml/processing/in"}
        },
        DataQualityJobOutputConfig={
            "MonitoringOutputs": [
                {"S3Output": {"S3Uri": "s3://b/o", "LocalPath": "/opt/ml/processing/out"}}
            ]
        },
        JobResources={
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.xlarge",
                "VolumeSizeInGB": 10,
            }
        },
        NetworkConfig={"EnableNetworkIsolation": True, "VpcConfig": network},
        RoleArn="arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
    )
    config = {"MonitoringJobDefinitionName": "looked-up", "MonitoringType": "DataQuality"}
    request = {"MonitoringScheduleName": "s", "MonitoringScheduleConfig": config}
    lookups = Lookups("eu-west-1", budget=20)
    lookups.begin()
    report = check_request("CreateMonitoringSchedule", request, resolver=lookups)
    states = {c.control: c.state for c in report.subjects[0].controls}
    assert (states["vpc"], states["isolation"]) == ("pass", "pass")
    assert (states["volume-kms"], states["output-kms"]) == ("fail", "fail")
    assert lookups.request_of("CreateDataQualityJobDefinition", "looked-up") is not None


def test_the_answer_is_the_request(aws: Embedded) -> None:
    """Describe adds a state and an ARN; what made the model had neither."""
    request = {
        "ModelName": "as-requested",
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
        "PrimaryContainer": {"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"},
        "EnableNetworkIsolation": True,
    }
    boto3.client("sagemaker").create_model(**request)
    answer = Lookups("eu-west-1", budget=20).request_of("CreateModel", "as-requested")
    assert answer is not None
    assert {name: answer[name] for name in request if name != "PrimaryContainer"} == {
        name: value for name, value in request.items() if name != "PrimaryContainer"
    }
    assert not {"ModelArn", "CreationTime", "ResponseMetadata"} & answer.keys()


def test_an_alias_is_resolved_once(aws: Embedded) -> None:
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/resolved", TargetKeyId=key)
    aws.reset_log()
    lookups = Lookups("eu-west-1", budget=20)
    for _ in range(2):
        lookups.begin()
        assert lookups.key_arn("alias/resolved") == key
        assert lookups.key_arn("alias/nowhere") is None
    asked = [r for r in aws.requests() if r["operation"] == "DescribeKey"]
    assert len(asked) == 2
