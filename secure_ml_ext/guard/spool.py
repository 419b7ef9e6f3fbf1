"""The spool: one private JSONL file per kernel, beside its connection file.

A record is one line written by one ``write`` on a descriptor opened with ``O_APPEND``, so that
threads and forked children never interleave. The file is bounded and goes with the kernel.
Reading tolerates what a crash may leave: a torn last line, a corrupt one, an unknown record.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .records import Decision, Hello, ModeChange, Submission

    Record = Hello | ModeChange | Submission | Decision

MAX_RECORDS = 1000
MAX_BYTES = 2_000_000
_START = re.compile(rb'\{"type":"(\w+)"(?:,"id":"([^"]+)")?')
_MAX_READ = 16_000_000
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


def spool_path(connection_file: str | os.PathLike[str]) -> Path:
    """Return the path of the spool that belongs to a kernel's connection file."""
    path = Path(connection_file)
    return path.with_name(f"secure-ml-{kernel_id(path)}.jsonl")


def kernel_id(connection_file: str | os.PathLike[str]) -> str:
    """Return the kernel id in the name of a connection file, ``kernel-<id>.json``."""
    return Path(connection_file).stem.removeprefix("kernel-")


class SpoolWriter:
    """Appends records to the spool of this process; a full disk or a lost file never raises.

    ``hello`` is the first line, plain JSON types. Only the process that made the writer trims
    and removes the file; a forked child appends.
    """

    def __init__(self, path: str | os.PathLike[str], hello: dict[str, Any]) -> None:
        self.path = Path(path)
        self._hello = json.dumps(hello, separators=(",", ":")).encode() + b"\n"
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._records = 0
        self._bytes = 0
        self._broken = False
        self._torn = False
        # A file that is already there belonged to an earlier run of this kernel.
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self._fd = os.open(self.path, os.O_CREAT | os.O_EXCL | self._flags(), 0o600)
        self._count(os.write(self._fd, self._hello))

    @staticmethod
    def _flags() -> int:
        return os.O_WRONLY | os.O_APPEND | _NOFOLLOW | getattr(os, "O_CLOEXEC", 0)

    def write(self, line: bytes) -> bool:
        """Append one record, encoded as JSON without a newline; tell whether it is on disk."""
        line += b"\n"
        try:
            if os.getpid() != self._owner:
                return self._write_in_child(line)
            with self._lock:
                if self._broken:
                    return False
                if self._torn:  # a full disk cut the last line short: end it first
                    line = b"\n" + line
                written = os.write(self._fd, line)
                self._torn = written < len(line)
                self._count(written)
                if self._records > MAX_RECORDS or self._bytes > MAX_BYTES:
                    self._trim()
            return True
        except OSError:
            return False

    def _count(self, written: int) -> None:
        self._records += 1
        self._bytes += written

    def _write_in_child(self, line: bytes) -> bool:
        # The parent may replace the file while it trims, so a child opens it by name each time.
        for _ in range(3):
            fd = os.open(self.path, self._flags())
            try:
                with _locked(fd):
                    if os.fstat(fd).st_ino == os.stat(self.path).st_ino:
                        os.write(fd, line)
                        return True
            finally:
                os.close(fd)
        return False

    def _trim(self) -> None:
        """Keep Hello and the newest half, the last version of each submission only."""
        with _locked(self._fd):
            kept = _newest(self.path.read_bytes().splitlines(), MAX_RECORDS // 2, MAX_BYTES // 2)
            temporary = self.path.with_suffix(".tmp")
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
            fd = os.open(temporary, os.O_CREAT | os.O_EXCL | self._flags(), 0o600)
            content = self._hello + b"".join(line + b"\n" for line in kept)
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(fd, view) :]
                os.replace(temporary, self.path)
            except OSError:
                os.close(fd)
                with contextlib.suppress(OSError):
                    temporary.unlink()
                raise
        os.close(self._fd)
        self._fd, self._records, self._bytes = fd, len(kept) + 1, len(content)

    def after_fork(self) -> None:
        """Forget a lock that another thread of the parent may have held; called in the child."""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Remove the file, if this process made it; harmless when called again."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            if self._broken:
                return
            self._broken = True
            with contextlib.suppress(OSError):
                os.close(self._fd)
            with contextlib.suppress(OSError):
                self.path.unlink()


@contextlib.contextmanager
def _locked(fd: int) -> Iterator[None]:
    """Hold the file against the other processes of this kernel, where the system can."""
    if sys.platform == "win32":
        yield
    else:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)


def _newest(lines: list[bytes], records: int, size: int) -> list[bytes]:
    """Return the newest lines within both bounds, without Hello and superseded submissions."""
    kept: list[bytes] = []
    seen: set[bytes] = set()
    for line in reversed(lines):
        # msgspec writes the tag and then the members in order: no need to decode the report.
        start = _START.match(line)
        if start is None or not line.endswith(b"}"):
            continue
        kind, key = start.groups()
        if kind == b"hello" or key in seen:
            continue
        size -= len(line) + 1
        if size < 0 or len(kept) >= records:
            break
        if key is not None:
            seen.add(key)
        kept.append(line)
    return kept[::-1]


def read_spool(path: str | os.PathLike[str]) -> list[Record]:
    """Return the records of a spool in the order written; none when there is no such file.

    A submission appears once per version, oldest first; see :func:`latest`. Only a regular
    file of this user is read, never through a link.
    """
    import msgspec

    from .records import Decision, Hello, ModeChange, Submission

    try:
        fd = os.open(path, os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return []
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return []
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            return []
        content = file.read(_MAX_READ)
    decoder = msgspec.json.Decoder(Hello | ModeChange | Submission | Decision)
    records: list[Record] = []
    for line in content.split(b"\n"):
        if line:
            with contextlib.suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                records.append(decoder.decode(line))
    return records


def latest(records: list[Record]) -> list[Submission]:
    """Return the submissions in their last version, in the order in which they were made."""
    from .records import Submission

    found = {record.id: record for record in records if isinstance(record, Submission)}
    return list(found.values())
