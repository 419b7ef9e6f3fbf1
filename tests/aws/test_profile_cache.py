"""The cache: no network on the guard's path, private files, old answers where AWS fails."""

from __future__ import annotations

import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from secure_ml_ext.aws import clients, profile, profile_cache
from secure_ml_ext.aws.profile import cached_profile, discover, discover_profile
from secure_ml_ext.demo.aws import Embedded


@pytest.fixture(autouse=True)
def environment(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's environment."""
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "sm-mlops-dev")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The folder of the cache files."""
    return tmp_path / "cache" / "secure-ml"


def age(path: Path, seconds: float) -> None:
    """Make a cache file older."""
    content = json.loads(path.read_bytes())
    content["time"] -= seconds
    path.write_bytes(json.dumps(content).encode())


def test_nothing_known_is_none(monkeypatch: pytest.MonkeyPatch, aws: Embedded) -> None:
    monkeypatch.delenv("SECURE_ML_ENVIRONMENT")
    assert cached_profile() is None
    assert aws.requests() == []


def test_another_process_finds_it_without_the_network(aws: Embedded, cache: Path) -> None:
    found = discover_profile()
    (file,) = cache.glob("profile-*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    profile.forget()  # as another process would begin
    aws.reset_log()
    assert cached_profile() == found
    assert discover_profile() == found
    assert aws.requests() == []


def test_the_guards_path_makes_no_client(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    discover_profile()
    profile.forget()

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a client was made")

    monkeypatch.setattr(clients, "client", fail)
    monkeypatch.setattr(clients, "default_region", fail)
    found = cached_profile()
    assert found is not None
    assert found.get("subnets")


def test_the_environment_goes_over_the_cache(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    discover_profile()
    monkeypatch.setenv("SECURE_ML_SUBNETS", "subnet-env")
    found = cached_profile()
    assert found is not None
    assert found.get("subnets") == ["subnet-env"]
    assert found.source("vpc_id") == "ssm:sm-mlops-dev-vpc-id"


def test_a_new_answer_is_asked_for_when_the_old_one_is_old(aws: Embedded, cache: Path) -> None:
    discover_profile()
    (file,) = cache.glob("profile-*.json")
    age(file, profile.TTL + 1)
    profile.forget()
    aws.reset_log()
    assert cached_profile() is not None
    assert aws.requests() == []
    discover_profile()
    assert aws.requests()
    age(file, profile_cache.MAX_AGE + 1)
    profile.forget()
    found = cached_profile()
    assert found is not None
    assert found.get("subnets") is None, "a week is too old"


def test_where_aws_fails_the_last_answer_is_kept_with_its_time(aws: Embedded, cache: Path) -> None:
    before = discover_profile()
    aws.fault("ssm", "GetParameters", "ThrottlingException", times=-1)
    after, problems = discover(use_cache=False)
    assert after.get("subnets") == before.get("subnets")
    assert ", read 20" in str(after.source("subnets"))
    assert [problem.code for problem in problems] == ["throttled"]
    again, _ = discover(use_cache=False)
    assert str(again.source("subnets")).count("read 20") == 1


def test_a_failure_is_not_asked_again_at_once(aws: Embedded) -> None:
    aws.fault("ssm", "GetParameters", "AccessDeniedException", times=-1)
    discover()
    calls = len(aws.requests())
    _, problems = discover()
    assert len(aws.requests()) == calls
    assert problems[0].action == "ssm:GetParameters"


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"time": "x"}'])
def test_a_broken_cache_file_is_ignored(aws: Embedded, cache: Path, content: bytes) -> None:
    found = discover_profile()
    (file,) = cache.glob("profile-*.json")
    file.write_bytes(content)
    profile.forget()
    assert discover_profile() == found


def test_a_file_that_others_could_write_is_not_believed(aws: Embedded, cache: Path) -> None:
    discover_profile()
    (file,) = cache.glob("profile-*.json")
    content = file.read_bytes()
    for spoil in (lambda: os.chmod(file, 0o622), lambda: _linked(file, content)):
        profile.forget()
        spoil()
        found = cached_profile()
        assert found is not None
        assert found.get("subnets") is None
        file.unlink()
        file.write_bytes(content)
        file.chmod(0o600)


def _linked(file: Path, content: bytes) -> None:
    other = file.with_name("other")
    other.write_bytes(content)
    other.chmod(0o600)
    file.unlink()
    file.symlink_to(other)


def test_other_credentials_or_another_endpoint_are_another_cache(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    discover_profile()
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE0000"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            profile.forget()
            found = cached_profile()
            assert found is not None
            assert found.get("subnets") is None


def test_no_credentials_are_written(
    aws: Embedded, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "planted-session-token")
    discover_profile()
    aws.fault("ssm", "*", "ExpiredTokenException", message="planted-session-token?", times=1)
    discover(use_cache=False)
    for file in cache.iterdir():
        text = file.name + file.read_text()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            assert os.environ[name] not in text


def test_a_cache_that_cannot_be_written_is_no_error(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert discover_profile().get("subnets")


def test_a_clock_set_back_makes_the_answer_old() -> None:
    future = profile_cache.CachedProfile(time.time() + 3600, {}, {}, [])
    assert future.age() > profile_cache.MAX_AGE
    assert msgspec.json.decode(msgspec.json.encode(future), type=type(future)) == future


def test_many_who_ask_at_once_ask_aws_once(aws: Embedded, cache: Path) -> None:
    discover_profile()
    alone = len(aws.requests())
    profile.forget()
    (file,) = cache.glob("profile-*.json")
    file.unlink()
    aws.reset_log()
    aws.fault("ssm", "GetParameters", None, delay=0.3, times=1)
    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(lambda _: discover_profile(), range(8)))
    assert all(one == found[0] for one in found)
    assert len(aws.requests()) == alone
