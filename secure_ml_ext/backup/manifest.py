"""The manifest: JSON lines, gzip; written once, read with suspicion.

A manifest decides what a restore writes, so that reading one checks everything that could lead
out of the root: absolute and climbing paths, duplicates, entries below a file or a link, unknown
types, sizes, keys outside a snapshot.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .keys import parse_snapshot
from .records import (
    SCHEMA,
    VERSION,
    Entry,
    Header,
    Manifest,
    NewerFormat,
    NotBelievable,
    encoded,
)

MOST_PACKED = 512 * 1024 * 1024
MOST_UNPACKED = 2 * 1024 * 1024 * 1024
MOST_LINE = 128 * 1024
MOST_SIZE = 50 * 1024**4  # S3's largest object is 50 TB
_SCHEMA = re.compile(r"secure-ml/snapshot@([0-9]{1,9})", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CHECKSUM = re.compile(r"[A-Za-z0-9+/]{43}=(-[0-9]{1,5})?", re.ASCII)
_INT64 = 2**63


def pack(header: Header, entries: Iterable[Entry]) -> bytes:
    """Return the bytes of a manifest; the same input gives the same bytes."""
    encoder = msgspec.json.Encoder()
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0, filename="") as file:
        file.write(encoder.encode(header) + b"\n")
        for entry in entries:
            file.write(encoder.encode(entry) + b"\n")
    return buffer.getvalue()


def unpack(data: bytes, origin: str) -> Manifest:
    """Return a checked manifest; raises ``NotBelievable`` with ``origin`` and the place.

    Raises ``NewerFormat`` for a version this product does not know.
    """
    if len(data) > MOST_PACKED:
        raise NotBelievable(f"{origin}: a manifest of {len(data)} bytes is not believable")
    lines = _lines(data, origin)
    header = _header(next(lines, b""), origin)
    decoder = msgspec.json.Decoder(Entry)
    entries: list[Entry] = []
    for number, line in enumerate(lines, 2):
        try:
            entry = decoder.decode(line)
            _check(entry)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise NotBelievable(f"{origin}: line {number}: {error}") from error
        entries.append(entry)
    _check_whole(header, entries, origin)
    return Manifest(header, entries, hashlib.sha256(data).hexdigest())


def _lines(data: bytes, origin: str) -> Iterator[bytes]:
    total = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while line := file.readline(MOST_LINE + 1):
                total += len(line)
                if len(line) > MOST_LINE or total > MOST_UNPACKED:
                    raise NotBelievable(f"{origin}: unpacks to more than a manifest can hold")
                if not line.endswith(b"\n"):
                    raise NotBelievable(f"{origin}: the last line is cut off")
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise NotBelievable(f"{origin}: not readable as gzip: {error}") from error


def _header(line: bytes, origin: str) -> Header:
    try:
        content: Any = msgspec.json.decode(line)
        schema = content.get("schema") if isinstance(content, dict) else None
        found = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
        if found is None:
            raise NotBelievable(f"{origin}: its first line does not say {SCHEMA}")
        if int(found[1]) > VERSION:
            raise NewerFormat(
                f"{origin}: written by a newer version ({schema}; this one reads {SCHEMA}): "
                "upgrade secure_ml_ext to read it"
            )
        return msgspec.convert(content, Header)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotBelievable(f"{origin}: line 1: {error}") from error


def check_path(data: str) -> None:
    """Raise ``ValueError`` for a path that is not plainly below the root."""
    if not data or "\0" in data:
        raise ValueError("a path is empty or holds a zero byte")
    if any(part in ("", ".", "..") for part in data.split("/")):
        raise ValueError(f"the path {data!r} is not plainly below the root")


def _check(entry: Entry) -> None:
    for raw in (entry.raw, entry.target_raw):
        if raw is not None:
            try:
                base64.b64decode(raw, validate=True)
            except binascii.Error as error:
                raise ValueError(f"a name is not base64: {error}") from error
    check_path(entry.location)
    # What is shown is what is written: raw bytes stand only where the text cannot.
    if encoded(entry.location) != (entry.path, entry.raw):
        raise ValueError(f"{entry.path!r}: shows another name than it has")
    if not 0 <= entry.mode <= 0o7777 or not -_INT64 <= entry.mtime_ns < _INT64:
        raise ValueError(f"{entry.path!r}: mode or time out of range")
    if not 0 <= entry.size <= MOST_SIZE:
        raise ValueError(f"{entry.path!r}: size out of range")
    if entry.type == "symlink" and (not entry.link or "\0" in entry.link):
        raise ValueError(f"{entry.path!r}: a link without a target")
    if entry.type == "file":
        _check_file(entry)


def _check_file(entry: Entry) -> None:
    if entry.sha256 is None or not _HEX.fullmatch(entry.sha256):
        raise ValueError(f"{entry.path!r}: no SHA-256")
    snapshot, slash, rest = (entry.key or "").partition("/")
    if not slash or not rest or parse_snapshot(snapshot) is None:
        raise ValueError(f"{entry.path!r}: the key {entry.key!r} belongs to no snapshot")
    if entry.part_size is not None and entry.part_size < 1:
        raise ValueError(f"{entry.path!r}: part size out of range")
    if entry.checksum is not None and not _CHECKSUM.fullmatch(entry.checksum):
        raise ValueError(f"{entry.path!r}: no checksum")


def _check_whole(header: Header, entries: list[Entry], origin: str) -> None:
    """Check what no single line shows: counts, duplicates, and entries below a non-folder."""
    kinds: dict[str, str] = {}
    files = total = skipped = 0
    for entry in entries:
        if entry.type in ("skipped", "excluded"):
            skipped += entry.type == "skipped"
            continue
        place = entry.location
        if place in kinds:
            raise NotBelievable(f"{origin}: {entry.path!r} stands in it twice")
        kinds[place] = entry.type
        if entry.type == "file":
            files, total = files + 1, total + entry.size
    for place in kinds:
        parent = place.rpartition("/")[0]
        # The nearest parent is enough: it is in the manifest itself, or checked for its own.
        if parent and kinds.get(parent) != "directory":
            raise NotBelievable(f"{origin}: {place!r} lies below what is no folder")
    told = (header.files, header.bytes, header.entries, header.skipped)
    if told != (files, total, len(entries), skipped):
        raise NotBelievable(f"{origin}: its header counts other entries than it holds")
    if parse_snapshot(header.snapshot) is None:
        raise NotBelievable(f"{origin}: {header.snapshot!r} is no name of a snapshot")
