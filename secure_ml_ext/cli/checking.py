"""Check SageMaker requests in files, before they are sent: against the baseline and IAM.

A file holds bare parameters, as `aws sagemaker create-training-job --cli-input-json` takes them,
{"operation": "CreateTrainingJob", "params": {...}}, a pipeline definition, a Describe reply, a
CloudTrail or EventBridge event, a CloudFormation template, a notebook or Python source; the
content tells which. A folder is searched for such files. Exit code: 0 nothing at or above
--fail-on, 1 findings, 2 a file that cannot be read (the others are still checked).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..check.documents import KINDS, Asked, Checker, notes_of, read_text
from ..check.files import InputError, read_file
from ..check.patch import apply_patch
from ..check.records import Note, Report, Subject
from ..check.request import UnknownOperation
from ..check.text import report_json, report_text
from ..rules import load_config
from . import inputs
from .common import BAD_INPUT, OBJECTION, OK, UsageError

_RANK = {"info": 0, "warning": 1, "error": 2, "never": 3}
_SEARCHED = (".json", ".ipynb", ".yaml", ".yml")


def register(commands: Any) -> None:
    """Add ``check`` to the command line."""
    check = commands.add_parser(
        "check", help="check requests, pipelines, templates, notebooks, …", description=__doc__
    )
    add = check.add_argument
    add(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a file, a folder or s3://bucket/key; - for standard input",
    )
    add("--kind", choices=KINDS, help="what the file is (default: its content tells)")
    add("--operation", metavar="NAME", help="the call, e.g. CreateTrainingJob")
    add("--role", metavar="ARN", help="the role that sends the requests or runs the pipeline")
    add("--region", metavar="REGION", help="where the requests go")
    add("--parameter", action="append", default=[], metavar="NAME=VALUE",
        help="a pipeline parameter, as StartPipelineExecution takes it")  # fmt: skip
    add("--profile", metavar="FILE", help="the organisation's profile (JSON or YAML)")
    add("--policies", metavar="BUNDLE",
        help="what IAM is asked: a file, ssm:/name or s3://bucket/key")  # fmt: skip
    add("--rules", metavar="FILE", help="the organisation's own rules (YAML or JSON)")
    add("--look-up", action="store_true",
        help="ask AWS for what is referred to: models, key aliases, pipelines")  # fmt: skip
    add("--confirm", action="store_true", help="ask IAM's own simulator too")
    add("--fail-on", choices=("error", "warning", "info", "never"),
        help="exit 1 at findings of this severity or above (default: error)")  # fmt: skip
    add("--fixed", metavar="FILE", help="write the fixed request of a single PATH (- prints it)")
    add("--format", choices=("text", "json", "sarif"), default="text",
        help="how to print (default: text)")  # fmt: skip
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check every file and print one report."""
    config = load_config()
    for problem in config.problems:
        print(f"configuration: {problem}", file=sys.stderr)
    profile = inputs.profile_of(arguments.profile, config)
    rules, waivers = inputs.rules_of(arguments.rules, config)
    loaded = inputs.policies_of(arguments.policies, config, profile)
    if loaded.problem:
        print(f"jupyter secure-ml check: {loaded.problem}", file=sys.stderr)
    caller = inputs.caller_of(arguments, config, profile)
    lookups = inputs.lookups_of(caller.region) if arguments.look_up else None
    checker = Checker.of(profile, rules, loaded.bundle, caller, lookups, waivers)
    if arguments.fixed and len(arguments.paths) != 1:
        raise UsageError("--fixed takes a single PATH")
    asked = Asked(
        kind=arguments.kind,
        operation=arguments.operation,
        role=arguments.role,
        parameters=inputs.parameters_of(arguments.parameter),
        resolver=lookups,
    )
    subjects: list[Subject] = []
    notes: list[Note] = []
    bad: list[str] = []
    for name, found in _files(arguments.paths):
        try:
            reading = read_text(_text(name), _origin(name), asked)
            subjects += checker.subjects(reading, name)
            notes += notes_of(reading, name)
        except (InputError, UnknownOperation) as error:
            if found:  # in a folder lie other files too
                notes.append(Note(f"not read: {error}", path=name))
                continue
            bad.append(_with_name(name, error))
            continue
        if arguments.fixed:
            _write_fixed(arguments.fixed, [item.params for item in reading.items], subjects)
        if arguments.confirm:
            notes += _confirmed(checker, loaded.data, reading.items, name)
    for problem in bad:
        print(f"jupyter secure-ml check: {problem}", file=sys.stderr)
    report = Report.of(subjects, notes)
    # An empty SARIF file would fail the upload; one without results says that all is well.
    if subjects or notes or arguments.format == "sarif":
        # With --fixed - the request alone goes to standard output, so that it can be piped on.
        stream = sys.stderr if arguments.fixed == "-" else sys.stdout
        print(_formatted(report, arguments.format, bad), file=stream)
    if bad:
        return BAD_INPUT
    fail_on = arguments.fail_on or config.fail_on
    return OBJECTION if worst(report) >= _RANK[fail_on] else OK


