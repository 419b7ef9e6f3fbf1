"""The report in a cell: one MIME bundle whose HTML and plain text say the same in the same order.

The HTML is complete without script and without the front end, so that nbconvert, Notebook 7 and
VS Code show it too. Everything that came from a request is escaped. Colours are JupyterLab's
where they are defined, else tones that can be read on white and on black; each stands beside a
symbol and a word.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec
from msgspec.structs import replace

from ..check.records import Subject
from ..check.text import (
    VERDICTS,
    calm_line,
    findings_by_weight,
    headline,
    iam_said,
    is_calm,
    is_quiet,
    missing_text,
    note_lines,
    note_text,
    pointer_text,
    quiet_line,
    quiet_text,
    subject_lines,
    value_text,
)
from ..check.text import change_text as patch_text
from ..inventory.words import CONTROL_TITLES, STATE_SYMBOLS
from .records import CARD_MIME, Card, Change

_STATUS = {
    "passed": "compliant",
    "warned": "sent as it was",
    "observed": "sent as it was",
    "fixed": "sent with the fix",
    "blocked": "not sent",
    "dry-run": "dry run, not sent",
    "resent": "sent with the fix",
}
_STATES = {"error": "fail", "warning": "warn", "info": "info"}
_COLOURS = {
    "fail": "var(--jp-error-color1,#d9453c)",
    "warn": "var(--jp-warn-color1,#b87400)",
    "depends": "var(--jp-info-color1,#2f86c8)",
    "pass": "var(--jp-success-color1,#3a9445)",
}
# A page without a doctype hands neither colour nor size down into tables.
TABLE = 'style="border-collapse:collapse;margin:4px 0;color:inherit;font-size:inherit"'
_CELL = 'style="text-align:left;vertical-align:top;padding:1px 10px 1px 0;background:none"'
_PRE = (
    'style="margin:2px 0;padding:4px 8px;background:rgba(127,127,127,.12);'
    'white-space:pre-wrap;text-align:left"'
)


def change_text(change: Change) -> str:
    """Return one line of the difference, with what stood there and where the value comes from."""
    origin = f"  (from {change.source})" if change.source else ""
    path = pointer_text(change.path)
    if change.after is None:
        return f"- {path}"
    if change.before is None:
        return f"+ {path}  {value_text(change.after)}{origin}"
    return f"~ {path}  {value_text(change.before)} → {value_text(change.after)}{origin}"


def text(card: Card) -> str:
    """Return the plain-text form of a card, in the words of ``check.text``."""
    head, *others = card.report.subjects
    if _is_quiet(card):
        rows = [quiet_line(head) + _unsent(card)]
    else:
        rows = [f"Secure ML: {_title(head)}, {_STATUS[card.action]}"]
        own = replace(head, fix=[])
        rows += [
            f"  {line}" for line in ([quiet_line(own)] if is_quiet(own) else subject_lines(own))
        ]
        for index, change in enumerate(card.changes):
            rows.append(f"  {'    ' if index else 'Fix '}{change_text(change)}")
    rows += [f"  {line}" for line in (*_others(others), *note_lines(card.report))]
    return "\n".join(rows)


def _others(subjects: list[Subject]) -> Iterator[str]:
    """Yield the lines of what a call brings along: a pipeline's steps, the calm ones last."""
    for subject in subjects:
        if not is_quiet(subject):
            yield headline(subject)
            yield from (f"  {line}" for line in subject_lines(subject))
        elif not is_calm(subject):
            yield quiet_text(subject)
    calm = [subject for subject in subjects if is_calm(subject)]
    if calm:
        yield from textwrap.wrap(calm_line(calm), 96, subsequent_indent="  ")


def html(card: Card) -> str:
    """Return the HTML form of a card: inline style, no script, everything escaped."""
    head, *others = card.report.subjects
    rest = [*_other_blocks(others), *_notes(card)]
    if _is_quiet(card):
        return _quiet(quiet_line(head) + _unsent(card)) + "".join(rest)
    blocks = [
        '<div style="display:flex;gap:1em;justify-content:space-between;flex-wrap:wrap">'
        f"<span>Secure ML · <b>{escape(_title(head))}</b></span>"
        f"<span>{escape(_STATUS[card.action])}</span></div>",
    ]
    if is_quiet(head):
        blocks.append(_quiet(quiet_line(head)))
    else:
        blocks += _body(head, [change_text(change) for change in card.changes])
    blocks += rest
    if card.code is not None:
        for name, code in (
            ("SDK v3", card.code.v3),
            ("SDK v2", card.code.v2),
            ("boto3", card.code.boto3),
        ):
            shown = f"<summary>Code for {name}</summary><pre {_PRE}>{escape(code)}</pre>"
            blocks.append(f"<details>{shown}</details>")
    return (
        '<section aria-label="Secure ML report" style="border:1px solid rgba(127,127,127,.45);'
        f'border-radius:3px;padding:6px 10px;font-size:13px;line-height:1.5">{"".join(blocks)}'
        "</section>"
    )


