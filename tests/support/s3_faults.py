"""An S3 server for tests that believes nothing and can be told to fail.

moto accepts wrong digests; this one compares every SHA-256, CRC32 and MD5 it is given, holds
uploads in parts to their checksums, honours ``If-None-Match`` and the expected owner, demands KMS
where told, and at the request of a chosen number kills a process, drops the connection, answers
503, cuts a reply short or flips a bit in it.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import re
import signal
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

OWNER = "123456789012"


@dataclass
class Stored:
    """An object; ``checksum`` is what HEAD says, also after a test changed ``data``."""

    data: bytes
    checksum: str | None
    etag: str
    headers: dict[str, str] = field(default_factory=dict)
    modified: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


@dataclass
class Fault:
    """What happens at a request: ``kill``, ``drop``, ``503``, ``truncate``, ``flip``.

    ``after``: only once the request was carried out, so that its answer alone is lost.
    """

    what: str
    after: bool = False
    pid: int | None = None


class State:
    """The one bucket, the requests so far, and the faults to come."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.bucket = "faulty"
        self.objects: dict[str, Stored] = {}
        self.uploads: dict[str, tuple[str, dict[int, Stored], dict[str, str]]] = {}
        self.log: list[tuple[str, str]] = []
        self.faults: dict[int, Fault] = {}
        self.require_kms = False
        self.ids = itertools.count(1)

    def reset(self) -> None:
        """Forget requests and faults, not objects."""
        with self.lock:
            self.log, self.faults = [], {}

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            self.reset()
            self.objects, self.uploads, self.require_kms = {}, {}, False

    def count(self, operation: str, key: str = "") -> int:
        """Return how many requests there were of an operation on keys that end so."""
        return sum(op == operation and k.endswith(key) for op, k in self.log)


