"""The report: one shape for Python, REST, the command line and the notebook card.

Everything a reader of a verdict can see is declared here once. The OpenAPI
document, the event schemas and the TypeScript types are generated from these
records, so a field that is added here is described everywhere.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from ..inventory.words import ControlName, Severity, State
from ..rules.baseline import MissingValue
from ..rules.config import Waiver
from ..rules.patch import PatchOp

__all__ = [
    "ControlState",
    "Finding",
    "Iam",
    "MissingValue",
    "Note",
    "PatchOp",
    "Report",
    "Statement",
    "Subject",
    "Summary",
    "Waiver",
]

REPORT_SCHEMA: Final = "secure-ml/report@1"

Verdict = Literal["allowed", "explicitly-denied", "implicitly-denied", "depends", "not-evaluated"]
SubjectKind = Literal[
    "request", "describe", "pipeline-step", "notebook-cell", "event", "template-resource"
]


class ControlState(Struct, frozen=True):
    """What one control of the request is: the chip on a job row."""

    control: ControlName
    state: State
    pointer: str | None = None
    note: str | None = None


class Finding(Struct, frozen=True):
    """One rule or statement that the request breaks: where, why, and the change that mends it.

    ``fix`` assumes it is applied alone; ``Subject.fix`` is the merged patch.
    ``missing`` names the profile values without which there is no fix; ``why`` is the
    rule's reason, for readers who ask.
    """

    rule: str
    control: ControlName
    severity: Severity
    pointer: str
    message: str
    expected: Any = None
    actual: Any = None
    fix: list[PatchOp] = []
    references: list[str] = []
    missing: list[MissingValue] = []
    waiver: Waiver | None = None
    why: str = ""


class Statement(Struct, frozen=True):
    """A policy statement that decided the verdict."""

    layer: str
    policy: str
    sid: str | None
    index: int
    why: str


class Iam(Struct, frozen=True):
    """What IAM would decide; ``not-evaluated`` where no policy bundle was given."""

    verdict: Verdict = "not-evaluated"
    question: str | None = None
    outcomes: list[str] = []
    unsatisfiable: list[str] = []
    statements: list[Statement] = []


class Subject(Struct, frozen=True):
    """One request that was checked, with every control's state and every finding.

    ``note`` says what has to be known about it: a step that the SDK added, say.
    """

    path: str | None
    kind: SubjectKind
    operation: str
    name: str | None
    where: str | None
    controls: list[ControlState]
    findings: list[Finding]
    iam: Iam
    fix: list[PatchOp]
    note: str | None = None


class Note(Struct, frozen=True):
    """What was seen and not checked, and why: a Lambda step, a cell that hides its values."""

    message: str
    where: str | None = None
    path: str | None = None


class Summary(Struct, frozen=True):
    """How many findings count, by severity; waived findings do not."""

    error: int = 0
    warning: int = 0
    info: int = 0


class Report(Struct, frozen=True):
    """The answer to a check: subjects, a summary, and what was seen and not checked."""

    schema: Literal["secure-ml/report@1"]
    subjects: list[Subject]
    summary: Summary
    notes: list[Note] = []

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    @classmethod
    def of(cls, subjects: list[Subject], notes: list[Note] | None = None) -> Report:
        """Build a report and count its findings; an IAM denial counts as an error."""
        counts = {"error": 0, "warning": 0, "info": 0}
        for subject in subjects:
            for finding in subject.findings:
                if finding.waiver is None:
                    counts[finding.severity] += 1
            if subject.iam.verdict in ("explicitly-denied", "implicitly-denied"):
                counts["error"] += 1
            elif subject.iam.verdict == "depends":
                counts["warning"] += 1
        return cls(REPORT_SCHEMA, subjects, Summary(**counts), notes or [])
