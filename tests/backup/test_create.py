"""What a backup takes, leaves out, reads again and does not send again."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_ml_ext.backup import send, snapshots
from secure_ml_ext.backup.create import Options, create, plan
from secure_ml_ext.backup.ignore import Ignore
from secure_ml_ext.backup.journal import Journal, journal_folder
from secure_ml_ext.backup.records import BackupError, BadRequest
from secure_ml_ext.backup.restore import Wish, restore
from secure_ml_ext.backup.scan import Look
from secure_ml_ext.backup.store import Damaged, Store, StoreError
from secure_ml_ext.backup.verify import content_of, verify
from tests.support.s3_faults import Fault, State

from .conftest import picture
from .driver import TUNING, options


def test_what_is_left_out(faulty: Store, tmp_path: Path) -> None:
    root = tmp_path / "volume"
    for folder in ("lost+found", ".Trash-1000", "a/.ipynb_checkpoints", "a/__pycache__", ".config"):
        (root / folder).mkdir(parents=True)
        (root / folder / "x").write_text("x")
    for name in ("BACKUP_COMPLETE", "SYNC_COMPLETE", "a/BACKUP_COMPLETE", ".secure-ml-restore-1"):
        (root / name).write_text("x")
    created = create(faulty, options(root))
    assert {(each.path, each.reason) for each in created.excluded} == {
        ("lost+found", "default"), (".Trash-1000", "default"), ("a/.ipynb_checkpoints", "default"),
        ("a/__pycache__", "default"), ("BACKUP_COMPLETE", "our own"), ("SYNC_COMPLETE", "our own"),
        (".secure-ml-restore-1", "our own"),
    }  # fmt: skip
    held = content_of(faulty, snapshots.names(faulty)[0]).files
    assert [each.path for each in held] == [".config/x", "a/BACKUP_COMPLETE"]


def test_the_ignore_file(tmp_path: Path) -> None:
    (tmp_path / ".secure-ml-ignore").write_text("*.log\n!keep.log\n/data/\n!__pycache__/\n# note\n")
    ignore = Ignore.of(tmp_path)
    assert ignore.reason("a/x.log", False) == ".secure-ml-ignore"
    assert ignore.reason("a/keep.log", False) is None
    assert ignore.reason("data", True) == ".secure-ml-ignore"
    assert ignore.reason("a/data", True) is None
    assert ignore.reason("a/__pycache__", True) is None
    assert ignore.reason("a/.ipynb_checkpoints", True) == "default"
    assert ignore.reason(os.fsdecode(b"\xff.log"), False) == ".secure-ml-ignore"


def test_what_cannot_be_read_is_named(faulty: Store, volume: Path) -> None:
    os.mkfifo(volume / "pipe")
    created = create(faulty, options(volume))
    assert [(each.path, each.reason) for each in created.skipped] == [("pipe", "is a named pipe")]
    assert snapshots.listing(faulty)[0].state == "complete-with-skipped"


def test_unchanged_files_are_neither_read_nor_sent(
    faulty: Store, faults: State, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(faulty, options(volume))
    # As if the files had lain there for a while: what was just touched is always read again.
    monkeypatch.setattr("secure_ml_ext.backup.create.TICK_NS", -(10**15))
    create(faulty, options(volume))
    read: list[int] = []
    monkeypatch.setattr(send, "read_exactly", lambda *given: read.append(1))
    faults.reset()
    again = create(faulty, options(volume))
    assert (again.copied, again.sent, read) == (8, 0, [])
    faults.reset()
    referring = create(faulty, options(volume, reference=True))
    assert (referring.referenced, faults.count("CopyObject"), read) == (8, 0, [])
    assert plan(faulty, options(volume)).unchanged == 8


def test_a_change_that_size_and_time_do_not_show(faulty: Store, volume: Path) -> None:
    create(faulty, options(volume))
    path = volume / "work" / "run.sh"
    status = path.stat()
    path.write_text("#!/bin/xx\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    created = create(faulty, options(volume))
    assert (created.sent, created.copied) == (1, 7)


def test_without_what_this_machine_remembers(
    faulty: Store, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(faulty, options(volume))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    created = create(faulty, options(volume))
    assert (created.sent, created.copied) == (0, 8)


def test_a_change_within_a_tick_of_a_killed_run(
    faulty: Store, faults: State, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal's look of a file fits, its content does not: it must be read again."""
    faults.faults = {number: Fault("drop") for number in range(14, 40)}  # the manifest
    with pytest.raises(StoreError):
        create(faulty, options(volume))
    faults.reset()
    path = volume / "work" / "run.sh"
    look = Look.of(path.stat())
    path.write_text("#!/bin/xx\n")
    plain = Look.of
    monkeypatch.setattr(
        Look, "of",
        lambda status: look if status.st_ino == look.inode else plain(status),
    )  # fmt: skip
    assert create(faulty, options(volume)).resumed
    # Of the files only this one was sent again.
    assert faults.count("PutObject", "work/run.sh") == 1
    assert faults.count("PutObject", "work/model.ipynb") == 0
    assert verify(faulty, content_of(faulty, snapshots.names(faulty)[0]), sample=100).faults == []
    key = f"{snapshots.names(faulty)[0]}/work/run.sh"
    assert faults.objects[key].data == b"#!/bin/xx\n"


