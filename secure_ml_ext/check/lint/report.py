"""Builds findings from rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...inventory.words import Severity
from .records import CODES, LintCode, LintFinding, Place
from .rows import Row

MOST_ACTIONS = 10


def found(
    file: str,
    row: Row,
    code: LintCode,
    message: str,
    corrected: dict[str, Any] | list[dict[str, Any]] | None,
    actions: Iterable[str] = (),
    *,
    keys: Iterable[str] = (),
    severity: Severity | None = None,
    replaces: Iterable[Place] = (),
) -> LintFinding:
    """Return a finding about a statement; without a severity the code's own."""
    return LintFinding(
        file=file,
        code=code,
        severity=severity or CODES[code].severity,
        statement=row.ref,
        message=message,
        corrected=corrected,
        document=row.document,
        line=row.line,
        region=row.region,
        actions=list(actions)[:MOST_ACTIONS],
        keys=list(keys),
        replaces=list(replaces),
    )
