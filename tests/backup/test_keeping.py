"""Comparing and pruning snapshots, and the bucket they lie in."""

from __future__ import annotations

import datetime
import json
import uuid
from pathlib import Path

import pytest

from secure_ml_ext.backup import create as creating
from secure_ml_ext.backup import diff, snapshots
from secure_ml_ext.backup.bucket import check_bucket, create_bucket
from secure_ml_ext.backup.create import create
from secure_ml_ext.backup.keys import SnapshotName, new_snapshot
from secure_ml_ext.backup.prune import Keep, choose, prune
from secure_ml_ext.backup.records import BackupError, BadRequest
from secure_ml_ext.backup.store import Store
from secure_ml_ext.backup.verify import content_of, verify
from secure_ml_ext.demo.aws import Embedded
from tests.support.s3_faults import State

from .driver import options


def dated(monkeypatch: pytest.MonkeyPatch, day: int) -> None:
    """Let the next snapshot be of a day in 2026-03."""
    when = datetime.datetime(2026, 3, day, 12, tzinfo=datetime.timezone.utc)
    monkeypatch.setattr(creating, "new_snapshot", lambda name, now: new_snapshot(name, when))


def held(store: Store) -> list[str]:
    return [each.time[8:10] for each in snapshots.names(store)
            if snapshots.inspect(store, each).state == "complete"]  # fmt: skip


def test_pruning_counts_references(
    faulty: Store, faults: State, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (2, 3, 4):
        dated(monkeypatch, day)
        (volume / "work" / "run.sh").write_text(f"#{day}\n")
        create(faulty, options(volume, reference=True))
    dry = prune(faulty, "nb", Keep(last=1), dry_run=True)
    assert held(faulty) == ["04", "03", "02"]
    done = prune(faulty, "nb", Keep(last=1))
    assert (dry.removed, dry.objects, dry.shared) == (done.removed, done.objects, done.shared)
    assert held(faulty) == ["04"]
    # Seven files of the first are what the last refers to; of the second nothing is used.
    assert done.shared == 7
    states = [each.state for each in snapshots.listing(faulty)]
    assert states == ["complete", "pruned"]
    assert verify(faulty, content_of(faulty, snapshots.names(faulty)[0]), sample=100).faults == []
    # Once nothing refers to them they go too.
    dated(monkeypatch, 5)
    create(faulty, options(volume))
    prune(faulty, "nb", Keep(last=1))
    assert {key.partition("/")[0] for key in faults.objects} == {"nb_2026-03-05-12-00-00"}
    assert verify(faulty, content_of(faulty, snapshots.names(faulty)[0]), sample=100).faults == []


def test_what_prune_leaves_alone(faulty: Store, faults: State, volume: Path) -> None:
    create(faulty, options(volume))
    create(faulty, options(volume))
    faulty.put("nb_2020-01-01-00-00-00/script.py", b"an AWS script's")
    faulty.put("other_2020-01-01-00-00-00/.secure-ml/started.json", b"{}")
    with pytest.raises(BackupError, match="is being written"):
        prune(faulty, "nb", Keep(last=1))
    faulty.delete(["nb_2020-01-01-00-00-00/script.py"])
    # Begun an hour ago and silent since: one large file may be on its way.
    hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    begun = f"{new_snapshot('nb', hour_ago)}/.secure-ml/started.json"
    faulty.put(begun, b"{}")
    faults.objects[begun].modified = hour_ago
    with pytest.raises(BackupError, match="is being written"):
        prune(faulty, "nb", Keep(last=1))
    faulty.delete([begun])
    done = prune(faulty, "nb", Keep(last=1))
    assert (len(done.kept), done.removed) == (2, []), "younger than an hour"
    for keep in (Keep(), Keep(last=-1, daily=2)):
        with pytest.raises(BadRequest, match="what to keep"):
            prune(faulty, "nb", keep)


def test_which_stay() -> None:
    def at(text: str) -> SnapshotName:
        return SnapshotName("nb", text)

    # 2026-03-01 is a Sunday, the last day of ISO week 9.
    found = [at(f"2026-0{day}") for day in (
        "2-22-10-00-00", "3-01-10-00-00", "3-01-20-00-00", "3-02-10-00-00", "3-03-10-00-00",
    )]  # fmt: skip
    kept = {each.time[5:13] for each in choose(found, Keep(daily=2))}
    assert kept == {"03-03-10", "03-02-10"}
    kept = {each.time[5:13] for each in choose(found, Keep(weekly=2))}
    assert kept == {"03-03-10", "03-01-20"}
    kept = {each.time[5:13] for each in choose(found, Keep(last=1, daily=3, weekly=3))}
    assert kept == {"03-03-10", "03-02-10", "03-01-20", "02-22-10"}


def test_a_difference(faulty: Store, volume: Path) -> None:
    create(faulty, options(volume))
    (volume / "work" / "run.sh").write_text("#!/bin/xx\n")
    (volume / ".hidden").unlink()
    (volume / "empty" / "new").write_text("")
    (volume / "caf\u00e9").chmod(0o600)
    left = content_of(faulty, snapshots.names(faulty)[0])
    create(faulty, options(volume))
    right = content_of(faulty, snapshots.names(faulty)[0])
    for entries in (right.entries, diff.here(volume.resolve(), "faulty", left)):
        found = diff.compare(left, entries, "right")
        assert (found.added, found.removed) == (["empty/new"], [".hidden"])
        assert found.changed == ["work/run.sh"]
        assert found.metadata == ["caf\u00e9", "empty"]
    assert not diff.compare(right, diff.here(volume.resolve(), "faulty", right), "here").any


def test_a_bucket_made_right(aws: Embedded) -> None:
    store = Store(f"made-{uuid.uuid4().hex[:10]}", owner="123456789012")
    with pytest.raises(BackupError, match="--create-bucket"):
        check_bucket(store)
    assert create_bucket(store)
    assert not create_bucket(store), "an existing one is left as it is"
    assert check_bucket(store) == []
    s3 = aws.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=store.bucket)["Policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    rules = s3.get_bucket_lifecycle_configuration(Bucket=store.bucket)["Rules"]
    assert {rule["ID"] for rule in rules} == {"abort-forgotten-uploads", "expire-old-versions"}


def test_a_bucket_with_every_shortcoming(store: Store, aws: Embedded) -> None:
    assert [each.check for each in check_bucket(store)] == [
        "encryption", "public-access", "versioning",
    ]  # fmt: skip
    assert all(each.remedy.endswith(".") for each in check_bucket(store))
    aws.fault("s3", "GetBucketVersioning", "AccessDenied", status=403)
    found = check_bucket(store)[-1]
    assert (found.check, "s3:GetBucketVersioning" in found.remedy) == ("not-checked", True)
