"""The records of a snapshot, and the errors of this room."""

from __future__ import annotations

import base64
import os
from typing import Literal

from msgspec import Struct

SCHEMA = "secure-ml/snapshot@1"
VERSION = 1
MARKER = "BACKUP_COMPLETE"
RESTORED = "SYNC_COMPLETE"
IGNORE_FILE = ".secure-ml-ignore"
OWN = ".secure-ml"
MANIFEST = f"{OWN}/manifest.jsonl.gz"
CLAIM = f"{OWN}/started.json"
TOMBSTONE = f"{OWN}/pruned.json"

EntryType = Literal["file", "directory", "symlink", "skipped", "excluded"]
State = Literal[
    "complete",
    "complete-with-skipped",
    "complete-unverified",
    "stale-marker",
    "incomplete",
    "running",
    "dead",
    "pruned",
]


class BackupError(Exception):
    """A command cannot go on; the message says what happened and what to do."""


class BadRequest(BackupError):
    """The user asked for something that cannot be; nothing was done."""


class NotComplete(BackupError):
    """A snapshot that does not hold all it was to hold, or of which nobody can say."""


class NotBelievable(BackupError):
    """A manifest or a marker that is damaged, forged or not ours to read."""


class NewerFormat(NotBelievable):
    """A snapshot written by a later version of this product."""


class Entry(Struct, frozen=True, omit_defaults=True):
    """One line of the manifest: a file, a directory, a symbolic link, or what was left out.

    ``path`` is relative to the root, with ``/``; where the name is not UTF-8, ``raw`` holds its
    bytes in base64 and ``path`` is for reading only. The same holds for ``target`` and
    ``target_raw`` of a link. ``checksum`` is what S3 stores for an object sent in parts of
    ``part_size`` bytes: SHA-256 of the parts' SHA-256, base64, ``-`` and their number.
    ``changed`` marks a file that did not stay still while it was read.
    """

    path: str
    type: EntryType
    raw: str | None = None
    mode: int = 0
    mtime_ns: int = 0
    size: int = 0
    sha256: str | None = None
    key: str | None = None
    part_size: int | None = None
    checksum: str | None = None
    changed: bool = False
    target: str | None = None
    target_raw: str | None = None
    reason: str | None = None

    @property
    def location(self) -> str:
        """The path as the operating system takes it (``surrogateescape``)."""
        return _decoded(self.path, self.raw)

    @property
    def link(self) -> str:
        """The target of a symbolic link as the operating system takes it."""
        return _decoded(self.target or "", self.target_raw)

    @property
    def stored_checksum(self) -> str | None:
        """What S3 says of the object when asked for its SHA-256; None where it stores none."""
        if self.checksum is not None:
            return self.checksum
        return (
            None if self.sha256 is None else base64.b64encode(bytes.fromhex(self.sha256)).decode()
        )


class Header(Struct, frozen=True, omit_defaults=True):
    """The first line of the manifest. ``bytes`` counts the files' contents."""

    schema: str
    snapshot: str
    created: str
    root: str
    tool: str
    files: int
    bytes: int
    entries: int
    skipped: int = 0
    changed: int = 0
    references: list[str] = []
    adopted: bool = False


class Manifest(Struct, frozen=True):
    """A whole manifest, checked; ``sha256`` is that of the compressed bytes."""

    header: Header
    entries: list[Entry]
    sha256: str

    def by_location(self) -> dict[str, Entry]:
        """Return what the snapshot holds (nothing skipped or excluded), by path."""
        return {entry.location: entry for entry in self.held()}

    def held(self) -> list[Entry]:
        """Return files, directories and links."""
        return [entry for entry in self.entries if entry.type in ("file", "directory", "symlink")]

    def files(self) -> list[Entry]:
        """Return the files."""
        return [entry for entry in self.entries if entry.type == "file"]


def encoded(text: str) -> tuple[str, str | None]:
    """Return a name of the operating system as ``(path, raw)``; ``raw`` only where needed."""
    data = os.fsencode(text)
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace"), base64.b64encode(data).decode()


def _decoded(text: str, raw: str | None) -> str:
    return text if raw is None else os.fsdecode(base64.b64decode(raw))
