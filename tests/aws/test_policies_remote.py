"""The bundle in force when it lies in AWS: how it is fetched, kept and renewed."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.aws import policies, policies_place
from secure_ml_ext.aws.policies import Loaded, cached_bundle, refresh
from secure_ml_ext.aws.policies_place import place_of
from secure_ml_ext.demo.aws import Embedded
from tests.aws.bundles import (
    ALLOW,
    BUCKET,
    DENY,
    age,
    flat,
    named,
    settled,
    verdict,
    wait_for_renewal,
)


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
