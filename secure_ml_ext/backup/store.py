"""The bucket: every call with the expected owner, every content with its SHA-256.

Only this module asks S3 for data. An error of S3 is a ``StoreError`` with a typed problem.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from ..aws import clients
from ..aws.errors import spoken, to_problem
from ..aws.records import Problem
from .records import BackupError

WORKERS = 16
CHUNK = 1024 * 1024
MOST_COPIED = 5 * 1024**3  # CopyObject takes no larger object (API reference)
_CONFLICT_SECONDS = 0.2


class StoreError(BackupError):
    """A call of S3 failed; ``problem`` says how, ``code`` is S3's own word."""

    def __init__(self, problem: Problem, code: str) -> None:
        super().__init__(spoken(problem))
        self.problem = problem
        self.code = code


class Taken(BackupError):
    """A key that must be new holds something else already."""


class Damaged(BackupError):
    """An object does not hold what it should."""


class Object(Struct, frozen=True):
    """An object as a listing shows it; ``etag`` without quotes."""

    key: str
    size: int
    etag: str
    modified: datetime


class Head(Struct, frozen=True):
    """An object as HEAD shows it; ``checksum`` is its SHA-256 in S3's form, if it has one."""

    size: int
    etag: str
    checksum: str | None
    metadata: dict[str, str]
    encryption: str | None
    modified: datetime


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 in base64, as S3 writes it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def same_checksum(told: str, expected: str) -> bool:
    """Compare checksums in S3's form; some servers leave out the number of parts."""
    return told in (expected, expected.partition("-")[0])


