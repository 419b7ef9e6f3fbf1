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
_COMMON = "arn:*:sagemaker:*:*:"
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


def may_reach(statement: PolicyStatement, form: str) -> bool:
    """Tell whether a statement may be about some ARN of a form, in which a star is a name."""
    if statement.resources.everything or statement.not_resource:
        return statement.resources.everything is not statement.not_resource
    return any(_meets(pattern, form) for pattern in statement.written_resources)


@lru_cache(maxsize=_REMEMBERED)
def _meets(pattern: str, form: str) -> bool:
    if len(pattern) > _LONGEST_ARN:
        return True
    meeting = _Meeting(_VARIABLE.sub("*", pattern))
    return bool(meeting.after(form, 1, ":") & meeting.final)


@lru_cache(maxsize=_REMEMBERED)
def _types_under(pattern: str) -> frozenset[str]:
    """Return the resource types of which some ARN may match a pattern."""
    if len(pattern) > _LONGEST_ARN:
        return frozenset(authorization().resources)
    meeting = _Meeting(_VARIABLE.sub("*", pattern))
    began = meeting.after(_COMMON, 1, ":/")
    found = ((name, meeting.after(rest, began, ":")) for name, rest in _forms()) if began else ()
    return frozenset(name for name, state in found if state & meeting.final)


@lru_cache(maxsize=1)
def _forms() -> tuple[tuple[str, str], ...]:
    """Return the resource types with what follows the account in their ARNs."""
    types = authorization().resources
    forms = {name: _VARIABLE.sub("*", each.arn) for name, each in types.items()}
    return tuple((name, form.removeprefix(_COMMON)) for name, form in forms.items())


class _Meeting:
    """Which ARNs of a form match a pattern: bit i is set while the pattern's first i may have.

    In the form a star is a name, without colons, and without slashes where it is a region or an
    account; in the pattern it is anything at all, which is more than IAM says of its first
    segments: in doubt a pattern reaches.
    """

    def __init__(self, pattern: str) -> None:
        self._where: dict[str, int] = {}
        self._stars = self._any = 0
        for place, character in enumerate(pattern):
            bit = 1 << place
            self._where[character] = self._where.get(character, 0) | bit
            self._stars |= bit if character == "*" else 0
            self._any |= bit if character in "*?" else 0
        self._length = len(pattern)
        self.final = 1 << self._length

    def after(self, form: str, state: int, barred: str) -> int:
        """Return the state behind a piece of a form, whose stars hold no ``barred`` character."""
        state = self._open(state)
        for character in form:
            if character == "*":
                state = self._fill(state, barred)
            else:
                takes = self._where.get(character, 0) | self._any & ~self._stars
                state = self._open((state & takes) << 1 | state & self._stars)
            if not state:
                return 0
        return state

    def _open(self, state: int) -> int:
        """A star of the pattern may stand for nothing; neighbouring ones too."""
        while (more := state | (state & self._stars) << 1) != state:
            state = more
        return state

    def _fill(self, state: int, barred: str) -> int:
        """Go on through all but what is barred, in steps that double (Kogge and Stone)."""
        stops = 0
        for character in barred:
            stops |= self._where.get(character, 0)
        passable = ((1 << self._length) - 1 & ~stops) << 1
        step = 1
        while step <= self._length:
            state |= passable & (state << step)
            passable &= passable << step
            step *= 2
        return self._open(state)
