"""The documentation names every member that the command line prints and the manifest holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import fields

from secure_ml_ext.backup.adopt import Adopted
from secure_ml_ext.backup.bucket import BucketFinding
from secure_ml_ext.backup.create import Created, Planned
from secure_ml_ext.backup.diff import Difference
from secure_ml_ext.backup.prune import Pruned
from secure_ml_ext.backup.records import Entry, Header
from secure_ml_ext.backup.restore import Kept, Restored
from secure_ml_ext.backup.snapshots import Summary
from secure_ml_ext.backup.verify import Fault, Verified

DOCS = Path(__file__).parents[2] / "docs"


def test_the_format() -> None:
    text = (DOCS / "snapshot-format.md").read_text(encoding="utf-8")
    for record in (Entry, Header):
        for each in fields(record):
            assert f"`{each.name}`" in text, each.name


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("backup-created", Created), ("backup-plan", Planned), ("backup-list", Summary),
        ("backup-verified", Verified), ("backup-verified", Fault), ("backup-restored", Restored),
        ("backup-restored", Kept), ("backup-diff", Difference), ("backup-pruned", Pruned),
        ("backup-adopted", Adopted),
    ],
)  # fmt: skip
def test_the_json(kind: str, record: type[Struct]) -> None:
    text = (DOCS / "backup.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if f"`{kind}`" in line]
    for each in fields(record):
        assert f"`{each.name}`" in row, each.name


def test_the_bucket_findings() -> None:
    last = (DOCS / "backup.md").read_text(encoding="utf-8").rstrip().splitlines()[-1]
    assert all(f"`{each.name}`" in last for each in fields(BucketFinding))
