"""A restore brings everything back, stays inside its root, and announces nothing untrue."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from secure_ml_ext.backup import snapshots, tree
from secure_ml_ext.backup.create import Options, create, mark, put_manifest
from secure_ml_ext.backup.keys import SnapshotName, parse_snapshot
from secure_ml_ext.backup.manifest import pack
from secure_ml_ext.backup.records import BackupError, BadRequest, Entry, Header, NotComplete
from secure_ml_ext.backup.restore import Restored, Wish, restore
from secure_ml_ext.backup.send import Tuning
from secure_ml_ext.backup.store import Store
from secure_ml_ext.backup.verify import Content, content_of, verify
from tests.support.s3_faults import Fault, State, Stored

from .conftest import picture
from .driver import options


def taken(store: Store, volume: Path) -> Content:
    """Back the volume up; returns what the snapshot holds."""
    snapshot = parse_snapshot(create(store, options(volume)).snapshot)
    assert snapshot is not None
    return content_of(store, snapshot)


def back(store: Store, content: Content, root: Path, *paths: str, **more: object) -> Restored:
    return restore(store, content, Wish(root, paths, **more))  # type: ignore[arg-type]


def test_everything_comes_back(faulty: Store, volume: Path, tmp_path: Path) -> None:
    expected = picture(volume)
    restored = back(faulty, taken(faulty, volume), tmp_path / "new")
    assert picture(tmp_path / "new") == expected
    # 8 files, 2 links, 2 folders.
    assert (len(restored.written), restored.kept, restored.announced) == (12, [], True)
    text = (tmp_path / "new" / "SYNC_COMPLETE").read_text()
    assert re.fullmatch(
        r"Completed at .* UTC\nRestored s3://faulty/nb_.*/\nmanifest-sha256: .{64}\n", text
    )


def test_the_same_from_the_embedded_aws(store: Store, volume: Path, tmp_path: Path) -> None:
    (volume / "larger.bin").write_bytes(bytes(range(256)) * 22_000)  # 5.6 MB: S3 wants 5 MiB parts
    asked = Options(volume, "nb", tuning=Tuning(single=1_000_000, part=5 * 1024 * 1024))
    first = create(store, asked)
    content = content_of(store, snapshots.names(store)[0])
    assert [each.path for each in content.files if (each.checksum or "").endswith("-2")] == [
        "larger.bin"
    ]
    assert verify(store, content, sample=100).faults == []
    assert back(store, content, tmp_path / "new").announced
    assert picture(tmp_path / "new") == picture(volume)
    again = create(store, asked)
    assert (first.sent, again.sent, again.copied) == (9, 0, 9)
    # A copy is in one piece, and its checksum of another kind.
    second = content_of(store, snapshots.names(store)[0])
    assert str(second.snapshot) == again.snapshot
    assert [each.path for each in second.files if each.checksum] == []
    assert verify(store, second, sample=100).faults == []
    marker = store.read(f"{again.snapshot}/BACKUP_COMPLETE", 1000)
    assert marker is not None
    assert marker == (volume / "BACKUP_COMPLETE").read_bytes()
    assert marker.decode().splitlines()[0] == f"Created {again.uri}"


def test_every_object_damaged_in_turn(
    faulty: Store, faults: State, volume: Path, tmp_path: Path
) -> None:
    content = taken(faulty, volume)
    for number, entry in enumerate(content.files):
        key = entry.key or ""
        whole = faults.objects[key]
        for damage in ("gone", "short", "flipped"):
            if not whole.data and damage != "gone":
                continue
            if damage == "gone":
                del faults.objects[key]
            elif damage == "short":
                faults.objects[key] = type(whole)(whole.data[:-1], whole.checksum, whole.etag)
            else:
                flipped = bytes([whole.data[0] ^ 1]) + whole.data[1:]
                faults.objects[key] = type(whole)(flipped, whole.checksum, whole.etag)
            found = verify(faulty, content, sample=100).faults
            assert [(each.path, each.key) for each in found] == [(entry.path, key)]
            root = tmp_path / f"{number}-{damage}"
            if damage == "flipped":  # S3's checksum still fits: only reading tells
                restored = back(faulty, content, root)
                assert [each.path for each in restored.faults] == [entry.path]
                assert not restored.announced
                assert os.fsencode(entry.location) not in picture(root)
            else:
                with pytest.raises(BackupError, match="nothing was written"):
                    back(faulty, content, root)
                assert not root.exists()
            assert not (root / "SYNC_COMPLETE").exists()
            faults.objects[key] = whole
    assert verify(faulty, content, sample=100).faults == []


def test_an_object_of_other_bytes_with_its_own_checksum(
    faulty: Store, faults: State, volume: Path
) -> None:
    content = taken(faulty, volume)
    entry = next(each for each in content.files if each.path == "work/run.sh")
    faulty.put(entry.key or "", b"#!/bin/xx\n")
    assert [each.problem for each in verify(faulty, content).faults] == ["checksum"]
    # Without a stored checksum the object is read.
    faults.objects[entry.key or ""].checksum = None
    assert [each.problem for each in verify(faulty, content).faults] == ["content"]


def test_a_damaged_manifest_or_marker_is_no_complete_snapshot(
    faulty: Store, faults: State, volume: Path
) -> None:
    content = taken(faulty, volume)
    name = content.snapshot
    key = name.prefix + ".secure-ml/manifest.jsonl.gz"
    whole = faults.objects[key]
    flipped = whole.data[:-9] + bytes([whole.data[-9] ^ 1]) + whole.data[-8:]
    # S3's own checksum is believed in a list; who uses the manifest compares it again.
    faults.objects[key] = type(whole)(flipped, whole.checksum, whole.etag, whole.headers)
    with pytest.raises(BackupError, match="does not match the SHA-256"):
        content_of(faulty, name)
    faulty.put(key, flipped)
    assert snapshots.inspect(faulty, name).state == "incomplete"
    faults.objects[key] = whole
    marker = name.prefix + "BACKUP_COMPLETE"
    faulty.put(marker, b"Created s3://faulty/other_2026-01-01-00-00-00/\nCompleted at now\n")
    assert snapshots.inspect(faulty, name).state in ("running", "incomplete")
    with pytest.raises(NotComplete):
        content_of(faulty, name)


@pytest.mark.parametrize("what", ["503", "drop", "truncate", "flip"])
def test_trouble_on_the_way(
    faulty: Store, faults: State, volume: Path, tmp_path: Path, what: str
) -> None:
    (volume / ".hidden").write_text("not empty: there must be something to cut")
    content = taken(faulty, volume)
    faults.reset()
    # 8 objects are looked at first; the tenth request reads one.
    faults.faults = {9: Fault(what)}
    try:
        restored = back(faulty, content, tmp_path / "new")
    except BackupError:
        assert not (tmp_path / "new" / "SYNC_COMPLETE").exists()
    else:
        assert restored.announced == (what in ("503", "drop"))
        assert bool(restored.faults) == (what == "flip")
    restored = back(faulty, content, tmp_path / "new")
    assert restored.announced
    assert restored.same > 0, "what was right was not written again"
    assert picture(tmp_path / "new") == picture(volume)


def test_what_may_be_replaced(faulty: Store, volume: Path, tmp_path: Path) -> None:
    content = taken(faulty, volume)
    root = tmp_path / "new"
    back(faulty, content, root)
    (root / "work" / "run.sh").write_text("mine, newer")
    (root / "caf\u00e9").write_text("mine, older")
    os.utime(root / "caf\u00e9", ns=(1, 1))
    kept = back(faulty, content, root)
    assert sorted(each.path for each in kept.kept) == ["caf\u00e9", "work/run.sh"]
    assert not kept.announced
    assert not (root / "SYNC_COMPLETE").exists(), "the old one is not true any more"
    dry = back(faulty, content, root, overwrite="all", dry_run=True)
    assert sorted(dry.replaced) == ["caf\u00e9", "work/run.sh"]
    assert (root / "caf\u00e9").read_text() == "mine, older"
    older = back(faulty, content, root, overwrite="older")
    assert (older.replaced, [each.path for each in older.kept]) == (["caf\u00e9"], ["work/run.sh"])
    assert back(faulty, content, root, overwrite="all").announced
    assert picture(root) == picture(volume)


def test_a_part(faulty: Store, volume: Path, tmp_path: Path) -> None:
    content = taken(faulty, volume)
    restored = back(faulty, content, tmp_path / "new", "work", "new\nline.txt")
    assert set(picture(tmp_path / "new")) == {b"work", b"work/model.ipynb", b"work/run.sh",
                                              b"new\nline.txt"}  # fmt: skip
    assert not restored.announced
    # Of a file alone the folder above is made too, as it was; one that is there stays as it is.
    back(faulty, content, tmp_path / "one", "work/run.sh")
    assert picture(tmp_path / "one")[b"work"] == picture(volume)[b"work"]
    (tmp_path / "one" / "work").chmod(0o700)
    back(faulty, content, tmp_path / "one", "work/model.ipynb")
    assert (tmp_path / "one" / "work").stat().st_mode & 0o777 == 0o700
    with pytest.raises(BadRequest, match="is not in the snapshot"):
        back(faulty, content, tmp_path / "new", "wor")


@pytest.mark.parametrize("overwrite", ["never", "older", "all"])
def test_never_through_a_link(faulty: Store, volume: Path, tmp_path: Path, overwrite: str) -> None:
    content = taken(faulty, volume)
    root, outside = tmp_path / "new", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "work").symlink_to(outside)
    (root / ".hidden").symlink_to(outside / "made")
    restored = back(faulty, content, root, overwrite=overwrite)
    assert list(outside.iterdir()) == []
    if overwrite == "all":
        assert picture(root) == picture(volume)
        assert restored.announced
    else:
        assert (root / "work").is_symlink()
        assert {each.path for each in restored.kept} >= {"work", "work/run.sh", "work/model.ipynb"}


def test_a_full_disk(
    faulty: Store, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = taken(faulty, volume)
    root = tmp_path / "new"
    root.mkdir()
    (root / "large.bin").write_text("the old one")

    def full(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(tree, "_write_all", full)
        with pytest.raises(BackupError, match="disk is full"):
            back(faulty, content, root, overwrite="all")
    assert (root / "large.bin").read_text() == "the old one"
    assert not [each for each in os.listdir(root) if each.startswith(".secure-ml-restore-")]
    assert back(faulty, content, root, overwrite="all").announced

    with monkeypatch.context() as patch:
        patch.setattr(tree.Tree, "free", lambda self: 100)
        with pytest.raises(BackupError, match="100 bytes left"):
            back(faulty, content, tmp_path / "third")
    assert list((tmp_path / "third").iterdir()) == []


def test_a_forged_snapshot(faulty: Store, tmp_path: Path) -> None:
    """Marker and manifest fit, and the manifest wants to write through a link."""
    name = SnapshotName("nb", "2026-11-24-10-00-00")
    faulty.put(f"{name}/x", b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    entries = [
        Entry("a", "symlink", target="/etc"),
        Entry("a/x", "file", sha256=empty, key=f"{name}/x"),
    ]
    header = Header("secure-ml/snapshot@1", str(name), "now", "/", "forger", 1, 0, 2)
    data = pack(header, entries)
    put_manifest(faulty, name, header, data)
    mark(faulty, name, hashlib.sha256(data).hexdigest())
    assert snapshots.inspect(faulty, name).state == "complete"
    with pytest.raises(BackupError, match="no folder"):
        content_of(faulty, name)


def test_set_uid_is_not_restored(faulty: Store, volume: Path, tmp_path: Path) -> None:
    (volume / "work" / "run.sh").chmod(0o4755)
    back(faulty, taken(faulty, volume), tmp_path / "new")
    assert (tmp_path / "new" / "work" / "run.sh").stat().st_mode & 0o7777 == 0o755


def test_one_restore_into_a_folder_at_a_time(faulty: Store, volume: Path, tmp_path: Path) -> None:
    content = taken(faulty, volume)
    (tmp_path / "new").mkdir()
    with tree.Tree(tmp_path / "new"), pytest.raises(BackupError, match="Another restore"):
        back(faulty, content, tmp_path / "new")


def test_where_this_user_may_not_write(
    faulty: Store, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = taken(faulty, volume)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(BackupError, match="may not write there"):
        back(faulty, content, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


KILLED = """
import sys
from pathlib import Path
from secure_ml_ext.backup import snapshots
from secure_ml_ext.backup.restore import Wish, restore
from secure_ml_ext.backup.store import Store
from secure_ml_ext.backup.verify import content_of
store = Store("faulty", owner="123456789012", endpoint_url=sys.argv[1])
content = content_of(store, snapshots.names(store)[0])
print("ready", flush=True)
sys.stdin.readline()
restore(store, content, Wish(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("at", [0, 7, 9, 11, 15])
def test_a_killed_restore_goes_on(
    faulty: Store, faults: State, faulty_server: tuple[str, State], volume: Path,
    tmp_path: Path, at: int,
) -> None:  # fmt: skip
    content = taken(faulty, volume)
    root = tmp_path / "new"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, faulty_server[0], str(root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    faults.reset()
    faults.faults = {at: Fault("kill", pid=process.pid)}
    process.communicate(b"go\n")
    assert process.returncode == -9
    assert not (root / "SYNC_COMPLETE").exists()
    faults.reset()
    assert back(faulty, content, root).announced
    assert picture(root) == picture(volume), "nothing unfinished is left"


def test_a_golden_snapshot_of_version_1(faulty: Store, faults: State, tmp_path: Path) -> None:
    """What the first version wrote must be listed, verified and restored for ever."""
    path = Path(__file__).parents[1] / "data" / "snapshots" / "version-1.json"
    for key, each in json.loads(path.read_text()).items():
        data = base64.b64decode(each["data"])
        faults.objects[key] = Stored(data, each["checksum"], each["etag"], each["headers"])
    (found,) = snapshots.listing(faulty)
    assert (found.snapshot, found.state) == ("golden_2026-11-24-20-00-00", "complete-with-skipped")
    assert (found.files, found.bytes, found.skipped) == (5, 5152, 1)
    content = content_of(faulty, snapshots.names(faulty)[0])
    assert verify(faulty, content, sample=100).faults == []
    assert back(faulty, content, tmp_path / "new").announced
    old = 1_577_836_800_123_456_789
    assert picture(tmp_path / "new") == {
        b"caf\xc3\xa9": (0o100644, old, b"composed"),
        b"dangling": (0, old, b"../../nowhere"),
        b"empty": (0o40750, old, None),
        b"large.bin": (0o100644, old, bytes(range(256)) * 20),
        b"new\nline.txt": (0o100644, old, b"a newline"),
        b"not-utf8-\xff": (0o100644, old, b"bytes"),
        b"work": (0o40755, old, None),
        b"work/run.sh": (0o100755, old, b"#!/bin/sh\n"),
    }
