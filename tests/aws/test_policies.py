"""The bundle in force: where it is named, how a file is read, and what is said when it fails."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.aws import policies, policies_place
from secure_ml_ext.aws.policies import AwsPolicySource, Loaded, cached_bundle, read_bundle, refresh
from secure_ml_ext.aws.policies_place import PlaceError, place_of
from secure_ml_ext.aws.profile import discover
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.iam import PolicyError, evaluate
from secure_ml_ext.rules import Config, Profile, ProfileValue, load_config
from tests.aws.bundles import ACCOUNT, ALLOW, BUCKET, DENY, flat, named, verdict

# -- where it is named ---------------------------------------------------------------------------


def test_nobody_names_one() -> None:
    assert cached_bundle(Config(), Profile()) == Loaded()
    assert cached_bundle(None, None) == refresh(None, None) == Loaded()


def test_the_configuration_comes_before_the_profile(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    ours.write_text(flat(ALLOW))
    theirs.write_text(flat(ALLOW, DENY))
    profile = Profile(values={"policies": ProfileValue(str(theirs), "ssm:x-secure-ml-policies")})
    assert verdict(cached_bundle(Config(), profile)) == "explicitly-denied"
    loaded = cached_bundle(named(str(ours)), profile)
    assert (verdict(loaded), loaded.source) == ("allowed", str(ours))


def test_locked_the_users_profile_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_text(flat(ALLOW))
    config = Config(locked=frozenset({"policies"}))
    for source, counts in (
        ("file:/home/me/profile.json", False),
        ("env:SECURE_ML_POLICIES", False),
        ("ssm:sm-mlops-dev-secure-ml-policies", True),
    ):
        profile = Profile(values={"policies": ProfileValue(str(path), source)})
        assert (cached_bundle(config, profile).bundle is not None) is counts


def test_the_configuration_key(tmp_path: Path) -> None:
    system, user = tmp_path / "system.json", tmp_path / "user.json"
    system.write_text(json.dumps({"policies": "ssm:/a", "locked": ["policies"]}))
    user.write_text(json.dumps({"policies": "ssm:/b"}))
    environ = {"SECURE_ML_POLICIES": "ssm:/c"}
    config = load_config(system=[system], user=user, environ=environ)
    assert config.policies == "ssm:/a"
    system.write_text(json.dumps({"locked": ["policies"]}))
    config = load_config(system=[system], user=user, environ=environ)
    assert config.policies is None
    assert len(config.problems) == 2
    assert all("policies is locked" in problem for problem in config.problems)
    assert load_config(system=[], user=user, environ={}).policies == "ssm:/b"
    assert load_config(system=[], user=tmp_path / "no", environ=environ).policies == "ssm:/c"


def test_the_seeded_profile_names_the_exported_bundle(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "sm-mlops-dev")
    profile, problems = discover()
    assert problems == []
    assert profile.source("policies") == "ssm:sm-mlops-dev-secure-ml-policies"
    loaded = refresh(Config(), profile)
    assert loaded.source == f"s3://{BUCKET}/secure-ml/policies.json"
    assert (loaded.problem, loaded.pending) == (None, False)
    assert loaded.bundle is not None
    assert loaded.bundle.principals == [
        f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role",
        f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-pipeline-execution-role",
    ]


def test_the_parameter_may_be_the_bundle_itself(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm = aws.client("ssm")
    name = "holds-bundle-secure-ml-policies"
    ssm.put_parameter(Name=name, Value=flat(ALLOW, DENY), Type="String")
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "holds-bundle")
    try:
        profile, _ = discover()
        assert profile.get("policies") == f"ssm:{name}"
        assert verdict(refresh(Config(), profile)) == "explicitly-denied"
    finally:
        ssm.delete_parameter(Name=name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssm:/secure-ml/p", ("ssm", "/secure-ml/p", "", None)),
        ("ssm:plain", ("ssm", "plain", "", None)),
        (
            "arn:aws:ssm:eu-central-1:1:parameter/p",
            ("ssm", "arn:aws:ssm:eu-central-1:1:parameter/p", "", "eu-central-1"),
        ),
        (
            "ssm:arn:aws:ssm:eu-central-1:1:parameter/p",
            ("ssm", "arn:aws:ssm:eu-central-1:1:parameter/p", "", "eu-central-1"),
        ),
        ("s3://b/a/k.json", ("s3", "b", "a/k.json", None)),
        ("~/p.json", ("file", os.path.expanduser("~/p.json"), "", None)),
        ("C:/p.json", ("file", "C:/p.json", "", None)),
    ],
)
def test_the_forms_of_a_place(text: str, expected: tuple[str, str, str, str | None]) -> None:
    assert place_of(text)[1:] == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "ssm:", "ssm:/", "s3://bucket", "s3://bucket/", "s3:/b/k", "https://example.test/p",
     "arn:aws:s3:::b/k", "arn:aws:ssm:eu-west-1:1:document/d", "arn:"],
)  # fmt: skip
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(PlaceError, match="write a path, ssm:"):
        place_of(text)
    if text.strip():
        for loaded in (cached_bundle(named(text), None), refresh(named(text), None)):
            assert loaded.bundle is None
            assert "names no policy bundle" in (loaded.problem or "")


# -- a file --------------------------------------------------------------------------------------


def test_a_file_is_compiled_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_text(flat(ALLOW))
    first = cached_bundle(named(str(path)), None)
    assert (verdict(first), first.problem, first.pending) == ("allowed", None, False)
    assert first.data == json.loads(flat(ALLOW))
    assert cached_bundle(named(str(path)), None).bundle is first.bundle
    path.write_text(flat(ALLOW, DENY))
    assert verdict(cached_bundle(named(str(path)), None)) == "explicitly-denied"
    path.unlink()
    gone = cached_bundle(named(str(path)), None)
    assert gone.bundle is None
    assert gone.problem == (
        f"The policy bundle {path} could not be read: {path} cannot be read: No such file or "
        "directory. Create it, or correct the path."
    )
    path.write_text(flat(ALLOW))
    assert verdict(cached_bundle(named(str(path)), None)) == "allowed"


def test_a_malformed_file_says_document_statement_and_character(tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_text(flat(ALLOW, {**DENY, "Effect": "deny"}))
    loaded = cached_bundle(named(str(path)), None)
    assert loaded.bundle is None
    assert loaded.problem == (
        f"The policy bundle {path} cannot be used: own, statement 1, Effect: "
        "Effect is Allow or Deny, not deny."
    )
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "deny"}]}'
    path.write_text(json.dumps({"identity": [{"name": "as-text", "document": text}]}))
    problem = cached_bundle(named(str(path)), None).problem or ""
    # The member "Effect" begins behind 41 characters of the text.
    assert "as-text, statement 0, Effect, line 1 column 42, character 41: " in problem
    path.write_text('{"identity": [}')
    problem = cached_bundle(named(str(path)), None).problem or ""
    assert "line 1 column 15" in problem


def test_a_large_file_is_compiled_beside_and_a_huge_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "INLINE", 1000)
    begun: list[Any] = []

    def note(work: Any, entry: Any) -> bool:
        begun.append(lambda: work(entry))
        return True

    monkeypatch.setattr(policies, "in_background", note)
    path = tmp_path / "policies.json"
    path.write_text(flat(ALLOW, *[{**DENY, "Sid": f"No{n}"} for n in range(100)]))
    config = named(str(path))
    for _ in range(2):
        assert cached_bundle(config, None) == Loaded(source=str(path), pending=True)
    (work,) = begun  # once, however often it is looked at
    work()
    assert verdict(cached_bundle(config, None)) == "explicitly-denied"
    path.write_bytes(b" " * (policies_place.MAX_BYTES + 1))
    refreshed = refresh(config, None)
    assert refreshed.bundle is None
    assert "more than 6291456 bytes" in (refreshed.problem or "")


def test_the_source_of_the_server_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_text(flat(ALLOW))
    source = AwsPolicySource()
    bundle = source.bundle(named(str(path)), None)
    assert bundle is cached_bundle(named(str(path)), None).bundle
    assert source.refresh(named(str(path)), None).bundle is not None


NAMES = [
    *("schema", "principals", "identity", "boundary", "session", "scps", "unread", "name"),
    *("document", "Version", "Statement", "Effect", "Action", "Resource", "Condition"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=30,
)


@settings(max_examples=300)
@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
def test_any_content_is_a_bundle_or_a_policy_error(data: bytes) -> None:
    try:
        bundle, parsed = read_bundle(data, "the bundle")
    except PolicyError:
        return
    assert isinstance(parsed, dict)
    evaluate(bundle, "sagemaker:CreateModel", "*", {})


@pytest.mark.parametrize("opening", [b"[", b'{"identity":', b'{"identity":[{"document":'])
def test_deep_nesting_is_refused_in_bounded_time(opening: bytes) -> None:
    with pytest.raises(PolicyError):
        read_bundle(opening * 200_000, "the bundle")
