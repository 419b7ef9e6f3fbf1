"""SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format) of the lint and of the report.

Code scanning of GitHub, GitLab and Azure DevOps reads it. Paths are relative to the working
directory; only a file outside it has an absolute URI.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from ..inventory.words import CONTROL_TITLES, Severity
from ..rules.model import builtin_rules
from .lint.layout import laid_out
from .lint.records import CODES, LintFinding, Region
from .records import Finding, Iam, Report, Subject

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
TOOL = "secure_ml_ext"
FINGERPRINT = "secureMl/v1"
_LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_VERDICTS: Mapping[str, tuple[Severity, str]] = {
    "explicitly-denied": ("error", "IAM would deny this call"),
    "implicitly-denied": ("error", "IAM would not allow this call"),
    "depends": ("warning", "IAM's answer depends on what is not known"),
}
# Where a reader's place is a line of the file: of Python source, and of a template's resource. A
# line of a notebook's cell is none.
_LINES: Mapping[str, re.Pattern[str]] = {
    "notebook-cell": re.compile(r"line ([0-9]{1,9})$"),
    "template-resource": re.compile(r".*\(line ([0-9]{1,9})\)$", re.DOTALL),
}
# In a document on one line every statement would hang far to the right.
_WIDEST_MARGIN = 24
_STREAMS = ("-", "standard input")


def lint_sarif(
    findings: Iterable[LintFinding], *, root: Path | None = None, problems: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the findings of the lint as a SARIF log.

    Every code is a rule. ``fixes`` hold the corrected statement where the text's region is known,
    ``properties.corrected`` always. ``problems`` are files that could not be read. ``root`` is the
    directory that paths are relative to, by default the working directory.
    """
    rules = [
        _rule(code, info.title, info.why, info.severity, tags=["security", "iam"])
        for code, info in CODES.items()
    ]
    base = _base(root)
    order = list(CODES)
    fingerprints = _Fingerprints()
    results = [_lint_result(each, order.index(each.code), base, fingerprints) for each in findings]
    return _log(rules, results, problems)


