"""What the lint says: findings, their codes, and how grave each code is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from ...inventory.words import Severity

LINT_SCHEMA: Final = "secure-ml/lint@1"
MOST_SHOWN: Final = 5

LintCode = Literal[
    "anded-null",
    "always-denied",
    "if-exists-on-missing",
    "bool-by-omission",
    "vacuous-for-all-values",
    "undone-by-allow",
    "deprecated-key",
    "unknown-key",
    "unknown-action",
    "unsatisfiable-local-disk",
    "no-effect",
    "not-strict-json",
]


class CodeInfo(NamedTuple):
    """What a code stands for: its usual severity, a title, and the reason in one sentence."""

    severity: Severity
    title: str
    why: str


CODES: Final[Mapping[LintCode, CodeInfo]] = {
    "anded-null": CodeInfo(
        "error",
        "Several keys in one Null block",
        "The keys of a Null block are ANDed: the Deny misses every request that has one of them.",
    ),
    "always-denied": CodeInfo(
        "error",
        "A condition on a key that the action never carries",
        "The answer is the same for every request, whatever the caller writes into it.",
    ),
    "if-exists-on-missing": CodeInfo(
        "error",
        "IfExists over actions that lack the key",
        "IfExists is true for a missing key: a Deny over a wildcard hits every action without it.",
    ),
    "bool-by-omission": CodeInfo(
        "warning",
        "A Deny on false that an omitted field may escape",
        "AWS does not document whether a field that is left out reaches the policy as false.",
    ),
    "vacuous-for-all-values": CodeInfo(
        "warning",
        "An Allow with ForAllValues and no Null guard",
        "ForAllValues is true for a request without the key.",
    ),
    "undone-by-allow": CodeInfo(
        "error",
        "A conditional Allow made moot by a broader one",
        "Allow statements unite: the most permissive one decides.",
    ),
    "deprecated-key": CodeInfo(
        "warning",
        "A condition key that AWS renamed",
        "No action lists the old name any more; where it is no longer sent, it counts as missing.",
    ),
    "unknown-key": CodeInfo(
        "error",
        "A condition key that does not exist",
        "A key that is in no request is always missing.",
    ),
    "unknown-action": CodeInfo(
        "warning",
        "A SageMaker action that does not exist",
        "It grants nothing and denies nothing.",
    ),
    "unsatisfiable-local-disk": CodeInfo(
        "warning",
        "A volume key demanded of instance types that refuse one",
        "SageMaker refuses a volume key on instance types with local disks.",
    ),
    "no-effect": CodeInfo(
        "info",
        "Nothing here touches SageMaker",
        "No statement names a SageMaker action or passes a role to SageMaker.",
    ),
    "not-strict-json": CodeInfo(
        "warning",
        "Not strict JSON",
        "IAM refuses a policy that is not JSON as RFC 8259 has it.",
    ),
}


class StatementRef(Struct, frozen=True):
    """A statement: its index from 0 in its document, and its Sid; None for a whole document."""

    index: int | None
    sid: str | None = None


class Place(Struct, frozen=True):
    """A statement of a file: the name of its document, where the file holds several."""

    document: str | None
    index: int
    sid: str | None = None


class Region(Struct, frozen=True):
    """Where a statement stands in the file's text; lines and columns from 1, in code points."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int


class LintFinding(Struct, frozen=True):
    """One defect of one statement, or of a document (``statement.index`` is None).

    ``corrected`` is what to write in the statement's place: a statement, a list of them, or None
    where there is no such thing. It mends this code alone. ``replaces`` names the statements that
    it stands for where they are others. ``actions`` are at most ten of those affected, ``keys``
    the condition keys. ``document`` is the name of the document where the file holds several or
    gives one; ``line`` and ``region`` are None where the text is not known.
    """

    file: str
    code: LintCode
    severity: Severity
    statement: StatementRef
    message: str
    corrected: dict[str, Any] | list[dict[str, Any]] | None = None
    document: str | None = None
    line: int | None = None
    region: Region | None = None
    actions: list[str] = []
    keys: list[str] = []
    replaces: list[Place] = []


class LintSummary(Struct, frozen=True):
    """How many findings there are, by severity."""

    error: int = 0
    warning: int = 0
    info: int = 0


class LintReport(Struct, frozen=True):
    """The answer of the lint: every finding, file by file."""

    schema: Literal["secure-ml/lint@1"]
    findings: list[LintFinding]
    summary: LintSummary

    @classmethod
    def of(cls, findings: list[LintFinding]) -> LintReport:
        """Build a report and count its findings."""
        counts = {"error": 0, "warning": 0, "info": 0}
        for finding in findings:
            counts[finding.severity] += 1
        return cls(LINT_SCHEMA, findings, LintSummary(**counts))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


def listed(names: Iterable[str], most: int = MOST_SHOWN) -> str:
    """Return ``a, b and 3 more``."""
    every = list(names)
    shown = every[:most]
    if len(every) > most:
        return f"{', '.join(shown)} and {len(every) - most} more"
    return " and ".join(", ".join(shown).rsplit(", ", 1))