def _body(subject: Subject, changes: list[str]) -> Iterator[str]:
    """Yield the blocks of one subject: its note, the table, what passes, the fix."""
    if subject.note is not None:
        yield f"<div>{escape(subject.note)}</div>"
    yield f"<table {TABLE}>{''.join(_rows(subject))}</table>"
    calm = [
        _mark(c.state)
        + escape(f" {CONTROL_TITLES[c.control]}" + (f" ({c.note})" if c.note else ""))
        for c in subject.controls
        if c.state in ("pass", "exempt", "depends")
    ]
    if calm:
        yield f"<div>{' · '.join(calm)}</div>"
    if changes:
        lines = escape("\n".join(changes))
        yield f'<div style="margin-top:4px">Fix</div><pre {_PRE}>{lines}</pre>'


def _other_blocks(subjects: list[Subject]) -> Iterator[str]:
    """Yield the blocks of what a call brings along, in the order of ``_others``."""
    for subject in subjects:
        if not is_quiet(subject):
            body = "".join(_body(subject, [patch_text(op) for op in subject.fix]))
            yield (
                f'<details open style="margin-top:4px"><summary>{escape(headline(subject))}'
                f'</summary><div style="margin-left:1em">{body}</div></details>'
            )
        elif not is_calm(subject):
            yield _quiet(quiet_text(subject))
    calm = [subject for subject in subjects if is_calm(subject)]
    if calm:
        yield _quiet(calm_line(calm))


def _notes(card: Card) -> Iterator[str]:
    for note in card.report.notes:
        yield f'<div style="opacity:.75">– {escape(note_text(note))}</div>'


def _quiet(line: str) -> str:
    """Return a line that begins with the symbol of a state."""
    symbol, _, rest = line.partition(" ")
    state = "pass" if symbol == STATE_SYMBOLS["pass"] else "depends"
    return f'<div style="opacity:.85">{_mark(state, symbol)} {escape(rest)}</div>'


def _is_quiet(card: Card) -> bool:
    return all(map(is_quiet, card.report.subjects))


def _title(subject: Subject) -> str:
    return f"{subject.operation} {subject.name}" if subject.name else subject.operation


def _unsent(card: Card) -> str:
    return f", {_STATUS[card.action]}" if card.action in ("dry-run", "blocked") else ""


def _rows(subject: Subject) -> Iterator[str]:
    """Yield the table rows: what IAM would say, then the findings, the gravest first."""
    iam = subject.iam
    if iam.verdict in VERDICTS:
        symbol, _, said = VERDICTS[iam.verdict].partition(" ")
        state = next((state for state, mark in STATE_SYMBOLS.items() if mark == symbol), "na")
        why = "<br>".join(map(escape, iam_said(subject)))
        yield _row(_mark(state, symbol), _title_cell(said), why, "")
    for finding in findings_by_weight(subject):
        state = _STATES[finding.severity]
        where = f"{finding.rule} at {pointer_text(finding.pointer)}"
        small = [where, missing_text(finding)]
        said = escape(finding.message) + "".join(
            f'<br><span style="opacity:.75">{escape(line)}</span>' for line in small if line
        )
        mark = _mark(state, "!" if state == "info" else None)
        yield _row(mark, _title_cell(CONTROL_TITLES[finding.control]), said, finding.severity)


def _title_cell(title: str) -> str:
    return f'<span style="white-space:nowrap">{escape(title)}</span>'


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td {_CELL}>{cell}</td>" for cell in cells) + "</tr>"


def _mark(state: str, symbol: str | None = None) -> str:
    shown = escape(symbol or STATE_SYMBOLS[state])
    return f'<span style="color:{_COLOURS.get(state, "inherit")};font-weight:bold">{shown}</span>'


def bundle(card: Card | str) -> dict[str, Any]:
    """Return the MIME bundle of a card, or of a line."""
    if isinstance(card, str):
        return {
            "text/html": f'<div style="white-space:pre-wrap">{escape(card)}</div>',
            "text/plain": card,
        }
    return {
        CARD_MIME: msgspec.to_builtins(card),
        "text/html": html(card),
        "text/plain": text(card),
    }


def present(card: Card | str) -> None:
    """Show a card or a line under the running cell; on stderr outside a notebook.

    A forked child has no socket of its own to the front end, so it prints too.
    """
    if os.getpid() == _pid and _in_kernel():
        publish(bundle(card))
        return
    print(card if isinstance(card, str) else text(card), file=sys.stderr)


def publish(data: dict[str, Any]) -> None:
    """Publish a MIME bundle in the running cell."""
    from IPython.display import publish_display_data

    publish_display_data(data)  # type: ignore[no-untyped-call]


def _in_kernel() -> bool:
    core = sys.modules.get("IPython.core.getipython")
    shell = core.get_ipython() if core is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


_pid = os.getpid()
