"""Policy bundles: export the policies of roles from AWS, and look at what a bundle holds.

`export` writes the identity policies and boundary of each --role (default: your own), and the
service control policies above its account, as JSON. What could not be read is said, and named in
the bundle. `show` counts what a bundle holds and names every document that cannot be evaluated.
Exit code: 0 complete, 1 something is missing or cannot be evaluated, 2 bad input.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .common import BAD_INPUT, OBJECTION, OK, UsageError

if TYPE_CHECKING:
    from ..aws.policies_export import Exported

STANDARD, ADVANCED = 4096, 8192  # bytes an SSM parameter holds


def register(commands: Any, formats: Any) -> None:
    """Add the commands to the parser of all commands."""
    policies = commands.add_parser(
        "policies", help="export a policy bundle, or show one", description=__doc__
    )
    policies.set_defaults(run=lambda arguments: _usage(policies))
    kinds = policies.add_subparsers(dest="policies", metavar="ACTION")
    export = kinds.add_parser(
        "export", help="read the policies of roles from AWS", description=__doc__
    )
    export.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="ARN",
        help="a role, or a session of one; may be repeated (default: your own)",
    )
    export.add_argument("--output", metavar="FILE", default="-", help="where to write the bundle")
    export.add_argument("--compact", action="store_true", help="without line breaks")
    export.add_argument("--region", help="the Region (default: your own)")
    export.add_argument("--endpoint-url", metavar="URL", help="another address than AWS's")
    export.add_argument(
        "--organizations-profile",
        metavar="NAME",
        help="the AWS profile that may read the organisation (default: the same credentials)",
    )
    export.set_defaults(run=run_export)
    show = kinds.add_parser("show", help="count what a bundle holds", description=__doc__)
    show.add_argument(
        "bundle", metavar="BUNDLE", help="a file, ssm:<parameter>, s3://<bucket>/<key>, or -"
    )
    formats(show)
    show.set_defaults(run=run_show)


def _usage(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return BAD_INPUT


def run_export(arguments: argparse.Namespace) -> int:
    """Export a bundle."""
    from ..aws.policies_export import ExportFailed, RoleError, export, to_json

    try:
        exported = export(
            arguments.role,
            region=arguments.region,
            endpoint_url=arguments.endpoint_url,
            organizations_profile=arguments.organizations_profile,
        )
    except RoleError as error:
        raise UsageError(str(error)) from error
    except ExportFailed as error:
        print(f"jupyter secure-ml policies export: {error}", file=sys.stderr)
        return OBJECTION
    text = to_json(exported.bundle, compact=arguments.compact)
    if arguments.output == "-":
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
    else:
        try:
            Path(arguments.output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{arguments.output}: cannot be written: {error.strerror}") from error
    size = len(to_json(exported.bundle, compact=True).encode())
    print("\n".join(_said(exported, size)), file=sys.stderr)
    return OK if exported.complete else OBJECTION


def _said(exported: Exported, size: int) -> list[str]:
    """Return the summary of an export."""
    from ..aws.errors import spoken

    bundle = exported.bundle
    lines = []
    for arn, entry in bundle["principals"].items():
        boundary = "a boundary" if entry["boundary"] else "no boundary"
        if "boundary" in entry.get("unread", ()):
            boundary = "a boundary that could not be read"
        lines.append(f"{arn}: {_count(len(entry['identity']), 'identity policy')}, {boundary}")
    if levels := bundle["scps"]:
        policies = _count(sum(map(len, levels)), "service control policy")
        lines.append(f"{policies} on {_count(len(levels), 'level')}")
    for each in exported.unread:
        whose = f" of {each.principal}" if each.principal else ""
        lines.append(f"not read: {each.layer}{whose}: {spoken(each.problem)}")
    if exported.invalid is not None:
        lines.append(f"cannot be evaluated: {exported.invalid}")
    lines += [f"note: {note}" for note in exported.notes]
    lines.append(f"note: {_fits(size)}")
    return list(dict.fromkeys(lines))


def _fits(size: int) -> str:
    """Return where a bundle of a size (compact) may be put."""
    if size <= STANDARD:
        return f"{size} bytes with --compact: a file, an S3 object or an SSM parameter holds it."
    if size <= ADVANCED:
        return (
            f"{size} bytes with --compact: a file or an S3 object holds it, an SSM parameter only "
            "of the advanced tier."
        )
    return (
        f"{size} bytes with --compact: too much for an SSM parameter; use an S3 object or a file."
    )


def run_show(arguments: argparse.Namespace) -> int:
    """Count what a bundle holds."""
    from ..iam import PolicyError
    from ..iam.reading import read_json
    from .policies_summary import summarise, summary_lines

    try:
        content = read_json(_content(arguments.bundle).decode("utf-8-sig"), arguments.bundle)
    except (PolicyError, UnicodeDecodeError) as error:
        raise UsageError(f"{error}") from error
    except _NotRead as error:
        print(f"jupyter secure-ml policies show: {error}", file=sys.stderr)
        return OBJECTION
    if not isinstance(content, dict):
        raise UsageError(f"{arguments.bundle}: a bundle is an object")
    summary = summarise(content)
    if arguments.format == "json":
        print(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        print("\n".join(summary_lines(summary)))
    return OBJECTION if summary["errors"] or summary["unread"] else OK


class _NotRead(Exception):
    """AWS did not give the bundle."""


def _content(name: str) -> bytes:
    from ..aws.policies_place import MAX_BYTES, FetchFailed, PlaceError, fetch, place_of

    if name == "-":
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        try:
            place = place_of(name)
            data = fetch(place).data or b""
        except PlaceError as error:
            raise UsageError(str(error)) from error
        except FetchFailed as error:
            if place.kind == "file":
                raise UsageError(error.problem.message) from error
            raise _NotRead(str(error)) from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} has more than {MAX_BYTES} bytes")
    return data


def _count(number: int, word: str) -> str:
    if number == 1:
        return f"1 {word}"
    return f"{number} {word[:-1]}ies" if word.endswith("y") else f"{number} {word}s"
