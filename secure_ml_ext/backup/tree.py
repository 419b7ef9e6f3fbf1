"""Writes below one folder and nowhere else: every step from an open folder, no link followed.

Paths are resolved component by component with ``openat`` and ``O_NOFOLLOW``, so that neither a
link in the volume nor one put there meanwhile leads a write out of the root.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .ignore import TEMPORARY
from .records import BackupError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1024 * 1024


class Blocked(BackupError):
    """Something that is no folder stands where a folder must be."""


class Tree:
    """The folder that is restored into; use it as a context manager."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # Dies with its holder. Two restores would write each other's unfinished files.
            fcntl.flock(self._root, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._root)
            raise BackupError(
                f"Another restore into {root} is running: wait for it, or end it"
            ) from error

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)

    def free(self) -> int:
        """Return the bytes that this user may still write."""
        status = os.fstatvfs(self._root)
        return status.f_bavail * status.f_frsize

    def status(self, path: str) -> os.stat_result | None:
        """Return what stands at a path, a link itself; None for nothing; raises ``Blocked``."""
        try:
            with self._parent(path) as (folder, name):
                return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def target(self, path: str) -> str:
        """Return the target of a link."""
        with self._parent(path) as (folder, name):
            return os.readlink(name, dir_fd=folder)

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of a file; None for one that cannot be read."""
        try:
            with self._parent(path) as (folder, name):
                descriptor = os.open(name, _READ, dir_fd=folder)
        except OSError:
            return None
        whole = hashlib.sha256()
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                whole.update(chunk)
        return whole.hexdigest()

    def write(self, path: str, chunks: Iterable[bytes], mode: int, mtime_ns: int) -> None:
        """Write a file: beside its place, to disk, then into its place.

        Whatever fails, also ``chunks``, leaves what stood there as it was.
        """
        with self._parent(path, make=True) as (folder, name):
            beside = _beside(folder, name)
            descriptor = os.open(beside, _NEW, 0o600, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb", buffering=0) as file:
                    for chunk in chunks:
                        _write_all(file.fileno(), chunk)
                    # Without set-uid and set-gid: a snapshot grants no rights.
                    os.fchmod(file.fileno(), mode & 0o1777)
                    os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
                    os.fsync(file.fileno())
                os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(beside, dir_fd=folder)
                raise

    def dress(self, path: str, mode: int, mtime_ns: int) -> None:
        """Give a file or folder that is right its mode and time."""
        with self._parent(path) as (folder, name):
            descriptor = os.open(name, _READ, dir_fd=folder)
        try:
            folder_bits = 0o3777 if stat.S_ISDIR(os.fstat(descriptor).st_mode) else 0o1777
            os.fchmod(descriptor, mode & folder_bits)
            os.utime(descriptor, ns=(mtime_ns, mtime_ns))
        finally:
            os.close(descriptor)

    def link(self, path: str, target: str, mtime_ns: int) -> None:
        """Write a symbolic link; where it points is not looked at."""
        with self._parent(path, make=True) as (folder, name):
            beside = _beside(folder, name)
            os.symlink(target, beside, dir_fd=folder)
            try:
                os.utime(beside, ns=(mtime_ns, mtime_ns), dir_fd=folder, follow_symlinks=False)
                os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(beside, dir_fd=folder)
                raise

    def folder(self, path: str, *, replace: bool = False) -> None:
        """Make a folder; ``replace`` removes a file or link that stands there."""
        with self._parent(path, make=True) as (folder, name):
            if replace:
                os.unlink(name, dir_fd=folder)
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=folder)

    def remove(self, path: str) -> None:
        """Remove a file or link, if it is there."""
        with suppress(FileNotFoundError), self._parent(path) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def sync(self) -> None:
        """Bring the names to disk too."""
        os.fsync(self._root)

    @contextmanager
    def _parent(self, path: str, make: bool = False) -> Iterator[tuple[int, str]]:
        """Open the folder of a path, link by link."""
        *folders, name = path.split("/")
        current = os.dup(self._root)
        try:
            for each in folders:
                current = self._step(current, each, make)
            yield current, name
        finally:
            os.close(current)

    @staticmethod
    def _step(current: int, name: str, make: bool) -> int:
        """Open a folder in a folder; closes the outer one only once the inner one is open."""
        try:
            inner = os.open(name, _FOLDER, dir_fd=current)
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=current)
            inner = os.open(name, _FOLDER, dir_fd=current)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise Blocked(f"{name!r} is in the way: it is no folder") from error
            raise
        os.close(current)
        return inner


def _beside(folder: int, name: str) -> str:
    """Return the name of the unfinished file of a name, free of what a killed restore left."""
    beside = TEMPORARY + hashlib.sha256(os.fsencode(name)).hexdigest()[:24]
    with suppress(FileNotFoundError):
        os.unlink(beside, dir_fd=folder)
    return beside


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
