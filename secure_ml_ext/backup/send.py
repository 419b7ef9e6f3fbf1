"""Brings one file into the bucket: unchanged by copy or reference, otherwise read, hashed, sent."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from .journal import Journal, Known, Part, Sent, Upload, latin
from .keys import SnapshotName, key_of
from .records import BackupError, Entry
from .scan import Found, Look
from .store import MOST_COPIED, WORKERS, Damaged, Store, StoreError, same_checksum, sha256_of

MB = 1024 * 1024
# A change within the clock's tick of being read may not show in a file's times.
TICK_NS = 2_000_000_000
_GONE = ("NoSuchKey", "404", "NotFound")


class Tuning(Struct, frozen=True):
    """Sizes in bytes. Files over ``single`` go in parts; ``memory`` bounds what is held at once."""

    workers: int = WORKERS
    single: int = 64 * MB
    part: int = 16 * MB
    memory: int = 256 * MB
    attempts: int = 3

    def part_size(self, size: int) -> int:
        """Return the part size for a file: S3 takes 10,000 parts."""
        least = -(-size // 9000)
        return self.part if least <= self.part else -(-least // MB) * MB


class Unreadable(Exception):
    """A file cannot be in the snapshot; the message says why."""


class Budget:
    """Bounds the bytes that all threads hold together; a larger file than all waits for nothing."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Wait until ``size`` bytes are free, and hold them."""
        wanted = min(size, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= wanted)
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()


