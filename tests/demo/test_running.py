"""Starting the embedded AWS, and what leads to it: environment, clients, HTTPS proxy, log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import pytest

from secure_ml_ext.demo.aws import Embedded, EmbeddedAwsFailed, running
from secure_ml_ext.demo.aws.client import ADMIN_KEY, ROLE_KEY


def test_the_log_names_who_asked_what(aws: Embedded) -> None:
    began = time.time()
    aws.client("sagemaker", access_key=ROLE_KEY).list_models()
    aws.client("s3", access_key=ADMIN_KEY).list_buckets()
    entries = aws.requests()
    assert [(entry["service"], entry["operation"]) for entry in entries] == [
        ("sagemaker", "ListModels"),
        ("s3", "ListBuckets"),
    ]
    assert entries[0]["principal"] == (
        "arn:aws:sts::123456789012:assumed-role/sm-mlops-dev-execution-role/SageMaker"
    )
    assert entries[1]["principal"] == "arn:aws:iam::123456789012:user/demo-admin"
    assert began <= entries[0]["time"] <= time.time()
    assert {entry["region"] for entry in entries} == {"eu-west-1"}
    assert aws.requests(operation="ListBuckets") == entries[1:]


def test_clients_need_nothing_of_the_environment(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    told = aws.client("sagemaker").describe_model(ModelName="credit-risk-model")
    assert told["EnableNetworkIsolation"] is True


def test_addresses_of_aws_named_in_code_end_here(aws: Embedded) -> None:
    # As the SageMaker SDKs do it, past AWS_ENDPOINT_URL.
    sts = boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com")
    arn = sts.get_caller_identity()["Arn"]
    assert arn.endswith(":assumed-role/sm-mlops-dev-execution-role/SageMaker")
    s3 = boto3.client("s3", endpoint_url="https://s3.eu-west-1.amazonaws.com")
    s3.put_object(Bucket="sm-mlops-dev-eu-west-1-data", Key="by-proxy", Body=b"x" * 100_000)
    got = s3.get_object(Bucket="sm-mlops-dev-eu-west-1-data", Key="by-proxy")["Body"].read()
    assert got == b"x" * 100_000
    assert [entry["operation"] for entry in aws.requests()] == [
        "GetCallerIdentity",
        "PutObject",
        "GetObject",
    ]


def test_other_hosts_are_not_reached(aws: Embedded) -> None:
    with pytest.raises(urllib.error.URLError, match="The demo reaches no network: example"):
        urllib.request.build_opener().open("https://example.org/", timeout=10)


def test_the_environment_leads_here_and_nowhere_else(aws: Embedded) -> None:
    base = {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL_S3": "https://elsewhere", "PATH": "/bin"}
    environment = aws.environ(base)
    assert environment["AWS_ENDPOINT_URL"] == aws.url
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & set(environment)
    assert environment["PATH"] == "/bin"
    assert "127.0.0.1" in environment["NO_PROXY"].split(",")
    assert os.stat(environment["AWS_CONFIG_FILE"]).st_size == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_ready_and_stops_on_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "secure_ml_ext.demo.aws", "--port", "0", "--seed", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("READY http://127.0.0.1:")
        process.send_signal(number)
        assert process.wait(20) == 0


def test_the_server_ends_with_the_process_that_started_it() -> None:
    command = [sys.executable, "-m", "secure_ml_ext.demo.aws", "--seed", "none", "--with-stdin"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().startswith("READY ")
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_server_that_cannot_start_is_an_error(aws: Embedded) -> None:
    taken = int(aws.url.rsplit(":", 1)[1])
    with pytest.raises(EmbeddedAwsFailed, match="in use"), running(port=taken):
        pytest.fail("a second server on the same port")
