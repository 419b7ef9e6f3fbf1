"""Find and print the organisation's environment: approved subnets, security groups, keys, buckets
and roles, each with where it came from, and what is missing with where it was looked for.
The JSON form is a profile file: save it for CI and pass it to `check --profile`.
"""

from __future__ import annotations

import argparse
import json
import sys

from ..rules import Profile, ProfileError, load_config
from .common import OK, UsageError


def run(arguments: argparse.Namespace) -> int:
    """Discover (or only read) the profile and print it."""
    from ..aws.profile import cached_profile, discover

    config = load_config()
    for problem in config.problems:
        print(f"configuration: {problem}", file=sys.stderr)
    try:
        if arguments.offline:
            profile = cached_profile(config=config) or Profile()
        else:
            profile, problems = discover(config=config, use_cache=False)
            for found in problems:
                print(f"{found.message} {found.remedy}", file=sys.stderr)
    except ProfileError as error:
        raise UsageError(str(error)) from error
    if arguments.format == "json":
        print(json.dumps(profile.to_dict(), indent=2, ensure_ascii=False))
    else:
        print("\n".join(profile_lines(profile)))
    return OK


def profile_lines(profile: Profile) -> list[str]:
    """Return the profile as text, found values first."""
    lines = [f"profile {profile.name or ''} {profile.region or ''}".rstrip()]
    for name, found in profile.values.items():
        value = found.value if isinstance(found.value, str) else ", ".join(found.value)
        lines.append(f"  {name:<26} {value}   ({found.source})")
    missing = profile.missing()
    if missing:
        lines.append("missing")
    for name in missing:
        looked = ", ".join(profile.looked.get(name, ())) or "nowhere"
        lines.append(f"  {name:<26} looked in {looked}")
    return lines
