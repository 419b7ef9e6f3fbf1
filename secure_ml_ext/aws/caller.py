"""Who the requests of this process come from: role, account and tags, without waiting for AWS.

``sts:GetCallerIdentity`` needs no permission. It names a session without its role's path, so the
role is asked for with ``iam:GetRole`` (path and tags) or ``iam:ListRoleTags`` where that is
allowed. Session tags, which add to the role's, AWS shows to nobody.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ..check.caller import Caller
from ..rules.config import Config, cache_dir
from ..rules.profile import Profile
from . import clients, profile_cache
from .background import in_background
from .errors import to_problem
from .policies_read import RoleError, role_of
from .private_file import read_private, write_private
from .records import Problem

REFRESH = 900.0
RETRY = 60.0
_MOST_STORED = 64 * 1024
_MOST_KEPT = 8
# Roles are renewed under the same variables; only these make another caller of this process.
_ENVIRONMENT = (
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ROLE_ARN",
    "AWS_ENDPOINT_URL",
)


class Identity(Struct, frozen=True):
    """What AWS says about the caller: the ARN that STS gives, the role's own, its tags.

    ``role_arn`` is the user's ARN for a user. ``tags`` is None where they may not be read.
    ``region`` is the process's own at that time.
    """

    arn: str
    account: str
    role_arn: str
    region: str | None = None
    tags: dict[str, str] | None = None


def caller_of(config: Config | None, profile: Profile | None) -> Caller:
    """Return who sends the requests of this process, as far as it is known; never waits.

    The Region is the process's own; a client may have another. What is not known yet is None, and
    is being asked for in the background. Whether a request takes a VPC endpoint leaves no trace
    on this side: ``source_vpce`` stays None.
    """
    return _caller(_callers.load(), profile)


def refresh(config: Config | None, profile: Profile | None) -> tuple[Caller, Problem | None]:
    """Return the same as AWS says it now, and what went wrong; waits."""
    identity, problem = _callers.refresh()
    return _caller(identity, profile), problem


def forget() -> None:
    """Drop what this process remembers; the copies in the cache folder stay."""
    _callers.forget()


def ask() -> Identity:
    """Ask STS who the caller is; raises what boto3 raises. The role's path is not known yet."""
    reply = clients.client("sts").get_caller_identity()
    arn, account = str(reply["Arn"]), str(reply["Account"])
    try:
        own = role_of(arn).arn
    except RoleError:  # a user, or the root user
        own = arn
    return Identity(arn, account, own, clients.default_region())


def completed(identity: Identity) -> Identity:
    """Add the role's path and tags, where the role may look at itself and IAM can be reached."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        name = role_of(identity.role_arn).name
        # In many VPCs there is no way to IAM; one attempt tells.
        iam = clients.client("iam", attempts=1)
    except (RoleError, BotoCoreError):
        return identity
    try:
        told = iam.get_role(RoleName=name)["Role"]
        return replace(identity, role_arn=str(told["Arn"]), tags=_tags(told))
    except BotoCoreError:
        return identity
    except ClientError:  # usual; the tags alone may still be allowed
        return replace(identity, tags=_role_tags(iam, name))


def _role_tags(iam: Any, name: str) -> dict[str, str] | None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        pages = iam.get_paginator("list_role_tags").paginate(RoleName=name)
        return {key: value for page in pages for key, value in _tags(page).items()}
    except (BotoCoreError, ClientError):
        return None  # the evaluation says where a verdict depends on them


def _tags(told: Any) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in told.get("Tags") or []}


def _caller(identity: Identity | None, profile: Profile | None) -> Caller:
    if identity is not None:
        return Caller(identity.account, identity.region, identity.role_arn, identity.tags)
    if profile is not None:
        return Caller(account=profile.account, region=profile.region)
    return Caller()


_Key = tuple[str, ...]


@dataclass
class _Entry:
    identity: Identity | None = None
    problem: Problem | None = None
    due: float = 0.0
    busy: bool = False
    asking: threading.Lock = field(default_factory=threading.Lock)


class _Callers:
    """The callers this process was, by environment. Thread-safe."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start afresh, also in a forked child, whose parent's threads and locks are gone."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._entries: dict[_Key, _Entry] = {}

    def load(self) -> Identity | None:
        """Return what is known, and see to it that it is renewed in time."""
        entry = self._entry()
        if entry.due <= time.monotonic():
            with self._lock:
                start, entry.busy = not entry.busy, True
            if start and not in_background(_work, entry):
                entry.busy = False
        return entry.identity

    def refresh(self) -> tuple[Identity | None, Problem | None]:
        """Ask, and wait; who waited for another thread's answer takes that."""
        entry = self._entry()
        before = entry.due
        with entry.asking:
            if entry.due == before:
                _renew(entry)
        return entry.identity, entry.problem

    def _entry(self) -> _Entry:
        if self._pid != os.getpid():
            self.forget()
        key = tuple(os.environ.get(name, "") for name in _ENVIRONMENT)
        entry = self._entries.get(key)
        if entry is None:
            with self._lock:
                entry = self._entries.setdefault(key, _Entry(_copy()))
                while len(self._entries) > _MOST_KEPT:
                    self._entries.pop(next(iter(self._entries)))
        return entry


def _work(entry: _Entry) -> None:
    try:
        with entry.asking:
            _renew(entry)
    finally:
        entry.busy = False


def _renew(entry: _Entry) -> None:
    before = entry.identity
    try:
        found = ask()
        if before is None or before.arn != found.arn:
            entry.identity = found  # at once: IAM may take its time, or never answer
        entry.identity, entry.problem = completed(found), None
        write_private(_copy_path(), msgspec.json.encode(entry.identity))
        entry.due = time.monotonic() + REFRESH
    except Exception as exc:  # whatever boto3 raises: what was known stays
        entry.problem = to_problem(
            exc, service="sts", operation="GetCallerIdentity", region=_region()
        )
        entry.due = time.monotonic() + RETRY


def _region() -> str | None:
    try:
        return clients.default_region()
    except Exception:  # the configuration itself is broken, which the problem says
        return None


def _copy() -> Identity | None:
    """Return what another process of this environment learnt, if it is not too old."""
    path = _copy_path()
    content = read_private(path, _MOST_STORED)
    try:
        if content is None or not 0 <= time.time() - path.stat().st_mtime <= REFRESH:
            return None
        return msgspec.json.decode(content, type=Identity)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OSError):
        return None


def _copy_path() -> Path:
    return cache_dir() / f"caller-{profile_cache.cache_key(('caller',))}.json"


_callers = _Callers()
