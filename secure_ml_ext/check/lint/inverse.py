"""The conditions of a Deny that refuses what an Allow's condition does not let through."""

from __future__ import annotations

from typing import Any, NamedTuple

from .rows import Clause

# Each operator and the one that is true where it is false, for a key that is there.
_PAIRS = (
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("NumericEquals", "NumericNotEquals"),
    ("NumericLessThan", "NumericGreaterThanEquals"),
    ("NumericGreaterThan", "NumericLessThanEquals"),
    ("DateEquals", "DateNotEquals"),
    ("DateLessThan", "DateGreaterThanEquals"),
    ("DateGreaterThan", "DateLessThanEquals"),
    ("IpAddress", "NotIpAddress"),
    ("ArnEquals", "ArnNotEquals"),
    ("ArnLike", "ArnNotLike"),
)
_OPPOSITE = {**dict(_PAIRS), **{second: first for first, second in _PAIRS}}
_FLAGS = {"true": "false", "false": "true"}


class Demand(NamedTuple):
    """A condition to write: operator, key and values."""

    operator: str
    key: str
    values: Any


def inverse(clause: Clause, values: Any) -> list[Demand] | None:
    """Return conditions that together hold exactly where ``clause`` does not; None: there are none.

    ``values`` are those of the clause as written. Whether the key may be missing is kept: what is
    let through without the key is not refused without it.
    """
    operator = clause.condition.operator
    if operator.base in ("Null", "Bool"):
        return _flag(clause)
    opposite = _OPPOSITE.get(operator.base)
    several = isinstance(values, list) and len(values) > 1
    # Of several bounds the widest counts: the opposite would take the wrong one.
    if opposite is None or ("Than" in operator.base and several):
        return None
    key = clause.key
    if operator.over == "ForAllValues":
        return [Demand(f"ForAnyValue:{opposite}", key, values)]
    if operator.over == "ForAnyValue":
        return [Demand(f"ForAllValues:{opposite}", key, values)]
    if clause.absent and _matches_absent(opposite):
        return [Demand(opposite, key, values), Demand("Null", key, "false")]
    if not clause.absent and not _matches_absent(opposite):
        return [Demand(f"{opposite}IfExists", key, values)]
    return [Demand(opposite, key, values)]


def _matches_absent(operator: str) -> bool:
    return "Not" in operator


def _flag(clause: Clause) -> list[Demand] | None:
    """Null and Bool: the other of two values."""
    operator = clause.condition.operator
    wanted = {_FLAGS.get(value.lower()) for value in clause.condition.values}
    if operator.over is not None or len(wanted) != 1 or None in wanted:
        return None
    (other,) = wanted
    if operator.base == "Null":
        return [Demand("Null", clause.key, other)]
    name = "Bool" if clause.absent else "BoolIfExists"
    return [Demand(name, clause.key, other)]
