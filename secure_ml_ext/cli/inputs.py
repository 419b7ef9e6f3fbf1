"""What a check is given beside the documents: profile, rules, policies, and who asks."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..aws.policies import Loaded
from ..check.caller import Caller
from ..iam import PolicyError
from ..rules import Config, Profile, ProfileError, Rule, RuleError, Waiver, load_profile_file
from ..rules.config import rules_in_force
from ..rules.rules_file import load_rules_file
from .common import UsageError

if TYPE_CHECKING:
    from ..aws.resolver import Lookups

_PATIENCE = 30.0  # seconds for one answer


def profile_of(path: str | None, config: Config) -> Profile | None:
    """Return the profile of --profile, or what is known without asking AWS."""
    from ..aws.profile import cached_profile

    try:
        if path is not None:
            return load_profile_file(path)
        if config.profile is not None:
            load_profile_file(config.profile)  # a named file that cannot be used is no "nothing"
        return cached_profile(config=config)
    except ProfileError as error:
        raise UsageError(str(error)) from error


def rules_of(path: str | None, config: Config) -> tuple[list[Rule], list[Waiver]]:
    """Return the rules and waivers in force, with those of --rules."""
    rules, waivers = rules_in_force(config), list(config.waivers)
    if path is None:
        return rules, waivers
    try:
        rules, more = load_rules_file(path, rules)
    except RuleError as error:
        raise UsageError(str(error)) from error
    return rules, [*waivers, *more]


def policies_of(place: str | None, config: Config, profile: Profile | None) -> Loaded:
    """Return the bundle of --policies (a file, ``ssm:…``, ``s3://…``), or the one in force.

    What --policies names must be readable; the organisation's own is taken from the cache and
    from AWS only if the profile or the configuration names one.
    """
    from ..aws import policies

    if place is None:
        loaded = policies.cached_bundle(config, profile)
        return policies.refresh(config, profile) if loaded.pending else loaded
    if not place.startswith(("ssm:", "s3:", "arn:")):
        return _from_file(place)
    from msgspec.structs import replace

    loaded = policies.refresh(replace(config, policies=place), profile)
    if loaded.bundle is None:
        raise UsageError(loaded.problem or f"{place}: no policy bundle there")
    return loaded


def _from_file(path: str) -> Loaded:
    from ..aws.policies import read_bundle

    try:
        with open(path, "rb") as file:
            bundle, data = read_bundle(file.read(), path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except PolicyError as error:
        raise UsageError(f"{path}: {error}") from error
    return Loaded(bundle, path, data=data)


def caller_of(arguments: argparse.Namespace, config: Config, profile: Profile | None) -> Caller:
    """Return who asks: --role and --region first, then what this machine knows."""
    from ..aws.caller import caller_of as known_caller

    role, region = arguments.role, arguments.region
    if role is not None:
        account = role.split(":")[4] if role.count(":") >= 5 else None
        if account is None:
            raise UsageError(f"--role {role}: not an ARN, e.g. arn:aws:iam::123456789012:role/dev")
        return Caller(account=account, region=region or (profile.region if profile else None),
                      role_arn=role)  # fmt: skip
    if arguments.policies is not None:
        # A file of policies says who it is about; the role of this machine may be another.
        account = profile.account if profile else None
        return Caller(account=account, region=region or (profile.region if profile else None))
    found = known_caller(config, profile)
    return found if region is None else Caller(found.account, region, found.role_arn, found.tags)


def lookups_of(region: str | None) -> Lookups:
    """Return what follows references by asking AWS; patient, for nobody waits at a keyboard."""
    from ..aws.resolver import Lookups

    return Lookups(region, budget=_PATIENCE)


def parameters_of(given: list[str]) -> dict[str, Any]:
    """Return pipeline parameters given as ``NAME=VALUE``."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--parameter {text}: write NAME=VALUE")
        found[name] = value
    return found
