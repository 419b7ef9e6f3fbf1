"""The spool file: private, bounded, whole lines, tolerant reading."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secure_ml_ext.check.records import Report
from secure_ml_ext.guard import spool as spool_module
from secure_ml_ext.guard.records import Decision, Hello, Submission
from secure_ml_ext.guard.spool import (
    MAX_BYTES,
    MAX_RECORDS,
    SpoolWriter,
    kernel_id,
    latest,
    read_spool,
    spool_path,
)

HELLO = {
    "type": "hello",
    "schema": "secure-ml/spool@1",
    "time": "2026-11-22T10:00:00.000Z",
    "kernel": "k",
    "pid": 1,
    "version": "0.1.0",
    "mode": "warn",
    "locked": False,
}


def submission(identity: str, outcome: Any = "created", name: str = "abalone") -> bytes:
    return msgspec.json.encode(
        Submission(
            id=identity,
            time="2026-11-22T10:00:00.000Z",
            operation="CreateTrainingJob",
            name=name,
            action="passed",
            outcome=outcome,
            arn=None,
            account=None,
            region=None,
            endpoint=None,
            error=None,
            notebook=None,
            cell=None,
            report=Report.of([]),
        )
    )


@pytest.fixture
def writer(tmp_path: Path) -> Any:
    made = SpoolWriter(tmp_path / "secure-ml-k.jsonl", HELLO)
    yield made
    made.close()


def test_the_name_is_beside_the_connection_file() -> None:
    assert kernel_id("/run/kernel-1f3a.json") == "1f3a"
    assert spool_path("/run/kernel-1f3a.json") == Path("/run/secure-ml-1f3a.jsonl")
    assert spool_path("/tmp/tmpabc.json") == Path("/tmp/secure-ml-tmpabc.jsonl")


def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        writer = SpoolWriter(tmp_path / "s.jsonl", HELLO)
        assert stat.S_IMODE(os.stat(writer.path).st_mode) == 0o600
        for number in range(MAX_RECORDS + 1):
            writer.write(submission(str(number)))
        assert stat.S_IMODE(os.stat(writer.path).st_mode) == 0o600
    finally:
        os.umask(before)
    writer.close()
    assert list(tmp_path.glob("s.*")) == []


def test_hello_then_records_then_nothing(writer: SpoolWriter) -> None:
    writer.write(submission("a", "pending"))
    writer.write(submission("a", "created"))
    hello, *rest = read_spool(writer.path)
    assert isinstance(hello, Hello)
    assert hello.mode == "warn"
    assert [r.outcome for r in rest if isinstance(r, Submission)] == ["pending", "created"]
    assert [r.outcome for r in latest(read_spool(writer.path))] == ["created"]
    writer.close()
    writer.close()
    assert not writer.path.exists()
    assert writer.write(submission("b")) is False
    assert read_spool(writer.path) == []


def test_records_are_bounded_and_hello_stays(writer: SpoolWriter) -> None:
    for number in range(3 * MAX_RECORDS):
        assert writer.write(submission(str(number)))
    records = read_spool(writer.path)
    assert len(records) <= MAX_RECORDS + 1
    assert isinstance(records[0], Hello)
    assert sum(isinstance(r, Hello) for r in records) == 1
    assert latest(records)[-1].id == str(3 * MAX_RECORDS - 1)
    assert len(records) > MAX_RECORDS // 2


def test_bytes_are_bounded(writer: SpoolWriter) -> None:
    for number in range(300):
        writer.write(submission(str(number), name="x" * 20_000))
    assert os.path.getsize(writer.path) <= MAX_BYTES + 25_000
    assert latest(read_spool(writer.path))[-1].id == "299"


def test_trimming_keeps_the_last_version_of_a_submission(
    writer: SpoolWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "MAX_RECORDS", 10)
    writer.write(submission("a", "pending"))
    writer.write(submission("a", "created"))
    for number in range(9):
        writer.write(msgspec.json.encode(
            Decision("t", "blocked", None, None, None, str(number))))  # fmt: skip
    versions = [r for r in read_spool(writer.path) if isinstance(r, Submission) and r.id == "a"]
    assert [v.outcome for v in versions] in ([], ["created"])


def test_threads_write_whole_lines(writer: SpoolWriter) -> None:
    def work(who: int) -> None:
        for number in range(100):
            writer.write(submission(f"{who}-{number}", name="n" * 500))

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(latest(read_spool(writer.path))) == 400


def test_forked_children_append_while_the_parent_trims(tmp_path: Path) -> None:
    script = """
import os, sys
from secure_ml_ext.guard.spool import SpoolWriter, latest, read_spool
from tests.guard.test_spool import HELLO, submission
writer = SpoolWriter(sys.argv[1], HELLO)
children = []
for child in range(3):
    pid = os.fork()
    if pid == 0:
        ok = all(writer.write(submission(f"child-{child}-{n}")) for n in range(200))
        writer.close()
        os._exit(0 if ok else 1)
    children.append(pid)
for number in range(1500):
    writer.write(submission(f"parent-{number}"))
codes = [os.waitpid(pid, 0)[1] for pid in children]
lines = open(sys.argv[1], "rb").read().splitlines()
records = read_spool(sys.argv[1])
assert codes == [0, 0, 0], codes
assert len(records) == len(lines), "a torn line"
assert records[0].pid == 1
for child in range(3):
    writer.write(submission("after"))
assert latest(read_spool(sys.argv[1]))[-1].id == "after"
writer.close()
assert not os.path.exists(sys.argv[1])
"""
    place = tmp_path / "s.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(place)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_child_never_removes_the_file(writer: SpoolWriter) -> None:
    pid = os.fork()
    if pid == 0:
        writer.close()
        os._exit(0)
    os.waitpid(pid, 0)
    assert writer.path.exists()


@pytest.mark.parametrize(
    "damage",
    [b'{"type":"submission","id":"torn', b"\xff\xfe\x00", b"[" * 100_000, b"{}", b"null",
     b'{"type":"of the future"}', b'{"type":"mode","mode":"shout"}'],
)  # fmt: skip
def test_damage_costs_the_damaged_line_only(writer: SpoolWriter, damage: bytes) -> None:
    writer.write(submission("a"))
    with writer.path.open("ab") as file:
        file.write(damage + b"\n")
    writer.write(submission("b"))
    with writer.path.open("ab") as file:
        file.write(submission("c")[:-10])
    assert [r.id for r in latest(read_spool(writer.path))] == ["a", "b"]


def test_an_older_file_of_the_same_kernel_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "s.jsonl"
    place.write_bytes(submission("before the restart") + b"\n")
    place.chmod(0o644)
    writer = SpoolWriter(place, HELLO)
    assert [type(r) for r in read_spool(place)] == [Hello]
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o600
    writer.close()


def test_links_are_neither_written_nor_read(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    place = tmp_path / "s.jsonl"
    place.symlink_to(victim)
    assert read_spool(place) == []
    SpoolWriter(place, HELLO).close()
    assert victim.read_text() == "precious"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert read_spool(fifo) == []


def test_a_lost_file_never_raises(writer: SpoolWriter) -> None:
    writer.path.unlink()
    for number in range(MAX_RECORDS + 5):
        writer.write(submission(str(number)))
