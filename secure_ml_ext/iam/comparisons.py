"""The families of condition operators, each compiled for the values of one condition.

``family(values, negated)`` returns the comparison of a single value of the request. Positive ones
ask whether any of the policy's values fits, negated ones whether all of them are different.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

from . import values as read
from .arn import ArnPattern, arn_pattern, segments_of
from .glob import matcher, pieces_of
from .variables import Context, Patterns, Template

Comparison = Callable[[str, Context], bool]
Values = Sequence["str | Template"]
Reader = Callable[[str], "read.Number | None"]
_MOST_REMEMBERED = 64
_LONGEST_REMEMBERED = 256


class _Split(NamedTuple):
    fixed: list[str]
    templates: list[Template]


def _split(values: Values) -> _Split:
    return _Split(
        [value for value in values if isinstance(value, str)],
        [value for value in values if isinstance(value, Template)],
    )


def _same(value: str) -> str:
    return value


def string_equals(values: Values, negated: bool) -> Comparison:
    """StringEquals, StringNotEquals."""
    return _strings(values, negated, _same)


def string_equals_ignore_case(values: Values, negated: bool) -> Comparison:
    """StringEqualsIgnoreCase, StringNotEqualsIgnoreCase."""
    return _strings(values, negated, str.lower)


def _strings(values: Values, negated: bool, fold: Callable[[str], str]) -> Comparison:
    split = _split(values)
    fixed = frozenset(map(fold, split.fixed))
    templates = split.templates
    if not templates and fold is _same:
        if negated:
            return lambda value, context: value not in fixed
        return lambda value, context: value in fixed

    def compare(value: str, context: Context) -> bool:
        folded = fold(value)
        if folded in fixed:
            return not negated
        for template in templates:
            found = template.resolve(context)
            if found is not None and fold(found) == folded:
                return not negated
        return negated

    return compare


def string_like(values: Values, negated: bool) -> Comparison:
    """StringLike, StringNotLike."""
    split = _split(values)
    fixed = frozenset(text for text in split.fixed if "*" not in text and "?" not in text)
    patterns = [matcher(pieces_of(text)) for text in split.fixed if text not in fixed]

    def matches(value: str) -> bool:
        return value in fixed or any(match(value) for match in patterns)

    known = _remembered(matches)
    templates = [Patterns(template, matcher) for template in split.templates]
    if not templates:
        return _negated(known) if negated else known

    def compare(value: str, context: Context) -> bool:
        if known(value, context):
            return not negated
        for template in templates:
            found = template.resolve(context)
            if found is not None and found[0](value):
                return not negated
        return negated

    return compare


def _remembered(compute: Callable[[str], bool]) -> Comparison:
    """Keep the last answers: the values of an environment come back with every request."""
    known: dict[str, bool] = {}

    def compare(value: str, context: Context) -> bool:
        found = known.get(value)
        if found is None:
            found = compute(value)
            if len(value) <= _LONGEST_REMEMBERED:
                if len(known) >= _MOST_REMEMBERED:
                    known.clear()
                known[value] = found
        return found

    return compare


def _negated(comparison: Comparison) -> Comparison:
    return lambda value, context: not comparison(value, context)


def arn_like(values: Values, negated: bool) -> Comparison:
    """ArnEquals, ArnLike and their negations: AWS documents each pair as identical."""
    split = _split(values)
    found = [_arn(text) for text in split.fixed]
    patterns = [pattern for pattern in found if pattern is not None]
    readable = len(patterns) == len(found)
    templates = [Patterns(template, arn_pattern) for template in split.templates]

    def fixed(value: str) -> bool:
        segments = segments_of(value)
        if segments is None or (negated and not readable):
            return False
        return any(pattern.matches(segments) for pattern in patterns) is not negated

    if not templates:
        return _remembered(fixed)

    def compare(value: str, context: Context) -> bool:
        segments = segments_of(value)
        if segments is None or fixed(value) is not negated:
            return segments is not None and not negated
        for template in templates:
            resolved = template.resolve(context)
            if resolved is None:
                continue
            (pattern,) = resolved
            if pattern is None:
                if negated:
                    return False
            elif pattern.matches(segments):
                return not negated
        return negated

    return compare


def _arn(text: str) -> ArnPattern | None:
    prefix, colon, rest = text.partition(":")
    return arn_pattern(pieces_of(prefix.lower() + colon + rest))


def boolean(values: Values, negated: bool) -> Comparison:
    """Bool."""
    split = _split(values)
    wanted = {read.boolean(text) for text in split.fixed} - {None}
    if not split.templates:
        return _remembered(lambda value: read.boolean(value) in wanted)

    def compare(value: str, context: Context) -> bool:
        found = read.boolean(value)
        if found is None or found in wanted:
            return found is not None
        for template in split.templates:
            text = template.resolve(context)
            if text is not None and read.boolean(text) is found:
                return True
        return False

    return compare


def binary(values: Values, negated: bool) -> Comparison:
    """BinaryEquals."""
    wanted = {read.binary(text) for text in _split(values).fixed} - {None}
    return lambda value, context: read.binary(value) in wanted


def ip_address(values: Values, negated: bool) -> Comparison:
    """IpAddress, NotIpAddress."""
    found = [read.network(text) for text in _split(values).fixed]
    networks = [network for network in found if network is not None]
    readable = len(networks) == len(values)

    def fits(value: str) -> bool:
        address = read.address(value)
        if address is None or (negated and not readable):
            return False
        return any(address in network for network in networks) is not negated

    return _remembered(fits)


def _equals(reader: Reader) -> Callable[[Values, bool], Comparison]:
    def family(values: Values, negated: bool) -> Comparison:
        found = [reader(text) for text in _split(values).fixed]
        wanted = {number for number in found if number is not None}
        readable = len(found) == len(values) and None not in found

        def fits(value: str) -> bool:
            number = reader(value)
            if number is None or (negated and not readable):
                return False
            return (number in wanted) is not negated

        return _remembered(fits)

    return family


def _order(
    reader: Reader,
    fits: Callable[[read.Number, read.Number], bool],
    widest: Callable[[list[read.Number]], read.Number],
) -> Callable[[Values, bool], Comparison]:
    """An order: where any of several values may fit, the widest decides."""

    def family(values: Values, negated: bool) -> Comparison:
        found = [reader(text) for text in _split(values).fixed]
        numbers = [number for number in found if number is not None]
        if not numbers:
            return lambda value, context: False
        bound = widest(numbers)

        def within(value: str) -> bool:
            number = reader(value)
            return number is not None and fits(number, bound)

        return _remembered(within)

    return family


numeric_equals = _equals(read.number)
numeric_less = _order(read.number, operator.lt, max)
numeric_less_equal = _order(read.number, operator.le, max)
numeric_greater = _order(read.number, operator.gt, min)
numeric_greater_equal = _order(read.number, operator.ge, min)
date_equals = _equals(read.date)
date_less = _order(read.date, operator.lt, max)
date_less_equal = _order(read.date, operator.le, max)
date_greater = _order(read.date, operator.gt, min)
date_greater_equal = _order(read.date, operator.ge, min)
