"""Who sends requests: role, account and tags, without waiting for AWS.

``sts:GetCallerIdentity`` needs no permission. It names a session without its role's path, so the
role is asked for with ``iam:GetRole`` (path and tags) or ``iam:ListRoleTags`` where that is
allowed. Session tags, which add to the role's, AWS shows to nobody.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import threading
import time
import weakref
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
    """What AWS says about a caller: the ARN that STS gives, the role's own, its tags.

    ``role_arn`` is the user's ARN for a user. ``tags`` is None where they may not be read.
    ``region`` is that of the client that asked, ``key`` a digest of its access key's id.
    """

    arn: str
    account: str
    role_arn: str
    region: str | None = None
    tags: dict[str, str] | None = None
    key: str | None = None


def caller_of(config: Config | None, profile: Profile | None, client: Any = None) -> Caller:
    """Return who sends the requests of this process, or of one botocore client; never waits.

    A client may have credentials of its own (another AWS profile, an assumed role): then it is
    they that are asked about. What is not known yet is None, and is being asked for in the
    background. Whether a request takes a VPC endpoint leaves no trace on this side:
    ``source_vpce`` stays None.
    """
    region = None if client is None else client.meta.region_name
    return _caller(_callers.load(_credentials(client)), profile, region)


def refresh(
    config: Config | None, profile: Profile | None, client: Any = None
) -> tuple[Caller, Problem | None]:
    """Return the same as AWS says it now, and what went wrong; waits."""
    identity, problem = _callers.refresh(_credentials(client))
    return _caller(identity, profile, client and client.meta.region_name), problem


def forget() -> None:
    """Drop what this process remembers; the copies in the cache folder stay."""
    _callers.forget()


def ask(session: Any = None) -> Identity:
    """Ask STS who the caller is; raises what boto3 raises. The role's path is not known yet."""
    sts = clients.client("sts", session=session)
    reply = sts.get_caller_identity()
    arn, account = str(reply["Arn"]), str(reply["Account"])
    try:
        own = role_of(arn).arn
    except RoleError:  # a user, or the root user
        own = arn
    return Identity(
        arn, account, own, sts.meta.region_name, key=_digest(_held(_credentials(sts))[0])
    )


def completed(identity: Identity, session: Any = None) -> Identity:
    """Add the role's path and tags, where the role may look at itself and IAM can be reached."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        name = role_of(identity.role_arn).name
        # In many VPCs there is no way to IAM; one attempt tells.
        iam = clients.client("iam", session=session, attempts=1)
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


def _caller(identity: Identity | None, profile: Profile | None, region: str | None) -> Caller:
    if identity is not None:
        return Caller(identity.account, region or identity.region, identity.role_arn, identity.tags)
    if profile is not None:
        return Caller(account=profile.account, region=region or profile.region)
    return Caller(region=region)


# -- credentials of a client ---------------------------------------------------------------------


def _credentials(client: Any) -> Any:
    """Return the credentials object of a client, which lives on when they are renewed."""
    return getattr(getattr(client, "_request_signer", None), "_credentials", None)


def _held(credentials: Any) -> tuple[Any, Any, Any]:
    """Return key, secret and token as they are now: the properties would renew them, and wait."""
    held = getattr(credentials, "__dict__", {})
    start = "_" if "_access_key" in held else ""
    key, secret, token = (held.get(start + name) for name in ("access_key", "secret_key", "token"))
    return key, secret, token


def _digest(access_key: Any) -> str | None:
    if not isinstance(access_key, str):
        return None
    return hashlib.sha256(access_key.encode()).hexdigest()[:16]


def _session(credentials: Any) -> Any:
    """Return a session of the same caller; renews the credentials if they are due."""
    import boto3

    freeze = credentials.get_frozen_credentials
    if inspect.iscoroutinefunction(freeze):  # aiobotocore's are renewed on its own loop only
        key, secret, token = _held(credentials)
    else:
        key, secret, token = freeze()[:3]
    if not key:
        raise LookupError("the client's credentials are not there yet")
    return boto3.Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        region_name=clients.default_region(),
    )


# -- what is known -------------------------------------------------------------------------------

_Key = tuple[str, ...]


@dataclass
class _Entry:
    """What is known of one caller; ``credentials`` is a weak reference, None for the process."""

    identity: Identity | None = None
    credentials: weakref.ref[Any] | None = None
    problem: Problem | None = None
    due: float = 0.0
    busy: bool = False
    asking: threading.Lock = field(default_factory=threading.Lock)


class _Callers:
    """The callers of this process, by environment, and those of clients. Thread-safe."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start afresh, also in a forked child, whose parent's threads and locks are gone."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._entries: dict[_Key, _Entry] = {}
        self._clients: weakref.WeakKeyDictionary[Any, _Entry] = weakref.WeakKeyDictionary()

    def load(self, credentials: Any) -> Identity | None:
        """Return what is known, and see to it that it is renewed in time."""
        entry = self._entry(credentials)
        if entry.due <= time.monotonic():
            with self._lock:
                start, entry.busy = not entry.busy, True
            if start and not in_background(_work, entry):
                entry.busy = False
        return entry.identity

    def refresh(self, credentials: Any) -> tuple[Identity | None, Problem | None]:
        """Ask, and wait; who waited for another thread's answer takes that."""
        entry = self._entry(credentials)
        before = entry.due
        with entry.asking:
            if entry.due == before:
                _renew(entry)
        return entry.identity, entry.problem

    def idle(self) -> bool:
        """Tell whether nothing is being asked in the background."""
        return not any(e.busy for e in [*self._entries.values(), *self._clients.values()])

    def _entry(self, credentials: Any) -> _Entry:
        if self._pid != os.getpid():
            self.forget()
        if credentials is not None:
            found = self._clients.get(credentials)
            return found if found is not None else self._of_client(credentials)
        key = tuple(os.environ.get(name, "") for name in _ENVIRONMENT)
        entry = self._entries.get(key)
        if entry is None:
            with self._lock:
                entry = self._entries.setdefault(key, _Entry(_copy()))
                while len(self._entries) > _MOST_KEPT:
                    self._entries.pop(next(iter(self._entries)))
        return entry

    def _of_client(self, credentials: Any) -> _Entry:
        """Begin with what is known of the process, if the client has the same access key."""
        own = self._entry(None)
        entry = _Entry(credentials=weakref.ref(credentials))
        key = _digest(_held(credentials)[0])
        if key is not None and own.identity is not None and own.identity.key == key:
            entry.identity, entry.due = own.identity, own.due
        with self._lock:
            return self._clients.setdefault(credentials, entry)


def _work(entry: _Entry) -> None:
    try:
        with entry.asking:
            _renew(entry)
    finally:
        entry.busy = False


def _renew(entry: _Entry) -> None:
    before = entry.identity
    try:
        credentials = None if entry.credentials is None else entry.credentials()
        if entry.credentials is not None and credentials is None:
            return  # the client is gone
        session = None if credentials is None else _session(credentials)
        found = ask(session)
        if before is None or before.arn != found.arn:
            entry.identity = found  # at once: IAM may take its time, or never answer
        entry.identity, entry.problem = completed(found, session), None
        if session is None:
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
