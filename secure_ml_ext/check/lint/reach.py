"""Which SageMaker actions a statement is about: its action patterns and its resources together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ...iam.glob import matcher, pieces_of
from ...iam.statement import PolicyStatement
from ...inventory.authorization import authorization

SERVICE = "sagemaker:"
# AWS: an ARN has 2,048 characters at most. A longer pattern is taken to reach everything.
_LONGEST_ARN = 2048
_SEGMENTS = 6
_REMEMBERED = 4096
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_WILD = re.compile(r"[*?]")


@lru_cache(maxsize=1)
def _names() -> tuple[tuple[str, str], ...]:
    return tuple((f"{SERVICE}{name}".lower(), name) for name in authorization().actions)


@lru_cache(maxsize=_REMEMBERED)
def named_by(entry: str) -> frozenset[str]:
    """Return the SageMaker actions that one entry of Action names, without ``sagemaker:``."""
    lower = entry.lower()
    head = _WILD.split(lower, maxsplit=1)[0]
    if not (head.startswith(SERVICE) or SERVICE.startswith(head)):
        return frozenset()
    if head == lower:
        return frozenset(name for full, name in _names() if full == lower)
    match = matcher(pieces_of(lower))
    return frozenset(name for full, name in _names() if match(full))


def is_wild(entry: str) -> bool:
    """Tell whether an entry of Action has wildcards."""
    return "*" in entry or "?" in entry


def reached(statement: PolicyStatement, entries: Iterable[str]) -> frozenset[str]:
    """Return the SageMaker actions of a statement whose resources it may be about.

    ``entries`` are those of its Action or NotAction.
    """
    named = frozenset[str]().union(*(named_by(entry) for entry in entries))
    if statement.not_action:
        named = frozenset(authorization().actions) - named
    if statement.not_resource:
        return frozenset() if statement.resources.everything else named
    if statement.resources.everything:
        return named
    types = _types(tuple(statement.written_resources))
    return frozenset(name for name in named if not types.isdisjoint(_types_of(name)))


@lru_cache(maxsize=1024)
def _types_of(action: str) -> frozenset[str]:
    found = authorization().actions[action]
    return frozenset((*found.resources, *found.optional))


def _types(patterns: tuple[str, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(_types_under(pattern) for pattern in patterns))


@lru_cache(maxsize=_REMEMBERED)
def _types_under(pattern: str) -> frozenset[str]:
    """Return the resource types of which some ARN may match a pattern."""
    types = authorization().resources
    if len(pattern) > _LONGEST_ARN:
        return frozenset(types)
    plain = _VARIABLE.sub("*", pattern)
    return frozenset(name for name, each in types.items() if _may_meet(plain, _form(each.arn)))


@lru_cache(maxsize=128)
def _form(arn: str) -> str:
    return _VARIABLE.sub("*", arn)


def _may_meet(pattern: str, form: str) -> bool:
    """Tell whether some ARN matches both; where it is not certain, it may."""
    ours, theirs = (text.split(":", _SEGMENTS - 1) for text in (pattern, form))
    if len(ours) == len(theirs):
        return all(map(_fit, ours, theirs))
    # A wildcard may stand for whole segments: only the ends can be compared.
    return _fit(pattern, form)


def _fit(one: str, other: str) -> bool:
    """Compare what stands before the first wildcard and behind the last one."""
    parts, others = _WILD.split(one), _WILD.split(other)
    if len(parts) == 1 and len(others) == 1:
        return one == other
    heads = sorted((parts[0], others[0]), key=len)
    tails = sorted((parts[-1], others[-1]), key=len)
    return heads[1].startswith(heads[0]) and tails[1].endswith(tails[0])
