"""Reading a report: what it forbids, what its fix changes, and how to say so."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from msgspec import UNSET

from ..check.records import Finding, Iam, PatchOp, Report, Subject
from ..check.text import reason, statement_name
from ..inventory.paths import get, parse
from ..inventory.words import CONTROL_TITLES
from ..rules import Profile
from .records import Change

LOAD_PROFILE = "Load the profile with %secure_ml profile refresh, or set the value yourself."
_SAID = 2  # statements in an exception's message; the card has them all
DENIED = ("explicitly-denied", "implicitly-denied")


def blocks(report: Report, block_on: Container[str]) -> bool:
    """Tell whether a request with this report must not leave.

    ``block_on`` holds severities; an explicit denial by IAM counts as an error, ``depends``
    never blocks.
    """
    for subject in report.subjects:
        if subject.iam.verdict == "explicitly-denied" and "error" in block_on:
            return True
        if any(f.severity in block_on and f.waiver is None for f in subject.findings):
            return True
    return False


def notable(report: Report) -> bool:
    """Tell whether there is something to show: an error or a warning that is not waived."""
    return bool(report.summary.error or report.summary.warning)


def merged_fix(report: Report) -> list[PatchOp]:
    """Return the patch of the request itself; the steps of a pipeline have their own."""
    return report.subjects[0].fix if report.subjects else []


def has_fix(report: Report) -> bool:
    """Tell whether a fix is known for the request, or for a step in it."""
    return any(subject.fix for subject in report.subjects)


def findings(report: Report) -> list[Finding]:
    """Return the findings that are not waived, errors first."""
    order = {"error": 0, "warning": 1, "info": 2}
    every = [f for subject in report.subjects for f in subject.findings if f.waiver is None]
    return sorted(every, key=lambda finding: order[finding.severity])


def waived(report: Report) -> list[Finding]:
    """Return the findings that a waiver silences."""
    return [f for subject in report.subjects for f in subject.findings if f.waiver is not None]


def iam_of(report: Report) -> Iam:
    """Return what IAM would decide about the request."""
    return report.subjects[0].iam if report.subjects else Iam()


def missing_values(report: Report) -> list[tuple[str, list[str]]]:
    """Return the profile values without which there is no fix, and where they were looked for."""
    found: dict[str, list[str]] = {}
    for finding in findings(report):
        for value in finding.missing:
            found.setdefault(value.value, value.looked)
    return list(found.items())


def changes(
    patch: Iterable[PatchOp], masked: Mapping[str, Any], profile: Profile | None
) -> list[Change]:
    """Return the difference a patch makes, with the profile value each new value came from.

    ``masked`` is the request as it may be shown; a value that may not be is ``…`` there.
    """
    lines = []
    for op in patch:
        after = None if op.value is UNSET else op.value
        lines.append(Change(op.path, get(masked, parse(op.path)), after, _source(after, profile)))
    return lines


def _source(value: Any, profile: Profile | None) -> str | None:
    """Return where the values in ``value`` came from, when the profile provided them."""
    if profile is None or value is None or isinstance(value, bool):
        return None
    parts: Sequence[str | None]
    if isinstance(value, Mapping):
        parts = [_source(inner, profile) for inner in value.values()]
    else:
        parts = [
            v.source
            for v in profile.values.values()
            if v.value == value or (isinstance(v.value, list) and value in v.value)
        ][:1]
    return ", ".join(dict.fromkeys(part for part in parts if part)) or None


def plural(count: int, word: str) -> str:
    """Return ``1 error`` or ``2 errors``."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def blocked_message(operation: str, name: str | None, report: Report, held: bool) -> str:
    """Return what ``RequestBlocked`` says: what happened, why, and what to do next.

    ``held`` tells that the card offers *Send with fix*.
    """
    title = f"{operation} {name}" if name else operation
    lines = [f"{title} was not sent: {plural(report.summary.error, 'error')}."]
    for subject in report.subjects:
        lines += [f"  ✕ {line}" for line in _against(subject, bool(report.summary.error))]
    lacking = missing_values(report)
    if held:
        lines.append("  Press Send with fix on the card, or run %secure_ml mode fix and try again.")
    elif lacking:
        names = ", ".join(value for value, _ in lacking)
        looked = ", ".join(dict.fromkeys(place for _, places in lacking for place in places))
        lines.append(f"  The fix needs profile values that are missing: {names}.")
        lines.append(f"  Looked in: {looked}." if looked else "")
        lines.append(f"  {LOAD_PROFILE}")
    else:
        lines.append("  Change the request as the findings say and try again.")
    return "\n".join(line for line in lines if line)


def _against(subject: Subject, only_errors: bool) -> list[str]:
    """Return what stands against a request, or against a step of a pipeline."""
    place = f"{subject.where}: " if subject.where else ""
    lines = []
    if subject.iam.verdict in DENIED:
        standing = subject.iam.statements
        said = [f"{statement_name(s)}: {reason(s, subject.operation)}" for s in standing[:_SAID]]
        said += [f"and {len(standing) - _SAID} more"] if len(standing) > _SAID else []
        lines.append(f"{place}IAM would deny this  {'; '.join(said)}".rstrip())
    for finding in subject.findings:
        if finding.waiver is None and (finding.severity == "error" or not only_errors):
            lines.append(f"{place}{CONTROL_TITLES[finding.control]}: {finding.message}")
    return lines


def scrub(message: str, params: Any, masked: Any) -> str:
    """Return an error message without the request's values that may not be shown.

    AWS quotes the offending value in a ``ValidationException``, a secret in ``Environment``
    included.
    """
    for secret in sorted(set(_hidden(params, masked)), key=len, reverse=True):
        message = message.replace(secret, "…")
    return message


def _hidden(value: Any, shown: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            visible = isinstance(shown, Mapping)
            if not visible and isinstance(key, str) and len(key) > 3:
                yield key
            yield from _hidden(inner, shown.get(str(key)) if visible else None)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            inside = shown[index] if isinstance(shown, list) and index < len(shown) else None
            yield from _hidden(inner, inside)
    elif isinstance(value, (bytes, bytearray)):
        yield from _hidden(bytes(value).decode("utf-8", "replace"), shown)
    elif value is not None and value != shown and not isinstance(value, bool):
        text = str(value)
        if len(text) > 3:
            yield text
