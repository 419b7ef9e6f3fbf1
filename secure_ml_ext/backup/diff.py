"""What differs between two snapshots, or between a snapshot and the volume."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from ..rules.config import cache_dir
from .ignore import Ignore
from .journal import journal_folder, latin, load_looks
from .records import Entry, encoded
from .scan import scan
from .verify import Content

_CHUNK = 1024 * 1024


class Difference(Struct, frozen=True):
    """Paths, sorted: only on the right, only on the left, other content, other mode or time."""

    left: str
    right: str
    added: list[str]
    removed: list[str]
    changed: list[str]
    metadata: list[str]

    @property
    def any(self) -> bool:
        """Say whether anything differs."""
        return bool(self.added or self.removed or self.changed or self.metadata)


def compare(left: Content, right: list[Entry], right_name: str) -> Difference:
    """Compare two sets of entries, from ``left`` to ``right``."""
    before = {entry.location: entry for entry in left.entries}
    after = {entry.location: entry for entry in right}
    changed, metadata = [], []
    for path in before.keys() & after.keys():
        old, new = before[path], after[path]
        if _content(old) != _content(new):
            changed.append(new.path)
        elif (old.mode, old.mtime_ns) != (new.mode, new.mtime_ns) and old.type != "symlink":
            metadata.append(new.path)
    return Difference(
        str(left.snapshot),
        right_name,
        sorted(after[path].path for path in after.keys() - before.keys()),
        sorted(before[path].path for path in before.keys() - after.keys()),
        sorted(changed),
        sorted(metadata),
    )


def _content(entry: Entry) -> tuple[object, ...]:
    """Return what makes the content; a snapshot of the AWS scripts knows sizes only."""
    return (entry.type, entry.size, entry.sha256, entry.link if entry.type == "symlink" else "")


def here(root: Path, bucket: str, content: Content) -> list[Entry]:
    """Return the volume as entries; reads only files that may have changed since the snapshot."""
    found = scan(root, Ignore.of(root, cache_dir()))
    folder = journal_folder(bucket, content.snapshot.name, root)
    known = load_looks(folder, content.manifest) if content.manifest is not None else {}
    before = {entry.location: entry for entry in content.files}
    entries = [each for each in found.others if each.type in ("directory", "symlink")]
    for each in found.files:
        seen, old = known.get(latin(each.path)), before.get(each.path)
        if seen is not None and seen.look == each.look:
            sha256: str | None = seen.sha256
        elif old is None or old.size != each.look.size or old.sha256 is None:
            sha256 = None
        else:
            sha256 = _digest(root / each.path)
        text, raw = encoded(each.path)
        entries.append(
            Entry(text, "file", raw=raw, mode=each.mode, mtime_ns=each.look.mtime_ns,
                  size=each.look.size, sha256=sha256)
        )  # fmt: skip
    return entries


def _digest(path: Path) -> str | None:
    whole = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                whole.update(chunk)
    except OSError:
        return None  # not readable: it cannot be said to be the same
    return whole.hexdigest()
