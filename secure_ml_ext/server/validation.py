"""The work behind ``POST validate``: what to check, with which profile and policies."""

from __future__ import annotations

from ..aws.caller import caller_of
from ..aws.errors import to_problem
from ..aws.policies import PolicySource
from ..aws.profile import ProfileSource
from ..aws.records import Problem
from ..aws.resolver import Lookups
from ..check import Caller, Report, UnknownOperation
from ..check.documents import Asked, Checker, read_content, read_text
from ..check.files import InputError
from ..check.items import Item, Reading
from ..check.lint import LintReport, lint_documents
from ..check.request import entry_of
from ..iam import ContextError, PolicyBundle, PolicyError
from ..rules import Config, Profile, ProfileError, load_config, profile_from_dict, rules_in_force
from .failures import bad_input, from_problem
from .policies import policies_in_force
from .records import LintRequest, ValidateRequest


def validate(
    asked: ValidateRequest, profiles: ProfileSource, policies: PolicySource, lookups: Lookups
) -> Report:
    """Check what was sent and return the report; runs in a worker thread, may ask AWS."""
    config = load_config()
    profile = _profile(asked, profiles)
    lookups.begin()
    try:
        reading = _reading(asked, lookups)
        bundle, caller = _policies(asked, policies, config, profile)
        checker = Checker.of(
            profile, rules_in_force(config), bundle, caller, lookups, config.waivers
        )
        return checker.report(reading)
    except UnknownOperation as error:
        raise bad_input(str(error), "Correct `operation`, e.g. CreateTrainingJob.") from None
    except InputError as error:
        raise bad_input(str(error), "Correct the place that the message names.") from None
    except (PolicyError, ContextError) as error:
        raise bad_input(
            f"policies: {error}", "Send a bundle as `jupyter secure-ml policies export` writes it."
        ) from None
    except RecursionError:
        raise bad_input("The content is nested too deeply.", "Send something flatter.") from None


def lint(asked: LintRequest) -> LintReport:
    """Return what is wrong with the policies that were sent; runs in a worker thread."""
    try:
        return LintReport.of(
            lint_documents([(each.file, each.content) for each in asked.documents])
        )
    except InputError as error:
        raise bad_input(str(error), "Correct the place that the message names.") from None
    except RecursionError:
        raise bad_input("A policy is nested too deeply.", "Send something flatter.") from None


def _profile(asked: ValidateRequest, source: ProfileSource) -> Profile:
    if asked.profile is None:
        return discover(source, use_cache=True)[0]
    try:
        return profile_from_dict(asked.profile, "profile")
    except ProfileError as error:
        raise bad_input(str(error), "Send the profile as `GET profile` shows it.") from None


def _reading(asked: ValidateRequest, lookups: Lookups) -> Reading:
    """Return the requests in what was sent."""
    if asked.content is None and asked.kind in (None, "request"):
        if asked.operation is None or asked.params is None:
            raise bad_input(
                "There is nothing to check: no `content`, and no `operation` with `params`.",
                "Send a document as `content`, or a request as `operation` and `params`.",
            )
        entry_of(asked.operation)
        return Reading(
            [Item(operation=asked.operation, params=asked.params, kind="request", role=asked.role)]
        )
    if asked.params is not None:
        raise bad_input("`params` and `content` exclude each other.", "Send one of them.")
    document = Asked(
        kind=asked.kind,
        operation=asked.operation,
        role=asked.role,
        parameters=asked.parameters,
        resolver=lookups,
    )
    if isinstance(asked.content, str):
        return read_text(asked.content, "content", document)
    return read_content(asked.content, "content", document)


def _policies(
    asked: ValidateRequest, source: PolicySource, config: Config, profile: Profile
) -> tuple[PolicyBundle | None, Caller]:
    """Return the bundle to ask and the caller; a bundle that was sent is about its own roles."""
    if asked.policies is not None:
        if not asked.policies:
            raise PolicyError("the bundle is empty")
        bundle = PolicyBundle.from_dict(asked.policies)
        return bundle, Caller(account=profile.account, region=profile.region, role_arn=asked.role)
    return policies_in_force(source, config, profile).bundle, caller_of(config, profile)


def discover(source: ProfileSource, *, use_cache: bool) -> tuple[Profile, list[Problem]]:
    """Ask the profile source; one that raises (it must not) is a 502 or 503 with a remedy."""
    try:
        return source.discover(use_cache=use_cache)
    except Exception as exc:
        name = type(source).__name__
        problem = to_problem(exc, service=name, operation="discover", region=None)
        raise from_problem(problem) from exc
