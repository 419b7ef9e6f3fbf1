"""Snapshots of the AWS scripts: their true state, what of them can be checked, and adoption."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from secure_ml_ext.backup import snapshots
from secure_ml_ext.backup.adopt import adopt
from secure_ml_ext.backup.keys import parse_snapshot
from secure_ml_ext.backup.records import BadRequest, NotComplete
from secure_ml_ext.backup.restore import Wish, restore
from secure_ml_ext.backup.snapshots import read_marker
from secure_ml_ext.backup.store import Store
from secure_ml_ext.backup.verify import content_of, verify
from tests.support.s3_faults import State

NAME = "old-notebook_2024-03-01-08-00-00"


def synced(store: Store, faults: State, marker: str | None, hours: float = 5) -> None:
    """Put what `aws s3 sync` puts: no checksums, the seeds' marker."""
    files = {
        "train.ipynb": b"{}", "data/a.csv": b"1,2\n", "data/.ipynb_checkpoints/a.csv": b"old",
        "lost+found/x": b"x", "SYNC_COMPLETE": b"Completed at then\n",
    }  # fmt: skip
    if marker is not None:
        files["BACKUP_COMPLETE"] = marker.encode()
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=hours)
    for path, data in files.items():
        store.put(f"{NAME}/{path}", data)
        stored = faults.objects[f"{NAME}/{path}"]
        stored.checksum, stored.modified = None, then


MARKER = f"Created s3://faulty/{NAME}/\nCompleted at Fri Mar  1 08:04:11 UTC 2024\n"
STALE = MARKER.replace("03-01", "02-01")


@pytest.mark.parametrize(
    ("marker", "hours", "state"),
    [
        (MARKER, 5, "complete-unverified"),
        (STALE, 5, "stale-marker"),
        ("", 5, "stale-marker"),
        (None, 5, "dead"),
        (None, 0, "running"),
    ],
)
def test_states(faulty: Store, faults: State, marker: str | None, hours: float, state: str) -> None:
    synced(faulty, faults, marker, hours)
    (found,) = snapshots.listing(faulty)
    assert (found.snapshot, found.state, found.by) == (NAME, state, "aws-script")
    # The two files, the checkpoint and lost+found; no marker.
    assert (found.files, found.bytes) == (4, 2 + 4 + 3 + 1)


def test_other_folders_of_the_bucket_are_no_snapshots(faulty: Store) -> None:
    for key in ("readme", "data/x", "nb_2026/x", "nb_2026-02-31-00-00-00/x"):
        faulty.put(key, b"")
    assert snapshots.listing(faulty) == []
    with pytest.raises(BadRequest, match="There is no snapshot"):
        snapshots.inspect(faulty, parse_snapshot(NAME))  # type: ignore[arg-type]


def test_verified_as_far_as_can_be(faulty: Store, faults: State) -> None:
    synced(faulty, faults, MARKER)
    content = content_of(faulty, parse_snapshot(NAME))  # type: ignore[arg-type]
    assert [entry.path for entry in content.entries] == ["data", "data/a.csv", "train.ipynb"]
    whole = verify(faulty, content)
    assert (whole.files, whole.read, whole.sizes_only, whole.faults) == (2, 2, 0, [])
    stored = faults.objects[f"{NAME}/data/a.csv"]
    stored.data = b"1,3\n"
    assert [(each.path, each.problem) for each in verify(faulty, content).faults] == [
        ("data/a.csv", "content")
    ]
    # With KMS an ETag is no MD5.
    stored.headers["x-amz-server-side-encryption"] = "aws:kms"
    assert verify(faulty, content).sizes_only == 1


def test_restored_but_not_announced(faulty: Store, faults: State, tmp_path: Path) -> None:
    synced(faulty, faults, MARKER)
    content = content_of(faulty, parse_snapshot(NAME))  # type: ignore[arg-type]
    done = restore(faulty, content, Wish(tmp_path / "new"))
    assert (tmp_path / "new" / "data" / "a.csv").read_bytes() == b"1,2\n"
    assert sorted(each.name for each in (tmp_path / "new").iterdir()) == ["data", "train.ipynb"]
    assert not done.announced
    assert restore(faulty, content, Wish(tmp_path / "new")).same == 3


def test_what_is_not_complete_is_taken_only_when_asked(faulty: Store, faults: State) -> None:
    synced(faulty, faults, STALE)
    snapshot = parse_snapshot(NAME)
    assert snapshot is not None
    with pytest.raises(NotComplete, match="--accept-incomplete"):
        content_of(faulty, snapshot)
    assert len(content_of(faulty, snapshot, incomplete=True).files) == 2
    with pytest.raises(NotComplete):
        adopt(faulty, snapshot)


def test_hostile_keys(faulty: Store, faults: State) -> None:
    synced(faulty, faults, MARKER)
    for path in ("../up", "a//b", "train.ipynb/below", "folder/"):
        faulty.put(f"{NAME}/{path}", b"")
    content = content_of(faulty, parse_snapshot(NAME))  # type: ignore[arg-type]
    assert [entry.path for entry in content.files] == ["data/a.csv", "train.ipynb"]
    skipped = {entry.path for entry in content.left_out if entry.type == "skipped"}
    assert skipped == {"../up", "a//b", "train.ipynb/below"}


def test_adopted(faulty: Store, faults: State, tmp_path: Path) -> None:
    synced(faulty, faults, MARKER)
    snapshot = parse_snapshot(NAME)
    assert snapshot is not None
    adopted = adopt(faulty, snapshot)
    assert (adopted.files, adopted.bytes) == (2, 6)
    assert snapshots.inspect(faulty, snapshot).state == "complete"
    content = content_of(faulty, snapshot)
    assert verify(faulty, content).faults == []
    faults.objects[f"{NAME}/data/a.csv"].data = b"1,3\n"
    assert [each.path for each in verify(faulty, content).faults] == ["data/a.csv"]
    with pytest.raises(BadRequest, match="has a manifest already"):
        adopt(faulty, snapshot)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"Created s3://b/../\n", b"Created s3://b/c/d/"]
)
def test_markers_that_name_nothing(data: bytes) -> None:
    assert parse_snapshot(read_marker(data).snapshot or "") is None