def report_sarif(
    report: Report, *, root: Path | None = None, problems: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a report as a SARIF log.

    Every baseline rule that speaks is a rule, and so are ``iam/explicitly-denied``,
    ``iam/implicitly-denied`` and ``iam/depends``. A waived finding is a suppressed result. The
    JSON Patch (RFC 6902) of a finding is in ``properties.fix``: it changes a request, which need
    not be the file's text. Notes of the report become notifications.
    """
    rules: dict[str, dict[str, Any]] = {}
    base = _base(root)
    fingerprints = _Fingerprints()
    results = []
    for subject in report.subjects:
        for finding in subject.findings:
            rules.setdefault(finding.rule, _baseline_rule(finding))
            number = list(rules).index(finding.rule)
            results.append(_result(subject, finding, number, base, fingerprints))
        if subject.iam.verdict in _VERDICTS:
            name = f"iam/{subject.iam.verdict}"
            severity, text = _VERDICTS[subject.iam.verdict]
            why = "Organisation policies decide this, whatever the baseline says."
            rules.setdefault(name, _rule(name, text, why, severity, tags=["security", "iam"]))
            number = list(rules).index(name)
            results.append(_iam_result(subject, name, number, base, fingerprints))
    log = _log(list(rules.values()), results, problems)
    notifications = log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    for note in report.notes:
        notification: dict[str, Any] = {"level": "note", "message": {"text": note.message}}
        if location := _location(note.path, note.where, None, [], base):
            notification["locations"] = [location]
        notifications.append(notification)
    return log


def sarif_json(log: Mapping[str, Any]) -> str:
    """Return a log as indented JSON."""
    return json.dumps(log, indent=2, ensure_ascii=False)


class _Fingerprints:
    """Identities that stay when lines move; equal ones are numbered in order."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, *parts: Any) -> dict[str, str]:
        text = json.dumps(parts, ensure_ascii=True, default=str)
        number = self._seen[text]
        self._seen[text] += 1
        digest = hashlib.sha256(f"{text}#{number}".encode()).hexdigest()
        return {FINGERPRINT: digest[:32]}


def _log(
    rules: list[dict[str, Any]], results: list[dict[str, Any]], problems: Sequence[str]
) -> dict[str, Any]:
    notifications = [{"level": "error", "message": {"text": each}} for each in problems]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": TOOL, "version": version(TOOL), "rules": rules}},
                "invocations": [
                    {
                        "executionSuccessful": not problems,
                        "toolExecutionNotifications": notifications,
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _rule(
    name: str, title: str, why: str, severity: Severity, *, tags: Sequence[str], **properties: Any
) -> dict[str, Any]:
    words = re.split(r"[^A-Za-z0-9]+", name)
    return {
        "id": name,
        "name": "".join(word[:1].upper() + word[1:] for word in words),
        "shortDescription": {"text": title},
        "fullDescription": {"text": why},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {"tags": list(tags), **properties},
    }


def _baseline_rule(finding: Finding) -> dict[str, Any]:
    known = next((rule for rule in builtin_rules() if rule.id == finding.rule), None)
    why = finding.why or (known.why if known else "") or CONTROL_TITLES[finding.control]
    return _rule(
        finding.rule,
        why,
        why,
        finding.severity,
        tags=["security", "sagemaker"],
        control=finding.control,
        references=finding.references,
    )


def _lint_result(
    finding: LintFinding, rule: int, base: str, fingerprints: _Fingerprints
) -> dict[str, Any]:
    index, sid = finding.statement.index, finding.statement.sid
    names = [finding.document] if finding.document else []
    if index is not None:
        names.append(sid or f"Statement[{index}]")
    location = _location(finding.file, None, _region(finding), names, base)
    identity = (_uri(finding.file, base), finding.document, finding.code, sid, finding.keys)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        **({"locations": [location]} if location else {}),
        "partialFingerprints": fingerprints.of(*identity, finding.actions),
        "properties": {
            "statement": msgspec.to_builtins(finding.statement),
            "corrected": finding.corrected,
            "actions": finding.actions,
            "keys": finding.keys,
            "replaces": msgspec.to_builtins(finding.replaces),
        },
    }
    fix = _replacement(finding, location)
    return {**result, "fixes": [fix]} if fix else result


def _region(finding: LintFinding) -> dict[str, int] | None:
    if finding.region is not None and finding.region.start_line == finding.line:
        return _region_of(finding.region)
    return {"startLine": finding.line} if finding.line else None


def _region_of(region: Region) -> dict[str, int]:
    return {
        "startLine": region.start_line,
        "startColumn": region.start_column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    }


def _replacement(finding: LintFinding, location: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the correction as text, where it stands for exactly the statement's own text."""
    if finding.corrected is None or finding.region is None or finding.replaces or not location:
        return None
    corrected = finding.corrected if isinstance(finding.corrected, list) else [finding.corrected]
    margin = min(finding.region.start_column - 1, _WIDEST_MARGIN)
    texts = [laid_out(each, margin=margin) for each in corrected]
    text = f",\n{' ' * margin}".join(texts)
    place = location.get("physicalLocation")
    if place is None:
        return None
    return {
        "description": {"text": f"Write the corrected statement ({finding.code})"},
        "artifactChanges": [
            {
                "artifactLocation": place["artifactLocation"],
                "replacements": [
                    {
                        "deletedRegion": _region_of(finding.region),
                        "insertedContent": {"text": text},
                    }
                ],
            }
        ],
    }


def _result(
    subject: Subject, finding: Finding, rule: int, base: str, fingerprints: _Fingerprints
) -> dict[str, Any]:
    result = _about(subject, finding.rule, rule, finding.severity, finding.message, base)
    identity = (subject.path and _uri(subject.path, base), subject.operation, subject.name)
    result["partialFingerprints"] = fingerprints.of(*identity, finding.rule, finding.pointer)
    result["properties"] |= {
        "pointer": finding.pointer,
        "expected": finding.expected,
        "actual": finding.actual,
        "fix": msgspec.to_builtins(finding.fix),
        "references": finding.references,
        "missing": msgspec.to_builtins(finding.missing),
    }
    if finding.waiver is not None:
        waiver = finding.waiver
        until = f"until {waiver.expires}" if waiver.expires else ""
        more = ", ".join(part for part in (waiver.ticket, until) if part)
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": waiver.reason + (f" ({more})" if more else ""),
            }
        ]
    return result


def _iam_result(
    subject: Subject, name: str, rule: int, base: str, fingerprints: _Fingerprints
) -> dict[str, Any]:
    severity, _ = _VERDICTS[subject.iam.verdict]
    result = _about(subject, name, rule, severity, _iam_message(subject.iam), base)
    identity = (subject.path and _uri(subject.path, base), subject.operation, subject.name)
    result["partialFingerprints"] = fingerprints.of(*identity, name)
    result["properties"] |= {
        "statements": msgspec.to_builtins(subject.iam.statements),
        "question": subject.iam.question,
        "outcomes": subject.iam.outcomes,
        "unsatisfiable": subject.iam.unsatisfiable,
    }
    return result


def _iam_message(iam: Iam) -> str:
    """Name the statements that decide, or the question that would."""
    deciding = "; ".join(
        f"{each.layer} {each.policy} {each.sid or f'statement {each.index}'}: {each.why}"
        for each in iam.statements
    )
    parts = [_VERDICTS[iam.verdict][1], iam.question or "", deciding]
    return ". ".join(part.rstrip(".") for part in parts if part) + "."


def _about(
    subject: Subject, name: str, rule: int, severity: Severity, message: str, base: str
) -> dict[str, Any]:
    """Return a result about a subject, its identity and properties still to come."""
    own = f"{subject.operation} {subject.name}" if subject.name else subject.operation
    names = [subject.where, own] if subject.where else [own]
    location = _location(subject.path, subject.where, _line_of(subject), names, base)
    return {
        "ruleId": name,
        "ruleIndex": rule,
        "level": _LEVELS[severity],
        "message": {"text": message},
        **({"locations": [location]} if location else {}),
        "properties": {"kind": subject.kind, "where": subject.where, "note": subject.note},
    }


def _line_of(subject: Subject) -> dict[str, int] | None:
    """Return the line of a subject in its file."""
    pattern = _LINES.get(subject.kind)
    if pattern and subject.where and (found := pattern.match(subject.where)):
        return {"startLine": max(1, int(found.group(1)))}
    # Code scanning shows only what has a line; the request begins in the first.
    return {"startLine": 1} if subject.path else None


def _location(
    path: str | None,
    where: str | None,
    region: dict[str, int] | None,
    names: list[str],
    base: str,
) -> dict[str, Any] | None:
    """Return a location: the file, and within it a statement, step or cell."""
    location: dict[str, Any] = {}
    if path is not None and path not in _STREAMS:
        physical: dict[str, Any] = {"artifactLocation": _artifact(path, base)}
        if region:
            physical["region"] = region
        location["physicalLocation"] = physical
    logical = names or ([where] if where else [])
    if logical:
        location["logicalLocations"] = [
            {"name": logical[-1], "fullyQualifiedName": "/".join(logical), "kind": "object"}
        ]
    return location or None


def _base(root: Path | None) -> str:
    return os.path.abspath(root or os.getcwd())


def _artifact(path: str, base: str) -> dict[str, str]:
    uri = _uri(path, base)
    return {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": "%SRCROOT%"}


def _uri(path: str, base: str) -> str:
    """Return a path as a URI, relative to ``base`` where the file is below it."""
    absolute = Path(os.path.abspath(os.path.join(base, path)))
    try:
        relative = absolute.relative_to(base)
    except ValueError:
        return absolute.as_uri()
    return quote(os.fsencode(relative.as_posix()))
