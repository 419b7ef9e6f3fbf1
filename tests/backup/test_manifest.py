"""What is written is read back; what is forged or newer is refused in one sentence."""

from __future__ import annotations

import base64
import gzip
import json
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from secure_ml_ext.backup.keys import key_of, parse_snapshot, snapshot_of
from secure_ml_ext.backup.manifest import pack, unpack
from secure_ml_ext.backup.records import (
    BadRequest,
    Entry,
    Header,
    NewerFormat,
    NotBelievable,
    encoded,
)

DATA = Path(__file__).parents[1] / "data" / "snapshots" / "version-1.json"
SNAPSHOT = "nb_2026-11-24-10-00-00"
SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def header(entries: list[Entry], **more: Any) -> Header:
    files = [entry for entry in entries if entry.type == "file"]
    told = {"schema": "secure-ml/snapshot@1", "snapshot": SNAPSHOT, "root": "/r", "tool": "t",
            "created": "2026-11-24T10:00:00Z", "files": len(files), "entries": len(entries),
            "bytes": sum(entry.size for entry in files)}  # fmt: skip
    return Header(**{**told, **more})


def file(path: str, **more: Any) -> Entry:
    return Entry(path, "file", **{"sha256": SHA, "key": f"{SNAPSHOT}/{path}", **more})


def refused(*entries: Entry, **more: Any) -> str:
    with pytest.raises(NotBelievable) as caught:
        unpack(pack(header(list(entries), **more), entries), "here")
    assert str(caught.value).startswith("here: ")
    return str(caught.value)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../out", "a/../../out", "a//b", ".", "a/.", "", "a\0"]
)
def test_a_path_that_leads_out(path: str) -> None:
    refused(Entry("a", "directory"), file(path))


def test_a_path_that_leads_out_in_bytes() -> None:
    raw = base64.b64encode(b"../\xff").decode()
    assert "below the root" in refused(file("..", raw=raw))


def test_raw_bytes_that_show_another_name() -> None:
    raw = base64.b64encode(b"authorized_keys").decode()
    assert "another name" in refused(file("harmless.txt", raw=raw))


def test_writing_through_a_link() -> None:
    link = Entry("a", "symlink", target="/etc")
    assert "no folder" in refused(link, file("a/passwd"))
    assert "no folder" in refused(file("a"), file("a/b"))
    assert "no folder" in refused(file("a/b"))


def test_a_path_twice() -> None:
    assert "twice" in refused(file("a"), file("a"))
    assert "twice" in refused(Entry("a", "directory"), file("a"))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (file("a", size=-1), "size"),
        (file("a", size=2**60), "size"),
        (file("a", mode=0o10777), "mode"),
        (file("a", mtime_ns=2**63), "mode or time"),
        (file("a", sha256=None), "SHA-256"),
        (file("a", sha256="E3" * 32), "SHA-256"),
        (file("a", key=None), "no snapshot"),
        (file("a", key="other-bucket-data/secret"), "no snapshot"),
        (file("a", part_size=0), "part size"),
        (file("a", checksum="x"), "checksum"),
        (Entry("a", "symlink"), "target"),
        (Entry("a", "device"), "device"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be(entry: Entry, said: str) -> None:
    assert said in refused(entry)


def test_a_header_that_counts_otherwise() -> None:
    assert "counts other" in refused(file("a"), files=2)
    assert "counts other" in refused(file("a", size=3), bytes=2)
    assert "no name" in refused(snapshot="nb")


@pytest.mark.parametrize("schema", ["secure-ml/snapshot@2", "secure-ml/snapshot@10"])
def test_a_newer_version(schema: str) -> None:
    with pytest.raises(NewerFormat, match=r"newer version.*upgrade secure_ml_ext"):
        unpack(pack(header([], schema=schema), []), "here")


def test_a_newer_version_whose_lines_cannot_be_read_either() -> None:
    lines = b'{"schema": "secure-ml/snapshot@3", "everything": "else"}\n[1, 2]\n'
    with pytest.raises(NewerFormat):
        unpack(gzip.compress(lines), "here")


def test_bytes_that_unpack_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secure_ml_ext.backup.manifest.MOST_UNPACKED", 1_000_000)
    entries = [file(f"{number:0900}") for number in range(1000)]
    with pytest.raises(NotBelievable, match="more than a manifest can hold"):
        unpack(pack(header(entries), entries), "here")


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for each in (
        data,
        gzip.compress(data),
        gzip.compress(b'{"schema":"secure-ml/snapshot@1"}\n' + data),
    ):
        with pytest.raises(NotBelievable):
            unpack(each, "here")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
MEMBERS = st.sampled_from([each.name for each in (*fields(Entry), *fields(Header))])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(MEMBERS, JSON), st.lists(st.dictionaries(MEMBERS, JSON), max_size=3))
def test_any_lines(first: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    whole = {**msgspec.to_builtins(header([])), **first}
    fitting = {**whole, "schema": "secure-ml/snapshot@1", "entries": len(entries)}
    for start in (first, whole, fitting):
        lines = "".join(json.dumps(each) + "\n" for each in (start, *entries))
        with suppress(NotBelievable):
            assert len(unpack(gzip.compress(lines.encode()), "here").entries) == len(entries)


def test_a_cut_manifest() -> None:
    data = pack(header([file("a")]), [file("a")])
    for cut in range(len(data)):
        with pytest.raises(NotBelievable):
            unpack(data[:cut], "here")


NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda b: b not in (b".", b"..") and not set(b) & {0, 47}
)


