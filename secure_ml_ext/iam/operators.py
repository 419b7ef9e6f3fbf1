"""Condition operators: their names, and how each compares one value of the request.

A comparison is a function of one value of the context and the context (for policy variables). It
already is the operator's own answer: true where ``StringNotEquals`` finds the value different. What
cannot be read (``NumericEquals`` of a word) matches neither an operator nor its negation.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import NamedTuple

from . import comparisons
from .comparisons import Comparison, Values
from .errors import PolicyError

Family = Callable[[Values, bool], Comparison]

# operator -> (family, negated)
_OPERATORS: dict[str, tuple[Family, bool]] = {
    "StringEquals": (comparisons.string_equals, False),
    "StringNotEquals": (comparisons.string_equals, True),
    "StringEqualsIgnoreCase": (comparisons.string_equals_ignore_case, False),
    "StringNotEqualsIgnoreCase": (comparisons.string_equals_ignore_case, True),
    "StringLike": (comparisons.string_like, False),
    "StringNotLike": (comparisons.string_like, True),
    "NumericEquals": (comparisons.numeric_equals, False),
    "NumericNotEquals": (comparisons.numeric_equals, True),
    "NumericLessThan": (comparisons.numeric_less, False),
    "NumericLessThanEquals": (comparisons.numeric_less_equal, False),
    "NumericGreaterThan": (comparisons.numeric_greater, False),
    "NumericGreaterThanEquals": (comparisons.numeric_greater_equal, False),
    "DateEquals": (comparisons.date_equals, False),
    "DateNotEquals": (comparisons.date_equals, True),
    "DateLessThan": (comparisons.date_less, False),
    "DateLessThanEquals": (comparisons.date_less_equal, False),
    "DateGreaterThan": (comparisons.date_greater, False),
    "DateGreaterThanEquals": (comparisons.date_greater_equal, False),
    "Bool": (comparisons.boolean, False),
    "BinaryEquals": (comparisons.binary, False),
    "IpAddress": (comparisons.ip_address, False),
    "NotIpAddress": (comparisons.ip_address, True),
    "ArnEquals": (comparisons.arn_like, False),
    "ArnLike": (comparisons.arn_like, False),
    "ArnNotEquals": (comparisons.arn_like, True),
    "ArnNotLike": (comparisons.arn_like, True),
}
NULL = "Null"
OPERATORS = (*_OPERATORS, NULL)
# AWS: variables "with String and ARN operators" and with Bool, no other.
WITH_VARIABLES = frozenset(
    name for name in _OPERATORS if name.startswith(("String", "Arn")) or name == "Bool"
)
_BY_NAME = {name.lower(): name for name in OPERATORS}
_SETS = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}
_IF_EXISTS = "ifexists"


class Operator(NamedTuple):
    """An operator as a policy writes it, e.g. ``ForAllValues:StringEqualsIfExists``."""

    name: str
    base: str
    over: str | None
    if_exists: bool

    @property
    def negated(self) -> bool:
        """Whether it matches where the key is missing, as all negated operators do."""
        return self.base != NULL and _OPERATORS[self.base][1]

    def compile(self, values: Values) -> Comparison:
        """Return the comparison with the values of a policy."""
        family, negated = _OPERATORS[self.base]
        return family(values, negated)


def operator(name: str) -> Operator:
    """Read the name of an operator in any case; PolicyError for one that IAM does not know."""
    over, colon, rest = name.rpartition(":")
    qualifier = _SETS.get(over.lower()) if colon else None
    lower = rest.lower()
    if_exists = lower.endswith(_IF_EXISTS)
    base = _BY_NAME.get(lower.removesuffix(_IF_EXISTS) if if_exists else lower)
    if base is None or (colon and qualifier is None):
        raise PolicyError(f"there is no condition operator {name}{_suggestion(rest)}")
    if base == NULL and if_exists:
        raise PolicyError("Null cannot be used with IfExists")
    canonical = f"{qualifier}:{base}" if qualifier else base
    return Operator(canonical + "IfExists" * if_exists, base, qualifier, if_exists)


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name, OPERATORS, n=1)
    return f"; did you mean {close[0]}?" if close else ""
