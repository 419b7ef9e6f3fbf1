"""Names: of snapshots, and of the objects that hold a path."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
from typing import NamedTuple

from .records import MARKER, OWN, RESTORED, BadRequest

TIME_FORMAT = "%Y-%m-%d-%H-%M-%S"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}-[0-9]{2}-[0-9]{2}"
# What SageMaker allows as the name of a notebook instance or a space (API reference).
_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9])*", re.ASCII)
_SNAPSHOT = re.compile(rf"([^/]+)_({_TIME})", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
# Keys that XML cannot carry, or that clients write differently than they read.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
MOST_KEY_BYTES = 1024  # "Creating object key names", S3 user guide


class SnapshotName(NamedTuple):
    """``<name>_<timestamp>``; the timestamp is in UTC, the AWS scripts write local time."""

    name: str
    time: str

    def __str__(self) -> str:
        return f"{self.name}_{self.time}"

    @property
    def prefix(self) -> str:
        """The prefix of all keys of the snapshot."""
        return f"{self}/"


def checked_name(name: str) -> str:
    """Return the name for new snapshots, or raise: no underscore, at most 63 characters."""
    if len(name) > 63 or not _NAME.fullmatch(name):
        raise BadRequest(
            f"{name!r} is no name for a snapshot: letters, digits and inner hyphens, at most 63"
        )
    return name


def checked_bucket(bucket: str) -> str:
    """Return the name of a bucket, or raise."""
    if not _BUCKET.fullmatch(bucket):
        raise BadRequest(f"{bucket!r} is no name of a bucket")
    return bucket


def new_snapshot(name: str, when: datetime.datetime) -> SnapshotName:
    """Return the snapshot of a name at a time."""
    return SnapshotName(
        checked_name(name), when.astimezone(datetime.timezone.utc).strftime(TIME_FORMAT)
    )


def parse_snapshot(text: str) -> SnapshotName | None:
    """Return the snapshot called ``<name>_<timestamp>``, split at the last underscore, or None."""
    found = _SNAPSHOT.fullmatch(text)
    if found is None:
        return None
    try:
        # Only a time of the calendar: 2026-02-31 is somebody's folder.
        datetime.datetime.strptime(found[2], TIME_FORMAT).replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    return SnapshotName(found[1], found[2])


def snapshot_of(text: str) -> tuple[str | None, SnapshotName]:
    """Return bucket and snapshot of ``s3://<bucket>/<snapshot>/`` or a bare ``<snapshot>``."""
    bucket: str | None = None
    rest = text
    if text.startswith("s3://"):
        bucket, _, rest = text[5:].partition("/")
        checked_bucket(bucket)
    parsed = parse_snapshot(rest.rstrip("/"))
    if parsed is None:
        raise BadRequest(
            f"{text!r} is no snapshot: it is called <name>_<YYYY-MM-DD-HH-MM-SS>; "
            "`jupyter secure-ml backup list` shows them"
        )
    return bucket, parsed


def key_of(snapshot: SnapshotName, path: str) -> str:
    """Return the key of the object that holds a file's content.

    Mostly ``<snapshot>/<path>``. Names that S3's clients cannot carry (not UTF-8, control
    characters, more than 1024 bytes) and names of our own get
    ``<snapshot>/.secure-ml/names/<sha256 of the path's bytes>``; the manifest has the name.
    """
    data = os.fsencode(path)
    try:
        key = snapshot.prefix + data.decode("utf-8")
    except UnicodeDecodeError:
        key = ""
    first = path.partition("/")[0]
    if (
        not key
        or len(key.encode()) > MOST_KEY_BYTES
        or _UNSAFE.search(key)
        or first in (OWN, MARKER, RESTORED)
    ):
        return f"{snapshot.prefix}{OWN}/names/{hashlib.sha256(data).hexdigest()}"
    return key
