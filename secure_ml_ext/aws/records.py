"""What this product knows about AWS: jobs with live state, and problems with a remedy."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ..check.records import Report

ProblemCode = Literal[
    "no-credentials",
    "expired-credentials",
    "access-denied",
    "endpoint-unreachable",
    "throttled",
    "region-unsupported",
    "no-region",
    "not-found",
    "bad-input",
    "aws-error",
]


class Problem(Struct, frozen=True):
    """What happened, and what to do next; ``action`` is the IAM action that is missing."""

    code: ProblemCode
    message: str
    remedy: str
    action: str | None = None


JobKind = Literal[
    "training",
    "processing",
    "tuning",
    "transform",
    "automl",
    "compilation",
    "labeling",
    "model",
    "endpoint-config",
    "endpoint",
    "pipeline",
    "pipeline-execution",
    "notebook-instance",
    "domain",
    "monitoring",
    "feature-group",
    "other",
]


class Job(Struct, frozen=True):
    """One workload with the verdict it got when it was submitted and its state now.

    ``status`` is the word AWS uses (``InProgress``); ``Ready`` for kinds that have
    none. ``problem`` says why the state is unknown or old; ``as_of`` is the time
    of the last good answer (ISO 8601, UTC).
    """

    id: str
    kind: JobKind
    operation: str
    name: str | None
    arn: str | None
    region: str | None
    account: str | None
    status: str | None
    final: bool
    created: str
    as_of: str | None
    reason: str | None
    guarded: bool
    action: str
    notebook: str | None
    cell: str | None
    console_url: str | None
    report: Report
    problem: Problem | None


class GuardInfo(Struct, frozen=True):
    """Whether the kernel is guarded, as far as this server can see."""

    state: Literal["loaded", "not-loaded", "unknown"]
    mode: str | None = None
    locked: bool = False
    version: str | None = None


class JobList(Struct, frozen=True):
    """The jobs of one kernel, newest first."""

    kernel: str
    guard: GuardInfo
    jobs: list[Job]
    problem: Problem | None
    as_of: str
