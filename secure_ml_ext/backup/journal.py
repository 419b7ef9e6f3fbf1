"""What a run has done so far, on local disk: after any kill the next run goes on from here.

Append-only JSON lines; a line is written after S3 confirmed what it says, so that losing the
last lines costs work but never truth. One process at a time holds it (``flock``, which dies with
its holder). Paths are stored as their bytes in Latin-1: any name fits into JSON that way.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import os
import threading
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from ..aws.private_file import read_private, write_private
from ..rules.config import cache_dir
from .records import BackupError
from .scan import Look

_MOST_LOOKS = 512 * 1024 * 1024


class Begin(Struct, frozen=True, tag="begin"):
    """A snapshot was begun by a writer."""

    snapshot: str
    writer: str


class Sent(Struct, frozen=True, tag="sent"):
    """A file is in the bucket, confirmed. ``look`` and ``mode`` are those while it was read.

    ``fresh``: it had been touched just before, so that a later change may not show in its look.
    """

    path: str
    look: Look
    mode: int
    sha256: str
    key: str
    size: int
    etag: str
    part_size: int | None = None
    checksum: str | None = None
    changed: bool = False
    how: str = "sent"
    fresh: bool = False


class Upload(Struct, frozen=True, tag="upload"):
    """A file is being sent in parts."""

    path: str
    look: Look
    key: str
    upload: str
    part_size: int


class Part(Struct, frozen=True, tag="part"):
    """A part is in the bucket; ``checksum`` in base64."""

    upload: str
    number: int
    etag: str
    checksum: str


class Intent(Struct, frozen=True, tag="manifest"):
    """All files are there; this manifest (SHA-256, hex) is about to be written."""

    sha256: str


Record = Begin | Sent | Upload | Part | Intent


class Journal:
    """The journal of one (bucket, name, root); use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begin: Begin | None = None
        self.intent: Intent | None = None
        self.sent: dict[str, Sent] = {}
        self.uploads: dict[str, Upload] = {}
        self.parts: dict[str, dict[int, Part]] = {}
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Journal:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self.folder / "journal.jsonl", flags, 0o600), "r+b")
        except OSError as error:
            raise BackupError(
                f"{self.folder}: the journal cannot be written: {error.strerror}; "
                "set XDG_CACHE_HOME to a folder of your own with some space"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise BackupError(
                "Another backup of this folder is running here: wait for it, or end it"
            ) from error
        self._load()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def append(self, record: Record) -> None:
        """Write one line and remember it; safe from several threads."""
        line = msgspec.json.encode(record) + b"\n"
        with self._lock:
            self._opened().write(line)
            self._opened().flush()
            self._remember(record)

    def clear(self) -> None:
        """Forget everything: the snapshot is complete, or given up."""
        with self._lock:
            self._opened().truncate(0)
            self.begin = self.intent = None
            self.sent, self.uploads, self.parts = {}, {}, {}

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise BackupError("The journal is closed")
        return self._file

    def _load(self) -> None:
        file = self._opened()
        file.seek(0)
        decoder = msgspec.json.Decoder(Record)
        whole = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            # A line that a full disk cut in two says nothing; its work is done again.
            with contextlib.suppress(msgspec.MsgspecError):
                self._remember(decoder.decode(line))
        file.truncate(whole)

    def _remember(self, record: Record) -> None:
        if isinstance(record, Begin):
            self.begin = record
        elif isinstance(record, Intent):
            self.intent = record
        elif isinstance(record, Sent):
            self.sent[record.path] = record
            self.uploads.pop(record.path, None)
        elif isinstance(record, Upload):
            self.uploads[record.path] = record
        else:
            self.parts.setdefault(record.upload, {})[record.number] = record


def journal_folder(bucket: str, name: str, root: Path) -> Path:
    """Return where the journal of a bucket, name and root lies."""
    digest = hashlib.sha256(b"\0".join([bucket.encode(), name.encode(), os.fsencode(root)]))
    return cache_dir() / "backup" / digest.hexdigest()[:24]


def latin(path: str) -> str:
    """Return a path as its bytes in Latin-1."""
    return os.fsencode(path).decode("latin-1")


# -- what files looked like when the last snapshot took them ---------------------------------------


class Known(Struct, frozen=True, array_like=True):
    """A file of the last snapshot: path (Latin-1), look, SHA-256."""

    path: str
    look: Look
    sha256: str


class Looks(Struct, frozen=True):
    """What this machine knows about the files of one snapshot, named by its manifest."""

    manifest: str
    files: list[Known]


def save_looks(folder: Path, manifest: str, sent: list[Sent], before_ns: int) -> None:
    """Keep how the files looked; not those touched after ``before_ns``.

    A file changed within the clock's tick of being read can look unchanged afterwards.
    """
    files = [
        Known(each.path, each.look, each.sha256)
        for each in sent
        if not each.changed and max(each.look.mtime_ns, each.look.ctime_ns) < before_ns
    ]
    data = gzip.compress(msgspec.json.encode(Looks(manifest, files)), 1, mtime=0)
    write_private(folder / "looks.json.gz", data)


def load_looks(folder: Path, manifest: str) -> dict[str, Known]:
    """Return how the files of a snapshot looked here; empty where that is not known."""
    data = read_private(folder / "looks.json.gz", _MOST_LOOKS)
    if data is None:
        return {}
    try:
        looks: Any = msgspec.json.decode(gzip.decompress(data), type=Looks)
    except (msgspec.MsgspecError, OSError, EOFError, zlib.error):
        return {}
    return {each.path: each for each in looks.files} if looks.manifest == manifest else {}
