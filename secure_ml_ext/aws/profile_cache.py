"""The profile as AWS gave it last, on local disk, so that the guard never waits for AWS.

One private file per environment: ``<user cache dir>/secure-ml/profile-<key>.json``.
It holds names and ids, no credentials; of the access key only a digest enters the key.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from ..rules.config import cache_dir
from ..rules.profile import ProfileValue
from .clients import resource_metadata
from .private_file import read_private, write_private
from .records import Problem

# Older than this, the file is not even good enough as a last resort.
MAX_AGE = 7 * 24 * 3600.0
_MAX_SIZE = 1_000_000

# What makes two processes see the same environment: endpoint, Region, who is asking.
_VARIABLES = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_ENDPOINT_URL_SSM",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ROLE_ARN",
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "SECURE_ML_ENVIRONMENT",
    "SECURE_ML_PROJECT",
    "SECURE_ML_DOMAIN_ID",
    "SECURE_ML_RESOURCE_METADATA",
)


class CachedProfile(Struct, frozen=True):
    """What the AWS sources said, and when (seconds since the epoch)."""

    time: float
    values: dict[str, ProfileValue]
    looked: dict[str, list[str]]
    problems: list[Problem]
    account: str | None = None
    region: str | None = None

    def age(self) -> float:
        """Return how old the answer is, in seconds; a clock set back makes it old."""
        elapsed = time.time() - self.time
        return elapsed if elapsed >= 0 else MAX_AGE + 1


def cache_key(hints: tuple[str | None, ...] = ()) -> str:
    """Return the name of this environment; ``hints`` come from the profile file."""
    named = [(variable, os.environ.get(variable)) for variable in _VARIABLES]
    arn = resource_metadata().get("ResourceArn")
    digest = hashlib.sha256(repr((named, arn, hints, os.path.expanduser("~"))).encode())
    return digest.hexdigest()[:24]


def cache_path(key: str) -> Path:
    """Return the file that holds the profile of an environment."""
    return cache_dir() / f"profile-{key}.json"


def load(key: str) -> CachedProfile | None:
    """Return the cached profile, or None; a file somebody else could write is not believed."""
    content = read_private(cache_path(key), _MAX_SIZE)
    if content is None:
        return None
    try:
        cached = msgspec.json.decode(content, type=CachedProfile)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return cached if cached.age() <= MAX_AGE else None


def store(key: str, cached: CachedProfile) -> None:
    """Write the cached profile, 0600, all or nothing; a full or read-only disk is no error."""
    write_private(cache_path(key), msgspec.json.encode(cached))
