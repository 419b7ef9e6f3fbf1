"""``jupyter secure-ml``: the command line.

Exit codes are the same for every command: 0 done and nothing to object, 1 findings at or above
``--fail-on`` (or the command could not do what it was asked), 2 bad input or usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from .common import BAD_INPUT, OBJECTION, OK, UsageError

Command = Callable[[argparse.Namespace], int]


def _formats(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print (default: text)"
    )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    from . import backing, checking, defaults, enabling, linting, needing, policies, profiling

    parser = argparse.ArgumentParser(
        prog="jupyter secure-ml",
        description="Check SageMaker requests against your organisation's rules.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    checking.register(commands)

    lint = commands.add_parser(
        "lint-policy",
        help="find policy statements that do not do what they seem to say",
        description=linting.__doc__,
    )
    lint.add_argument(
        "paths",
        nargs="+",
        metavar="FILE",
        help="a policy, or a folder of them; - for standard input",
    )
    lint.add_argument("--format", choices=("text", "json", "sarif"), default="text")
    lint.add_argument(
        "--fail-on",
        choices=("error", "warning", "info", "never"),
        default="error",
        help="exit 1 at findings of this severity or above (default: error)",
    )
    lint.set_defaults(run=linting.run)

    profile = commands.add_parser(
        "profile",
        help="find and print the organisation's environment",
        description=profiling.__doc__,
    )
    profile.add_argument(
        "--offline", action="store_true", help="no AWS calls: what is known locally"
    )
    _formats(profile)
    profile.set_defaults(run=profiling.run)

    for name, text in (
        ("enable", "load the guard in every IPython kernel, headless ones too"),
        ("disable", "undo enable"),
    ):
        switch = commands.add_parser(name, help=text, description=enabling.__doc__)
        scope = switch.add_mutually_exclusive_group()
        scope.add_argument("--user", action="store_true", help="for this user (default)")
        scope.add_argument(
            "--sys-prefix", action="store_true", help="for the kernels of this Python environment"
        )
        scope.add_argument(
            "--system", action="store_true", help="for this machine (administrators)"
        )
        switch.set_defaults(run=getattr(enabling, name))

    permissions = commands.add_parser(
        "permissions",
        help="print the IAM policy and VPC endpoints that this product needs",
        description=needing.__doc__,
    )
    permissions.add_argument(
        "--part", action="append", metavar="PART", help="only this part; may be repeated"
    )
    permissions.add_argument("--partition", default="aws", help="aws, aws-cn or aws-us-gov")
    permissions.add_argument("--region", default="*", help="narrow the resources to a region")
    permissions.add_argument("--account", default="*", help="narrow the resources to an account")
    permissions.add_argument(
        "--policy-only", action="store_true", help="only the policy document, ready for IAM"
    )
    _formats(permissions)
    permissions.set_defaults(run=needing.run)

    policies.register(commands, _formats)
    defaults.register(commands)
    backing.register(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; argparse exits with 2 on bad usage."""
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    if chosen.version:
        from .. import __version__

        print(__version__)
        return OK
    if chosen.command is None:
        parser.print_help(sys.stderr)
        return BAD_INPUT
    run: Command = chosen.run
    try:
        return run(chosen)
    except UsageError as error:
        print(f"jupyter secure-ml {chosen.command}: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        sys.stderr.close()
        return OBJECTION


if __name__ == "__main__":
    raise SystemExit(main())
