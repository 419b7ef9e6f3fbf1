"""The context of a request, prepared for tests: lower-case keys, strings and tuples of strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .glob import MAX_CHARACTERS
from .records import SOMETHING, Undetermined

MAX_VALUES = 1000
Known = dict[str, "str | tuple[str, ...]"]


class ContextError(ValueError):
    """A context that cannot be used; the message names the key."""


class Uncertain(NamedTuple):
    """A key as the caller wrote it, and what it may be (None: absent)."""

    key: str
    candidates: tuple[str | tuple[str, ...] | None, ...]
    question: str | None


def prepare(context: Mapping[str, Any]) -> tuple[Known, dict[str, Uncertain]]:
    """Split a context into what is known and what is not; absent keys are in neither."""
    known: Known = {}
    uncertain: dict[str, Uncertain] = {}
    for key, value in context.items():
        kind = value.__class__
        if kind is str and len(value) <= MAX_CHARACTERS:
            known[key.lower()] = value
        elif kind is list and _plain(value):
            known[key.lower()] = tuple(value)
        elif isinstance(value, Undetermined):
            _uncertain(key, value, known, uncertain)
        elif (text := _value(key, value)) is not None:
            known[key.lower()] = text
    return known, uncertain


def _plain(values: list[Any]) -> bool:
    """Tell whether a list needs no conversion; asked of every list, so it is a bare loop."""
    for each in values:
        if each.__class__ is not str or len(each) > MAX_CHARACTERS:
            return False
    return 0 < len(values) <= MAX_VALUES


def _uncertain(
    key: str, value: Undetermined, known: Known, uncertain: dict[str, Uncertain]
) -> None:
    candidates = tuple(dict.fromkeys(_value(key, each) for each in value.candidates))
    if len(candidates) != 1 or candidates[0] is SOMETHING:
        uncertain[key.lower()] = Uncertain(key, candidates, value.question)
    elif candidates[0] is not None:
        known[key.lower()] = candidates[0]


def _value(key: str, value: Any) -> str | tuple[str, ...] | None:
    """Return a value as text; None and the empty list mean that the key is absent."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        if len(value) > MAX_VALUES:
            raise ContextError(f"{key} has {len(value)} values, more than {MAX_VALUES}")
        return tuple(_text(key, each) for each in value) or None
    return _text(key, value)


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise ContextError(f"{key} is {type(value).__name__}, not a string or a list of strings")
    if len(value) > MAX_CHARACTERS:
        raise ContextError(f"{key} has {len(value)} characters, more than {MAX_CHARACTERS}")
    return value
