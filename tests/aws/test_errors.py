"""Every failure of an AWS call is a typed state with a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from secure_ml_ext.aws import clients
from secure_ml_ext.aws.endpoints import endpoint_service, iam_action
from secure_ml_ext.aws.errors import to_problem
from secure_ml_ext.aws.records import Problem
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.inventory.regions import partition

REGION = "eu-west-1"


def problem_of(call: Any, operation: str, service: str = "sagemaker", **params: Any) -> Problem:
    """Make a call that fails and return what it becomes."""
    with pytest.raises(Exception) as raised:  # noqa: PT011
        call(**params)
    problem = to_problem(raised.value, service=service, operation=operation, region=REGION)
    assert problem.message
    assert problem.remedy.endswith((".", ")."))
    return problem


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("AccessDeniedException", 400, "access-denied"),
        ("UnauthorizedOperation", 403, "access-denied"),
        ("ExpiredTokenException", 400, "expired-credentials"),
        ("UnrecognizedClientException", 400, "expired-credentials"),
        ("InvalidSignatureException", 403, "expired-credentials"),
        ("ThrottlingException", 400, "throttled"),
        ("TooManyRequestsException", 429, "throttled"),
        ("ResourceNotFound", 400, "not-found"),
        ("ValidationException", 400, "bad-input"),
        ("OptInRequired", 403, "region-unsupported"),
        ("InternalFailure", 500, "aws-error"),
    ],
)
def test_what_aws_answers(aws: Embedded, code: str, status: int, expected: str) -> None:
    aws.fault("sagemaker", "DescribeTrainingJob", code, status=status, times=-1)
    client = clients.client("sagemaker")
    problem = problem_of(client.describe_training_job, "DescribeTrainingJob", TrainingJobName="t")
    assert problem.code == expected
    denied = expected == "access-denied"
    assert problem.action == ("sagemaker:DescribeTrainingJob" if denied else None)


def test_a_job_that_is_not_there(aws: Embedded) -> None:
    client = clients.client("sagemaker")
    for operation, method, params in (
        ("DescribeTrainingJob", client.describe_training_job, {"TrainingJobName": "none"}),
        ("DescribeModel", client.describe_model, {"ModelName": "none"}),
        ("DescribeProject", client.describe_project, {"ProjectName": "none"}),
    ):
        assert problem_of(method, operation, **params).code == "not-found"


def test_the_message_names_a_more_exact_action_than_the_operation(aws: Embedded) -> None:
    text = (
        "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: kms:Decrypt on "
        "resource: arn:aws:kms:eu-west-1:1:key/k because no identity-based policy allows it"
    )
    aws.fault("ssm", "GetParameters", "AccessDeniedException", message=text, times=-1)
    call = clients.client("ssm").get_parameters
    problem = problem_of(call, "GetParameters", "ssm", Names=["x"])
    assert problem.action == "kms:Decrypt"
    assert "kms:Decrypt" in problem.remedy


def test_an_explicit_deny_asks_for_no_allow(aws: Embedded) -> None:
    text = (
        "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: "
        "sagemaker:DescribeModel with an explicit deny in a service control policy"
    )
    aws.fault("sagemaker", "DescribeModel", "AccessDeniedException", message=text, times=-1)
    call = clients.client("sagemaker").describe_model
    problem = problem_of(call, "DescribeModel", ModelName="m")
    assert problem.action == "sagemaker:DescribeModel"
    assert "service control policy" in problem.remedy
    assert "adding an Allow does not help" in problem.remedy


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    call = clients.client("sagemaker").list_domains
    assert problem_of(call, "ListDomains").code == "no-credentials"


def test_half_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with pytest.raises(Exception) as raised:  # noqa: PT011
        clients.client("sagemaker").list_domains()
    problem = to_problem(raised.value, service="sagemaker", operation="ListDomains", region=REGION)
    assert problem.code == "no-credentials"
    assert "Partial" in problem.message


def test_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Exception) as raised:  # noqa: PT011
        clients.client("sagemaker", REGION)
    problem = to_problem(raised.value, service="sagemaker", operation="ListDomains", region=REGION)
    assert problem.code == "no-credentials"
    assert "nobody" in problem.message


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Exception) as raised:  # noqa: PT011
        clients.client("sagemaker")
    problem = to_problem(raised.value, service="sagemaker", operation="ListDomains", region=None)
    assert problem.code == "no-region"
    assert "AWS_DEFAULT_REGION" in problem.remedy


QUICK = Config(connect_timeout=0.3, read_timeout=0.3, retries={"total_max_attempts": 1})


def unreachable(service: str, region: str = REGION, **options: Any) -> Any:
    """Return a client whose calls reach nobody."""
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=region)
    return session.client(service, config=QUICK, **options)


@pytest.mark.parametrize(
    ("service", "operation", "endpoint"),
    [
        ("sagemaker", "ListDomains", "com.amazonaws.eu-west-1.sagemaker.api"),
        ("ssm", "DescribeParameters", "com.amazonaws.eu-west-1.ssm"),
        ("kms", "ListAliases", "com.amazonaws.eu-west-1.kms"),
        ("sts", "GetCallerIdentity", "com.amazonaws.eu-west-1.sts"),
        ("s3", "ListBuckets", "com.amazonaws.eu-west-1.s3 (gateway)"),
    ],
)
def test_an_endpoint_that_cannot_be_reached_names_the_vpc_endpoint(
    service: str, operation: str, endpoint: str
) -> None:
    # Reaches a closed port through a name of AWS: nothing leaves this machine.
    client = unreachable(service, endpoint_url="http://127.0.0.1:9")
    method = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
    problem = problem_of(getattr(client, method), operation, service)
    assert problem.code == "endpoint-unreachable"
    assert endpoint in problem.remedy
    assert "AWS_ENDPOINT_URL" in problem.remedy


def test_a_real_endpoint_gets_the_vpc_remedy() -> None:
    from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, SSLError

    url = "https://api.sagemaker.eu-west-1.amazonaws.com/"
    for error in (EndpointConnectionError(endpoint_url=url), ConnectTimeoutError(endpoint_url=url)):
        problem = to_problem(error, service="sagemaker", operation="ListDomains", region=REGION)
        assert problem.code == "endpoint-unreachable"
        assert "create the VPC endpoint com.amazonaws.eu-west-1.sagemaker.api" in problem.remedy
        assert "security group" in problem.remedy
    broken = SSLError(endpoint_url=url, error="self-signed certificate")
    problem = to_problem(broken, service="sagemaker", operation="ListDomains", region=REGION)
    assert "AWS_CA_BUNDLE" in problem.remedy


def test_an_unknown_region() -> None:
    from botocore.exceptions import EndpointConnectionError

    url = "https://api.sagemaker.mars-1.amazonaws.com/"
    error = EndpointConnectionError(endpoint_url=url)
    problem = to_problem(error, service="sagemaker", operation="ListDomains", region="mars-1")
    assert problem.code == "region-unsupported"
    assert "mars-1" in problem.message


def test_a_region_that_botocore_does_not_list_is_named() -> None:
    from botocore.exceptions import EndpointConnectionError

    error = EndpointConnectionError(endpoint_url="https://ssm.eu-west-9.amazonaws.com/")
    problem = to_problem(error, service="ssm", operation="GetParameters", region="eu-west-9")
    assert problem.code == "endpoint-unreachable"
    assert problem.remedy.startswith("Check the spelling of the Region eu-west-9.")


def test_wrong_parameters(aws: Embedded) -> None:
    call = clients.client("sagemaker").describe_model
    problem = problem_of(call, "DescribeModel", ModelName=1)
    assert problem.code == "bad-input"
    assert "ModelName" in problem.message


def test_an_error_that_is_not_of_aws() -> None:
    problem = to_problem(ValueError("x"), service="ssm", operation="GetParameters", region=None)
    assert problem.code == "aws-error"
    assert "ValueError" in problem.message


def test_messages_hold_no_secrets_and_are_bounded() -> None:
    secrets = (
        "AKIAABCDEFGHIJKLMNOP",
        "0123456789abcdef0123456789abcdef",
        "planted",
        "user:planted-password",
    )
    text = (
        f"key {secrets[0]} Signature={secrets[1]} "
        f"https://h/?X-Amz-Security-Token={secrets[2]}&a=b http://{secrets[3]}@proxy " + "x" * 9000
    )
    error = ClientError({"Error": {"Code": "X", "Message": text}}, "DescribeModel")
    problem = to_problem(error, service="sagemaker", operation="DescribeModel", region=REGION)
    assert len(problem.message) < 1000
    for secret in secrets:
        assert secret not in problem.message


def test_strange_replies_are_survived(tmp_path: Path) -> None:
    for response in ({}, {"Error": {}}, {"Error": {"Code": None, "Message": None}}):
        error = ClientError(response, "DescribeModel")
        problem = to_problem(error, service="sagemaker", operation="DescribeModel", region=None)
        assert problem.code == "aws-error"


def test_names_of_endpoints_actions_and_partitions() -> None:
    assert (
        endpoint_service("sagemaker", "cn-north-1") == "cn.com.amazonaws.cn-north-1.sagemaker.api"
    )
    assert endpoint_service("ssm", "cn-north-1") == "com.amazonaws.cn-north-1.ssm"
    assert endpoint_service("sts", None) == "com.amazonaws.<region>.sts"
    assert iam_action("s3", "ListObjectsV2") == "s3:ListBucket"
    assert iam_action("sagemaker", "DescribeDomain") == "sagemaker:DescribeDomain"
    regions = {"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}
    for region, name in regions.items():
        assert partition(region) == name
    known = boto3.Session()
    for name in known.get_available_partitions():
        for region in known.get_available_regions("sagemaker", partition_name=name):
            assert partition(region) == known.get_partition_for_region(region)
