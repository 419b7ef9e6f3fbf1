"""Writes spools as a kernel's guard does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from secure_ml_ext.check import check_request
from secure_ml_ext.guard.records import ApiError, Decision, Submission
from secure_ml_ext.guard.spool import SpoolWriter, spool_path

ACCOUNT = "123456789012"


def hello(kernel: str, mode: str = "warn", pid: int = 1) -> dict[str, Any]:
    """Return the first line of a spool."""
    return {
        "type": "hello",
        "schema": "secure-ml/spool@1",
        "time": "2026-11-22T10:00:00.000Z",
        "kernel": kernel,
        "pid": pid,
        "version": "0.1.0",
        "mode": mode,
        "locked": False,
    }


def writer_for(kernel_manager: Any, kernel: str, **more: Any) -> SpoolWriter:
    """Return a writer of the spool of a running kernel."""
    path = spool_path(kernel_manager.get_kernel(kernel).connection_file)
    return SpoolWriter(path, hello(kernel, **more))


def submission(
    identity: str,
    name: str,
    operation: str = "CreateTrainingJob",
    *,
    action: Any = "warned",
    outcome: Any = "created",
    arn: str | None = None,
    time: str = "2026-11-22T10:00:01.000Z",
    error: ApiError | None = None,
    **more: Any,
) -> Submission:
    """Return what a guard records about a request."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "region": "eu-west-1",
        "endpoint": None,
        "notebook": "lab4.ipynb",
        "cell": "c1",
        **more,
    }
    report = check_request(operation, {})
    return Submission(
        id=identity,
        time=time,
        operation=operation,
        name=name,
        action=action,
        outcome=outcome,
        arn=arn,
        error=error,
        report=report,
        **fields,
    )


def decision(detail: str, word: Any = "sent-anyway", **more: Any) -> Decision:
    """Return an entry of the audit trail."""
    return Decision("2026-11-22T10:00:02.000Z", word, None, None, None, detail, **more)


def write(writer: SpoolWriter, *records: Any) -> Path:
    """Append records and return the file."""
    for record in records:
        assert writer.write(msgspec.json.encode(record))
    return writer.path
