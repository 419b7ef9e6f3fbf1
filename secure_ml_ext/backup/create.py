"""Makes a snapshot: objects, then the manifest, then the marker; each only after the one before.

What is announced as complete was confirmed by S3's own checksums. A run that was killed is taken
up by the next one from its journal.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import os
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec import Struct

from ..rules.config import cache_dir
from . import snapshots
from .ignore import Ignore
from .journal import Begin, Intent, Journal, Sent, journal_folder, latin, load_looks, save_looks
from .keys import SnapshotName, checked_name, new_snapshot, parse_snapshot
from .manifest import pack
from .records import (
    CLAIM,
    MANIFEST,
    MARKER,
    SCHEMA,
    BackupError,
    Entry,
    Header,
    Manifest,
    encoded,
)
from .scan import Found, Scan, scan, skipped
from .send import TICK_NS, Sender, Tuning, Unreadable
from .store import Store, StoreError, Taken

CLAIMS = 30

Watch = Callable[[str, int, int], None]
"""Told of progress: ``("total", files, bytes)`` once, then ``("done", 1, bytes)`` per file."""


def unwatched(event: str, files: int, size: int) -> None:
    """Tell nobody."""


class Options(Struct, frozen=True):
    """What to back up, under which name, and how."""

    root: Path
    name: str
    reference: bool = False
    rehash: bool = False
    tuning: Tuning = Tuning()


class Created(Struct, frozen=True):
    """A finished snapshot. ``finished`` is an older one that a killed run left without marker."""

    snapshot: str
    uri: str
    files: int
    bytes: int
    sent: int
    sent_bytes: int
    copied: int
    referenced: int
    skipped: list[Entry]
    changed: list[str]
    excluded: list[Entry]
    manifest_sha256: str
    resumed: bool
    finished: str | None
    notes: list[str]


class Planned(Struct, frozen=True):
    """What a run would do, told from looks alone: ``read`` are files that must be read to know."""

    root: str
    name: str
    base: str | None
    files: int
    bytes: int
    new: list[str]
    read: list[str]
    unchanged: int
    gone: list[str]
    skipped: list[Entry]
    excluded: list[Entry]


def create(store: Store, options: Options, watch: Watch = unwatched) -> Created:
    """Make a snapshot; raises ``BackupError`` (and then no marker was written)."""
    name, root = checked_name(options.name), options.root.resolve()
    began_ns = time.time_ns()
    found = scan(root, Ignore.of(root, cache_dir()))
    with Journal(journal_folder(store.bucket, name, root)) as journal:
        finished = _finish(store, journal)
        base = snapshots.newest(store, name)
        snapshot, resumed = _begin(store, name, journal, base)
        files = _usable(store, base, options.reference)
        _drop_unconfirmed(store, snapshot, journal, files)
        known = load_looks(journal.folder, base.sha256) if base is not None else {}
        sender = Sender(
            store, snapshot, root, journal, base=files, known=known,
            reference=options.reference, rehash=options.rehash, tuning=options.tuning,
        )  # fmt: skip
        watch("total", len(found.files), found.bytes)
        sent, lost = _send_all(sender, found, options.tuning.workers, watch)
        entries, header = _described(snapshot, root, found, sent, lost)
        sha256 = _commit(store, snapshot, journal, header, entries)
        notes = _mark_here(root, store, snapshot, sha256)
        save_looks(journal.folder, sha256, sent, began_ns - TICK_NS)
        journal.clear()
    return _told(store, header, entries, sent, sha256, resumed, finished, notes)


def plan(store: Store, options: Options) -> Planned:
    """Return what :func:`create` would do; reads no file and writes nothing."""
    name, root = checked_name(options.name), options.root.resolve()
    found = scan(root, Ignore.of(root, cache_dir()))
    base = snapshots.newest(store, name)
    files = {} if base is None else {each.location: each for each in base.files()}
    folder = journal_folder(store.bucket, name, root)
    known = load_looks(folder, base.sha256) if base is not None else {}
    new, read, unchanged = [], [], 0
    for each in found.files:
        before, seen = files.get(each.path), known.get(latin(each.path))
        if before is None:
            new.append(encoded(each.path)[0])
        elif options.rehash or seen is None or seen.look != each.look:
            read.append(encoded(each.path)[0])
        else:
            unchanged += 1
    here = {each.path for each in found.files}
    return Planned(
        encoded(str(root))[0], name, None if base is None else base.header.snapshot,
        len(found.files), found.bytes, new, read, unchanged,
        [entry.path for path, entry in files.items() if path not in here],
        [each for each in found.others if each.type == "skipped"],
        [each for each in found.others if each.type == "excluded"],
    )  # fmt: skip


def _finish(store: Store, journal: Journal) -> str | None:
    """Write the marker that a run killed after its manifest owes; return that snapshot."""
    begin, intent = journal.begin, journal.intent
    snapshot = None if begin is None else parse_snapshot(begin.snapshot)
    if snapshot is None or intent is None:
        return None
    head = store.head(snapshot.prefix + MANIFEST)
    expected = base64.b64encode(bytes.fromhex(intent.sha256)).decode()
    if head is None or head.checksum != expected:
        return None
    mark(store, snapshot, intent.sha256)
    journal.clear()
    return str(snapshot)


def _begin(
    store: Store, name: str, journal: Journal, base: Manifest | None
) -> tuple[SnapshotName, bool]:
    """Take up the snapshot of a killed run, or claim a new one."""
    begin = journal.begin
    snapshot = None if begin is None else parse_snapshot(begin.snapshot)
    # Not behind a snapshot that somebody else made since: the newest must stay the newest.
    if begin is not None and snapshot is not None and (
        base is None or begin.snapshot > base.header.snapshot
    ):  # fmt: skip
        with suppress(Taken):
            store.put(snapshot.prefix + CLAIM, _claim(begin), only_new=True)
            _sweep(store, snapshot, journal)
            return snapshot, bool(journal.sent or journal.parts)
    journal.clear()
    now = datetime.datetime.now(datetime.timezone.utc)
    for second in range(CLAIMS):
        snapshot = new_snapshot(name, now + datetime.timedelta(seconds=second))
        begin = Begin(str(snapshot), uuid.uuid4().hex)
        journal.append(begin)
        with suppress(Taken):
            store.put(snapshot.prefix + CLAIM, _claim(begin), only_new=True)
            return snapshot, False
    raise BackupError(
        f"Other backups called {name} are being begun all the time: give this one its own --name"
    )


def _sweep(store: Store, snapshot: SnapshotName, journal: Journal) -> None:
    """Abort uploads in parts that were begun when the kill came, before the journal knew them."""
    known = {each.upload for each in journal.uploads.values()}
    try:
        found = store.call("ListMultipartUploads", Prefix=snapshot.prefix).get("Uploads", ())
    except StoreError as error:
        if error.problem.code != "access-denied":
            raise
        return  # the bucket's lifecycle rule has to do it
    for each in found:
        if each["UploadId"] not in known:
            store.call("AbortMultipartUpload", Key=each["Key"], UploadId=each["UploadId"])


def _claim(begin: Begin) -> bytes:
    content = {"schema": "secure-ml/started@1", "snapshot": begin.snapshot, "writer": begin.writer}
    return msgspec.json.encode(content) + b"\n"


def _usable(store: Store, base: Manifest | None, reference: bool) -> dict[str, Entry]:
    """Return the files of the last snapshot; to be referred to, they must be there now."""
    if base is None:
        return {}
    files = base.files()
    if reference:
        there = {}
        for prefix in {(entry.key or "").partition("/")[0] for entry in files}:
            there.update({each.key: each.size for each in store.objects(f"{prefix}/")})
        files = [entry for entry in files if there.get(entry.key or "") == entry.size]
    return {entry.location: entry for entry in files}


def _drop_unconfirmed(
    store: Store, snapshot: SnapshotName, journal: Journal, base: dict[str, Entry]
) -> None:
    """Forget journal entries whose object is not in the bucket as it was sent."""
    if not (journal.sent or journal.uploads):
        return
    there = {each.key: (each.size, each.etag) for each in store.objects(snapshot.prefix)}
    referred = {entry.key for entry in base.values()}
    for path, sent in list(journal.sent.items()):
        own = there.get(sent.key) == (sent.size, sent.etag)
        if not own and not (sent.how == "referenced" and sent.key in referred):
            del journal.sent[path]


def _send_all(
    sender: Sender, found: Scan, workers: int, watch: Watch
) -> tuple[list[Sent], list[Entry]]:
    """Send every file; returns what is in the bucket, and what could not be read."""
    sent: list[Sent] = []
    lost: list[Entry] = []
    pool = ThreadPoolExecutor(workers, thread_name_prefix="secure-ml-send")
    try:
        # Large files first: the small ones fill the gaps.
        ordered = sorted(found.files, key=lambda each: -each.look.size)
        waiting = {pool.submit(sender.send, each): each for each in ordered}
        for future in as_completed(waiting):
            each: Found = waiting[future]
            try:
                sent.append(future.result())
            except Unreadable as error:
                lost.append(skipped(each.path, str(error)))
            watch("done", 1, each.look.size)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return sent, lost


def _described(
    snapshot: SnapshotName, root: Path, found: Scan, sent: list[Sent], lost: list[Entry]
) -> tuple[list[Entry], Header]:
    """Return the lines of the manifest, sorted by path, and its header."""
    files = []
    for each in sent:
        text, raw = encoded(os.fsdecode(each.path.encode("latin-1")))
        files.append(
            Entry(
                text,
                "file",
                raw=raw,
                mode=each.mode,
                mtime_ns=each.look.mtime_ns,
                size=each.size,
                sha256=each.sha256,
                key=each.key,
                part_size=each.part_size,
                checksum=each.checksum,
                changed=each.changed,
            )
        )
    entries = sorted(
        [*found.others, *files, *lost], key=lambda entry: (os.fsencode(entry.location), entry.type)
    )
    own = str(snapshot)
    prefixes = {(entry.key or "").partition("/")[0] for entry in files}
    shown_root, _ = encoded(str(root))
    header = Header(
        SCHEMA, own, datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        shown_root, _tool(), len(files), sum(entry.size for entry in files),
        len(entries), sum(entry.type == "skipped" for entry in entries),
        sum(entry.changed for entry in files), sorted(prefixes - {own}),
    )  # fmt: skip
    return entries, header


def _tool() -> str:
    return f"secure_ml_ext {version('secure_ml_ext')}"


def _commit(
    store: Store, snapshot: SnapshotName, journal: Journal, header: Header, entries: list[Entry]
) -> str:
    """Write manifest and marker; returns the manifest's SHA-256."""
    data = pack(header, entries)
    sha256 = hashlib.sha256(data).hexdigest()
    journal.append(Intent(sha256))
    put_manifest(store, snapshot, header, data)
    mark(store, snapshot, sha256)
    return sha256


