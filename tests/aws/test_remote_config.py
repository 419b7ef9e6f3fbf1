"""The configuration named as remote: fetched, cached, and never half believed."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from secure_ml_ext.aws.profile import discover
from secure_ml_ext.aws.remote_config import refresh
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.rules import Config, load_config
from secure_ml_ext.rules.config import remote_copy

CONTENT = json.dumps({"mode": "block", "locked": ["mode"]})


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def local(tmp_path: Path, remote: str) -> Config:
    system = tmp_path / "system.json"
    system.write_text(json.dumps({"remote": remote}))
    return load_config(system=[system], user=tmp_path / "none", environ={"SECURE_ML_MODE": "fix"})


@pytest.mark.parametrize("kind", ["ssm", "s3"])
def test_a_remote_level_wins_over_the_user(aws: Embedded, tmp_path: Path, kind: str) -> None:
    if kind == "ssm":
        remote = "ssm:/secure-ml/config"
        boto3.client("ssm").put_parameter(
            Name="/secure-ml/config", Value=CONTENT, Type="String", Overwrite=True
        )
    else:
        remote = "s3://sm-mlops-dev-eu-west-1-data/secure-ml/config.json"
        boto3.client("s3").put_object(
            Bucket="sm-mlops-dev-eu-west-1-data", Key="secure-ml/config.json", Body=CONTENT.encode()
        )
    before = local(tmp_path, remote)
    assert before.mode == "fix"
    discover(config=before)
    asked = "GetParameter" if kind == "ssm" else "GetObject"
    discover(config=before)  # the copy is fresh
    assert len(aws.requests(operation=asked)) == 1
    after = local(tmp_path, remote)
    assert (after.mode, after.locked) == ("block", frozenset({"mode"}))
    assert remote_copy(remote).stat().st_mode & 0o077 == 0


def test_a_broken_remote_is_said_and_the_last_copy_stays(aws: Embedded, tmp_path: Path) -> None:
    ssm = boto3.client("ssm")
    name = "/secure-ml/broken"
    ssm.put_parameter(Name=name, Value=CONTENT, Type="String", Overwrite=True)
    assert refresh(local(tmp_path, f"ssm:{name}")) is None
    ssm.put_parameter(Name=name, Value='{"mode": "loud"}', Type="String", Overwrite=True)
    problem = refresh(local(tmp_path, f"ssm:{name}"))
    assert problem is not None
    assert "mode" in problem.message
    assert local(tmp_path, f"ssm:{name}").mode == "block"


def test_a_denied_remote_names_the_missing_action(aws: Embedded, tmp_path: Path) -> None:
    aws.fault(service="ssm", operation="GetParameter", code="AccessDeniedException")
    problem = refresh(local(tmp_path, "ssm:/secure-ml/config"))
    assert problem is not None
    assert (problem.code, problem.action) == ("access-denied", "ssm:GetParameter")


@pytest.mark.parametrize("remote", ["http://example.test/c", "s3://bucket", "ssm:"])
def test_an_unknown_form_is_refused(tmp_path: Path, remote: str) -> None:
    problem = refresh(local(tmp_path, remote))
    assert problem is not None
    assert "s3://<bucket>/<key>" in problem.remedy
