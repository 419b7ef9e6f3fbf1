"""Removes old snapshots, never an object that a kept one refers to.

Order: a tombstone, the marker (from then on it is no complete snapshot), the manifest, the
objects. A prune that was killed is completed by the next one: the tombstone is the last to go.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from . import snapshots
from .keys import SnapshotName, parse_snapshot
from .records import MANIFEST, MARKER, TOMBSTONE, BackupError, BadRequest
from .store import Store

GRACE = datetime.timedelta(hours=1)
BUSY = datetime.timedelta(days=1)


class Keep(Struct, frozen=True):
    """How many to keep: the last, the last of each day, of each ISO week (UTC)."""

    last: int = 0
    daily: int = 0
    weekly: int = 0


class Pruned(Struct, frozen=True):
    """The outcome: ``shared`` objects of removed snapshots stay, because kept ones use them."""

    name: str
    dry_run: bool
    kept: list[str]
    removed: list[str]
    objects: int
    bytes: int
    shared: int


def prune(store: Store, name: str, keep: Keep, *, dry_run: bool = False) -> Pruned:
    """Remove complete snapshots of a name that no rule keeps and that are older than an hour.

    Raises ``BadRequest`` for rules that keep nothing, ``BackupError`` while a backup is running.
    """
    if min(keep.last, keep.daily, keep.weekly) < 0 or not any((keep.last, keep.daily, keep.weekly)):
        raise BadRequest("Say what to keep: --keep-last, --keep-daily or --keep-weekly, at least 1")
    found = snapshots.listing(store, name)
    for each in found:
        # A large upload in parts shows nothing for hours: what was begun lately may be alive.
        begun = each.by == "secure-ml" and each.state in ("dead", "incomplete")
        if each.state == "running" or (begun and _age(_parsed(each.snapshot)) < BUSY):
            raise BackupError(
                f"{each.snapshot} is being written and may refer to an older snapshot: prune when "
                "it is complete, or a day after it was begun"
            )
    complete = [each for each in found if each.state in snapshots.COMPLETE]
    kept = choose([_parsed(each.snapshot) for each in complete], keep)
    removed = [_parsed(each.snapshot) for each in complete if _parsed(each.snapshot) not in kept]
    # Whatever cannot be read might refer to anything: reading all comes before removing one.
    used = {
        entry.key
        for each in complete
        if _parsed(each.snapshot) in kept
        for entry in snapshots.load(store, _parsed(each.snapshot), each).files()
    }
    tombs = [_parsed(each.snapshot) for each in found if each.state == "pruned"]
    objects = size = shared = 0
    for snapshot in [*removed, *tombs]:
        count, freed, left = _remove(store, snapshot, used, dry_run)
        objects, size, shared = objects + count, size + freed, shared + left
    return Pruned(
        name, dry_run, [str(each) for each in kept], [str(each) for each in removed], objects,
        size, shared,
    )  # fmt: skip


def choose(found: Iterable[SnapshotName], keep: Keep) -> list[SnapshotName]:
    """Return the snapshots that stay, the newest first."""
    ordered = sorted(found, key=lambda each: each.time, reverse=True)
    kept = set(ordered[: keep.last])
    for number, form in ((keep.daily, "%Y-%m-%d"), (keep.weekly, "%G-%V")):
        seen: list[str] = []
        for each in ordered:
            period = _time(each).strftime(form)
            if period not in seen and len(seen) < number:
                seen.append(period)
                kept.add(each)
    kept.update(each for each in ordered if _age(each) < GRACE)
    return [each for each in ordered if each in kept]


def _remove(
    store: Store, snapshot: SnapshotName, used: set[str | None], dry_run: bool
) -> tuple[int, int, int]:
    """Remove a snapshot but for what is used; returns objects and bytes removed, objects left."""
    found = list(store.objects(snapshot.prefix))
    tomb = snapshot.prefix + TOMBSTONE
    content = [each for each in found if each.key != tomb]
    shared = sum(each.key in used for each in content)
    gone = [each for each in content if each.key not in used]
    if not dry_run:
        note = {"schema": "secure-ml/pruned@1", "snapshot": str(snapshot)}
        store.put(tomb, msgspec.json.encode(note))
        first = [snapshot.prefix + MARKER, snapshot.prefix + MANIFEST]
        for key in first:
            store.delete([key])
        store.delete(each.key for each in gone if each.key not in first)
        if not shared:
            store.delete([tomb])
    return len(gone), sum(each.size for each in gone), shared


def _time(snapshot: SnapshotName) -> datetime.datetime:
    return datetime.datetime.strptime(f"{snapshot.time}+0000", "%Y-%m-%d-%H-%M-%S%z")


def _age(snapshot: SnapshotName) -> datetime.timedelta:
    return datetime.datetime.now(datetime.timezone.utc) - _time(snapshot)


def _parsed(text: str) -> SnapshotName:
    parsed = parse_snapshot(text)
    if parsed is None:
        raise BackupError(f"{text} is no name of a snapshot")
    return parsed