class Store:
    """One bucket, its expected owner, and the key that encrypts what is put there.

    ``owner`` None leaves the owner unchecked (S3-compatible servers know none); ``kms_key`` None
    leaves encryption to the bucket's default.
    """

    def __init__(
        self,
        bucket: str,
        *,
        owner: str | None = None,
        kms_key: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self.bucket = bucket
        self.owner = owner
        self.kms_key = kms_key
        try:
            self.client = clients.transfer_client("s3", endpoint_url, connections=WORKERS + 2)
        except Exception as error:
            raise _store_error(error, "CreateClient", None) from error

    def call(self, operation: str, /, **parameters: Any) -> Any:
        """Call S3 about this bucket; raises ``StoreError``. ``operation`` is the API's name."""
        from botocore import xform_name

        owner = {} if self.owner is None else {"ExpectedBucketOwner": self.owner}
        try:
            return getattr(self.client, xform_name(operation))(
                Bucket=self.bucket, **owner, **parameters
            )
        except Exception as error:
            raise _store_error(error, operation, self.client.meta.region_name) from error

    def put(
        self,
        key: str,
        data: bytes,
        *,
        only_new: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        """Store bytes, compare S3's checksum with ours, return the ETag.

        With ``only_new`` the key must not exist yet, or hold the same bytes (an earlier attempt
        whose answer was lost); raises ``Taken`` otherwise.
        """
        checksum = sha256_of(data)
        more: dict[str, Any] = {"IfNoneMatch": "*"} if only_new else {}
        if metadata:
            more["Metadata"] = dict(metadata)
        for attempt in (1, 2, 3):
            try:
                reply = self.call(
                    "PutObject", Key=key, Body=data, ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=checksum, **self.encryption(), **more,
                )  # fmt: skip
                break
            except StoreError as error:
                if error.code == "ConditionalRequestConflict" and attempt < 3:
                    time.sleep(_CONFLICT_SECONDS)
                    continue
                if error.code != "PreconditionFailed":
                    raise
                there = self.head(key)
                if there is None or there.checksum != checksum:
                    raise Taken(f"s3://{self.bucket}/{key} exists already") from error
                return there.etag
        self.confirm(key, reply.get("ChecksumSHA256"), checksum)
        return _plain(reply["ETag"])

    def confirm(self, key: str, told: str | None, expected: str) -> None:
        """Compare a returned checksum; asks for it where the reply has none."""
        if told is None:
            there = self.head(key)
            told = None if there is None else there.checksum
        if told is None:
            raise Damaged(
                f"s3://{self.bucket}/{key}: the server stores no SHA-256, so nothing can be "
                "confirmed: use Amazon S3, or a server that keeps checksums"
            )
        if not same_checksum(told, expected):
            raise Damaged(
                f"s3://{self.bucket}/{key}: stored with SHA-256 {told}, sent with {expected}"
            )

    def encryption(self) -> dict[str, Any]:
        """Return the parameters that encrypt a new object."""
        if self.kms_key is None:
            return {}
        return {
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": self.kms_key,
            "BucketKeyEnabled": True,
        }

    def copy(self, source: str, key: str) -> tuple[str | None, str]:
        """Copy an object of this bucket (at most 5 GB); returns its SHA-256 (base64) and ETag."""
        more = {} if self.owner is None else {"ExpectedSourceBucketOwner": self.owner}
        reply = self.call(
            "CopyObject", Key=key, CopySource={"Bucket": self.bucket, "Key": source},
            ChecksumAlgorithm="SHA256", MetadataDirective="REPLACE", **self.encryption(), **more,
        )  # fmt: skip
        result = reply["CopyObjectResult"]
        return result.get("ChecksumSHA256"), _plain(result["ETag"])

    def head(self, key: str) -> Head | None:
        """Return what S3 says about an object; None if it is not there."""
        try:
            reply = self.call("HeadObject", Key=key, ChecksumMode="ENABLED")
        except StoreError as error:
            if error.code in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        return Head(
            reply["ContentLength"],
            _plain(reply["ETag"]),
            reply.get("ChecksumSHA256"),
            reply.get("Metadata") or {},
            reply.get("ServerSideEncryption"),
            reply["LastModified"],
        )

    def chunks(self, key: str) -> Iterator[bytes]:
        """Yield an object's content; raises ``StoreError``, ``Damaged`` where it breaks off."""
        body = self.call("GetObject", Key=key)["Body"]
        try:
            yield from body.iter_chunks(CHUNK)
        except Exception as error:
            names = {base.__name__ for base in type(error).__mro__}
            if "FlexibleChecksumError" in names:
                raise Damaged(
                    f"s3://{self.bucket}/{key} does not match the checksum that S3 stores"
                ) from error
            raise _store_error(error, "GetObject", self.client.meta.region_name) from error
        finally:
            body.close()

    def read(self, key: str, most: int) -> bytes | None:
        """Return an object's content, None if it is not there; raises ``Damaged`` over ``most``."""
        parts, total = [], 0
        try:
            for chunk in self.chunks(key):
                total += len(chunk)
                if total > most:
                    raise Damaged(f"s3://{self.bucket}/{key} is larger than {most} bytes")
                parts.append(chunk)
        except StoreError as error:
            if error.code == "NoSuchKey":
                return None
            raise
        return b"".join(parts)

    def objects(self, prefix: str) -> Iterator[Object]:
        """Yield every object below a prefix."""
        for page in self._pages(Prefix=prefix):
            for each in page.get("Contents", ()):
                yield Object(each["Key"], each["Size"], _plain(each["ETag"]), each["LastModified"])

    def folders(self, prefix: str = "") -> Iterator[str]:
        """Yield the first folder level below a prefix, each with its slash."""
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            for each in page.get("CommonPrefixes", ()):
                yield each["Prefix"]

    def delete(self, keys: Iterable[str]) -> int:
        """Delete objects, a thousand at a time; returns how many; raises on the first refusal."""
        waiting = list(keys)
        for start in range(0, len(waiting), 1000):
            batch = [{"Key": key} for key in waiting[start : start + 1000]]
            reply = self.call("DeleteObjects", Delete={"Objects": batch, "Quiet": True})
            for refused in reply.get("Errors", ()):
                raise BackupError(
                    f"s3://{self.bucket}/{refused.get('Key')} cannot be deleted: "
                    f"{refused.get('Code')}: {refused.get('Message')}"
                )
        return len(waiting)

    def _pages(self, **parameters: Any) -> Iterator[Any]:
        token: dict[str, str] = {}
        while True:
            page = self.call("ListObjectsV2", **parameters, **token)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}


def _plain(etag: str) -> str:
    return etag.strip('"')


def _store_error(error: BaseException, operation: str, region: str | None) -> StoreError:
    response = getattr(error, "response", None)
    told = response.get("Error") if isinstance(response, dict) else None
    code = str(told.get("Code") or "") if isinstance(told, dict) else type(error).__name__
    problem = to_problem(error, service="s3", operation=operation, region=region)
    return StoreError(problem, code)
