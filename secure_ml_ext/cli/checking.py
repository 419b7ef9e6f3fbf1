"""Check SageMaker requests in JSON files against the baseline.

A file holds bare parameters, as `aws sagemaker create-training-job --cli-input-json` takes them,
or {"operation": "CreateTrainingJob", "params": {...}}. Exit code: 0 nothing at or above --fail-on,
1 findings, 2 a file that cannot be read (the others are still checked).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..check.files import InputError, read_request
from ..check.patch import apply_patch
from ..check.records import Report, Subject
from ..check.request import UnknownOperation, check_request
from ..check.text import report_json, report_text
from ..rules import (
    Config,
    Profile,
    ProfileError,
    load_config,
    load_profile_file,
    rules_in_force,
)
from .common import BAD_INPUT, OBJECTION, OK, UsageError

_RANK = {"info": 0, "warning": 1, "error": 2, "never": 3}


def run(arguments: argparse.Namespace) -> int:
    """Check every file and print one report."""
    config = load_config()
    for problem in config.problems:
        print(f"configuration: {problem}", file=sys.stderr)
    profile = _profile(arguments.profile, config)
    if arguments.fixed and len(arguments.paths) != 1:
        raise UsageError("--fixed takes a single FILE")
    subjects: list[Subject] = []
    bad = False
    for name in arguments.paths:
        try:
            subjects.append(_check_one(name, arguments, config, profile))
        except (InputError, UnknownOperation) as error:
            print(f"jupyter secure-ml check: {_with_name(name, error)}", file=sys.stderr)
            bad = True
    report = Report.of(subjects)
    if subjects:
        printed = report_json(report) if arguments.format == "json" else report_text(report)
        # With --fixed - the request alone goes to standard output, so that it can be piped on.
        print(printed, file=sys.stderr if arguments.fixed == "-" else sys.stdout)
    if bad:
        return BAD_INPUT
    fail_on = arguments.fail_on or config.fail_on
    return OBJECTION if worst(report) >= _RANK[fail_on] else OK


def worst(report: Report) -> int:
    """Return the rank of the gravest thing that counts; -1 for nothing."""
    summary = report.summary
    counts = {"error": summary.error, "warning": summary.warning, "info": summary.info}
    return max((_RANK[name] for name, count in counts.items() if count), default=-1)


def _with_name(name: str, error: Exception) -> str:
    text = str(error)
    return text if name in text or name == "-" else f"{name}: {text}"


def _check_one(
    name: str, arguments: argparse.Namespace, config: Config, profile: Profile | None
) -> Subject:
    operation, params = read_request(Path(name), arguments.operation)
    report = check_request(
        operation,
        params,
        profile=profile,
        rules=rules_in_force(config),
        waivers=config.waivers,
        path=name,
    )
    subject = report.subjects[0]
    if arguments.fixed:
        _write_fixed(arguments.fixed, apply_patch(params, subject.fix))
    return subject


def _write_fixed(target: str, params: dict[str, object]) -> None:
    text = json.dumps(params, indent=2, ensure_ascii=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror}") from error


def _profile(path: str | None, config: Config) -> Profile | None:
    """Return the profile of --profile, or what is known without asking AWS."""
    if path is not None:
        try:
            return load_profile_file(path)
        except ProfileError as error:
            raise UsageError(str(error)) from error
    from ..aws.profile import cached_profile

    try:
        if config.profile is not None:
            load_profile_file(config.profile)  # a named file that cannot be used is no "nothing"
        return cached_profile(config=config)
    except ProfileError as error:
        raise UsageError(str(error)) from error
