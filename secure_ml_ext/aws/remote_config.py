"""Fetches the configuration that an administrator's file names as ``remote``."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import msgspec

from ..rules.config import Config, Level, remote_copy
from . import clients
from .errors import to_problem
from .records import Problem

MAX_BYTES = 1024 * 1024
MAX_AGE = 900.0  # seconds


def due(config: Config) -> bool:
    """Tell whether the cached copy is missing or older than 15 minutes."""
    if not config.remote:
        return False
    try:
        return time.time() - remote_copy(config.remote).stat().st_mtime > MAX_AGE
    except OSError:
        return True


def refresh(config: Config) -> Problem | None:
    """Fetch the remote configuration into its cached copy, which ``load_config`` reads.

    Returns what went wrong, or None; the last good copy stays in force then. Called where
    AWS is asked anyway (the profile's discovery), never on the guard's path.
    """
    if not config.remote:
        return None
    kind, _, place = config.remote.partition(":")
    if kind == "s3" and place.startswith("//") and "/" in place[2:]:
        service, operation = "s3", "GetObject"
    elif kind == "ssm" and place:
        service, operation = "ssm", "GetParameter"
    else:
        return Problem(
            "bad-input",
            f"The configuration's remote is {config.remote!r}.",
            "Write ssm:<parameter name> or s3://<bucket>/<key>.",
        )
    region = clients.default_region()
    try:
        data = _from_s3(place[2:]) if service == "s3" else _from_ssm(place)
    except Exception as error:
        return to_problem(error, service=service, operation=operation, region=region)
    try:
        if len(data) > MAX_BYTES:
            raise msgspec.ValidationError("larger than 1 MB")
        msgspec.json.decode(data, type=Level)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        return Problem(
            "bad-input",
            f"{config.remote} holds no configuration: {error}.",
            "Ask the platform team to mend it; the last good copy stays in force.",
        )
    _write(remote_copy(config.remote), data)
    return None


def _from_ssm(name: str) -> bytes:
    reply = clients.client("ssm").get_parameter(Name=name, WithDecryption=True)
    value: str = reply["Parameter"]["Value"]
    return value.encode()


def _from_s3(place: str) -> bytes:
    bucket, _, key = place.partition("/")
    body = clients.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    data: bytes = body.read(MAX_BYTES + 1)
    return data


def _write(path: Path, data: bytes) -> None:
    """Replace the copy in one step; it is private to the user."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise
