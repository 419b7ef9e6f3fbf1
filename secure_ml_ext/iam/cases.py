"""One combination of what uncertain keys may be, and what the statements make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .conditions import Condition
from .plan import Hit, LayerAllows, Request
from .records import Verdict
from .statement import PolicyStatement

Choice = str | tuple[str, ...] | None


class Open(NamedTuple):
    """Keys (lower case) with unknown values, and those of them that may be absent as well."""

    values: frozenset[str] = frozenset()
    presence: frozenset[str] = frozenset()


KNOWN = Open()


class Case(NamedTuple):
    """A combination: what was chosen, and which verdicts are possible with it."""

    chosen: Mapping[str, Choice]
    request: Request
    open: Open
    verdicts: frozenset[Verdict]
    denies: list[Hit]
    may_deny: list[Hit]
    layers: list[tuple[LayerAllows, bool | None]]


def holds(condition: Condition, request: Request, unknown: Open = KNOWN) -> bool | None:
    """Tell whether a condition holds; None where a key it reads is not known."""
    keys = unknown.presence if condition.presence else unknown.values
    if keys and not condition.keys.isdisjoint(keys):
        return None
    return condition.test(request.context)


def reaches(statement: PolicyStatement, request: Request, unknown: Open = KNOWN) -> bool | None:
    """Tell whether a statement is about the resource; None where a variable is not known."""
    if statement.resources.keys.isdisjoint(unknown.values):
        return statement.reaches(request.resource, request.context)
    return not statement.not_resource if statement.resources.fixed(request.resource) else None


def state(statement: PolicyStatement, request: Request, unknown: Open) -> bool | None:
    """Tell whether a statement applies: false as soon as one part is false."""
    if unknown.values.isdisjoint(statement.keys):
        return statement.applies(request.resource, request.context)
    result = reaches(statement, request, unknown)
    for condition in statement.conditions:
        if result is False:
            return False
        found = holds(condition, request, unknown)
        if found is not True:
            result = found
            if found is False:
                return False
    return result


def layer_state(
    allows: LayerAllows, request: Request, unknown: Open, unread: tuple[str, ...] = ()
) -> bool | None:
    """Tell whether a layer allows a request; None where that is open."""
    if allows.always:
        return True
    found = {state(each, request, unknown) for each in allows.statements}
    if True in found:
        return True
    return None if None in found or allows.layer.name in unread else False
