"""A statement, compiled: which actions it names, and whether it applies to a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from .arn import Resources, resources
from .conditions import Condition, Prepared, Test
from .errors import PolicyError
from .glob import matcher, pieces_of
from .variables import Template, template

Applies = Callable[[str, Prepared], bool]
Strings = tuple[str, list[str]]


class PolicyStatement:
    """One statement of a policy.

    ``applies(resource, context)`` answers where everything is known and the action is one that
    ``names`` accepts. ``keys`` are the context keys (lower case) that can matter.
    """

    __slots__ = (
        "_actions",
        "_patterns",
        "applies",
        "conditions",
        "effect",
        "index",
        "keys",
        "not_action",
        "not_resource",
        "policy",
        "resources",
        "sid",
        "unconditional",
        "written_resources",
    )

    def __init__(
        self,
        policy: str,
        index: int,
        sid: str | None,
        effect: Literal["Allow", "Deny"],
        action: Strings,
        resource: Strings,
        conditions: list[tuple[str, str, list[str]]],
        variables: bool,
    ) -> None:
        self.policy = policy
        self.index = index
        self.sid = sid
        self.effect = effect
        self.not_action = action[0] == "NotAction"
        self._actions, self._patterns = _actions(*action)
        self.not_resource = resource[0] == "NotResource"
        self.written_resources = resource[1]
        self.resources = _resources(*resource, variables)
        self.conditions = tuple(_condition(each, variables) for each in conditions)
        self.keys = self.resources.keys.union(*(each.keys for each in self.conditions))
        tests = tuple(each.test for each in self.conditions)
        everywhere = self.resources.everything and not self.not_resource
        self.unconditional = everywhere and not tests
        reaches = self.reaches if self.not_resource else self.resources.covers
        self.applies = _applies(None if everywhere else reaches, tests)

    def names(self, action: str) -> bool:
        """Tell whether the statement is about an action; case does not matter."""
        lower = action.lower()
        named = lower in self._actions or any(match(lower) for match in self._patterns)
        return named is not self.not_action

    def reaches(self, resource: str, context: Prepared) -> bool:
        """Tell whether the statement is about a resource."""
        return self.resources.covers(resource, context) is not self.not_resource


def _actions(element: str, values: list[str]) -> tuple[frozenset[str], list[Callable[[str], bool]]]:
    exact, patterns = [], []
    for number, value in enumerate(values):
        lower = value.lower()
        if ":" not in lower and (not lower or lower.strip("*")):
            raise PolicyError(
                "an action is written service:action, or *", path=_place(element, values, number)
            )
        if "*" in lower or "?" in lower:
            patterns.append(matcher(pieces_of(lower)))
        else:
            exact.append(lower)
    return frozenset(exact), patterns


def _resources(element: str, values: list[str], variables: bool) -> Resources:
    parsed: list[str | Template] = []
    for number, value in enumerate(values):
        try:
            each = template(value) if variables else value
            resources([each])  # one by one, so that an error names its place
        except PolicyError as error:
            raise PolicyError(
                error.problem, path=_place(element, values, number), character=error.character
            ) from None
        parsed.append(each)
    return resources(parsed)


def _place(element: str, values: list[str], number: int) -> tuple[str | int, ...]:
    return (element, number) if len(values) > 1 else (element,)


def _condition(written: tuple[str, str, list[str]], variables: bool) -> Condition:
    name, key, values = written
    try:
        return Condition(name, key, values, variables)
    except PolicyError as error:
        inside = (key, *(error.path if len(values) > 1 else ())) if error.path else ()
        raise PolicyError(
            error.problem, path=("Condition", name, *inside), character=error.character
        ) from None


def _applies(reaches: Applies | None, tests: tuple[Test, ...]) -> Applies:
    """Return the whole test of a statement, without a loop where there is nothing to repeat."""
    if reaches is None:
        if not tests:
            return lambda resource, context: True
        if len(tests) == 1:
            (only,) = tests
            return lambda resource, context: only(context)
        if len(tests) == 2:
            first, second = tests
            return lambda resource, context: first(context) and second(context)
        return lambda resource, context: all(test(context) for test in tests)
    if not tests:
        return reaches
    return lambda resource, context: (
        reaches(resource, context) and all(test(context) for test in tests)
    )
