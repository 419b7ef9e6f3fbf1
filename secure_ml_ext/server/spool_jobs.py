"""The jobs of a kernel: what its guard wrote, with the live state of AWS."""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, get_args

import msgspec

from ..aws.describe import console_url
from ..aws.errors import FATAL
from ..aws.jobs import JobsBackend, list_problem, utc_now
from ..aws.records import GuardInfo, Job, JobKind, JobList, Problem
from ..guard.records import Decision, Hello, ModeChange, Submission
from ..guard.spool import read_spool, spool_path
from ..inventory import operations

STATE_SECONDS = 5.0  # several tabs within this time share one answer
_MAX_KERNELS = 64
_KINDS = frozenset(get_args(JobKind))
_NOT_SENT = frozenset(("blocked", "dry-run"))
_NO_JOB = frozenset(("refused", "failed", "not-sent"))
Signature = tuple[int, int, int] | None


def kernel_spool(manager: Any) -> Path | None:
    """Return where the spool of a kernel is, or None for kernels on other machines."""
    connection_file = getattr(manager, "connection_file", "")
    if not isinstance(connection_file, str) or not os.path.isabs(connection_file):
        return None
    return spool_path(connection_file)


class KernelJobs:
    """Answers ``jobs`` for every kernel; one answer serves all tabs that ask at once."""

    def __init__(self, backend: JobsBackend, executor: Executor) -> None:
        self._backend = backend
        self._executor = executor
        self._locks: dict[str, asyncio.Lock] = {}
        self._answers: OrderedDict[str, _Answer] = OrderedDict()

    async def of_kernel(self, kernel: str, spool: Path | None) -> JobList:
        """Return the jobs of a kernel, newest first."""
        lock = self._locks.setdefault(kernel, asyncio.Lock())
        async with lock:
            signature = _signature(spool)
            before = self._answers.get(kernel)
            if (
                before is not None
                and before.signature == signature
                and before.age() < STATE_SECONDS
            ):
                return before.jobs
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(
                self._executor, lambda: self._answer(kernel, spool, signature, before)
            )
            self._answers[kernel] = answer
            self._answers.move_to_end(kernel)
            while len(self._answers) > _MAX_KERNELS:
                forgotten, _ = self._answers.popitem(last=False)
                self._locks.pop(forgotten, None)
            return answer.jobs

    def _answer(
        self, kernel: str, spool: Path | None, signature: Signature, before: _Answer | None
    ) -> _Answer:
        """Read the spool and ask the backend; runs in a worker thread."""
        records = read_spool(spool) if spool is not None else []
        jobs = jobs_of(records)
        asked_at = time.monotonic()
        known: dict[str, Job] = {}
        if before is not None and before.age() < STATE_SECONDS:
            # Something was just submitted: ask for that only, the rest was asked a moment ago.
            known = {job.id: job for job in before.jobs.jobs if job.as_of is not None}
            asked_at = before.asked_at
        due = [job for job in jobs if job.id not in known and job.status != _PENDING]
        refreshed, problem = self._refresh(due)
        current = {job.id: job for job in refreshed}
        current.update((key, _with_state(job, known[key])) for key, job in _by_id(jobs, known))
        listed = [current.get(job.id, job) for job in jobs]
        guard = guard_of(records, spool)
        return _Answer(
            JobList(kernel, guard, listed, problem or list_problem(listed), utc_now()),
            signature,
            asked_at,
        )

    def _refresh(self, jobs: list[Job]) -> tuple[list[Job], Problem | None]:
        """Ask the backend; one that raises (it must not) costs the state, not the list."""
        if not jobs:
            return [], None
        try:
            return self._backend.refresh(jobs), None
        except Exception as exc:
            problem = Problem(
                "aws-error",
                f"The jobs backend {type(self._backend).__name__} failed ({type(exc).__name__}).",
                "Report this to whoever configured SecureMlExtApp.jobs_backend_class.",
            )
            return jobs, problem


class _Answer(msgspec.Struct, frozen=True):
    jobs: JobList
    signature: Signature
    asked_at: float

    def age(self) -> float:
        return time.monotonic() - self.asked_at


_PENDING = "Submitting"


def jobs_of(records: list[Any]) -> list[Job]:
    """Return the jobs that a spool tells of, newest first.

    What was blocked, refused or only tried leaves no row. Of several requests about one
    resource (made, then updated) the newest that was accepted counts.
    """
    first_seen: dict[str, str] = {}
    latest: dict[str, Submission] = {}
    for record in records:
        if isinstance(record, Submission):
            first_seen.setdefault(record.id, record.time)
            latest[record.id] = record
    by_resource: dict[str, Job] = {}
    for identity, submission in latest.items():
        if submission.action in _NOT_SENT or submission.outcome in _NO_JOB:
            continue
        job = _job(submission, first_seen[identity])
        by_resource[submission.arn or identity] = job
    return sorted(by_resource.values(), key=lambda job: job.created, reverse=True)


def guard_of(records: list[Any], spool: Path | None) -> GuardInfo:
    """Return whether the kernel is guarded, from what its guard wrote last."""
    if spool is None:
        return GuardInfo("unknown")
    info = GuardInfo("not-loaded")
    for record in records:
        if isinstance(record, Hello):
            info = GuardInfo("loaded", record.mode, record.locked, record.version)
        elif isinstance(record, ModeChange):
            info = GuardInfo("loaded", record.mode, record.locked, info.version)
        elif isinstance(record, Decision) and record.decision == "unloaded":
            info = GuardInfo("not-loaded")
    return info


def _job(submission: Submission, created: str) -> Job:
    entry = operations().get(submission.operation)
    kind: Any = entry.kind if entry is not None and entry.kind in _KINDS else "other"
    pending = submission.outcome == "pending"
    return Job(
        id=submission.id,
        kind=kind,
        operation=submission.operation,
        name=submission.name,
        arn=submission.arn,
        region=submission.region,
        account=submission.account,
        status=_PENDING if pending else None,
        final=False,
        created=created,
        as_of=None,
        reason=None,
        guarded=True,
        action=submission.action,
        notebook=submission.notebook,
        cell=submission.cell,
        console_url=console_url(kind, submission.name, submission.region, submission.endpoint),
        report=submission.report,
        problem=None,
    )


def _by_id(jobs: list[Job], known: dict[str, Job]) -> list[tuple[str, Job]]:
    return [(job.id, job) for job in jobs if job.id in known]


def _with_state(job: Job, state: Job) -> Job:
    """Return a job with the state it had a moment ago; a list-wide problem is asked again."""
    problem = state.problem if state.problem is None or state.problem.code not in FATAL else None
    return msgspec.structs.replace(
        job,
        status=state.status,
        final=state.final,
        reason=state.reason,
        as_of=state.as_of,
        arn=job.arn or state.arn,
        problem=problem,
    )


def _signature(spool: Path | None) -> Signature:
    if spool is None:
        return None
    try:
        status = os.stat(spool)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
