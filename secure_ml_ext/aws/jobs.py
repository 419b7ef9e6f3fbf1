"""Live state of workloads: one Describe per job that may still change, in parallel, bounded."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import wait
from datetime import datetime, timezone
from typing import Any

import msgspec

from . import clients
from .describe import Describe, describe_of, name_for
from .errors import FATAL, clean, to_problem
from .records import Job, Problem

_MAX_KEPT = 10_000
# One refresh never takes longer than this; what has not answered keeps its old state.
REFRESH_SECONDS = 25.0


class JobsBackend(ABC):
    """Where the panel's job states come from; an organisation may put its own in place."""

    @abstractmethod
    def refresh(self, jobs: list[Job]) -> list[Job]:
        """Return the same jobs, in the same order, with their state now.

        Called in a worker thread; must not raise. A job whose state is unknown keeps
        the last known one and says why in ``problem``.
        """


class SageMakerJobs(JobsBackend):
    """Asks SageMaker's Describe operations; what is final or immutable is asked once."""

    def __init__(self, make_client: Callable[[str, str | None], Any] | None = None) -> None:
        self._client = make_client or (lambda service, region: clients.client(service, region))
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _State] = OrderedDict()

    def refresh(self, jobs: list[Job]) -> list[Job]:
        """Return the jobs with their state now; see :class:`JobsBackend`."""
        refreshed = [self._with_state(job, None) for job in jobs]
        due = [index for index, job in enumerate(refreshed) if _askable(job)]
        by_region: dict[str | None, list[int]] = {}
        for index in due:
            by_region.setdefault(jobs[index].region, []).append(index)
        for indexes in by_region.values():
            self._refresh_region(refreshed, indexes)
        return refreshed

    def _refresh_region(self, jobs: list[Job], indexes: list[int]) -> None:
        """Ask for one job first: where it finds no credentials or no endpoint, so would all."""
        first, rest = indexes[0], indexes[1:]
        jobs[first] = self._ask(jobs[first])
        problem = jobs[first].problem
        if problem is not None and problem.code in FATAL:
            for index in rest:
                jobs[index] = self._with_state(jobs[index], problem)
            return
        running = {clients.pool().submit(self._ask, jobs[index]): index for index in rest}
        done, late = wait(running, timeout=REFRESH_SECONDS)
        for future in done:
            jobs[running[future]] = future.result()
        for future in late:
            future.cancel()
            jobs[running[future]] = self._with_state(jobs[running[future]], _LATE)

    def _ask(self, job: Job) -> Job:
        """Describe one job."""
        how = describe_of(job)
        name = name_for(job)
        if how is None or name is None:
            return job
        try:
            call = getattr(self._client("sagemaker", job.region), how.method)
            state = _read(how, call(**{how.parameter: name}))
        except Exception as exc:
            region = job.region or _region()
            problem = to_problem(exc, service="sagemaker", operation=how.operation, region=region)
            return self._with_state(job, problem)
        seen_in = clients.account_of(state.arn)
        if job.account and seen_in and job.account != seen_in:
            return self._with_state(job, _elsewhere(job.account, seen_in))
        self._keep(job, state)
        return self._with_state(job, None)

    def _with_state(self, job: Job, problem: Problem | None) -> Job:
        """Return a job with the last state this backend saw, and why it is not newer."""
        with self._lock:
            state = self._kept.get(_key(job))
        if state is None:
            return msgspec.structs.replace(job, problem=problem)
        return msgspec.structs.replace(
            job,
            status=state.status,
            final=state.final,
            reason=state.reason,
            as_of=state.as_of,
            arn=job.arn or state.arn,
            problem=problem,
        )

    def _keep(self, job: Job, state: _State) -> None:
        with self._lock:
            self._kept[_key(job)] = state
            self._kept.move_to_end(_key(job))
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)


class _State(msgspec.Struct, frozen=True):
    """What one Describe said."""

    status: str
    final: bool
    reason: str | None
    arn: str | None
    as_of: str


_LATE = Problem(
    "throttled",
    "AWS has not answered yet; the last known state is shown.",
    "Wait a moment: the next refresh asks again.",
)


def _elsewhere(account: str, own: str) -> Problem:
    """Return the state of a job that a notebook made with a role of another account."""
    return Problem(
        "not-found",
        f"The job is in account {account}; this server's role sees account {own} only.",
        "The last state that the notebook knew is shown; look into the console of that account.",
    )


def list_problem(jobs: Iterable[Job]) -> Problem | None:
    """Return the problem that concerns the list as a whole: no credentials, no endpoint, …"""
    for job in jobs:
        if job.problem is not None and job.problem.code in FATAL:
            return job.problem
    return None


def utc_now() -> str:
    """Return the time now, ISO 8601, UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _askable(job: Job) -> bool:
    return not job.final and describe_of(job) is not None and name_for(job) is not None


def _key(job: Job) -> str:
    return job.arn or f"{job.account}/{job.region}/{job.kind}/{job.name}"


def _region() -> str | None:
    try:
        return clients.default_region()
    except Exception:
        return None


def _read(how: Describe, reply: dict[str, Any]) -> _State:
    """Read a Describe reply."""
    status = str(reply.get(how.status) or "Unknown") if how.status is not None else "Ready"
    reason = next((str(reply[member]) for member in how.reasons if reply.get(member)), None)
    arn = reply.get(how.arn)
    return _State(
        status,
        how.status is None or status in how.final,
        clean(reason) if reason is not None else None,
        arn if isinstance(arn, str) else None,
        utc_now(),
    )
