"""The report as plain text: the same facts in the same order as the card."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import UNSET

from ..iam import DecidingStatement
from ..inventory.words import CONTROL_TITLES, STATE_SYMBOLS
from ..rules.profile import PROFILE_VALUES
from .records import Finding, Note, PatchOp, Report, Statement, Subject

_TITLE_WIDTH = 22
VERDICTS = {
    "explicitly-denied": "✕ IAM would deny this",
    "implicitly-denied": "✕ IAM would not allow this",
    "depends": "? IAM's answer depends",
    "allowed": "✓ IAM would allow this",
}
# By verdict and the gravest finding of the baseline; "" is none, a note counts as none.
_DIFFERENCES = {
    ("allowed", "error"): "IAM allows it, the baseline does not",
    ("allowed", "warning"): "IAM allows it, the baseline warns",
    ("explicitly-denied", "warning"): "IAM denies it, the baseline only warns",
    ("explicitly-denied", ""): "IAM denies it, the baseline has no objection",
    ("implicitly-denied", "warning"): "IAM does not allow it, the baseline only warns",
    ("implicitly-denied", ""): "IAM does not allow it, the baseline has no objection",
    ("depends", "error"): "IAM may allow it, the baseline does not",
    ("depends", ""): "IAM may deny it, the baseline has no objection",
}


def value_text(value: Any) -> str:
    """Return a value of a fix on one line, lists separated by blanks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return " ".join(value_text(item) for item in value)
    if isinstance(value, dict):
        return "  ".join(f"{key}: {value_text(item)}" for key, item in value.items())
    return "" if value is None else str(value)


def pointer_text(pointer: str) -> str:
    """Return a JSON Pointer as people write paths: ``ResourceConfig.VolumeKmsKeyId``."""
    return pointer.lstrip("/").replace("/", ".").replace("~1", "/").replace("~0", "~")


def change_text(operation: PatchOp) -> str:
    """Return one operation of a fix: ``+ VpcConfig  Subnets: …``."""
    sign = {"add": "+", "replace": "~", "remove": "-"}[operation.op]
    value = "" if operation.value is UNSET else f"  {value_text(operation.value)}"
    return f"{sign} {pointer_text(operation.path)}{value}"


def missing_text(finding: Finding) -> str | None:
    """Return which profile values a fix lacks and where they were looked for."""
    if not finding.missing:
        return None
    parts = []
    for missing in finding.missing:
        title = (
            PROFILE_VALUES[missing.value][0] if missing.value in PROFILE_VALUES else missing.value
        )
        parts.append(f"{title} ({missing.value}; looked in: {', '.join(missing.looked)})")
    return "no fix: the profile lacks " + ", ".join(parts)


def findings_by_weight(subject: Subject) -> list[Finding]:
    """Return the findings that are not waived, the gravest first, as the report has them."""
    return [f for f in subject.findings if f.waiver is None]


def is_quiet(subject: Subject) -> bool:
    """Tell whether nothing is to be said: no errors or warnings, and IAM does not object."""
    if subject.iam.verdict not in ("allowed", "not-evaluated"):
        return False
    return all(f.severity == "info" or f.waiver is not None for f in subject.findings)


def quiet_line(subject: Subject) -> str:
    """Return the one line of a compliant request, with what remains open or was waived."""
    name = f" {subject.name}" if subject.name else ""
    waived = sum(f.waiver is not None for f in subject.findings)
    open_ = sorted({c.note for c in subject.controls if c.state == "depends" and c.note})
    notes = [f"{waived} waived"] if waived else []
    notes += open_
    passed = any(c.state == "pass" for c in subject.controls)
    symbol = "✓" if passed or not open_ else "?"
    word = "compliant" if passed or not open_ else "nothing to check in the request itself"
    if subject.iam.verdict == "allowed":
        word += ", allowed by IAM"
    return f"{symbol} {subject.operation}{name} {word}" + (
        f" ({'; '.join(notes)})" if notes else ""
    )


def statement_name(statement: Statement | DecidingStatement) -> str:
    """Return how a statement is called: ``scp:1 "DenyNoVpc"``, by number where it has no name."""
    if statement.sid:
        return f'{statement.layer} "{statement.sid}"'
    number = f"statement {statement.index}" if statement.index >= 0 else ""
    # A policy without a name is called by its place: identity[0].
    layer = "" if statement.policy.startswith(f"{statement.layer}[") else statement.layer
    return " ".join(part for part in (layer, statement.policy, number) if part)


def difference(subject: Subject) -> str | None:
    """Return where the two answers differ, IAM's and the baseline's; None where they agree."""
    severities = {finding.severity for finding in findings_by_weight(subject)}
    baseline = "error" if "error" in severities else "warning" if "warning" in severities else ""
    return _DIFFERENCES.get((subject.iam.verdict, baseline))


def reason(statement: Statement, operation: str) -> str:
    """Return why a statement decides, without the action that the headline names."""
    why = statement.why
    for verb in ("denies", "would deny"):
        why = why.removeprefix(f"{verb} sagemaker:{operation}: ")
    return why


def iam_said(subject: Subject) -> list[str]:
    """Return what is to be said beside IAM's verdict.

    The question and its outcomes, the statements that decide, whether any change can help, and
    where the baseline's answer differs.
    """
    iam = subject.iam
    said = [iam.question] if iam.question else []
    if iam.verdict == "depends":
        said += iam.outcomes
    said += [
        f"{statement_name(each)} · {reason(each, subject.operation)}" for each in iam.statements
    ]
    if iam.unsatisfiable:
        barred = ", ".join(iam.unsatisfiable)
        said.append(f"No request like this one can pass, whatever is changed: {barred}")
    differs = difference(subject)
    return [*said, differs] if differs else said


