"""Who sends the requests: role, account and tags, as far as AWS says them."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import boto3
import botocore.credentials
import pytest

from secure_ml_ext.aws import caller
from secure_ml_ext.aws.caller import caller_of, refresh
from secure_ml_ext.check.request import Caller
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.demo.aws.client import ADMIN_KEY, SECRET
from secure_ml_ext.rules import Config, Profile

ACCOUNT, REGION = "123456789012", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role"
TAGS = {"Team": "fsi", "EnvironmentName": "sm-mlops"}
CONFIG = Config()


def settled(client: Any = None) -> Caller:
    """What is known once the background has done its work."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = caller_of(CONFIG, None, client)
        if found.role_arn and caller._callers.idle():
            return found
        time.sleep(0.02)
    raise AssertionError("the caller was not found in time")


def test_nothing_is_known_at_first_and_nothing_is_waited_for(aws: Embedded) -> None:
    aws.fault("sts", "GetCallerIdentity", delay=1.0)
    assert caller_of(CONFIG, None) == Caller()
    profile = Profile(account="111122223333", region="eu-central-1")
    assert caller_of(CONFIG, profile) == Caller("111122223333", "eu-central-1")
    assert settled() == Caller(ACCOUNT, REGION, ROLE, TAGS, None)
    assert len(aws.requests(operation="GetCallerIdentity")) == 1


def test_a_role_with_a_path(aws: Embedded) -> None:
    """STS names the session without the path; the role has it."""
    found, problem = refresh(CONFIG, None)
    assert problem is None
    assert found == Caller(ACCOUNT, REGION, ROLE, TAGS, None)
    iam = aws.client("iam")
    with_path = f"arn:aws:iam::{ACCOUNT}:role/team/deep-caller"
    iam.create_role(RoleName="deep-caller", Path="/team/", AssumeRolePolicyDocument="{}")
    try:
        identity = caller.Identity("arn", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/deep-caller")
        assert caller.completed(identity) == caller.Identity("arn", ACCOUNT, with_path, tags={})
    finally:
        iam.delete_role(RoleName="deep-caller")


def test_tags_alone_and_no_tags(aws: Embedded) -> None:
    aws.fault("iam", "GetRole", "AccessDenied", times=-1)
    found, problem = refresh(CONFIG, None)
    assert (found.role_arn, found.tags, problem) == (ROLE, TAGS, None)
    aws.fault("iam", "ListRoleTags", "AccessDenied", times=-1)
    found, problem = refresh(CONFIG, None)
    assert (found.role_arn, found.tags, problem) == (ROLE, None, None)


def test_a_user_is_the_caller_itself(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.env(ADMIN_KEY).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    found, _ = refresh(CONFIG, None)
    assert found == Caller(ACCOUNT, REGION, f"arn:aws:iam::{ACCOUNT}:user/demo-admin", None)
    assert not aws.requests(service="iam")


def test_other_credentials_are_another_caller(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(CONFIG, None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ADMIN_KEY)
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    assert caller_of(CONFIG, None).role_arn is None
    assert settled().role_arn == f"arn:aws:iam::{ACCOUNT}:user/demo-admin"


def test_the_next_process_knows_at_once(aws: Embedded, tmp_path: Path) -> None:
    refresh(CONFIG, None)
    (copy,) = (tmp_path / "cache" / "secure-ml").glob("caller-*.json")
    assert copy.stat().st_mode & 0o077 == 0
    caller.forget()
    aws.fault("sts", "GetCallerIdentity", "ExpiredToken", times=-1)
    assert caller_of(CONFIG, None) == Caller(ACCOUNT, REGION, ROLE, TAGS, None)
    found, problem = refresh(CONFIG, None)
    assert found.role_arn == ROLE, "what was known stays"
    assert problem is not None
    assert problem.code == "expired-credentials"
    for content in (b"{", b"\xff", b"[]"):
        copy.write_bytes(content)
        caller.forget()
        assert caller_of(CONFIG, None) == Caller()


def test_a_client_with_credentials_of_its_own_is_another_caller(aws: Embedded) -> None:
    """As after assuming a role: the session is made by hand, the environment stays."""
    refresh(CONFIG, None)
    session = boto3.Session(aws_access_key_id=ADMIN_KEY, aws_secret_access_key=SECRET)
    client = session.client("sagemaker", region_name="eu-central-1")
    assert caller_of(CONFIG, None, client) == Caller(region="eu-central-1")
    admin = f"arn:aws:iam::{ACCOUNT}:user/demo-admin"
    assert settled(client) == Caller(ACCOUNT, "eu-central-1", admin, None)
    assert caller_of(CONFIG, None).role_arn == ROLE
    # Clients of one session share its credentials: nothing more is asked.
    calls = len(aws.requests(operation="GetCallerIdentity"))
    other = session.client("sagemaker", region_name="eu-west-1")
    assert caller_of(CONFIG, None, other) == Caller(ACCOUNT, "eu-west-1", admin, None)
    assert len(aws.requests(operation="GetCallerIdentity")) == calls


def test_a_client_with_the_credentials_of_the_process_is_known_at_once(aws: Embedded) -> None:
    refresh(CONFIG, None)
    calls = len(aws.requests(operation="GetCallerIdentity"))
    client = boto3.client("sagemaker")
    assert caller_of(CONFIG, None, client) == Caller(ACCOUNT, REGION, ROLE, TAGS, None)
    assert len(aws.requests(operation="GetCallerIdentity")) == calls


def test_credentials_are_not_renewed_on_the_way(aws: Embedded) -> None:
    """Those of a container or of SSO are fetched on first use; looking at them must not be one."""
    renewed: list[float] = []

    def renew() -> dict[str, str]:
        renewed.append(time.monotonic())
        return {
            "access_key": ADMIN_KEY,
            "secret_key": SECRET,
            "token": "",
            "expiry_time": "2099-01-01T00:00:00Z",
        }

    made = botocore.credentials.DeferredRefreshableCredentials(renew, "test")
    client = boto3.client("sagemaker")
    client._request_signer._credentials = made
    aws.fault("sts", "GetCallerIdentity", delay=0.5)
    assert caller_of(CONFIG, None, client).role_arn is None
    assert settled(client).role_arn == f"arn:aws:iam::{ACCOUNT}:user/demo-admin"
    assert len(renewed) == 1, "in the background"


def test_the_entry_of_a_client_goes_with_its_credentials(aws: Embedded) -> None:
    session = boto3.Session(aws_access_key_id=ADMIN_KEY, aws_secret_access_key=SECRET)
    client = session.client("sagemaker", region_name=REGION)
    settled(client)
    assert len(caller._callers._clients) == 1
    del client, session
    gc.collect()
    assert len(caller._callers._clients) == 0