class Refused(Exception):
    """An error reply."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: State

    def _answer(self) -> None:
        body = self._body()
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        _, bucket, key = [*unquote(parts.path).split("/", 2), ""][:3]
        with self.state.lock:
            operation = _operation(self.command, key, query, dict(self.headers))
            fault = self.state.faults.get(len(self.state.log))
            self.state.log.append((operation, key))
        if fault is not None and not fault.after and self._strike(fault):
            return
        try:
            with self.state.lock:
                if self.headers.get("x-amz-expected-bucket-owner", OWNER) != OWNER:
                    raise Refused(403, "AccessDenied")
                if bucket != self.state.bucket:
                    raise Refused(404, "NoSuchBucket")
                status, headers, content = getattr(self, f"do_{operation}")(key, query, body)
        except Refused as error:
            text = f"<Error><Code>{error.code}</Code><Message>refused</Message></Error>"
            status, headers, content = error.status, {}, text.encode()
        if fault is not None and fault.after and self._strike(fault):
            return
        self._reply(status, headers, content, fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815

    def _strike(self, fault: Fault) -> bool:
        """Do what the fault says; true if there is nothing to answer any more."""
        if fault.what == "kill" and fault.pid is not None:
            os.kill(fault.pid, signal.SIGKILL)
        elif fault.what == "503":
            self._reply(503, {}, b"<Error><Code>SlowDown</Code></Error>", None)
            return True
        if fault.what in ("kill", "drop"):
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(2)
            return True
        return False

    def _reply(
        self, status: int, headers: dict[str, str], content: bytes, fault: Fault | None
    ) -> None:
        if fault is not None and fault.what == "flip" and content:
            content = bytes([content[0] ^ 1]) + content[1:]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            if fault is not None and fault.what == "truncate":
                content = content[: len(content) // 2]
                self.close_connection = True
            self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    # -- what S3 does ------------------------------------------------------------------------------

    def do_PutObject(self, key: str, query: Any, body: bytes) -> Any:
        if self.headers.get("If-None-Match") == "*" and key in self.state.objects:
            raise Refused(412, "PreconditionFailed")
        stored = self._stored(body)
        self.state.objects[key] = stored
        return 200, {"ETag": f'"{stored.etag}"', **_checksum(stored)}, b""

    def _stored(self, body: bytes) -> Stored:
        given = self.headers
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        for name, value in (
            ("x-amz-checksum-sha256", digest), ("x-amz-checksum-crc32", crc), ("Content-MD5", md5),
        ):  # fmt: skip
            if given.get(name, value) != value:
                raise Refused(400, "BadDigest")
        self._check_kms()
        kept = {
            name.lower(): value for name, value in given.items()
            if name.lower().startswith(("x-amz-meta-", "x-amz-server-side-encryption"))
        }  # fmt: skip
        checksum = digest if given.get("x-amz-checksum-sha256") else None
        return Stored(body, checksum, hashlib.md5(body).hexdigest(), kept)

    def _check_kms(self) -> None:
        if self.state.require_kms and (
            self.headers.get("x-amz-server-side-encryption") != "aws:kms"
            or self.headers.get("x-amz-server-side-encryption-bucket-key-enabled") != "true"
        ):
            raise Refused(403, "AccessDenied")

    def do_CopyObject(self, key: str, query: Any, body: bytes) -> Any:
        source = unquote(self.headers["x-amz-copy-source"]).partition("/")[2]
        found = self._found(source)
        self._check_kms()
        digest = base64.b64encode(hashlib.sha256(found.data).digest()).decode()
        self.state.objects[key] = Stored(found.data, digest, found.etag.partition("-")[0])
        told = f"<ETag>{found.etag}</ETag><LastModified>{_iso(found.modified)}</LastModified>"
        return _xml("CopyObjectResult", f"{told}<ChecksumSHA256>{digest}</ChecksumSHA256>")

    def _found(self, key: str) -> Stored:
        if key not in self.state.objects:
            raise Refused(404, "NoSuchKey")
        return self.state.objects[key]

    def do_GetObject(self, key: str, query: Any, body: bytes) -> Any:
        found = self._found(key)
        return 200, self._told(found), found.data

    def do_HeadObject(self, key: str, query: Any, body: bytes) -> Any:
        found = self._found(key)
        return 200, {**self._told(found), "Content-Length": str(len(found.data))}, b""

    def _told(self, found: Stored) -> dict[str, str]:
        told = {"ETag": f'"{found.etag}"', "Last-Modified": format_datetime(found.modified, True)}
        if self.command == "HEAD" and self.headers.get("x-amz-checksum-mode") == "ENABLED":
            told.update(_checksum(found))
        return {**told, **found.headers}

    def do_HeadBucket(self, key: str, query: Any, body: bytes) -> Any:
        return 200, {}, b""

    def do_ListObjectsV2(self, key: str, query: Any, body: bytes) -> Any:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        names: dict[str, Stored | None] = {}
        for name in sorted(self.state.objects, key=str.encode):
            if not name.startswith(prefix):
                continue
            cut = name.find(delimiter, len(prefix)) if delimiter else -1
            names[name[: cut + 1] if cut >= 0 else name] = (
                None if cut >= 0 else self.state.objects[name]
            )
        after = query.get("continuation-token", "").encode()
        left = [name for name in names if name.encode() > after]
        page = left[:3]  # small pages: every caller has to go on
        told = "".join(_listed(name, names[name]) for name in page)
        more = "true" if len(left) > len(page) else "false"
        told += f"<IsTruncated>{more}</IsTruncated><EncodingType>url</EncodingType>"
        if more == "true":
            told += f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        return _xml("ListBucketResult", told)

    def do_DeleteObjects(self, key: str, query: Any, body: bytes) -> Any:
        for name in re.findall(r"<Key>(.*?)</Key>", body.decode(), re.S):
            plain = ElementTree.fromstring(f"<k>{name}</k>").text or ""
            self.state.objects.pop(plain, None)
        return _xml("DeleteResult", "")

    def do_CreateMultipartUpload(self, key: str, query: Any, body: bytes) -> Any:
        self._check_kms()
        upload = f"upload-{next(self.state.ids)}"
        self.state.uploads[upload] = (key, {}, {})
        return _xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>")

    def _upload(self, query: Any) -> tuple[str, dict[int, Stored], dict[str, str]]:
        if query["uploadId"] not in self.state.uploads:
            raise Refused(404, "NoSuchUpload")
        return self.state.uploads[query["uploadId"]]

    def do_UploadPart(self, key: str, query: Any, body: bytes) -> Any:
        parts = self._upload(query)[1]
        require, self.state.require_kms = self.state.require_kms, False  # parts carry no key
        try:
            parts[int(query["partNumber"])] = stored = self._stored(body)
        finally:
            self.state.require_kms = require
        return 200, {"ETag": f'"{stored.etag}"', **_checksum(stored)}, b""

    def do_ListParts(self, key: str, query: Any, body: bytes) -> Any:
        self._upload(query)
        return _xml("ListPartsResult", "<IsTruncated>false</IsTruncated>")

    def do_ListMultipartUploads(self, key: str, query: Any, body: bytes) -> Any:
        told = "".join(
            f"<Upload><Key>{escape(name)}</Key><UploadId>{upload}</UploadId></Upload>"
            for upload, (name, *_) in self.state.uploads.items()
            if name.startswith(query.get("prefix", ""))
        )
        return _xml("ListMultipartUploadsResult", told)

    def do_AbortMultipartUpload(self, key: str, query: Any, body: bytes) -> Any:
        self._upload(query)
        del self.state.uploads[query["uploadId"]]
        return 204, {}, b""

    def do_CompleteMultipartUpload(self, key: str, query: Any, body: bytes) -> Any:
        parts = self._upload(query)[1]
        chosen, digests = [], []
        for each in ElementTree.fromstring(body).iter():
            if not each.tag.endswith("}Part"):
                continue
            told = {child.tag.rpartition("}")[2]: child.text or "" for child in each}
            stored = parts.get(int(told["PartNumber"]))
            if stored is None or told["ETag"].strip('"') != stored.etag:
                raise Refused(400, "InvalidPart")
            if told.get("ChecksumSHA256") != stored.checksum:
                raise Refused(400, "InvalidPart")
            chosen.append(stored.data)
            digests.append(base64.b64decode(stored.checksum or ""))
        whole = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
        checksum = f"{whole}-{len(digests)}"
        data = b"".join(chosen)
        etag = f"{hashlib.md5(data).hexdigest()}-{len(digests)}"
        self.state.objects[key] = Stored(data, checksum, etag)
        del self.state.uploads[query["uploadId"]]
        told_sum = f"<ETag>{etag}</ETag><ChecksumSHA256>{checksum}</ChecksumSHA256>"
        return _xml("CompleteMultipartUploadResult", told_sum)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _operation(method: str, key: str, query: dict[str, str], headers: dict[str, str]) -> str:
    lowered = {name.lower() for name in headers}
    if method == "POST":
        if "delete" in query:
            return "DeleteObjects"
        return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
    if method == "PUT":
        if "partNumber" in query:
            return "UploadPart"
        return "CopyObject" if "x-amz-copy-source" in lowered else "PutObject"
    if method == "GET":
        if "uploadId" in query:
            return "ListParts"
        if "uploads" in query:
            return "ListMultipartUploads"
        return "GetObject" if key else "ListObjectsV2"
    if method == "HEAD":
        return "HeadObject" if key else "HeadBucket"
    return "AbortMultipartUpload"


def _checksum(stored: Stored) -> dict[str, str]:
    return {} if stored.checksum is None else {"x-amz-checksum-sha256": stored.checksum}


def _listed(name: str, stored: Stored | None) -> str:
    shown = quote(name, safe="/")
    if stored is None:
        return f"<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>"
    return (
        f"<Contents><Key>{shown}</Key><LastModified>{_iso(stored.modified)}</LastModified>"
        f"<ETag>{stored.etag}</ETag><Size>{len(stored.data)}</Size></Contents>"
    )


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _xml(name: str, content: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/xml"}, f"<{name}>{content}</{name}>".encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client is what these tests are about."""


@contextmanager
def serving() -> Iterator[tuple[str, State]]:
    """Yield the address of a running server and its state."""
    state = State()
    handler = type("BoundHandler", (Handler,), {"state": state})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
