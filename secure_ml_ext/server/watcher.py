"""Turns new spool lines into events, and removes what dead kernels left behind.

Only the kernels of this server are watched: several servers of one user share a runtime
directory. Lines that were there when watching began were told by the server before.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import socket
import stat
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path

import msgspec

from ..guard.records import Decision, Hello, ModeChange, Submission

Record = Submission | Decision
Emit = Callable[[str, Record], None]

SERVER = "server"  # what the server's own process is called where kernels have an id
_CHUNK = 4_000_000
_MAX_LINE = 4_000_000
_MAX_SEEN = 5_000
SWEEP_SECONDS = 600.0
GRACE_SECONDS = 60.0
_LOG = logging.getLogger("secure_ml_ext")
_decoder = msgspec.json.Decoder(Hello | ModeChange | Submission | Decision)


class Tail:
    """Reads what was appended to one spool, across trimming and replacement of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None
        self._rest = b""
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def read(self) -> list[Record]:
        """Return the records that are new; each line once, whatever happens to the file."""
        records = self._drain()
        if self._fd is None or self._replaced():
            self.close()
            self._open()
            records += self._drain()
        return records

    def close(self) -> None:
        """Close the file."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd, self._rest = None, b""

    def _open(self) -> None:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            fd = os.open(self.path, flags)
        except OSError:
            return
        status = os.fstat(fd)
        own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
        if stat.S_ISREG(status.st_mode) and own:
            self._fd = fd
        else:
            os.close(fd)

    def _replaced(self) -> bool:
        """Say whether another file stands at the path now, or none."""
        if self._fd is None:
            return True
        try:
            return os.stat(self.path).st_ino != os.fstat(self._fd).st_ino
        except OSError:
            return True

    def _drain(self) -> list[Record]:
        if self._fd is None:
            return []
        records: list[Record] = []
        while True:
            try:
                chunk = os.read(self._fd, _CHUNK)
            except OSError:
                break
            if not chunk:
                break
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > _MAX_LINE:
                self._rest = b""
            for line in lines:
                record = self._record(line)
                if record is not None:
                    records.append(record)
        return records

    def _record(self, line: bytes) -> Record | None:
        """Return the record of a line, if it is one to tell and was not seen."""
        digest = hashlib.blake2b(line, digest_size=16).digest()
        if not line or digest in self._seen:
            return None
        self._seen[digest] = None
        while len(self._seen) > _MAX_SEEN:
            self._seen.popitem(last=False)
        try:
            record = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return record if isinstance(record, (Submission, Decision)) else None


class SpoolWatcher:
    """Looks once per ``interval`` seconds for new lines, and tells them to ``emit``.

    ``spools`` gives the spool of each kernel of this server; it and ``emit`` are called
    in the event loop's thread, the files are read in ``executor``.
    """

    def __init__(
        self,
        spools: Callable[[], Mapping[str, Path]],
        emit: Emit,
        executor: Executor,
        folders: Callable[[], Iterable[Path]],
        interval: float = 1.0,
    ) -> None:
        self._spools = spools
        self._emit = emit
        self._executor = executor
        self._folders = folders
        self._interval = interval
        self._tails: dict[str, Tail] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch; what is in the spools already was told before."""
        for kernel, path in self._spools().items():
            tail = self._tails[kernel] = Tail(path)
            await self._in_thread(tail.read)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End watching."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for tail in self._tails.values():
            tail.close()
        self._tails.clear()

    async def poll(self) -> None:
        """Look once: tell what is new, forget the kernels that are gone."""
        spools = dict(self._spools())
        for kernel, path in spools.items():
            tail = self._tails.get(kernel)
            if tail is None or tail.path != path:
                tail = self._tails[kernel] = Tail(path)
            await self._tell(kernel, tail)
        for kernel in [kernel for kernel in self._tails if kernel not in spools]:
            tail = self._tails.pop(kernel)
            await self._tell(kernel, tail)
            tail.close()

    async def _tell(self, kernel: str, tail: Tail) -> None:
        for record in await self._in_thread(tail.read):
            try:
                self._emit(kernel, record)
            except Exception:
                _LOG.exception("The event of %s cannot be sent.", kernel)

    async def _in_thread(self, read: Callable[[], list[Record]]) -> list[Record]:
        return await asyncio.get_running_loop().run_in_executor(self._executor, read)

    async def _run(self) -> None:
        swept = -SWEEP_SECONDS
        while True:
            try:
                await self.poll()
                if time.monotonic() - swept > SWEEP_SECONDS or swept < 0:
                    swept = time.monotonic()
                    alive, folders = set(self._spools()), list(self._folders())
                    await asyncio.get_running_loop().run_in_executor(
                        self._executor,
                        lambda: sweep(folders, alive),  # noqa: B023
                    )
            except asyncio.CancelledError:
                raise
            except Exception:
                _LOG.exception("The guard's records cannot be read.")
            await asyncio.sleep(self._interval)


def own_name() -> str:
    """Return the beginning of the name of a server's spool: several machines may share a folder."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:64]
    return f"{SERVER}-{host}"


def sweep(folders: Iterable[Path], alive: set[str], grace: float = GRACE_SECONDS) -> list[Path]:
    """Remove the spools of dead kernels and return them.

    A spool is dead when its kernel is none of ``alive``, no connection file stands beside
    it, the process that wrote it is gone, and nobody wrote to it for ``grace`` seconds.
    A server's spool, which never has a connection file, is left to its own machine.
    """
    removed: list[Path] = []
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.glob("secure-ml-*.jsonl")):
            kernel = path.stem.removeprefix("secure-ml-")
            if kernel in alive or path.with_name(f"kernel-{kernel}.json").exists():
                continue
            if kernel.startswith(f"{SERVER}-") and not kernel.startswith(f"{own_name()}-"):
                continue
            try:
                status = path.lstat()
                if time.time() - status.st_mtime < grace or not stat.S_ISREG(status.st_mode):
                    continue
                if _writer_lives(path):
                    continue
                path.unlink()
            except OSError:
                continue
            removed.append(path)
    return removed


def _writer_lives(path: Path) -> bool:
    """Say whether the process named in the first line of a spool still runs here."""
    with open(path, "rb") as file:
        first = file.readline(_MAX_LINE)
    try:
        hello = _decoder.decode(first)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if not isinstance(hello, Hello) or hello.pid <= 0:
        return False
    try:
        os.kill(hello.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it runs, as somebody else
        return True
    return True
