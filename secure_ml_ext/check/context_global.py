"""Condition keys that are not SageMaker's own: who asks, from where, when, with which tags."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..iam import SOMETHING, Undetermined
from ..inventory.authorization import authorization
from ..inventory.paths import absent
from .caller import Caller, Place, Resolver


class Sent(NamedTuple):
    """A request with all that its condition keys may come from."""

    operation: str
    params: Mapping[str, Any]
    caller: Caller
    place: Place
    principal: str | None
    resolver: Resolver | None


Getter = Callable[[Sent], Any]


_TAG = "aws:requesttag/"


def global_key(operation: str, lower: str) -> tuple[str, Getter] | None:
    """Return a key (in lower case) as AWS writes it and its look-up; None for always absent."""
    if (found := _GLOBAL.get(lower)) is not None:
        return _spelt(lower), found
    if lower.startswith(_TAG):
        return _spelt(lower), _tag(lower[len(_TAG) :])
    if lower.startswith("aws:principaltag/"):
        return _spelt(lower), _principal_tag(lower.partition("/")[2])
    if lower.startswith(("aws:resourcetag/", "sagemaker:resourcetag/")):
        # What is created has no tags yet; those of what is changed are not looked up.
        return None if operation.startswith("Create") else (lower, unknown)
    return _spelt(lower), unknown


def _spelt(lower: str) -> str:
    """Return a global key as AWS writes it, for people to read."""
    family, slash, rest = lower.partition("/")
    for key in authorization().global_keys:
        if key.partition("/")[0].lower() == family:
            return key.partition("/")[0] + slash + rest
    return lower


def later(value: Any) -> bool:
    """Tell whether a value is decided later; see ``items``."""
    return isinstance(value, dict)


def _tags_of(sent: Sent) -> list[tuple[str, Any]] | None:
    """Return the request's tags; None where they are decided later."""
    tags = sent.params.get("Tags")
    if absent(tags):
        return []
    if not isinstance(tags, (list, tuple)):
        return None
    pairs = []
    for each in tags:
        key = each.get("Key") if isinstance(each, dict) else None
        if not isinstance(key, str):
            return None
        pairs.append((key, each.get("Value", "")))
    return pairs


def _tag(name: str) -> Getter:
    def read(sent: Sent) -> Any:
        tags = _tags_of(sent)
        if tags is None:
            return Undetermined()
        for key, value in tags:
            if key.lower() == name:
                return Undetermined((SOMETHING,)) if later(value) else str(value)
        return None

    return read


def _tag_keys(sent: Sent) -> Any:
    tags = _tags_of(sent)
    return Undetermined() if tags is None else [key for key, _ in tags] or None


def _principal_tag(name: str) -> Getter:
    def read(sent: Sent) -> Any:
        if sent.caller.tags is None:
            return Undetermined()
        return next((v for k, v in sent.caller.tags.items() if k.lower() == name), None)

    return read


def unknown(sent: Sent) -> Any:
    return Undetermined()


def _known(value: str | None) -> Any:
    return Undetermined() if value is None else value


def _now(sent: Sent) -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _epoch(sent: Sent) -> str:
    return str(int(datetime.datetime.now(datetime.timezone.utc).timestamp()))


# AWS, "AWS global condition context keys": what is known of a request that a role sends to
# SageMaker's API over TLS. All other aws: keys are not known.
_GLOBAL: Mapping[str, Getter] = {
    "aws:principalarn": lambda sent: _known(sent.principal),
    "aws:principalaccount": lambda sent: _known(sent.place.account),
    "aws:resourceaccount": lambda sent: _known(sent.place.account),
    "aws:requestedregion": lambda sent: _known(sent.place.region),
    # Only of a user; a role has none.
    "aws:username": lambda sent: None if _is_role(sent.principal) else Undetermined(),
    "aws:assumedroot": lambda sent: None,
    # Only of requests that a service makes for somebody else's resource.
    "aws:sourceaccount": lambda sent: None,
    "aws:sourcearn": lambda sent: None,
    "aws:sourceorgid": lambda sent: None,
    "aws:sourceorgpaths": lambda sent: None,
    "aws:principaltype": lambda sent: "AssumedRole" if _is_role(sent.principal) else Undetermined(),
    "aws:principalisawsservice": lambda sent: "false",
    "aws:principalservicename": lambda sent: None,
    "aws:principalservicenameslist": lambda sent: None,
    "aws:viaawsservice": lambda sent: "false",
    "aws:calledvia": lambda sent: None,
    "aws:calledviafirst": lambda sent: None,
    "aws:calledvialast": lambda sent: None,
    "aws:securetransport": lambda sent: "true",
    "aws:sourcevpce": lambda sent: _known(sent.caller.source_vpce),
    "aws:currenttime": _now,
    "aws:epochtime": _epoch,
    "aws:tagkeys": _tag_keys,
}


def _is_role(principal: str | None) -> bool:
    return principal is not None and ":role/" in principal
