"""Where a policy bundle may lie (a file, an SSM parameter, an S3 object), and fetching it."""

from __future__ import annotations

import os
from typing import Any, Literal, NamedTuple

from . import clients
from .clients import region_of
from .errors import spoken, to_problem
from .records import Problem

# A compiled bundle takes about a second per 4 MB; what is larger is no bundle.
MAX_BYTES = 6 * 1024 * 1024
FORMS = "a path, ssm:<parameter name or ARN>, or s3://<bucket>/<key>"
_UNCHANGED = frozenset(("304", "NotModified"))


class PlaceError(ValueError):
    """A place in no known form; the message shows the forms."""


class Place(NamedTuple):
    """A place: ``name`` is the path, the parameter's name or ARN, or the bucket of ``key``."""

    text: str
    kind: Literal["file", "ssm", "s3"]
    name: str
    key: str = ""
    region: str | None = None


class Fetched(NamedTuple):
    """What lies at a place: its version (ETag, parameter version), and the bytes.

    The bytes are None where they are still those of the version that was asked with.
    """

    version: str
    data: bytes | None


class FetchFailed(Exception):
    """A bundle that could not be fetched; ``problem`` says why and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(spoken(problem))
        self.problem = problem


def place_of(text: str) -> Place:
    """Read the name of a place; raises PlaceError."""
    head, _, rest = text.strip().partition(":")
    if head == "ssm" and rest.strip("/"):
        return Place(text, "ssm", rest, region=region_of(rest))
    if head == "arn":
        parts = text.strip().split(":", 5)
        if len(parts) == 6 and parts[2] == "ssm" and parts[5].startswith("parameter/"):
            return Place(text, "ssm", text.strip(), region=region_of(text))
    if head == "s3" and rest.startswith("//"):
        bucket, _, key = rest[2:].partition("/")
        if bucket and key:
            return Place(text, "s3", bucket, key)
    if head in ("ssm", "s3", "arn") or rest.startswith("//") or not text.strip():
        raise PlaceError(f"{text!r} names no policy bundle; write {FORMS}.")
    return Place(text, "file", os.path.expanduser(text.strip()))


def fetch(place: Place, version: str | None = None) -> Fetched:
    """Return what lies at a place, unless it is still ``version``; raises FetchFailed.

    At most one byte more than ``MAX_BYTES`` is read.
    """
    if place.kind == "file":
        return _from_file(place)
    service, operation = ("s3", "GetObject") if place.kind == "s3" else ("ssm", "GetParameter")
    region = place.region
    try:
        region = region or clients.default_region()
        client = clients.client(service, region)
        return _from_s3(client, place, version) if service == "s3" else _from_ssm(client, place)
    except Exception as exc:
        error = (getattr(exc, "response", None) or {}).get("Error", {})
        if version is not None and str(error.get("Code")) in _UNCHANGED:
            return Fetched(version, None)
        problem = to_problem(exc, service=service, operation=operation, region=region)
        raise FetchFailed(problem) from exc


def _from_file(place: Place) -> Fetched:
    try:
        with open(place.name, "rb") as file:
            return Fetched("", file.read(MAX_BYTES + 1))
    except OSError as error:
        raise FetchFailed(
            Problem(
                "not-found",
                f"{place.name} cannot be read: {error.strerror}.",
                "Create it, or correct the path.",
            )
        ) from error


def _from_ssm(client: Any, place: Place) -> Fetched:
    parameter = client.get_parameter(Name=place.name, WithDecryption=True)["Parameter"]
    return Fetched(str(parameter["Version"]), str(parameter["Value"]).encode())


def _from_s3(client: Any, place: Place, version: str | None) -> Fetched:
    known = {} if version is None else {"IfNoneMatch": version}
    reply = client.get_object(Bucket=place.name, Key=place.key, **known)
    with reply["Body"] as body:
        return Fetched(str(reply["ETag"]), body.read(MAX_BYTES + 1))