def test_an_object_of_the_last_snapshot_is_gone(faulty: Store, faults: State, volume: Path) -> None:
    for reference in (False, True):
        first = create(faulty, options(volume))
        del faults.objects[f"{first.snapshot}/work/run.sh"]
        created = create(faulty, options(volume, reference=reference))
        assert created.sent == 1
        assert verify(faulty, content_of(faulty, snapshots.names(faulty)[0])).faults == []


def test_a_file_that_never_stands_still(
    faulty: Store, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = send.read_exactly

    def restless(file: Any, size: int) -> bytes:
        data = plain(file, size)
        if data.startswith(b"#!"):
            with (volume / "work" / "run.sh").open("a") as more:
                more.write("more\n")
        return data

    monkeypatch.setattr(send, "read_exactly", restless)
    created = create(faulty, options(volume))
    assert created.changed == ["work/run.sh"]
    assert snapshots.listing(faulty)[0].state == "complete-with-skipped"
    assert verify(faulty, content_of(faulty, snapshots.names(faulty)[0]), sample=100).faults == []


def test_kms(faulty: Store, faults: State, volume: Path) -> None:
    faults.require_kms = True
    with pytest.raises(StoreError, match="Access denied"):
        create(faulty, options(volume))
    faulty.kms_key = "arn:aws:kms:eu-west-1:123456789012:key/k"
    assert create(faulty, options(volume)).sent == 8
    assert create(faulty, options(volume)).copied == 8


def test_another_owner(faulty: Store, volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faulty, "owner", "999999999999")
    with pytest.raises(StoreError, match="Access denied"):
        create(faulty, options(volume))


@pytest.mark.parametrize("what", ["503", "drop"])
@pytest.mark.parametrize("after", [False, True])
def test_trouble_at_every_request(
    faulty: Store, faults: State, volume: Path, tmp_path: Path, what: str, after: bool
) -> None:
    """The answer to a conditional PUT may be lost too: the repetition finds its own object."""
    faults.faults = {number: Fault(what, after) for number in range(1, 16, 4)}
    created = create(faulty, options(volume))
    assert created.files == 8
    content = content_of(faulty, snapshots.names(faulty)[0])
    assert restore(faulty, content, Wish(tmp_path / "new")).announced
    assert picture(tmp_path / "new") == picture(volume)


def test_a_server_that_stores_something_else(
    faulty: Store, faults: State, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support import s3_faults

    wrong = {"x-amz-checksum-sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
    monkeypatch.setattr(s3_faults, "_checksum", lambda stored: wrong)
    with pytest.raises(Damaged):
        create(faulty, options(volume))
    monkeypatch.setattr(s3_faults, "_checksum", lambda stored: {})
    with pytest.raises(Damaged, match="stores no SHA-256"):
        create(faulty, options(volume))
    assert not [key for key in faults.objects if key.endswith("BACKUP_COMPLETE")]
    assert not (volume / "BACKUP_COMPLETE").exists()


def test_two_writers_of_one_name_at_once(
    faulty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = [tmp_path / str(number) for number in range(3)]
    done: list[str] = []
    for root in roots:
        root.mkdir()
        (root / "who").write_text(str(root))

    def run(root: Path) -> None:
        done.append(create(faulty, options(root)).snapshot)

    threads = [threading.Thread(target=run, args=(root,)) for root in roots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(done)) == 3
    for snapshot in snapshots.names(faulty):
        assert verify(faulty, content_of(faulty, snapshot), sample=100).faults == []


def test_one_backup_of_a_folder_at_a_time(faulty: Store, volume: Path) -> None:
    held = Journal(journal_folder("faulty", "nb", volume.resolve()))
    with held, pytest.raises(BackupError, match="is running here"):
        create(faulty, options(volume))


def test_names_and_roots(faulty: Store, volume: Path) -> None:
    for name in ("", "a_b", "-a", "a/b", "x" * 64):
        with pytest.raises(BadRequest):
            create(faulty, Options(volume, name))
    with pytest.raises(BadRequest, match="no such folder"):
        create(faulty, Options(volume / "nowhere", "nb"))
    with pytest.raises(BadRequest, match="no such folder"):
        create(faulty, Options(volume / ".hidden", "nb"))


NAME = st.binary(min_size=1, max_size=12).filter(
    lambda name: name not in (b".", b"..") and not set(name) & {0, 47}
)


CONTENT = st.binary(max_size=20)
FOLDER = st.dictionaries(NAME, CONTENT, max_size=3)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(NAME, CONTENT | FOLDER, max_size=5))
def test_any_tree(
    tmp_path_factory: pytest.TempPathFactory, faulty: Store, faults: State, tree: dict[bytes, Any]
) -> None:
    faults.clear()
    base = tmp_path_factory.mktemp("tree")
    root = os.fsencode(base / "volume")
    os.mkdir(root)
    for name, content in tree.items():
        path = os.path.join(root, name)
        if isinstance(content, bytes):
            Path(os.fsdecode(path)).write_bytes(content)
        else:
            os.mkdir(path)
            for inner, data in content.items():
                Path(os.fsdecode(os.path.join(path, inner))).write_bytes(data)
    create(faulty, Options(base / "volume", "nb", tuning=TUNING))
    content = content_of(faulty, snapshots.names(faulty)[0])
    assert restore(faulty, content, Wish(base / "back")).announced
    expected = {path: what for path, what in picture(base / "volume").items()
                if path != b".secure-ml" and not path.startswith(b".secure-ml/")}  # fmt: skip
    assert picture(base / "back") == expected