def worst(report: Report) -> int:
    """Return the rank of the gravest thing that counts; -1 for nothing."""
    summary = report.summary
    counts = {"error": summary.error, "warning": summary.warning, "info": summary.info}
    return max((_RANK[name] for name, count in counts.items() if count), default=-1)


def _formatted(report: Report, form: str, bad: list[str]) -> str:
    if form == "json":
        return report_json(report)
    if form == "sarif":
        from ..check.sarif import report_sarif, sarif_json

        return sarif_json(report_sarif(report, problems=bad)).rstrip("\n")
    return report_text(report)


def _text(name: str) -> str:
    if not name.startswith("s3://"):
        return read_file(Path(name))
    from ..aws.objects import read_object

    return read_object(name)


def _origin(name: str) -> str:
    return "standard input" if name == "-" else name


def _with_name(name: str, error: Exception) -> str:
    text = str(error)
    return text if name in text or name == "-" else f"{name}: {text}"


def _files(paths: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield the files to check, and whether they were found in a folder."""
    for path in paths:
        if path == "-" or not os.path.isdir(path):
            yield path, False
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(
                each for each in folders if each[0] != "." and each != "node_modules"
            )
            for name in sorted(names):
                if name.lower().endswith(_SEARCHED):
                    yield os.path.join(folder, name), True


def _write_fixed(target: str, requests: list[dict[str, Any]], subjects: list[Subject]) -> None:
    if len(requests) != 1 or subjects[-1].kind != "request":
        raise UsageError("--fixed takes a file with one request")
    text = json.dumps(apply_patch(requests[0], subjects[-1].fix), indent=2, ensure_ascii=False)
    if target == "-":
        sys.stdout.write(text + "\n")
        return
    try:
        Path(target).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror}") from error


def _confirmed(checker: Checker, data: Any, items: list[Any], name: str) -> list[Note]:
    """Ask IAM's simulator about the same requests; a note for each, disagreement said aloud."""
    from ..aws.confirm import confirm
    from ..check.access import answers, principal_of

    if checker.bundle is None or data is None:
        raise UsageError("--confirm needs policies: name them with --policies")
    notes = []
    for item in items:
        asked = checker.asked(item)
        principal = principal_of(asked.bundle, asked.caller)
        for group in answers(asked, item.params):
            for answer in group[:1]:
                found = confirm(data, principal, answer.action, answer.resource, answer.context)
                if found.disagreement:
                    said = f"IAM's simulator disagrees: {found.disagreement}"
                elif found.error is not None:
                    said = f"IAM's simulator: {found.error.message} {found.error.remedy}"
                elif found.skipped:
                    said = f"IAM's simulator was not asked: {found.skipped}"
                else:
                    said = f"IAM's simulator agrees: {found.verdict}"
                said = " ".join([f"{answer.action}: {said}", *found.notes])
                notes.append(Note(said, item.where, name))
    return notes
