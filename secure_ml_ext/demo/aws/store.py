"""What was created, by account and region, and the state each thing has reached by now."""

from __future__ import annotations

import os
import secrets
import string
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from .kinds import Kind

# Seconds a job is in progress; a start (endpoint, notebook instance, app) takes a quarter of it.
JOB_SECONDS = "SECURE_ML_DEMO_JOB_SECONDS"


class AwsError(Exception):
    """An error reply: code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def job_seconds() -> float:
    """How long a job takes, in seconds (environment variable SECURE_ML_DEMO_JOB_SECONDS, 20)."""
    try:
        return max(0.0, float(os.environ.get(JOB_SECONDS, "20")))
    except ValueError:
        return 20.0


def new_id(length: int = 12) -> str:
    """A random id of small letters and digits, as in `d-…` and `p-…`."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))


@dataclass
class Phase:
    """From `start` (epoch seconds) on the resource is in this state."""

    start: float
    status: str


@dataclass
class Record:
    """One resource: the request that made it and its course through the states.

    `planned` is the seconds its work was meant to take when it began.
    """

    kind: Kind
    key: str
    arn: str
    params: dict[str, Any]
    tags: list[dict[str, str]]
    created: float
    updated: float
    phases: list[Phase] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    planned: float = 0.0

    def status(self, now: float) -> str:
        """The state at a time; `""` for resources without one."""
        reached = [phase for phase in self.phases if phase.start <= now]
        return reached[-1].status if reached else (self.phases[0].status if self.phases else "")

    def modified(self, now: float) -> float:
        """When the state or the request last changed."""
        return max([self.updated, *(p.start for p in self.phases if p.start <= now)])

    def begun(self) -> float:
        """When work began."""
        return self.phases[0].start if self.phases else self.created

    def ended(self, now: float) -> float | None:
        """When a job reached its final state, if it has."""
        last = self.phases[-1] if self.phases else None
        return last.start if last and last.start <= now and len(self.phases) > 1 else None

    def move(self, now: float, *steps: tuple[float, str]) -> None:
        """Drop the future and go through `steps`: (seconds from now, state)."""
        self.phases = [phase for phase in self.phases if phase.start <= now]
        self.phases += [Phase(now + delay, status) for delay, status in steps]

    def shift(self, seconds: float) -> None:
        """Move the whole course into the past; for seeds."""
        self.created -= seconds
        self.updated -= seconds
        for phase in self.phases:
            phase.start -= seconds


class Store:
    """The resources of one account in one region. Thread-safe."""

    def __init__(self, account: str, region: str, partition: str = "aws") -> None:
        self.account = account
        self.region = region
        self.partition = partition
        self.lock = threading.RLock()
        self._by_family: dict[str, dict[str, Record]] = {}
        self._by_arn: dict[str, Record] = {}

    def arn(self, part: str, path: str) -> str:
        """The ARN of a SageMaker resource."""
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:{part}/{path}"

    def add(self, record: Record) -> None:
        """Keep a new record."""
        self._by_family.setdefault(record.kind.family, {})[record.key] = record
        self._by_arn[record.arn] = record

    def get(self, kind: Kind, key: str) -> Record | None:
        """The record of that key, or None."""
        return self._by_family.get(kind.family, {}).get(key)

    def by_arn(self, arn: str) -> Record | None:
        """The record of that ARN, or None."""
        return self._by_arn.get(arn)

    def all(self, kind: Kind) -> list[Record]:
        """All records of a kind, and of the kinds that share its names."""
        with self.lock:
            return list(self._by_family.get(kind.family, {}).values())

    def advance(self, seconds: float) -> None:
        """Let time pass for everything that is under way, without waiting."""
        with self.lock:
            for family in self._by_family.values():
                for record in family.values():
                    for phase in record.phases:
                        phase.start -= seconds

    def remove(self, record: Record) -> None:
        """Forget a record."""
        self._by_family.get(record.kind.family, {}).pop(record.key, None)
        self._by_arn.pop(record.arn, None)


_STORES: dict[tuple[str, str], Store] = {}
_LOCK = threading.Lock()


def store(account: str, region: str, partition: str = "aws") -> Store:
    """The store of an account and region, made on first use."""
    with _LOCK:
        return _STORES.setdefault((account, region), Store(account, region, partition))


def first_phases(kind: Kind, now: float) -> list[Phase]:
    """The course of a resource that is created now."""
    life = kind.life
    if not life.done:
        return []
    seconds = job_seconds() * (1.0 if life.timed == "job" else 0.25)
    return [Phase(now, life.working), Phase(now + seconds, life.done)]


def now() -> float:
    """Epoch seconds, to the millisecond, as SageMaker tells them."""
    return round(time.time(), 3)


def all_stores() -> list[Store]:
    """Every account and region in use."""
    with _LOCK:
        return list(_STORES.values())
