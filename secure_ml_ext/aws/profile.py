"""The organisation's environment, found: every source, its precedence, and the cache.

Precedence, first wins: profile file, environment variables, SSM (both naming
schemes), the Studio space's owner, the Studio domain, the notebook instance, the
SageMaker SDK's defaults. Each value carries its source; a missing one is named in
``Profile.looked`` with every place that was asked. A source that fails is a
:class:`Problem` and does not break the others.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from typing import Any

from ..rules.config import load_config
from ..rules.profile import Profile, ProfileValue
from . import clients, profile_cache, remote_config
from .errors import to_problem
from .gather import Asker, Gathered, merge
from .profile_cache import CachedProfile
from .profile_local import from_environment, from_file, from_sdk_defaults
from .profile_ssm import from_mlops_parameters, from_workshop_parameters
from .profile_studio import Place, from_notebook_instance, from_studio
from .records import Problem

TTL = 900.0  # an answer of AWS without problems is asked again after 15 minutes
TTL_WITH_PROBLEMS = 30.0
_MEMO_SECONDS = 0.25

_lock = threading.Lock()
_asking = threading.Lock()
_memory: dict[str, CachedProfile] = {}
_memo: tuple[float, Any, Profile | None] | None = None


def discover_profile(session: Any = None, *, config: Any = None, use_cache: bool = True) -> Profile:
    """Return the profile from all sources; asks AWS unless a recent answer is at hand."""
    return discover(session, config=config, use_cache=use_cache)[0]


def discover(
    session: Any = None, *, config: Any = None, use_cache: bool = True
) -> tuple[Profile, list[Problem]]:
    """Return the profile and what went wrong on the way.

    ``session`` is a boto3 session (default: this process's own). Where AWS cannot be
    asked now, its last answer is used, and the problem says so. Never raises.
    """
    global _memo
    since = 0.0 if use_cache else time.time()
    config = config if config is not None else _config()
    local = [from_file(config), from_environment()]
    if config is not None and (not use_cache or remote_config.due(config)):
        _note(local, remote_config.refresh(config))
    hints = _hints(local)
    key = profile_cache.cache_key(hints)
    answer = _remembered(key) if use_cache and session is None else None
    if answer is None or not _recent(answer):
        answer = _ask_aws(session, local) if session is not None else _ask_once(key, local, since)
    _memo = None
    return _compose(local, answer)


def _note(local: list[Gathered], problem: Problem | None) -> None:
    """Keep a problem beside what the local sources said."""
    if problem is not None:
        local[0].problem(problem)


def cached_profile(config: Any = None) -> Profile | None:
    """Return the profile without any network call, or None when nothing is known yet.

    Made from memory, the local cache file, the environment and the files; cheap enough
    for the guard's path (a composed profile is kept for a quarter of a second).
    """
    global _memo
    now = time.monotonic()
    memo = _memo
    if memo is not None and memo[1] is config and now - memo[0] < _MEMO_SECONDS:
        return memo[2]
    used = config if config is not None else _config()
    local = [from_file(used), from_environment()]
    answer = _remembered(profile_cache.cache_key(_hints(local)))
    profile, _ = _compose(local, answer)
    known = profile if profile.values or answer is not None else None
    _memo = (now, config, known)
    return known


def forget() -> None:
    """Drop what this process remembers; the cache file stays."""
    global _memo
    with _lock:
        _memory.clear()
        _memo = None


class ProfileSource(ABC):
    """Where the server gets the profile from; an organisation may put its own in place."""

    @abstractmethod
    def discover(self, *, use_cache: bool = True) -> tuple[Profile, list[Problem]]:
        """Return the profile and the problems; called in a worker thread, must not raise."""


class AwsProfileSource(ProfileSource):
    """The sources of this module."""

    def discover(self, *, use_cache: bool = True) -> tuple[Profile, list[Problem]]:
        """Return the profile of the server process."""
        return discover(use_cache=use_cache)


def _config() -> Any:
    """Return the configuration, or None when it cannot be read (reported elsewhere)."""
    try:
        return load_config()
    except Exception:
        return None


def _hints(local: list[Gathered]) -> tuple[str | None, ...]:
    """Return the local values that lead to what AWS is asked."""
    values = merge(local).values
    return tuple(
        str(values[name].value) if name in values else None
        for name in ("environment", "project", "domain_id")
    )


def _remembered(key: str) -> CachedProfile | None:
    """Return the last answer of AWS: from memory, else from the file (also another process's)."""
    with _lock:
        held = _memory.get(key)
    if held is not None and held.age() <= TTL:
        return held
    stored = profile_cache.load(key)
    if stored is not None and (held is None or stored.time > held.time):
        with _lock:
            _memory[key] = stored
        return stored
    return held


def _recent(answer: CachedProfile) -> bool:
    return answer.age() <= (TTL_WITH_PROBLEMS if answer.problems else TTL)


def _ask_once(key: str, local: list[Gathered], since: float) -> CachedProfile:
    """Ask AWS, one thread at a time; who waited takes a recent answer made after ``since``."""
    with _asking:
        with _lock:
            held = _memory.get(key)
        if held is not None and _recent(held) and held.time >= since:
            return held
        return _keep(key, _ask_aws(None, local))


def _keep(key: str, answer: CachedProfile) -> CachedProfile:
    """Remember an answer; one with problems is completed with what was known before."""
    before = _remembered(key)
    if answer.problems and before is not None:
        values = {
            name: ProfileValue(value.value, _stale(value.source, before.time))
            for name, value in before.values.items()
        }
        answer = CachedProfile(
            answer.time,
            {**values, **answer.values},
            answer.looked,
            answer.problems,
            answer.account or before.account,
            answer.region or before.region,
        )
    with _lock:
        _memory[key] = answer
        while len(_memory) > 16:
            _memory.pop(next(iter(_memory)))
    if not answer.problems or (answer.values and before is None):
        profile_cache.store(key, answer)
    return answer


def _stale(source: str, when: float) -> str:
    """Return a source with the time it was read, once."""
    if ", read " in source:
        return source
    return f"{source}, read {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(when))}"


def _ask_aws(session: Any, local: list[Gathered]) -> CachedProfile:
    """Ask every source in AWS."""
    known = merge(local).values
    try:
        region = clients.default_region(session)
    except Exception as exc:  # e.g. a broken ~/.aws/config
        problem = to_problem(exc, service="sts", operation="GetCallerIdentity", region=None)
        return CachedProfile(time.time(), {}, {}, [problem])
    asker = Asker(lambda service: clients.client(service, region, session=session), region)
    place = Place()
    for name in ("environment", "project", "domain_id"):
        if name in known:
            place.note(name, known[name].value, known[name].source)
    if place.environment is not None:
        place.note("environment_type", place.environment.rpartition("-")[2], "its last word")
    studio = from_studio(asker, place)
    notebook = from_notebook_instance(asker, place)
    sources = [
        from_mlops_parameters(asker, place),
        from_workshop_parameters(asker, place),
        studio,
        notebook,
    ]
    names = Gathered()
    for name in ("environment", "project"):
        names.put(name, getattr(place, name), place.sources.get(name, "domain, space or project"))
    merged = merge([*sources, names])
    account = place.account or _account(asker)
    problems = merged.problems + [one for one in asker.problems if one not in merged.problems]
    return CachedProfile(time.time(), merged.values, merged.looked, problems, account, region)


def _account(asker: Asker) -> str | None:
    """Return the account by asking STS, the last resort."""
    identity = asker.ask("sts", "GetCallerIdentity", "get_caller_identity")
    account = identity.get("Account")
    return account if isinstance(account, str) else None


def _compose(local: list[Gathered], answer: CachedProfile | None) -> tuple[Profile, list[Problem]]:
    """Lay the sources over each other and derive the approved sets."""
    from_aws = Gathered()
    if answer is not None:
        from_aws = Gathered(dict(answer.values), dict(answer.looked), list(answer.problems))
    merged = merge([*local, from_aws, from_sdk_defaults()])
    _derive(merged)
    looked = {name: places for name, places in merged.looked.items() if name not in merged.values}
    environment = merged.values.get("environment")
    profile = Profile(
        values=merged.values,
        looked=looked,
        account=answer.account if answer is not None else None,
        region=answer.region if answer is not None else None,
        name=str(environment.value) if environment is not None else None,
    )
    return profile, merged.problems


def _derive(merged: Gathered) -> None:
    """Fill the approved sets that nobody gave: the environment's own values are approved."""
    values = merged.values
    for approved, own in (
        ("approved_subnets", "subnets"),
        ("approved_security_groups", "security_groups"),
    ):
        if approved not in values and own in values:
            found = values[own]
            values[approved] = ProfileValue(found.value, f"same as {own} ({found.source})")
    keys = ("volume_kms_key", "output_kms_key", "capture_kms_key", "efs_kms_key")
    known = [name for name in keys if name in values]
    if "approved_kms_keys" not in values and known:
        approved_keys = dict.fromkeys(str(values[name].value) for name in known)
        values["approved_kms_keys"] = ProfileValue(
            list(approved_keys), "same as " + ", ".join(known)
        )


def _after_fork_in_child() -> None:
    """Start with free locks: the thread that held one did not come along."""
    global _lock, _asking
    _lock, _asking = threading.Lock(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
