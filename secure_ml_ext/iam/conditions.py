"""One condition: an operator, a key and the policy's values, compiled into a test of a context."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .comparisons import Comparison
from .errors import PolicyError
from .operators import NULL, WITH_VARIABLES, Operator, operator
from .values import boolean
from .variables import Template, template

# A prepared context: lower-case keys; several values are a tuple, so that sets can be asked.
Prepared = Mapping[str, "str | tuple[str, ...]"]
Test = Callable[[Prepared], bool]


class Condition:
    """A condition of a statement.

    ``test`` answers for a context in which everything is known. ``keys`` are the keys it reads,
    those of its variables included; ``presence`` says that only their presence matters.
    """

    __slots__ = ("key", "keys", "operator", "presence", "test", "values")

    def __init__(self, name: str, key: str, values: list[str], variables: bool) -> None:
        self.operator: Operator = operator(name)
        self.key = key
        self.values = values
        self.presence = self.operator.base == NULL
        self.keys = frozenset({key.lower()})
        if self.presence:
            self.test = _null(self.operator, key.lower(), values)
            return
        parsed: list[str | Template] = list(values)
        if variables and self.operator.base in WITH_VARIABLES:
            parsed = [_template(value, number) for number, value in enumerate(values)]
        self.keys = self.keys.union(*(t.keys for t in parsed if isinstance(t, Template)))
        self.test = _test(self.operator, key.lower(), self.operator.compile(parsed))


def _template(value: str, number: int) -> str | Template:
    try:
        return template(value)
    except PolicyError as error:
        raise PolicyError(error.problem, path=(number,), character=error.character) from None


def _null(op: Operator, key: str, values: list[str]) -> Test:
    """``Null``: whether the key is missing. With a set operator it is constant.

    AWS, access analyser check "Null with qualifier": they "always return a true or false".
    """
    if op.over is not None:
        constant = op.over == "ForAllValues"
        return lambda context: constant
    wanted = {boolean(value) for value in values}
    return lambda context: (key not in context) in wanted


def _test(op: Operator, key: str, compare: Comparison) -> Test:
    if op.over == "ForAllValues":
        return _for_all(key, compare)
    if op.over == "ForAnyValue":
        return _for_any(key, compare)
    when_missing = op.negated or op.if_exists

    def single(context: Prepared) -> bool:
        value = context.get(key)
        if value is None:
            return when_missing
        # Several values need a set operator; without one nothing matches.
        return value.__class__ is str and compare(value, context)

    return single


def _for_all(key: str, compare: Comparison) -> Test:
    """``ForAllValues``: true for a missing key and for empty values (AWS: "Set operators")."""

    def test(context: Prepared) -> bool:
        value = context.get(key)
        if value is None:
            return True
        for each in (value,) if value.__class__ is str else value:
            if each and not compare(each, context):
                return False
        return True

    return test


def _for_any(key: str, compare: Comparison) -> Test:
    """``ForAnyValue``: false for a missing key, also with ``IfExists``, and for empty values."""

    def test(context: Prepared) -> bool:
        value = context.get(key)
        if value is None:
            return False
        for each in (value,) if value.__class__ is str else value:
            if each and compare(each, context):
                return True
        return False

    return test
