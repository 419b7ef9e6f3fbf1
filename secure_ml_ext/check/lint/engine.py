"""The lint: documents in, findings out. No file is read and nobody is asked here."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from . import constant, disks, names, omission, unions
from .group import Beside
from .positions import Lines
from .records import CODES, LintFinding, StatementRef, listed
from .report import found
from .rewrite import copied
from .rows import Row, Rows, rows_of
from .sources import Content, Group, read
from .tolerant import Remark

_ORDER = {code: number for number, code in enumerate(CODES)}
_MOST_REMARKS = 5


def lint_documents(
    documents: Sequence[tuple[str, str | Mapping[str, Any] | list[Any]]],
) -> list[LintFinding]:
    """Return what is wrong with policies: pairs of a file's name and its content.

    The content is text (IAM JSON, also URL-encoded or with comments) or JSON already parsed: a
    document, one as the AWS CLI prints it, a list of documents, or a policy bundle. Documents of
    one content belong to one principal, and so do contents under the same name: a conditional
    Allow may be undone by a statement of any of them. Findings come in the order of the files and
    their statements. Raises InputError for what IAM would refuse (comments, trailing commas and a
    byte order mark apart), naming file, statement and line.
    """
    files: dict[str, list[Content]] = {}
    repeated = Counter(file for file, _ in documents)
    for file, content in documents:
        known = files.setdefault(file, [])
        label = f"[{len(known)}]" if repeated[file] > 1 else None
        known.append(read(file, content, label))
    return [finding for file, contents in files.items() for finding in _file(file, contents)]


def _file(file: str, contents: list[Content]) -> list[LintFinding]:
    findings: list[LintFinding] = []
    groups: list[tuple[Group, list[Rows]]] = []
    for content in contents:
        compiled = rows_of(file, content)
        groups += compiled
        everything = [rows for _, several in compiled for rows in several]
        findings += _not_strict(file, content, everything)
    denies: dict[str | None, list[Row]] = {None: []}
    for group, several in groups:
        of = denies.setdefault(group.principal, [])
        of += [row for rows in several for row in rows.rows if row.effect == "Deny"]
    for group, layer in _united(groups):
        above = denies[None] if group.principal is not None else []
        findings += _layer(file, layer, [*denies[group.principal], *above])
    return _sorted(findings)


def _united(groups: Iterable[tuple[Group, list[Rows]]]) -> Iterator[tuple[Group, list[Rows]]]:
    """Put the single documents of one file together; layers of bundles stay apart."""
    alone: list[Rows] = []
    first: Group | None = None
    for group, several in groups:
        if group.layer is None:
            first = first or group
            alone += several
        else:
            yield group, several
    if first:
        yield first, alone


def _layer(file: str, layer: list[Rows], denies: list[Row]) -> Iterator[LintFinding]:
    beside = Beside((row for rows in layer for row in rows.rows), denies)
    for rows in layer:
        if not any(row.touches_sagemaker() for row in rows.rows):
            yield _no_effect(file, rows)
        for row in rows.rows:
            yield from names.check(file, row)
            if row.actions:
                yield from constant.check(file, row, beside)
                yield from omission.check(file, row, beside)
                yield from disks.check(file, row, beside)
                yield from unions.check(file, row, beside)


def _no_effect(file: str, rows: Rows) -> LintFinding:
    named = f"{rows.source.name} names" if rows.source.name else "The document names"
    return LintFinding(
        file=file,
        code="no-effect",
        severity="info",
        statement=StatementRef(None),
        message=f"{named} no action of SageMaker and passes no role to it, so nothing here is "
        "about SageMaker.",
        document=rows.source.name,
        line=rows.rows[0].line if rows.rows else None,
    )


def _not_strict(file: str, content: Content, documents: list[Rows]) -> Iterator[LintFinding]:
    """Report what is no JSON: by statement, where it stands inside one."""
    rows = [row for each in documents for row in each.rows if row.region]
    lines = Lines(content.text) if content.text is not None else None
    by_row: dict[int | None, list[tuple[Remark, int | None]]] = {}
    starts = [_begin(row) for row in rows]
    for remark in content.remarks:
        place = lines.place(remark.place) if lines else None
        number = bisect_right(starts, place) - 1 if place else -1
        inside = place and number >= 0 and place < _end(rows[number])
        by_row.setdefault(number if inside else None, []).append((remark, place and place[0]))
    for which, remarks in by_row.items():
        if which is None:
            yield _loose(file, remarks, None, remarks[0][1])
        else:
            row = rows[which]
            strict = copied(row.written)
            made = found(file, row, "not-strict-json", _remark_message(remarks), strict)
            yield replace(made, line=remarks[0][1])
    for each in documents:
        if each.source.remarks:
            line = each.rows[0].line if each.rows else None
            yield _loose(file, [(r, None) for r in each.source.remarks], each.source.name, line)


def _begin(row: Row) -> tuple[int, int]:
    return (row.region.start_line, row.region.start_column) if row.region else (0, 0)


def _end(row: Row) -> tuple[int, int]:
    return (row.region.end_line, row.region.end_column) if row.region else (0, 0)


def _remark_message(remarks: list[tuple[Remark, int | None]]) -> str:
    places = (r.what + (f" in line {line}" if line else "") for r, line in remarks)
    return f"IAM refuses what is not JSON: {listed(dict.fromkeys(places), _MOST_REMARKS)}."


def _loose(
    file: str,
    remarks: list[tuple[Remark, int | None]],
    document: str | None,
    line: int | None,
) -> LintFinding:
    return LintFinding(
        file=file,
        code="not-strict-json",
        severity=CODES["not-strict-json"].severity,
        statement=StatementRef(None),
        message=_remark_message(remarks),
        document=document,
        line=line,
    )


def _sorted(findings: list[LintFinding]) -> list[LintFinding]:
    """Order findings by statement; a policy attached to several principals speaks once."""
    seen: set[tuple[str | None, int | None, str, str]] = set()
    documents: dict[str | None, int] = {}
    distinct = []
    for finding in findings:
        documents.setdefault(finding.document, len(documents))
        key = (finding.document, finding.statement.index, finding.code, finding.message)
        if key not in seen:
            seen.add(key)
            distinct.append(finding)

    def place(finding: LintFinding) -> tuple[int, int, int]:
        index = finding.statement.index
        return (
            documents[finding.document],
            -1 if index is None else index,
            _ORDER[finding.code],
        )

    return sorted(distinct, key=place)
