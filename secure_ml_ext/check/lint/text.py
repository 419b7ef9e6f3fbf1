"""The findings of the lint as plain text, file by file."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...inventory.words import Severity
from .layout import laid_out
from .records import LintFinding, LintReport

_SYMBOLS: Mapping[Severity, str] = {"error": "✕", "warning": "!", "info": "–"}
_MOST_WIDE = 120


def lint_text(report: LintReport, files: Sequence[str], *, width: int | None = None) -> str:
    """Return a block for each of ``files``, and a summary line.

    ``width`` is in characters; by default the terminal's, at most 120.
    """
    columns = width or min(_MOST_WIDE, shutil.get_terminal_size((96, 24)).columns)
    by_file: dict[str, list[LintFinding]] = {file: [] for file in files}
    for finding in report.findings:
        by_file.setdefault(finding.file, []).append(finding)
    blocks = ["\n".join(_file_lines(file, found, columns)) for file, found in by_file.items()]
    summary = report.summary
    counts = ((summary.error, "error"), (summary.warning, "warning"), (summary.info, "note"))
    blocks.append(", ".join(f"{n} {word}" + ("" if n == 1 else "s") for n, word in counts))
    return "\n".join(blocks)


def _file_lines(file: str, findings: Iterable[LintFinding], width: int) -> Iterator[str]:
    found = list(findings)
    if not found:
        yield f"✓ {file} nothing to object to"
        return
    yield f"Secure ML: {file}"
    for finding in found:
        yield from _finding_lines(finding, width)


def _finding_lines(finding: LintFinding, width: int) -> Iterator[str]:
    place = ", ".join(part for part in _place(finding) if part)
    head = f"  {_SYMBOLS[finding.severity]} {finding.code:<26} {place}"
    yield f"{head}  {finding.severity}"
    indent = " " * 4
    yield from textwrap.wrap(
        finding.message, max(40, width), initial_indent=indent, subsequent_indent=indent
    )
    if finding.corrected is None:
        return
    others = " and ".join(str(each.index) for each in finding.replaces)
    yield f"    Corrected{f' (in place of statements {others})' if others else ''}"
    yield "      " + laid_out(finding.corrected, width=width, margin=6)


def _place(finding: LintFinding) -> Iterator[str]:
    if finding.document:
        yield finding.document
    index, sid = finding.statement.index, finding.statement.sid
    if index is not None:
        yield f"statement {index}" + (f" ({sid})" if sid else "")
    if finding.line:
        yield f"line {finding.line}"