@given(st.lists(NAMES, unique=True, max_size=8), NAMES)
def test_any_names(names: list[bytes], target: bytes) -> None:
    entries = []
    for name in names:
        path, raw = encoded(os.fsdecode(name))
        key = key_of(parsed(), os.fsdecode(name))
        key.encode("utf-8")
        assert len(key.encode()) <= 1024
        entries.append(Entry(path, "file", raw=raw, sha256=SHA, key=key))
    text, raw = encoded(os.fsdecode(target))
    entries.append(Entry("link" * 20, "symlink", target=text, target_raw=raw))
    back = unpack(pack(header(entries), entries), "here")
    assert back.entries == entries
    assert [os.fsencode(each.location) for each in back.entries[:-1]] == names
    assert os.fsencode(back.entries[-1].link) == target
    assert len({each.key for each in back.files()}) == len(names)


def parsed() -> Any:
    return parse_snapshot(SNAPSHOT)


def test_keys() -> None:
    snapshot = parsed()
    assert key_of(snapshot, "a/caf\u00e9 +%?.txt") == f"{SNAPSHOT}/a/caf\u00e9 +%?.txt"
    # sha256(b"BACKUP_COMPLETE/x"), a folder that is called like the marker.
    own = key_of(snapshot, "BACKUP_COMPLETE/x")
    assert own.startswith(f"{SNAPSHOT}/.secure-ml/names/")
    for path in ("a\nb", os.fsdecode(b"\xff"), ".secure-ml/manifest.jsonl.gz", "x" * 1025):
        assert key_of(snapshot, path).startswith(f"{SNAPSHOT}/.secure-ml/names/")


def test_names_of_snapshots() -> None:
    assert parse_snapshot("a_b_2026-11-24-10-00-00") == ("a_b", "2026-11-24-10-00-00")
    for text in ("a", "a_2026-02-31-10-00-00", "_2026-11-24-10-00-00", "a/b_2026-11-24-10-00-00"):
        assert parse_snapshot(text) is None
    assert snapshot_of(f"s3://bucket/{SNAPSHOT}/") == ("bucket", parsed())
    assert snapshot_of(SNAPSHOT) == (None, parsed())
    for text in ("s3://B/x", "nb", f"s3://bucket/deeper/{SNAPSHOT}"):
        with pytest.raises(BadRequest):
            snapshot_of(text)


def golden() -> bytes:
    """The manifest of the golden snapshot."""
    stored = json.loads(DATA.read_text())["golden_2026-11-24-20-00-00/.secure-ml/manifest.jsonl.gz"]
    return base64.b64decode(stored["data"])


def test_a_golden_manifest_of_version_1() -> None:
    """A manifest as the first version wrote it must be readable for ever."""
    manifest = unpack(golden(), "golden")
    assert manifest.header.snapshot == "golden_2026-11-24-20-00-00"
    assert [(each.type, each.location) for each in manifest.entries] == [
        ("excluded", "BACKUP_COMPLETE"),
        ("file", "caf\u00e9"),
        ("symlink", "dangling"),
        ("directory", "empty"),
        ("file", "large.bin"),
        ("file", "new\nline.txt"),
        ("file", "not-utf8-\udcff"),
        ("skipped", "pipe"),
        ("directory", "work"),
        ("file", "work/run.sh"),
    ]
    by = manifest.by_location()
    assert by["work/run.sh"].mode == 0o755
    assert by["work/run.sh"].mtime_ns == 1_577_836_800_123_456_789
    # printf '#!/bin/sh\n' | sha256sum
    assert (
        by["work/run.sh"].sha256
        == "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf"
    )
    assert by["dangling"].link == "../../nowhere"
    assert by["large.bin"].part_size == 2048
    assert (by["large.bin"].checksum or "").endswith("-3")
    # Written again it is the same, byte for byte but for gzip's own.
    again = pack(manifest.header, manifest.entries)
    assert gzip.decompress(again) == gzip.decompress(golden())
    assert struct.unpack("<I", again[4:8]) == (0,), "the time in gzip's header changes nothing"


def test_the_golden_manifest_is_text_as_documented() -> None:
    first, *lines = gzip.decompress(golden()).splitlines()
    assert msgspec.json.decode(first)["schema"] == "secure-ml/snapshot@1"
    assert all("path" in msgspec.json.decode(line) for line in lines)
