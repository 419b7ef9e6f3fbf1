"""The policy lint: statements that do not do what they seem to say, each with its correction.

``lint_documents(documents)`` gives ``LintFinding``s; the codes are those of ``CODES``.
"""

from __future__ import annotations

from .engine import lint_documents
from .records import CODES, LintCode, LintFinding, LintReport, Place, Region, StatementRef
from .sources import NotAPolicy

__all__ = [
    "CODES",
    "LintCode",
    "LintFinding",
    "LintReport",
    "NotAPolicy",
    "Place",
    "Region",
    "StatementRef",
    "lint_documents",
]
