"""Private files in the user's cache folder, believed only if nobody else could write them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def read_private(path: Path, most: int) -> bytes | None:
    """Return what a file holds; None if it is not there, too large, a link, or not private."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        try:
            status = os.fstat(file.fileno())
            if status.st_size > most or not _private(status):
                return None
            return file.read()
        except OSError:
            return None


def write_private(path: Path, content: bytes) -> None:
    """Write a file, 0600, all or nothing; a full or read-only disk is no error."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes the file 0600 whatever the umask.
        descriptor, name = tempfile.mkstemp(prefix=".secure-ml-", dir=path.parent)
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)


def _private(status: os.stat_result) -> bool:
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & 0o077
