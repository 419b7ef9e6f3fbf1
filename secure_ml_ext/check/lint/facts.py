"""What the lint knows of keys and actions: which action carries which key, and what is near a name.

A key is ``request`` (the caller fills it: ``sagemaker:VpcSubnets``, ``aws:RequestTag/…``),
``session`` (principal, network, resource: any action may carry it), ``foreign`` (another service's:
no SageMaker action carries it) or ``unknown`` (in no definition).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

from ...inventory.authorization import authorization, key_family
from ...inventory.table import field_table, operations
from ...rules.model import builtin_rules

Kind = Literal["request", "session", "foreign", "unknown"]

VOLUME_KEY = "sagemaker:volumekmskeyarn"
INSTANCE_TYPES = "sagemaker:instancetypes"
_HOME_KEY = "sagemaker:homeefsfilesystemkmskey"
_TAGS = frozenset({"aws:requesttag/", "aws:tagkeys"})
_NEAR_KEY = 0.75
_NEAR_ACTION = 0.8
# Suggestions cost a comparison with every name: longer texts are no typing errors.
_LONGEST_NAME = 128
_REMEMBERED = 1024


@lru_cache(maxsize=1)
def renamed() -> Mapping[str, str]:
    """Return the keys that AWS renamed, lower case, with their new names as AWS writes them."""
    return {old.lower(): new for old, new in field_table().deprecated_keys.items()}


def normal(key: str) -> str:
    """Return a key in lower case, under its present name."""
    lower = key.lower()
    new = renamed().get(lower)
    return new.lower() if new else lower


@lru_cache(maxsize=1)
def _carriers() -> Mapping[str, frozenset[str]]:
    """Return the actions that may carry a key, by the key's family."""
    data = authorization()
    found: dict[str, set[str]] = {}
    for name, action in data.actions.items():
        types = (data.resources[each] for each in (*action.resources, *action.optional))
        inherited = (key for each in types for key in each.keys)
        for key in (*action.keys, *action.resource_keys, *inherited):
            found.setdefault(key_family(key), set()).add(name)
    new = renamed().get(_HOME_KEY, "")
    found[_HOME_KEY] = {
        name
        for name, action in data.actions.items()
        if any(path.endswith("/HomeEfsFileSystemKmsKeyId") for path in action.paths.get(new, ()))
    }
    return {key: frozenset(names) for key, names in found.items()}


@lru_cache(maxsize=1)
def _request_keys() -> frozenset[str]:
    """Return the families of keys that a request's own members fill."""
    actions = authorization().actions.values()
    own = {key_family(key) for action in actions for key in action.keys}
    return frozenset({key for key in own if key.startswith("sagemaker:")} | _TAGS)


@lru_cache(maxsize=1)
def _global_keys() -> frozenset[str]:
    return frozenset(key_family(key) for key in authorization().global_keys)


@lru_cache(maxsize=_REMEMBERED)
def kind(key: str) -> Kind:
    """Say what a key is, see the module."""
    family = key_family(key)
    if family in renamed() or family in _request_keys():
        return "request"
    if family in _global_keys():
        return "session"
    prefix, colon, _ = family.partition(":")
    if prefix in ("sagemaker", "aws") or not colon:
        known = family in {key_family(each) for each in authorization().keys}
        return "session" if known else "unknown"
    # Keys of identity providers (saml:sub, accounts.example.com:aud) belong to the session.
    return "session" if "." in prefix or prefix == "saml" else "foreign"


@lru_cache(maxsize=_REMEMBERED)
def carriers(key: str) -> frozenset[str] | None:
    """Return the actions that may carry a key; None: every action may."""
    what = kind(key)
    if what == "session":
        return None
    if what != "request":
        return frozenset()
    family = key_family(key)
    return _carriers().get(family if family == _HOME_KEY else key_family(normal(key)), frozenset())


def is_flag(key: str) -> bool:
    """Tell whether the values of a key are true and false."""
    types = authorization().keys
    return any(types[name] == "Bool" for name in types if name.lower() == key.lower())


@lru_cache(maxsize=1)
def refusing_actions() -> frozenset[str]:
    """Return the actions that refuse a volume key on instance types with local disks."""
    exempt = {
        op for rule in builtin_rules() if rule.exempt == "local-disk" for op in rule.operations
    }
    takers = _carriers()[VOLUME_KEY] & _carriers()[INSTANCE_TYPES]
    return frozenset(exempt & takers)


@lru_cache(maxsize=1)
def unlisted_actions() -> Mapping[str, str]:
    """Return the operations of the API that the IAM data does not list, by lower-case name."""
    known = authorization().actions
    return {name.lower(): name for name in operations() if name not in known}


def data_version() -> str:
    """Return the version of the IAM data, for messages."""
    source = authorization().sources["iam"]
    return f"{source['package']} {source['version']}"


@lru_cache(maxsize=_REMEMBERED)
def near_key(key: str) -> str | None:
    """Return the present name of the key that was probably meant."""
    if len(key) > _LONGEST_NAME:
        return None
    # A bare name (VpcSubnets) was meant as SageMaker's.
    prefix, _, name = key.partition(":") if ":" in key else ("sagemaker", ":", key)
    data = authorization()
    candidates = [*data.keys, *renamed(), *data.global_keys]
    names = {
        each.partition(":")[2].lower(): each
        for each in candidates
        if each.lower().startswith(f"{prefix.lower()}:") and "/" not in each
    }
    return _present(_nearest(name.lower(), names, _NEAR_KEY))


def _present(key: str | None) -> str | None:
    return renamed().get(key.lower(), key) if key else None


@lru_cache(maxsize=_REMEMBERED)
def near_action(name: str) -> str | None:
    """Return the action that was probably meant, without ``sagemaker:``."""
    if len(name) > _LONGEST_NAME or "*" in name or "?" in name:
        return None
    names = {each.lower(): each for each in authorization().actions}
    return _nearest(name.strip().lower(), names, _NEAR_ACTION)


def _nearest(name: str, names: Mapping[str, str], cutoff: float) -> str | None:
    found = difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
    return names[found[0]] if found else None


def in_order(names: Iterable[str]) -> list[str]:
    """Return names sorted, as all lists of actions and keys are shown."""
    return sorted(set(names))
