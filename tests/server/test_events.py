"""New lines of a spool become events, each once; what dead kernels left goes away."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jupyter_events.schema import EventSchema

from secure_ml_ext.guard.spool import SpoolWriter
from secure_ml_ext.server.event_schemas import DECISION, SUBMISSION, event_files, event_schema
from secure_ml_ext.server.watcher import SpoolWatcher, Tail, own_name, sweep

from .spools import decision, hello, submission, write, writer_for


@pytest.mark.parametrize("name", sorted(event_files()))
def test_the_schema_files_say_what_the_records_say(name: str) -> None:
    committed = yaml.safe_load(event_files()[name].read_text(encoding="utf-8"))
    assert committed == event_schema(name), "run python -m secure_ml_ext.server.event_schemas"


def test_the_schemas_accept_records_and_nothing_else() -> None:
    schema = EventSchema(event_files()["submission"])
    assert schema.id.endswith("secure-ml/submission")
    event = {"kernel": "k", "record": msgspec.to_builtins(submission("a", "t"))}
    schema.validate(event)
    event["record"]["action"] = "invented"
    with pytest.raises(Exception, match="invented"):
        schema.validate(event)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, ten seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.05)


async def test_a_kernels_records_are_emitted_once(jp_serverapp: Any, kernel: str) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        seen.append((schema_id, data))

    for schema in (SUBMISSION, DECISION):
        jp_serverapp.event_logger.add_listener(schema_id=schema, listener=listener)
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    write(writer, submission("a", "t", outcome="pending"), decision("because"))
    await until(lambda: len(seen) == 2)
    write(writer, submission("a", "t", arn="arn:aws:sagemaker:eu-west-1:1:training-job/t"))
    await until(lambda: len(seen) == 3)
    await asyncio.sleep(0.5)
    assert [schema for schema, _ in seen] == [SUBMISSION, DECISION, SUBMISSION]
    assert all(data["kernel"] == kernel for _, data in seen)
    assert seen[2][1]["record"]["outcome"] == "created"


async def test_the_browser_gets_the_events(
    jp_serverapp: Any, jp_ws_fetch: Any, kernel: str
) -> None:
    socket = await jp_ws_fetch("api", "events", "subscribe")
    write(writer_for(jp_serverapp.kernel_manager, kernel), decision("over the socket"))
    while True:
        message = json.loads(await asyncio.wait_for(socket.read_message(), 10))
        if message["schema_id"] == DECISION:
            break
    assert message["kernel"] == kernel
    assert message["record"]["detail"] == "over the socket"
    socket.close()


async def test_what_was_there_before_the_server_is_not_told_again(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "secure-ml-k.jsonl", hello("k"))
    write(writer, decision("old"))
    told: list[str] = []
    with ThreadPoolExecutor(1) as executor:
        watcher = SpoolWatcher(
            lambda: {"k": writer.path},
            lambda kernel, record: told.append(getattr(record, "detail", "")),
            executor,
            list,
            0.05,
        )
        await watcher.start()
        write(writer, decision("new"))
        await until(lambda: told == ["new"])
        await watcher.stop()


def test_a_tail_survives_trimming_replacement_torn_lines_and_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "secure-ml-k.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    writer = SpoolWriter(path, hello("k"))
    write(writer, decision("1"))
    assert [record.detail for record in tail.read()] == ["1"]  # type: ignore[union-attr]
    line = msgspec.json.encode(decision("2"))
    with open(path, "ab") as file:
        file.write(b"\x00nonsense\n{}\n" + b"[" * 5000 + b"\n" + line[:20])
    assert tail.read() == []
    with open(path, "ab") as file:
        file.write(line[20:] + b"\n")
    assert [record.detail for record in tail.read()] == ["2"]  # type: ignore[union-attr]
    # Trimming: another file that repeats old lines.
    other = tmp_path / "other"
    other.write_bytes(path.read_bytes() + msgspec.json.encode(decision("3")) + b"\n")
    os.replace(other, path)
    assert [record.detail for record in tail.read()] == ["3"]  # type: ignore[union-attr]
    # The kernel ends: what it wrote last is read although the name is gone.
    with open(path, "ab") as file:
        file.write(msgspec.json.encode(decision("4")) + b"\n")
    path.unlink()
    assert [record.detail for record in tail.read()] == ["4"]  # type: ignore[union-attr]
    assert tail.read() == []
    tail.close()


def test_a_tail_follows_no_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_bytes(msgspec.json.encode(decision("x")) + b"\n")
    (tmp_path / "secure-ml-k.jsonl").symlink_to(real)
    assert Tail(tmp_path / "secure-ml-k.jsonl").read() == []


def dead_pid() -> int:
    """Return the id of a process that ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_the_sweep_removes_what_dead_kernels_left_and_nothing_else(tmp_path: Path) -> None:
    dead, alive = dead_pid(), os.getpid()
    old = time.time() - 3600

    def spool(kernel: str, pid: int, when: float = old) -> Path:
        path = tmp_path / f"secure-ml-{kernel}.jsonl"
        path.write_text(json.dumps(hello(kernel, pid=pid)) + "\n")
        os.utime(path, (when, when))
        return path

    left = [spool("left", dead), spool(f"{own_name()}-{dead}", dead)]
    kept = [
        spool(f"server-another-machine-{dead}", dead),
        spool("ours", dead),
        spool("elsewhere", dead),
        spool("running", alive),
        spool("recent", dead, time.time()),
    ]
    (tmp_path / "kernel-elsewhere.json").touch()
    (tmp_path / "unrelated.jsonl").touch()
    assert sweep([tmp_path, tmp_path / "absent"], {"ours"}) == left
    assert all(path.exists() for path in kept)
    assert (tmp_path / "unrelated.jsonl").exists()


async def test_the_servers_own_requests_are_guarded(jp_serverapp: Any, app: Any, aws: Any) -> None:
    seen: list[dict[str, Any]] = []

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        seen.append(data)

    jp_serverapp.event_logger.add_listener(schema_id=SUBMISSION, listener=listener)
    aws.client("sagemaker").create_model(
        ModelName="from-the-server", ExecutionRoleArn="arn:aws:iam::123456789012:role/r"
    )
    await until(lambda: bool(seen))
    assert seen[0]["kernel"] == "server"
    assert seen[0]["record"]["name"] == "from-the-server"
    spool = app.server_guard.spool
    assert spool.stat().st_mode & 0o777 == 0o600
    await app.stop_extension()
    assert not spool.exists()
