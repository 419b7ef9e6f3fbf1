"""Walks a volume: every entry once, links not followed, what cannot be read named."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from msgspec import Struct

from .ignore import Ignore
from .records import BadRequest, Entry, encoded


class Look(Struct, frozen=True):
    """What tells a changed file from an unchanged one."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Look:
        """Return it of a file's status."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Found(Struct, frozen=True):
    """A regular file: its path below the root (``surrogateescape``), mode and look."""

    path: str
    mode: int
    look: Look


class Scan(Struct):
    """What lies below a root. ``others`` are directories, links, skipped and excluded entries."""

    files: list[Found]
    others: list[Entry]

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum(found.look.size for found in self.files)


def scan(root: Path, ignore: Ignore) -> Scan:
    """Return everything below ``root``, sorted by path; raises ``BadRequest`` for no folder."""
    result = Scan([], [])
    try:
        os.stat(root / ".")
        _walk(str(root), ignore, result)
    except (NotADirectoryError, FileNotFoundError) as error:
        raise BadRequest(f"{root}: there is no such folder") from error
    except OSError as error:
        raise BadRequest(f"{root}: cannot be read: {error.strerror}") from error
    result.files.sort(key=lambda found: os.fsencode(found.path))
    result.others.sort(key=lambda entry: os.fsencode(entry.location))
    return result


def skipped(path: str, reason: str) -> Entry:
    """Return the line that names what is not in the snapshot, and why."""
    text, raw = encoded(path)
    return Entry(text, "skipped", raw=raw, reason=reason)


def _walk(root: str, ignore: Ignore, result: Scan) -> None:
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder) if folder else root) as entries:
                names = list(entries)
        except OSError as error:
            if not folder:
                raise
            result.others.append(skipped(folder, f"cannot be listed: {error.strerror}"))
            continue
        for each in names:
            path = f"{folder}/{each.name}" if folder else each.name
            if _take(each, path, ignore, result):
                waiting.append(path)


def _take(each: os.DirEntry[str], path: str, ignore: Ignore, result: Scan) -> bool:
    """Note one entry; true for a folder to go into."""
    text, raw = encoded(path)
    folder = each.is_dir(follow_symlinks=False)
    reason = ignore.reason(path, folder)
    if reason is not None:
        result.others.append(Entry(text, "excluded", raw=raw, reason=reason))
        return False
    try:
        # Not each.stat(): on some file systems it is older than the call.
        status = os.lstat(each.path)
        mode, mtime = stat.S_IMODE(status.st_mode), status.st_mtime_ns
        if stat.S_ISREG(status.st_mode):
            result.files.append(Found(path, mode, Look.of(status)))
        elif stat.S_ISDIR(status.st_mode):
            result.others.append(Entry(text, "directory", raw=raw, mode=mode, mtime_ns=mtime))
            return True
        elif stat.S_ISLNK(status.st_mode):
            target, target_raw = encoded(os.readlink(each.path))
            result.others.append(
                Entry(
                    text,
                    "symlink",
                    raw=raw,
                    mode=mode,
                    mtime_ns=mtime,
                    target=target,
                    target_raw=target_raw,
                )
            )
        else:
            result.others.append(skipped(path, f"is {_special(status.st_mode)}"))
    except FileNotFoundError:
        result.others.append(skipped(path, "vanished while the backup ran"))
    except OSError as error:
        result.others.append(skipped(path, f"cannot be read: {error.strerror}"))
    return False


def _special(mode: int) -> str:
    for test, name in (
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return name
    return "neither file, folder nor link"
