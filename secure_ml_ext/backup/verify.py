"""Compares a snapshot with its manifest: every object, by S3's checksum or by reading it."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from msgspec import Struct

from . import snapshots
from .foreign import foreign_content
from .keys import SnapshotName
from .records import Entry, NotComplete
from .store import WORKERS, Damaged, Head, Store, same_checksum

_MD5 = re.compile(r"[0-9a-f]{32}")


class Content(Struct, frozen=True):
    """What a snapshot holds. ``manifest`` is None for a snapshot of the AWS scripts."""

    snapshot: SnapshotName
    summary: snapshots.Summary
    entries: list[Entry]
    manifest: str | None
    left_out: list[Entry] = []

    @property
    def files(self) -> list[Entry]:
        """The files."""
        return [entry for entry in self.entries if entry.type == "file"]


class Fault(Struct, frozen=True):
    """An object that is not what it should be."""

    path: str
    key: str
    problem: Literal["missing", "size", "checksum", "content"]
    detail: str


class Verified(Struct, frozen=True):
    """The outcome: ``read`` objects were read whole; of ``sizes_only`` nothing else can be said."""

    snapshot: str
    state: str
    files: int
    bytes: int
    read: int
    sizes_only: int
    faults: list[Fault]


def content_of(store: Store, snapshot: SnapshotName, *, incomplete: bool = False) -> Content:
    """Return what a snapshot holds; raises ``NotComplete``.

    ``incomplete`` accepts snapshots of the AWS scripts that are running, dead or carry another's
    marker. Snapshots of ours have no content before their marker.
    """
    summary = snapshots.inspect(store, snapshot)
    if summary.by == "secure-ml":
        manifest = snapshots.load(store, snapshot, summary)
        return Content(snapshot, summary, manifest.held(), manifest.sha256)
    if summary.state != "complete-unverified" and not incomplete:
        raise NotComplete(
            f"{snapshot} is {summary.state}: {summary.why}. What is there can be taken with "
            "--accept-incomplete"
        )
    entries, left_out = foreign_content(store, snapshot)
    return Content(snapshot, summary, entries, None, left_out)


def verify(store: Store, content: Content, *, sample: float = 0.0) -> Verified:
    """Check every object; reads ``sample`` percent of them, and all that carry no checksum."""
    files = content.files
    chosen = set(random.sample(range(len(files)), round(len(files) * sample / 100)))
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="secure-ml-verify") as pool:
        done = list(
            pool.map(lambda pair: _verified(store, pair[1], pair[0] in chosen), enumerate(files))
        )
    return Verified(
        str(content.snapshot),
        content.summary.state,
        len(files),
        sum(entry.size for entry in files),
        sum(read for _, read, _ in done),
        sum(sizes_only for _, _, sizes_only in done),
        [fault for fault, _, _ in done if fault is not None],
    )


def heads(store: Store, files: list[Entry]) -> list[Fault]:
    """Return what is wrong with objects as far as S3 tells without reading them."""
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="secure-ml-verify") as pool:
        done = pool.map(lambda entry: _head(entry, store.head(entry.key or "")), files)
        return [fault for fault in done if fault is not None]


def _verified(store: Store, entry: Entry, chosen: bool) -> tuple[Fault | None, bool, bool]:
    """Check one object: what is wrong, whether it was read, whether only its size is known."""
    head = store.head(entry.key or "")
    fault = _head(entry, head)
    if fault is not None or head is None:
        return fault, False, False
    by_head = head.checksum is not None and entry.sha256 is not None and _comparable(entry, head)
    if by_head and not chosen:
        return None, False, False
    md5 = _md5_of(head) if entry.sha256 is None else None
    if entry.sha256 is None and md5 is None:
        return None, False, True
    try:
        for _ in checked_chunks(store, entry, md5):
            pass
    except Damaged as error:
        return Fault(entry.path, entry.key or "", "content", str(error)), True, False
    return None, True, False


def _head(entry: Entry, head: Head | None) -> Fault | None:
    key = entry.key or ""
    if head is None:
        return Fault(entry.path, key, "missing", "the object is gone")
    if head.size != entry.size:
        return Fault(entry.path, key, "size", f"{head.size} bytes instead of {entry.size}")
    expected = entry.stored_checksum
    if (
        head.checksum is not None
        and expected is not None
        and _comparable(entry, head)
        and not same_checksum(head.checksum, expected)
    ):
        return Fault(entry.path, key, "checksum", f"SHA-256 {head.checksum}, expected {expected}")
    return None


def _comparable(entry: Entry, head: Head) -> bool:
    """Say whether both checksums are of the same kind: of the whole, or of the same parts."""
    if entry.checksum is not None or head.checksum is None:
        return True
    return "-" not in head.checksum


def _md5_of(head: Head) -> str | None:
    """Return the MD5 in an ETag: only of objects sent in one piece and not encrypted with KMS."""
    plain = head.encryption in (None, "AES256") and _MD5.fullmatch(head.etag)
    return head.etag if plain else None


def etag_md5(store: Store, entry: Entry) -> str | None:
    """Return the MD5 that S3 knows of an object of the AWS scripts, or None."""
    head = store.head(entry.key or "")
    return None if head is None else _md5_of(head)


def checked_chunks(store: Store, entry: Entry, md5: str | None = None) -> Iterator[bytes]:
    """Yield an object's content; raises ``Damaged`` if it is not what the manifest says.

    The end is checked before the iterator ends: whoever reads to the end has the right bytes.
    """
    whole, total = hashlib.sha256(), 0
    old = hashlib.md5(usedforsecurity=False)
    place = f"s3://{store.bucket}/{entry.key}"
    for chunk in store.chunks(entry.key or ""):
        total += len(chunk)
        if total > entry.size:
            raise Damaged(f"{place} is longer than {entry.size} bytes")
        if entry.sha256 is not None:
            whole.update(chunk)
        if md5 is not None:
            old.update(chunk)
        yield chunk
    if total != entry.size:
        raise Damaged(f"{place} ends after {total} of {entry.size} bytes")
    if entry.sha256 is not None and whole.hexdigest() != entry.sha256:
        raise Damaged(f"{place} does not have the SHA-256 of the manifest")
    if md5 is not None and old.hexdigest() != md5:
        raise Damaged(f"{place} does not have the MD5 of its ETag")
