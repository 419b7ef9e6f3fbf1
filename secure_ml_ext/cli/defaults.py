"""Write the SageMaker SDK's configuration, so that jobs are compliant where code says nothing.

One file serves SDK v2 and v3. Network, keys and encryption of traffic come from the profile; what
each SDK ignores all the same is said on standard error, for a file cannot guarantee what the guard
can. Exit code: 0 complete, 1 the profile lacks values (the rest is written), 2 bad input or usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..check.files import InputError
from ..check.sdk_coverage import OUTSIDE, Generation, ignored_lines
from ..check.sdk_defaults import ISOLABLE, NEEDED, isolated_by, missing_values, sdk_defaults
from ..rules import Profile, load_config
from ..rules.config import rules_in_force
from ..rules.profile import PROFILE_VALUES
from . import inputs
from .common import OBJECTION, OK, UsageError

OVERRIDE = "SAGEMAKER_USER_CONFIG_OVERRIDE"


def register(commands: Any) -> None:
    """Add ``sdk-defaults`` to the command line."""
    defaults = commands.add_parser(
        "sdk-defaults",
        help="write the SageMaker SDK's configuration from the profile",
        description=__doc__,
    )
    add = defaults.add_argument
    add("--profile", metavar="FILE", help="the organisation's profile (JSON or YAML)")
    add("--format", choices=("yaml", "json"), default="yaml",
        help="how to write (default: yaml; the SDK reads both)")  # fmt: skip
    add("--sdk", choices=("both", "v2"), default="both",
        help="v2: also the keys of transform jobs, on which v3 fails (default: both)")  # fmt: skip
    add("--isolation", action="store_true",
        help="with network isolation, also where your rules only warn")  # fmt: skip
    place = defaults.add_mutually_exclusive_group()
    place.add_argument("--output", metavar="FILE", default="-", help="where to write")
    place.add_argument("--user", action="store_true",
        help=f"write where the SDK looks: ${OVERRIDE} or its own folder")  # fmt: skip
    add("--force", action="store_true",
        help="replace a file with other content; nothing is merged")  # fmt: skip
    defaults.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the configuration, write it, and say what is missing and what is ignored."""
    config = load_config()
    for problem in config.problems:
        print(f"configuration: {problem}", file=sys.stderr)
    profile = inputs.profile_of(arguments.profile, config) or Profile()
    transform = arguments.sdk == "v2"
    isolated = frozenset(ISOLABLE) if arguments.isolation else isolated_by(rules_in_force(config))
    try:
        content = sdk_defaults(profile, isolated=isolated, transform=transform)
    except InputError as error:
        raise UsageError(str(error)) from error
    text = _text(content, arguments.format, profile)
    target = user_file() if arguments.user else arguments.output
    if target == "-":
        sys.stdout.write(text)
    else:
        print(_write(Path(target), text, arguments.force), file=sys.stderr)
    generations: tuple[Generation, ...] = ("v2",) if transform else ("v2", "v3")
    print("\n".join(_said(profile, isolated, generations)), file=sys.stderr)
    return OBJECTION if missing_values(profile) else OK


def user_file() -> str:
    """Return where both SDKs look for the user's file: the variable first, then its own folder."""
    from ..aws.profile_local import sdk_files

    if os.environ.get(OVERRIDE) == "":
        raise UsageError(f"{OVERRIDE} is empty, which the SDK takes for a file: unset it")
    path, _ = next(sdk_files())
    if path.startswith("s3://"):
        raise UsageError(
            f"{OVERRIDE} is {path}: write a file with --output and copy it there, "
            "or unset the variable"
        )
    return path


def _text(content: dict[str, Any], form: str, profile: Profile) -> str:
    if form == "json":
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    import yaml

    head = ["Written by `jupyter secure-ml sdk-defaults`; it does not merge with other settings."]
    for name in (*NEEDED, "capture_kms_key"):
        if (source := profile.source(name)) is not None:
            head.append(f"{name}: {' '.join(source.split())}")
    comment = "".join(f"# {line}\n" for line in head)
    body: str = yaml.safe_dump(content, sort_keys=False, width=100)
    return comment + body


def _write(target: Path, text: str, force: bool) -> str:
    """Write the file, unless another one is there, and return what was done."""
    try:
        if target.exists():
            if target.read_bytes() == text.encode():
                return f"unchanged: {target}"
            if not force:
                raise UsageError(
                    f"{target} exists and holds other settings; nothing is merged. Print the "
                    "defaults without --user or --output and add them by hand, or replace the "
                    "file with --force."
                )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror}") from error
    return f"written: {target}\nSessions of the SDK that start from now on read it."


def _said(
    profile: Profile, isolated: frozenset[str], generations: tuple[Generation, ...]
) -> Iterator[str]:
    """Yield what the file lacks, and what the SDKs ignore of it."""
    for lacking in missing_values(profile):
        title = PROFILE_VALUES[lacking.value][0]
        yield f"missing: {lacking.value} ({title}): looked in {', '.join(lacking.looked)}"
    if not isolated:
        yield (
            "Network isolation is not in the file: an isolated container cannot read S3 or install "
            "packages by itself. --isolation writes it."
        )
    for generation in generations:
        yield f"What SDK {generation} ignores, so that code has to say it:"
        lines = ignored_lines(generation, transform=generations == ("v2",))
        yield from (f"  {line}" for line in lines)
    yield OUTSIDE
    yield "The guard checks every request, and in mode fix adds what is missing."