def put_manifest(store: Store, snapshot: SnapshotName, header: Header, data: bytes) -> None:
    """Write a manifest that must be the first of its snapshot; raises ``Taken``."""
    counts = {name: str(getattr(header, name)) for name in ("files", "bytes", "skipped", "changed")}
    store.put(snapshot.prefix + MANIFEST, data, only_new=True, metadata=counts)


def mark(store: Store, snapshot: SnapshotName, sha256: str) -> None:
    """Write the completion marker of a snapshot whose manifest is in the bucket."""
    now = datetime.datetime.now(datetime.timezone.utc)
    text = snapshots.marker_text(store.bucket, snapshot, now, sha256)
    store.put(snapshot.prefix + MARKER, text.encode())


def _mark_here(root: Path, store: Store, snapshot: SnapshotName, sha256: str) -> list[str]:
    """Write the marker into the volume too, as the AWS scripts do; a note where that fails."""
    now = datetime.datetime.now(datetime.timezone.utc)
    text = snapshots.marker_text(store.bucket, snapshot, now, sha256)
    try:
        write_beside(root / MARKER, text)
    except OSError as error:
        return [f"{root / MARKER} could not be written: {error.strerror}"]
    return []


def write_beside(path: Path, text: str) -> None:
    """Write a small file, all or nothing; raises ``OSError``."""
    descriptor, name = tempfile.mkstemp(prefix=".secure-ml-restore-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _told(
    store: Store, header: Header, entries: list[Entry], sent: list[Sent], sha256: str,
    resumed: bool, finished: str | None, notes: list[str],
) -> Created:  # fmt: skip
    new = [each for each in sent if each.how == "sent"]
    return Created(
        snapshot=header.snapshot,
        uri=f"s3://{store.bucket}/{header.snapshot}/",
        files=header.files,
        bytes=header.bytes,
        sent=len(new),
        sent_bytes=sum(each.size for each in new),
        copied=sum(each.how == "copied" for each in sent),
        referenced=sum(each.how == "referenced" for each in sent),
        skipped=[each for each in entries if each.type == "skipped"],
        changed=[each.path for each in entries if each.changed],
        excluded=[each for each in entries if each.type == "excluded"],
        manifest_sha256=sha256,
        resumed=resumed,
        finished=finished,
        notes=notes,
    )