def iam_lines(subject: Subject, *, width: int = 96) -> Iterator[str]:
    """Yield IAM's verdict, the statements that decide, and what would settle it."""
    verdict = subject.iam.verdict
    if verdict not in VERDICTS:
        return
    head = f"{VERDICTS[verdict]:<{_TITLE_WIDTH + 2}} "
    indent = " " * len(head)
    said = iam_said(subject)
    if not said:
        yield head.rstrip()
    for number, text in enumerate(said):
        first = head if number == 0 else indent
        yield from textwrap.wrap(
            text, max(width, len(head) + 40), initial_indent=first, subsequent_indent=indent
        )


def subject_lines(subject: Subject, *, width: int = 96) -> Iterator[str]:
    """Yield the lines of one subject, without a headline."""
    if subject.note is not None:
        yield from textwrap.wrap(subject.note, width)
    yield from iam_lines(subject, width=width)
    for finding in findings_by_weight(subject):
        symbol = "✕" if finding.severity == "error" else "!"
        title = CONTROL_TITLES[finding.control]
        head = f"{symbol} {title:<{_TITLE_WIDTH}} "
        lines = textwrap.wrap(finding.message, max(30, width - len(head) - 10)) or [""]
        yield f"{head}{lines[0]}  {finding.severity}"
        for line in lines[1:]:
            yield " " * len(head) + line
        yield " " * len(head) + f"{finding.rule} at {pointer_text(finding.pointer)}"
        if (lack := missing_text(finding)) is not None:
            for line in textwrap.wrap(lack, max(30, width - len(head))):
                yield " " * len(head) + line
    calm = [
        f"{STATE_SYMBOLS[c.state]} {CONTROL_TITLES[c.control]}" + (f" ({c.note})" if c.note else "")
        for c in subject.controls
        if c.state in ("pass", "exempt", "depends")
    ]
    if calm:
        yield from textwrap.wrap(" · ".join(calm), width, subsequent_indent="  ")
    for index, operation in enumerate(subject.fix):
        yield f"{'Fix ' if index == 0 else '    '}{change_text(operation)}"


def place_of(subject: Subject) -> str:
    """Return where a subject stands: ``train.json``, ``step Train, in CheckMSE (if)``."""
    return " ".join(part for part in (subject.path, subject.where) if part)


def headline(subject: Subject) -> str:
    """Return ``CreateTrainingJob abalone-1 (train.json)``."""
    name = f" {subject.name}" if subject.name else ""
    return f"{subject.operation}{name}{_placed(subject)}"


def is_calm(subject: Subject) -> bool:
    """Tell whether a subject can be counted among others like it: nothing at all is to be said."""
    return (
        is_quiet(subject)
        and subject.note is None
        and not subject.findings
        and all(control.state != "depends" for control in subject.controls)
    )


def calm_line(subjects: Sequence[Subject]) -> str:
    """Return ``✓ 2 steps compliant, allowed by IAM: step Train; step Test`` of calm subjects."""
    word = "step" if all(each.kind == "pipeline-step" for each in subjects) else "request"
    some = f"{len(subjects)} {word}" + ("" if len(subjects) == 1 else "s")
    allowed = all(each.iam.verdict == "allowed" for each in subjects)
    names = "; ".join(each.where or headline(each) for each in subjects)
    return f"✓ {some} compliant{', allowed by IAM' if allowed else ''}: {names}"


def note_text(note: Note) -> str:
    """Return a note with its place: ``step Notify: a Lambda step sends no request``."""
    place = " ".join(part for part in (note.path, note.where) if part)
    return f"{place}: {note.message}" if place else note.message


def note_lines(report: Report, *, width: int = 96) -> Iterator[str]:
    """Yield what was seen and not checked, and why."""
    for note in report.notes:
        yield from textwrap.wrap(
            note_text(note), width, initial_indent="– ", subsequent_indent="  "
        )


def quiet_text(subject: Subject) -> str:
    """Return the line of a quiet subject with its place and what has to be known about it."""
    note = f" · {subject.note}" if subject.note else ""
    return f"{quiet_line(subject)}{_placed(subject)}{note}"


def _placed(subject: Subject) -> str:
    place = place_of(subject)
    return f" ({place})" if place else ""


def report_text(report: Report, *, width: int | None = None) -> str:
    """Return the report as text, one block per subject and a summary line.

    ``width`` is in characters; by default the terminal's, at most 120.
    """
    columns = width or min(120, shutil.get_terminal_size((96, 24)).columns)
    blocks = []
    for subject in report.subjects:
        if is_quiet(subject):
            blocks.append(quiet_text(subject))
            continue
        lines = [f"Secure ML: {headline(subject)}"]
        lines += [f"  {line}" for line in subject_lines(subject, width=columns - 2)]
        blocks.append("\n".join(lines))
    blocks += note_lines(report, width=columns)
    blocks.append(summary_text(report))
    return "\n".join(blocks)


def summary_text(report: Report) -> str:
    """Return ``1 error, 2 warnings, 0 notes``."""

    def count(number: int, word: str) -> str:
        return f"{number} {word}" + ("" if number == 1 else "s")

    summary = report.summary
    return ", ".join(
        (
            count(summary.error, "error"),
            count(summary.warning, "warning"),
            count(summary.info, "note"),
        )
    )


def report_json(report: Report) -> str:
    """Return the report as indented JSON."""
    return json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
