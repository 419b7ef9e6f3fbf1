"""Which snapshots a bucket holds, and in which state each truly is."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from .keys import SnapshotName, parse_snapshot
from .manifest import MOST_PACKED, unpack
from .records import (
    CLAIM,
    MANIFEST,
    MARKER,
    OWN,
    TOMBSTONE,
    BadRequest,
    Manifest,
    NotBelievable,
    NotComplete,
    State,
)
from .store import Damaged, Head, Object, Store

COMPLETE: tuple[State, ...] = ("complete", "complete-with-skipped")
GROWING = datetime.timedelta(minutes=15)
_MOST_MARKER = 64 * 1024
_CREATED = re.compile(r"Created s3://([^/\s]+)/([^/\s]+)/?\s*")
_SHA256 = re.compile(r"manifest-sha256: ([0-9a-f]{64})\s*")


class Marker(Struct, frozen=True):
    """What ``BACKUP_COMPLETE`` says: the snapshot it was written for, and its manifest."""

    snapshot: str | None
    completed: str | None
    manifest: str | None


class Summary(Struct, frozen=True):
    """A snapshot in a list. ``files`` and ``bytes`` are None where only its manifest knows.

    ``by`` is ``secure-ml`` or ``aws-script``; ``why`` explains a state that is not ``complete``.
    """

    snapshot: str
    name: str
    time: str
    state: State
    by: str
    files: int | None = None
    bytes: int | None = None
    skipped: int | None = None
    changed: int | None = None
    manifest_sha256: str | None = None
    why: str | None = None


def marker_text(bucket: str, snapshot: SnapshotName, when: datetime.datetime, sha256: str) -> str:
    """Return a completion marker: two lines as the AWS scripts write them, then the manifest's."""
    time = when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"Created s3://{bucket}/{snapshot.prefix}\nCompleted at {time}\nmanifest-sha256: {sha256}\n"
    )


def read_marker(data: bytes) -> Marker:
    """Return what a marker says; whatever it is, never an exception."""
    lines = data.decode("utf-8", "replace").splitlines()
    created = _CREATED.fullmatch(lines[0]) if lines else None
    completed = next(
        (line[13:].strip() for line in lines if line.startswith("Completed at ")), None
    )
    sha256 = next((found[1] for line in lines if (found := _SHA256.fullmatch(line))), None)
    return Marker(None if created is None else created[2], completed, sha256)


def names(store: Store, name: str | None = None) -> list[SnapshotName]:
    """Return the snapshots of a bucket (of a name), the newest first."""
    prefix = "" if name is None else f"{name}_"
    parsed = [parse_snapshot(folder.rstrip("/")) for folder in store.folders(prefix)]
    found = [each for each in parsed if each is not None and name in (None, each.name)]
    return sorted(found, key=lambda each: (each.time, each.name), reverse=True)


def listing(store: Store, name: str | None = None) -> list[Summary]:
    """Return every snapshot with its state, the newest first."""
    with ThreadPoolExecutor(8, thread_name_prefix="secure-ml-list") as pool:
        return list(pool.map(lambda each: inspect(store, each), names(store, name)))


def inspect(store: Store, snapshot: SnapshotName) -> Summary:
    """Return the state of a snapshot; raises ``BadRequest`` where there is nothing."""
    data = store.read(snapshot.prefix + MARKER, _MOST_MARKER)
    marker = None if data is None else read_marker(data)
    head = store.head(snapshot.prefix + MANIFEST)
    if head is not None and marker is not None and marker.snapshot == str(snapshot):
        return _committed(store, snapshot, marker, head)
    objects = list(store.objects(snapshot.prefix))
    if not objects:
        raise BadRequest(f"There is no snapshot s3://{store.bucket}/{snapshot.prefix}")
    return _uncommitted(snapshot, objects, marker)


def _committed(store: Store, snapshot: SnapshotName, marker: Marker, head: Head) -> Summary:
    """Compare marker and manifest of a snapshot of ours."""
    build = _builder(snapshot, "secure-ml")
    stored = head.checksum
    if stored is None or "-" in stored:  # a copy to another bucket may have dropped it
        data = store.read(snapshot.prefix + MANIFEST, MOST_PACKED) or b""
        stored = base64.b64encode(hashlib.sha256(data).digest()).decode()
    expected = marker.manifest and base64.b64encode(bytes.fromhex(marker.manifest)).decode()
    if stored != expected:
        return build("incomplete", why="its marker does not match its manifest")
    told = {
        name: _number(head.metadata.get(name)) for name in ("files", "bytes", "skipped", "changed")
    }
    left = (told["skipped"] or 0) + (told["changed"] or 0)
    why = None
    if left:
        why = f"{told['skipped'] or 0} skipped, {told['changed'] or 0} changed while read"
    return build(
        "complete-with-skipped" if left else "complete", told["files"], told["bytes"],
        told["skipped"], told["changed"], marker.manifest, why,
    )  # fmt: skip


