"""Makes a manifest for a complete snapshot of the AWS scripts, from what its objects hold."""

from __future__ import annotations

import datetime
import hashlib
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from msgspec import Struct
from msgspec.structs import replace

from .create import mark, put_manifest
from .keys import SnapshotName
from .manifest import pack
from .records import SCHEMA, BadRequest, Entry, Header
from .store import WORKERS, Store
from .verify import checked_chunks, content_of, etag_md5


class Adopted(Struct, frozen=True):
    """The outcome; what ``left_out`` names lies in the bucket but is not part of the snapshot."""

    snapshot: str
    files: int
    bytes: int
    left_out: list[Entry]
    manifest_sha256: str


def adopt(store: Store, snapshot: SnapshotName) -> Adopted:
    """Read every object and write manifest and marker; raises ``NotComplete``.

    What the script skipped when it made the snapshot, nobody can know any more.
    """
    content = content_of(store, snapshot)
    if content.manifest is not None:
        raise BadRequest(f"{snapshot} has a manifest already")
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="secure-ml-adopt") as pool:
        entries = list(pool.map(lambda entry: _read(store, entry), content.entries))
    refused = [entry for entry in content.left_out if entry.type == "skipped"]
    lines = sorted([*entries, *refused], key=lambda entry: entry.path.encode())
    files = [entry for entry in entries if entry.type == "file"]
    now = datetime.datetime.now(datetime.timezone.utc)
    header = Header(
        SCHEMA, str(snapshot), now.strftime("%Y-%m-%dT%H:%M:%SZ"), "",
        f"secure_ml_ext {version('secure_ml_ext')}", len(files),
        sum(entry.size for entry in files), len(lines), len(refused), adopted=True,
    )  # fmt: skip
    data = pack(header, lines)
    sha256 = hashlib.sha256(data).hexdigest()
    put_manifest(store, snapshot, header, data)
    mark(store, snapshot, sha256)
    return Adopted(str(snapshot), len(files), header.bytes, content.left_out, sha256)


def _read(store: Store, entry: Entry) -> Entry:
    if entry.type != "file":
        return entry
    whole = hashlib.sha256()
    for chunk in checked_chunks(store, entry, etag_md5(store, entry)):
        whole.update(chunk)
    return replace(entry, sha256=whole.hexdigest())