class Sender:
    """Sends the files of one snapshot; :meth:`send` is called from many threads."""

    def __init__(
        self,
        store: Store,
        snapshot: SnapshotName,
        root: Path,
        journal: Journal,
        *,
        base: dict[str, Entry],
        known: dict[str, Known],
        reference: bool = False,
        rehash: bool = False,
        tuning: Tuning | None = None,
    ) -> None:
        self._store, self._snapshot, self._root = store, snapshot, root
        self._journal = journal
        self._base, self._known = base, known
        self._reference, self._rehash = reference, rehash
        self._tuning = tuning or Tuning()
        self._budget = Budget(self._tuning.memory)

    def send(self, found: Found) -> Sent:
        """Return the file as it is in the bucket; raises ``Unreadable``, ``StoreError``."""
        before = self._journal.sent.get(latin(found.path))
        if before is not None and self._still(found, before):
            return before
        began = time.time_ns()
        base = self._base.get(found.path)
        sent = self._unread(found, base) if base is not None and not self._rehash else None
        attempt = 1
        while sent is None:
            sent = self._read(found, base, last=attempt >= self._tuning.attempts)
            attempt += 1
        if max(sent.look.mtime_ns, sent.look.ctime_ns) > began - TICK_NS:
            sent = replace(sent, fresh=True)
        self._journal.append(sent)
        return sent

    def _still(self, found: Found, before: Sent) -> bool:
        """Say whether a file is as a killed run sent it."""
        if before.look != found.look or before.changed:
            return False
        if not (before.fresh or self._rehash):
            return True
        whole = hashlib.sha256()
        try:
            with (self._root / found.path).open("rb", buffering=0) as file:
                while chunk := file.read(MB):
                    whole.update(chunk)
                return whole.hexdigest() == before.sha256 and (
                    Look.of(os.fstat(file.fileno())) == before.look
                )
        except OSError:
            return False  # sending it will say what is wrong

    def _unread(self, found: Found, base: Entry) -> Sent | None:
        """Take a file that looks as it did when the last snapshot took it."""
        known = self._known.get(latin(found.path))
        if known is None or known.look != found.look or known.sha256 != base.sha256:
            return None
        return self._reuse(found, base, found.look, found.mode)

    def _reuse(self, found: Found, base: Entry, look: Look, mode: int) -> Sent | None:
        """Take the content from an older snapshot; None where it is not there any more."""
        path, sha256, source = latin(found.path), base.sha256 or "", base.key or ""
        if self._reference:
            return Sent(path, look, mode, sha256, source, base.size, "", base.part_size,
                        base.checksum, how="referenced")  # fmt: skip
        key = key_of(self._snapshot, found.path)
        try:
            if base.size > MOST_COPIED:
                return self._copy_parts(found, base, look, mode)
            told, etag = self._store.copy(source, key)
        except StoreError as error:
            if error.code in _GONE:
                return None
            raise
        if told != base64.b64encode(bytes.fromhex(sha256)).decode():
            return None  # damaged there, or the server keeps no checksums: the file is here
        return Sent(path, look, mode, sha256, key, base.size, etag, how="copied")

    def _read(self, found: Found, base: Entry | None, *, last: bool) -> Sent | None:
        """Read the file and send it; None if it changed meanwhile and another try is left."""
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self._root / found.path, flags)
        except FileNotFoundError as error:
            raise Unreadable("vanished while the backup ran") from error
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from error
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("became something else than a file while the backup ran")
            look, mode = Look.of(status), stat.S_IMODE(status.st_mode)
            try:
                if look.size <= self._tuning.single:
                    return self._small(file, found, base, look, mode, last)
                return self._large(file, found, base, look, mode, last)
            except OSError as error:
                raise Unreadable(f"cannot be read: {error.strerror}") from error

    def _small(
        self, file: BinaryIO, found: Found, base: Entry | None, look: Look, mode: int, last: bool
    ) -> Sent | None:
        with self._budget.hold(look.size):
            data = read_exactly(file, look.size)
            changed = len(data) != look.size or Look.of(os.fstat(file.fileno())) != look
            if changed and not last:
                return None
            digest = hashlib.sha256(data).hexdigest()
            if base is not None and base.sha256 == digest and base.size == len(data):
                reused = self._reuse(found, base, look, mode)
                if reused is not None:
                    return reused
            key = key_of(self._snapshot, found.path)
            etag = self._store.put(key, data)
        return Sent(latin(found.path), look, mode, digest, key, len(data), etag, changed=changed)

    def _large(
        self, file: BinaryIO, found: Found, base: Entry | None, look: Look, mode: int, last: bool
    ) -> Sent | None:
        if base is not None and base.size == look.size:
            digest = hashlib.sha256()
            while chunk := file.read(MB):
                digest.update(chunk)
            if Look.of(os.fstat(file.fileno())) == look and digest.hexdigest() == base.sha256:
                reused = self._reuse(found, base, look, mode)
                if reused is not None:
                    return reused
            file.seek(0)
        return self._parts(file, found, look, mode, last)

    def _parts(
        self, file: BinaryIO, found: Found, look: Look, mode: int, last: bool
    ) -> Sent | None:
        """Send a file in parts; parts that an earlier run sent are only read again."""
        upload, there = self._upload(found, look)
        whole, total = hashlib.sha256(), 0
        done: list[Part] = []
        with self._budget.hold(upload.part_size):
            for number in range(1, max(1, -(-look.size // upload.part_size)) + 1):
                data = read_exactly(file, min(upload.part_size, look.size - total))
                if not data and done:
                    break
                whole.update(data)
                total += len(data)
                done.append(self._part(upload, number, data, there.get(number)))
        changed = total != look.size or Look.of(os.fstat(file.fileno())) != look
        if changed and not last:
            self._abandon(upload)
            return None
        etag, checksum = self._complete(upload, done)
        return Sent(latin(found.path), look, mode, whole.hexdigest(), upload.key, total, etag,
                    upload.part_size, checksum, changed)  # fmt: skip

    def _upload(self, found: Found, look: Look) -> tuple[Upload, dict[int, Part]]:
        """Return the upload of a file: the one a killed run left, if the file is the same."""
        path = latin(found.path)
        left = self._journal.uploads.get(path)
        if left is not None:
            if left.look == look and (self._alive(left) or self._made(left)):
                return left, self._journal.parts.get(left.upload, {})
            self._abandon(left)
        key = key_of(self._snapshot, found.path)
        reply = self._store.call(
            "CreateMultipartUpload", Key=key, ChecksumAlgorithm="SHA256",
            **self._store.encryption(),
        )  # fmt: skip
        upload = Upload(path, look, key, reply["UploadId"], self._tuning.part_size(look.size))
        self._journal.append(upload)
        return upload, {}

    def _alive(self, upload: Upload) -> bool:
        """Say whether an upload still exists; one that was completed unnoticed does not."""
        try:
            self._store.call("ListParts", Key=upload.key, UploadId=upload.upload, MaxParts=1)
        except StoreError as error:
            if error.code in ("NoSuchUpload", "404"):
                return False
            raise
        return True

    def _made(self, upload: Upload) -> bool:
        """Say whether the object is there although the answer to the last request was lost."""
        parts = self._journal.parts.get(upload.upload, {})
        head = self._store.head(upload.key)
        if head is None or head.checksum is None or head.size != upload.look.size:
            return False
        ordered = [parts[number].checksum for number in sorted(parts)]
        return bool(ordered) and same_checksum(head.checksum, composite(ordered))

    def _part(self, upload: Upload, number: int, data: bytes, there: Part | None) -> Part:
        checksum = sha256_of(data)
        if there is not None and there.checksum == checksum:
            return there
        reply = self._store.call(
            "UploadPart", Key=upload.key, UploadId=upload.upload, PartNumber=number, Body=data,
            ChecksumAlgorithm="SHA256", ChecksumSHA256=checksum,
        )  # fmt: skip
        if reply.get("ChecksumSHA256", checksum) != checksum:
            raise Damaged(f"s3://{self._store.bucket}/{upload.key}: part {number} arrived damaged")
        part = Part(upload.upload, number, reply["ETag"], checksum)
        self._journal.append(part)
        return part

    def _complete(self, upload: Upload, parts: list[Part]) -> tuple[str, str]:
        """Make the object of its parts; returns ETag and the checksum of checksums, compared."""
        expected = composite([part.checksum for part in parts])
        chosen = [
            {"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": part.checksum}
            for part in parts
        ]
        try:
            reply = self._store.call(
                "CompleteMultipartUpload", Key=upload.key, UploadId=upload.upload,
                MultipartUpload={"Parts": chosen},
            )  # fmt: skip
        except StoreError as error:
            # The answer to an earlier attempt was lost: the object is there, the upload is not.
            there = self._store.head(upload.key) if error.code == "NoSuchUpload" else None
            if there is None or not same_checksum(there.checksum or "", expected):
                raise
            return there.etag, expected
        self._store.confirm(upload.key, reply.get("ChecksumSHA256"), expected)
        return reply["ETag"].strip('"'), expected

    def _abandon(self, upload: Upload) -> None:
        """Give up an upload, so that its parts cost nothing; it may be gone already."""
        with suppress(BackupError):
            self._store.call("AbortMultipartUpload", Key=upload.key, UploadId=upload.upload)
        self._journal.uploads.pop(upload.path, None)

    def _copy_parts(self, found: Found, base: Entry, look: Look, mode: int) -> Sent | None:
        """Copy an object over 5 GB inside the bucket, in the parts it was sent in."""
        if base.part_size is None or base.checksum is None:
            return None
        key = key_of(self._snapshot, found.path)
        begun = self._store.call("CreateMultipartUpload", Key=key, ChecksumAlgorithm="SHA256",
                                 **self._store.encryption())  # fmt: skip
        upload = Upload(latin(found.path), look, key, begun["UploadId"], base.part_size)
        parts: list[Part] = []
        source = {"Bucket": self._store.bucket, "Key": base.key}
        for number, start in enumerate(range(0, base.size, base.part_size), 1):
            end = min(start + base.part_size, base.size) - 1
            reply: Any = self._store.call(
                "UploadPartCopy", Key=key, UploadId=upload.upload, PartNumber=number,
                CopySource=source, CopySourceRange=f"bytes={start}-{end}",
            )["CopyPartResult"]  # fmt: skip
            told = reply.get("ChecksumSHA256")
            if told is None:
                self._abandon(upload)
                return None
            parts.append(Part(upload.upload, number, reply["ETag"], told))
        if composite([part.checksum for part in parts]) != base.checksum:
            self._abandon(upload)
            return None
        etag, checksum = self._complete(upload, parts)
        return Sent(latin(found.path), look, mode, base.sha256 or "", key, base.size, etag,
                    base.part_size, checksum, how="copied")  # fmt: skip


def composite(checksums: list[str]) -> str:
    """Return what S3 stores for an object of parts: SHA-256 of their SHA-256, and the number."""
    digest = hashlib.sha256(b"".join(base64.b64decode(each) for each in checksums)).digest()
    return f"{base64.b64encode(digest).decode()}-{len(checksums)}"


def read_exactly(file: BinaryIO, size: int) -> bytes:
    """Return ``size`` bytes, fewer only at the end of the file."""
    parts, left = [], size
    while left > 0 and (chunk := file.read(left)):
        parts.append(chunk)
        left -= len(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)
