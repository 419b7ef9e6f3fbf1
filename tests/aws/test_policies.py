"""The bundle in force: where it is named, how it is kept, and what is said when it fails."""

from __future__ import annotations

import json
import os
import threading
import time
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

ACCOUNT = "123456789012"
BUCKET = "sm-mlops-dev-eu-west-1-data"
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Sid": "Never", "Effect": "Deny", "Action": "sagemaker:*", "Resource": "*"}


def flat(*statements: Any) -> str:
    """A bundle of one document in the flat form."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return json.dumps({"identity": [{"name": "own", "document": document}]})


def verdict(loaded: Loaded) -> str | None:
    if loaded.bundle is None:
        return None
    return evaluate(loaded.bundle, "sagemaker:CreateModel", "*", {}).verdict


def named(place: str) -> Config:
    return Config(policies=place)


def settled(config: Config) -> Loaded:
    """What is known once the background has done its work."""
    until = time.monotonic() + 20
    while (loaded := cached_bundle(config, None)).pending and time.monotonic() < until:
        time.sleep(0.02)
    return loaded


def age() -> None:
    """Make everything this process knows due for renewal."""
    for entry in policies._bundles._entries.values():
        entry.due = 0.0


def wait_for_renewal(config: Config, aws: Embedded, operation: str, calls: int) -> Loaded:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        cached_bundle(config, None)
        idle = not any(entry.busy for entry in policies._bundles._entries.values())
        if idle and len(aws.requests(operation=operation)) >= calls:
            break
        time.sleep(0.02)
    return cached_bundle(config, None)


@pytest.fixture(params=["ssm", "s3"])
def remote(request: pytest.FixtureRequest, aws: Embedded) -> Any:
    """A place in AWS, how to write there, and the operation that reads it."""
    if request.param == "ssm":
        name = f"/secure-ml/{request.node.name}"[:60].replace("[", "-").replace("]", "")
        ssm = aws.client("ssm")
        return (
            f"ssm:{name}",
            lambda text: ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True),
            "GetParameter",
        )
    key = f"secure-ml/{request.node.name}.json"
    s3 = aws.client("s3")
    return (
        f"s3://{BUCKET}/{key}",
        lambda text: s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode()),
        "GetObject",
    )


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


# -- in AWS --------------------------------------------------------------------------------------


def test_the_first_look_does_not_wait(remote: Any, aws: Embedded) -> None:
    place, write, operation = remote
    write(flat(ALLOW))
    aws.fault("s3" if operation == "GetObject" else "ssm", operation, delay=1.0)
    first = cached_bundle(named(place), None)
    assert first == Loaded(source=place, pending=True)
    loaded = settled(named(place))
    assert (verdict(loaded), loaded.problem) == ("allowed", None)
    assert loaded.as_of is not None
    assert len(aws.requests(operation=operation)) == 1


def test_what_did_not_change_is_not_compiled_again(remote: Any, aws: Embedded) -> None:
    place, write, operation = remote
    config = named(place)
    write(flat(ALLOW))
    first = refresh(config, None)
    cached_bundle(config, None)
    assert len(aws.requests(operation=operation)) == 1, "asked again only when it is due"
    age()
    second = wait_for_renewal(config, aws, operation, 2)
    assert second.bundle is first.bundle
    assert second.problem is None
    write(flat(ALLOW, DENY))
    age()
    third = wait_for_renewal(config, aws, operation, 3)
    assert verdict(third) == "explicitly-denied"


def test_an_object_that_did_not_change_is_not_sent_again(aws: Embedded) -> None:
    place = place_of(f"s3://{BUCKET}/secure-ml/policies.json")
    first = policies_place.fetch(place)
    assert first.data
    assert policies_place.fetch(place, first.version) == (first.version, None)
    assert [entry["status"] for entry in aws.requests(operation="GetObject")] == [200, 304]


def test_the_next_process_begins_with_the_copy(
    remote: Any, aws: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, write, operation = remote
    config = named(place)
    write(flat(ALLOW, DENY))
    refresh(config, None)
    (copy,) = (tmp_path / "cache" / "secure-ml").glob("policies-*.json")
    assert copy.stat().st_mode & 0o077 == 0
    policies.forget()
    service = "s3" if operation == "GetObject" else "ssm"
    aws.fault(service, operation, "AccessDeniedException", times=-1)
    first = cached_bundle(config, None)
    assert (verdict(first), first.problem, first.pending) == ("explicitly-denied", None, False)
    later = wait_for_renewal(config, aws, operation, 2)
    assert verdict(later) == "explicitly-denied"
    assert later.problem is not None
    assert f"{service}:{operation}" in later.problem
    assert f"The one of {first.as_of} is used." in later.problem
    # Somebody else could have written it: then it is not believed.
    copy.chmod(0o644)
    policies.forget()
    assert cached_bundle(config, None).bundle is None
    copy.chmod(0o600)
    week = time.time() - 8 * 24 * 3600
    os.utime(copy, (week, week))
    policies.forget()
    assert cached_bundle(config, None).bundle is None


def test_a_damaged_copy_is_passed_over(remote: Any, aws: Embedded, tmp_path: Path) -> None:
    place, write, _ = remote
    write(flat(ALLOW))
    refresh(named(place), None)
    (copy,) = (tmp_path / "cache" / "secure-ml").glob("policies-*.json")
    for content in (b"{", b'{"version": "1", "content": "[]"}', b"\xff"):
        copy.write_bytes(content)
        policies.forget()
        assert cached_bundle(named(place), None).pending
        assert verdict(settled(named(place))) == "allowed"


@pytest.mark.parametrize("code", ["AccessDeniedException", "ParameterNotFound", "Throttling"])
def test_a_failure_is_said_with_its_remedy(remote: Any, aws: Embedded, code: str) -> None:
    place, _, operation = remote
    service = "s3" if operation == "GetObject" else "ssm"
    aws.fault(service, operation, code, times=-1)
    loaded = settled(named(place))
    assert (loaded.bundle, loaded.pending) == (None, False)
    said = {
        "AccessDeniedException": f"Ask your administrator to allow {service}:{operation}",
        "ParameterNotFound": "Check the name, the Region and the account",
        "Throttling": "AWS is limiting the rate",
    }
    assert said[code] in (loaded.problem or "")
    calls = len(aws.requests(operation=operation))
    cached_bundle(named(place), None)
    assert len(aws.requests(operation=operation)) == calls, "not asked again at once"


def test_a_malformed_one_leaves_the_last_good_one_in_force(remote: Any, aws: Embedded) -> None:
    place, write, _ = remote
    write('{"identity": 1}')
    refused = refresh(named(place), None)
    assert refused.bundle is None
    assert (refused.problem or "").endswith(
        "cannot be used: identity[0]: a document is an object, not a number."
    )
    write(flat(ALLOW, DENY))
    assert verdict(refresh(named(place), None)) == "explicitly-denied"
    write('{"scp": []}')
    kept = refresh(named(place), None)
    assert verdict(kept) == "explicitly-denied"
    assert "did you mean scps?" in (kept.problem or "")
    assert f"The one of {kept.as_of} is used." in (kept.problem or "")
    policies.forget()
    assert verdict(cached_bundle(named(place), None)) == "explicitly-denied"


def test_many_threads_ask_once(remote: Any, aws: Embedded) -> None:
    place, write, operation = remote
    write(flat(ALLOW))
    config = named(place)
    barrier = threading.Barrier(12)
    found: list[Loaded] = []

    def look(how: Any) -> None:
        barrier.wait()
        found.append(how(config, None))

    threads = [
        threading.Thread(target=look, args=(refresh if number % 2 else cached_bundle,))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 12
    assert verdict(settled(config)) == "allowed"
    assert len(aws.requests(operation=operation)) <= 2
    assert len({id(loaded.bundle) for loaded in found if loaded.bundle is not None}) == 1


def test_another_environment_is_another_place(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same name means another parameter with other credentials or another Region."""
    aws.client("ssm").put_parameter(
        Name="/secure-ml/two", Value=flat(ALLOW), Type="String", Overwrite=True
    )
    config = named("ssm:/secure-ml/two")
    assert verdict(refresh(config, None)) == "allowed"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert cached_bundle(config, None).bundle is None


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
