"""Find IAM policy statements that do not do what they seem to say about SageMaker, each with why
and the corrected statement.

A file holds a policy document (IAM JSON, bare or as the AWS CLI prints it, comments tolerated),
a list of documents of one principal, or a policy bundle; - is standard input, a directory is
searched for *.json. Exit code: 0 nothing at or above --fail-on, 1 findings, 2 a file that cannot
be read (the others are still linted).
"""

from __future__ import annotations

import argparse
import codecs
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..check.files import InputError
from ..check.lint import LintFinding, LintReport, NotAPolicy, lint_documents
from ..check.lint.text import lint_text
from ..check.sarif import lint_sarif, sarif_json
from .common import BAD_INPUT, OBJECTION, OK

MAX_BYTES = 8 * 1024 * 1024
_RANK = {"info": 0, "warning": 1, "error": 2, "never": 3}
_STANDARD_INPUT = "standard input"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def run(arguments: argparse.Namespace) -> int:
    """Lint every file and print one report."""
    findings: list[LintFinding] = []
    linted: list[str] = []
    problems: list[str] = []
    for name, searched in _files(arguments.paths):
        shown = _STANDARD_INPUT if name == "-" else name
        try:
            findings += lint_documents([(shown, _read(name))])
            linted.append(shown)
        except InputError as error:
            skipped = searched and isinstance(error, NotAPolicy)
            print(
                f"jupyter secure-ml lint-policy: {'skipped: ' if skipped else ''}{error}",
                file=sys.stderr,
            )
            if not skipped:
                problems.append(str(error))
    report = LintReport.of(findings)
    if linted or arguments.format == "sarif":
        _print(_formatted(report, arguments.format, linted, problems))
    if problems:
        return BAD_INPUT
    if not linted:
        print("jupyter secure-ml lint-policy: there is no policy to lint", file=sys.stderr)
        return BAD_INPUT
    worst = max((_RANK[finding.severity] for finding in findings), default=-1)
    return OBJECTION if worst >= _RANK[arguments.fail_on] else OK


def _formatted(report: LintReport, form: str, linted: list[str], problems: list[str]) -> str:
    if form == "json":
        return json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
    if form == "sarif":
        return sarif_json(lint_sarif(report.findings, problems=problems))
    return lint_text(report, linted)


def _print(text: str) -> None:
    # Half a surrogate pair is a character of JSON, but none of UTF-8: JSON's own escape stands.
    print(text.encode("utf-8", "backslashreplace").decode())


def _files(paths: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield every file once, and whether it was found by a search."""
    seen: set[str] = set()
    for path in paths:
        found = [(path, False)] if path == "-" or not os.path.isdir(path) else _below(path)
        for name, searched in found:
            if name not in seen:
                seen.add(name)
                yield name, searched


def _below(directory: str) -> Iterator[tuple[str, bool]]:
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(each for each in folders if each[0] != "." and each != "node_modules")
        for name in sorted(names):
            if name.lower().endswith(".json"):
                yield os.path.join(folder, name), True


def _read(name: str) -> str:
    """Return a file's text; what is no UTF-8 text is an InputError."""
    origin = _STANDARD_INPUT if name == "-" else name
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{origin}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{origin}: larger than {MAX_BYTES // 1024 // 1024} MB, so no policy")
    # Windows PowerShell redirects as UTF-16; the byte order mark stays, and is reported.
    encoding = "utf-16-le" if data[:2] == _UTF16[0] else "utf-8"
    encoding = "utf-16-be" if data[:2] == _UTF16[1] else encoding
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{origin}: byte {error.start}: not UTF-8 text") from error
