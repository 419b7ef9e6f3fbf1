"""A backup killed at any request leaves no false marker, and the next one goes on from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from secure_ml_ext.backup import snapshots
from secure_ml_ext.backup.create import create
from secure_ml_ext.backup.restore import Wish, restore
from secure_ml_ext.backup.store import Store
from secure_ml_ext.backup.verify import content_of, verify
from tests.support.s3_faults import Fault, State

from .conftest import picture, planted
from .driver import options

ROOT = Path(__file__).parents[2]


class Runner:
    """Starts backups in processes of their own."""

    def __init__(self, url: str, cache: Path) -> None:
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.backup.driver", "faulty", url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
        )  # fmt: skip

    def __call__(self, state: State, root: Path, at: int, after: bool, reference: bool) -> int:
        """Run a backup that is killed at a request; returns its exit status."""
        pid = int(self._ask(json.dumps({"root": str(root), "reference": reference})))
        state.faults[at] = Fault("kill", after, pid)
        return int(self._ask("go"))

    def _ask(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@pytest.fixture
def runner(faulty_server: tuple[str, State], tmp_path: Path) -> Iterator[Runner]:
    running = Runner(faulty_server[0], tmp_path / "cache")
    yield running
    assert running.process.stdin is not None
    assert running.process.stdout is not None
    running.process.stdin.close()
    assert running.process.wait(20) == 0
    running.process.stdout.close()


def believed(store: Store, into: Path) -> list[dict[bytes, tuple[object, ...]]]:
    """Verify and restore every snapshot that says it is complete; returns what came back."""
    back = []
    for snapshot in snapshots.names(store):
        if snapshots.inspect(store, snapshot).state not in snapshots.COMPLETE:
            continue
        content = content_of(store, snapshot)
        assert verify(store, content, sample=100).faults == []
        assert restore(store, content, Wish(into / str(snapshot))).announced
        back.append(picture(into / str(snapshot)))
    return back


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_first_backup(
    faulty: Store, faults: State, runner: Runner, tmp_path: Path, after: bool
) -> None:
    at = 0
    while True:
        faults.clear()
        folder = tmp_path / str(at)
        folder.mkdir()
        volume = planted_in(folder)
        status = runner(faults, volume, at, after, False)
        if status == 0:
            break  # there is no request of that number
        assert status == -9
        expected = picture(volume)
        # A marker is there only once everything is.
        assert believed(faulty, folder / "killed") in ([], [expected])
        done = create(faulty, options(volume))
        back = believed(faulty, folder / "resumed")
        assert back[0] == expected
        if done.finished is None:
            # Claim, 7 files, 3 parts, manifest and marker are 13. The second run claims again, and
            # each of the two workers lost one answer at most.
            again = faults.count("PutObject") + faults.count("UploadPart")
            assert again <= 13 + 1 + 2
            assert len(back) == 1
        assert not faults.uploads, "an upload in parts was left behind"
        at += 1
    # List, claim, 7 small files, 1 + 3 + 1 for the large one, manifest, marker.
    assert at == 16


@pytest.mark.parametrize("reference", [False, True], ids=["copy", "reference"])
def test_a_second_backup(
    faulty: Store, faults: State, runner: Runner, tmp_path: Path, reference: bool
) -> None:
    at, status = 0, -9
    while status != 0:
        faults.clear()
        folder = tmp_path / str(at)
        folder.mkdir()
        volume = planted_in(folder)
        first = picture(volume)
        create(faulty, options(volume))
        (volume / "work" / "model.ipynb").write_text('{"cells": [1]}')
        (volume / "large.bin").write_bytes(b"other" * 1200)
        os.unlink(volume / ".hidden")
        faults.reset()
        status = runner(faults, volume, at, True, reference)
        expected = picture(volume)
        before = believed(faulty, folder / "killed")
        assert before[-1] == first
        assert before[:-1] in ([], [expected])
        faults.reset()
        create(faulty, options(volume, reference=reference))
        back = believed(faulty, folder / "resumed")
        assert back[0] == expected
        assert back[-1] == first
        at += 3
    assert at > 15


def planted_in(folder: Path) -> Path:
    volume = folder / "volume"
    volume.mkdir()
    return planted(volume)