def _uncommitted(snapshot: SnapshotName, objects: list[Object], marker: Marker | None) -> Summary:
    """Say what a snapshot without a valid pair of marker and manifest is."""
    keys = {each.key for each in objects}
    prefix = snapshot.prefix
    content = [each for each in objects if not is_ours(each.key[len(prefix) :])]
    count, size = len(content), sum(each.size for each in content)
    newest = max(each.modified for each in objects)
    growing = datetime.datetime.now(datetime.timezone.utc) - newest < GROWING
    if prefix + TOMBSTONE in keys:
        build = _builder(snapshot, "secure-ml")
        return build("pruned", count, size, why="kept only for snapshots that refer to it")
    if prefix + CLAIM in keys or prefix + MANIFEST in keys:
        build = _builder(snapshot, "secure-ml")
        if growing:
            return build("running", count, size, why=f"no marker yet; last write {_said(newest)}")
        state: State = "incomplete" if prefix + MANIFEST in keys else "dead"
        return build(state, count, size, why=f"no marker of its own; last write {_said(newest)}")
    build = _builder(snapshot, "aws-script")
    if marker is None:
        state = "running" if growing else "dead"
        return build(state, count, size, why=f"no marker; last write {_said(newest)}")
    if marker.snapshot != str(snapshot):
        other = marker.snapshot or "no snapshot"
        return build("stale-marker", count, size, why=f"its marker was written for {other}")
    return build("complete-unverified", count, size,
                 why="the AWS script also writes this marker when it skipped files")  # fmt: skip


def is_ours(path: str) -> bool:
    """Say whether a path in a snapshot is a marker or a record, no content of the volume."""
    return path in (MARKER, "SYNC_COMPLETE") or path.startswith(f"{OWN}/")


def load(store: Store, snapshot: SnapshotName, summary: Summary | None = None) -> Manifest:
    """Return the manifest of a complete snapshot, compared with its marker.

    Raises ``NotComplete`` for a snapshot that is not, ``NotBelievable`` for a manifest.
    """
    told = summary or inspect(store, snapshot)
    if told.state not in COMPLETE or told.manifest_sha256 is None:
        raise NotComplete(f"{snapshot} is {told.state}: {told.why}")
    origin = f"s3://{store.bucket}/{snapshot.prefix}{MANIFEST}"
    data = store.read(snapshot.prefix + MANIFEST, MOST_PACKED)
    if data is None:
        raise Damaged(f"{origin} is gone")
    if hashlib.sha256(data).hexdigest() != told.manifest_sha256:
        raise NotBelievable(f"{origin} does not match the SHA-256 in the snapshot's marker")
    manifest = unpack(data, origin)
    if manifest.header.snapshot != str(snapshot):
        raise NotBelievable(f"{origin} belongs to {manifest.header.snapshot}")
    return manifest


def newest(store: Store, name: str) -> Manifest | None:
    """Return the manifest of the newest complete snapshot of a name, or None."""
    for snapshot in names(store, name):
        data = store.read(snapshot.prefix + MARKER, _MOST_MARKER)
        if data is None or read_marker(data).snapshot != str(snapshot):
            continue
        if (head := store.head(snapshot.prefix + MANIFEST)) is None:
            continue
        summary = _committed(store, snapshot, read_marker(data), head)
        if summary.state in COMPLETE:
            return load(store, snapshot, summary)
    return None


def _builder(snapshot: SnapshotName, by: str) -> Callable[..., Summary]:
    def build(
        state: State,
        files: int | None = None,
        size: int | None = None,
        skipped: int | None = None,
        changed: int | None = None,
        sha256: str | None = None,
        why: str | None = None,
    ) -> Summary:
        return Summary(
            str(snapshot), snapshot.name, snapshot.time, state, by, files, size, skipped, changed,
            sha256, why,
        )  # fmt: skip

    return build


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch("[0-9]{1,18}", text, re.ASCII) else None


def _said(when: datetime.datetime) -> str:
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
