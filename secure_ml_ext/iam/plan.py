"""The statements of all layers that are about one action, and what they make of a request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .conditions import Prepared
from .document import Document
from .statement import Applies, PolicyStatement

MOST_PLANS = 1024


class Request(NamedTuple):
    """A request with a prepared context."""

    action: str
    resource: str
    context: Prepared


class Layer(NamedTuple):
    """The policies of one layer; within a layer Allow statements unite."""

    name: str
    documents: tuple[Document, ...]


class LayerAllows(NamedTuple):
    """The Allow statements of a layer for one action; ``always``: one of them has no condition."""

    layer: Layer
    statements: tuple[PolicyStatement, ...]
    always: bool


class Hit(NamedTuple):
    """A statement and the layer it stands in."""

    layer: str
    statement: PolicyStatement


class Plan(NamedTuple):
    """What can decide an action: every Deny, and per layer every Allow, about it.

    ``deny_tests`` pairs each Deny with its test; ``allow_tests`` are those of the layers whose
    Allow depends on the request.
    """

    denies: tuple[Hit, ...]
    allows: tuple[LayerAllows, ...]
    deny_tests: tuple[tuple[Applies, Hit], ...]
    allow_tests: tuple[tuple[Applies, ...], ...]
    keys: frozenset[str]


class Policies:
    """The layers that hold for one principal, in order, with a plan per action.

    ``unread`` names the layers that could not be read.
    """

    __slots__ = ("_plans", "layers", "unread")

    def __init__(self, layers: Iterable[Layer], unread: Iterable[str]) -> None:
        self.layers = tuple(layers)
        self.unread = tuple(unread)
        self._plans: dict[str, Plan] = {}

    def plan(self, action: str) -> Plan:
        """Return the statements about an action; made once, kept for the next request."""
        found = self._plans.get(action)
        if found is None:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            found = self._plans[action] = self._make(action)
        return found

    def _make(self, action: str) -> Plan:
        denies, allows, keys = [], [], frozenset[str]()
        for layer in self.layers:
            named = [
                each
                for document in layer.documents
                for each in document.statements
                if each.names(action)
            ]
            keys = keys.union(*(each.keys for each in named))
            denies += [Hit(layer.name, each) for each in named if each.effect == "Deny"]
            granting = tuple(each for each in named if each.effect == "Allow")
            always = any(each.unconditional for each in granting)
            allows.append(LayerAllows(layer, granting, always))
        return Plan(
            tuple(denies),
            tuple(allows),
            tuple((hit.statement.applies, hit) for hit in denies),
            tuple(_tests(each.statements) for each in allows if not each.always),
            keys,
        )


def _tests(statements: Iterable[PolicyStatement]) -> tuple[Applies, ...]:
    """Return the tests of Allow statements, those with the least to compare first."""
    by_cost = sorted(statements, key=lambda each: (len(each.conditions), len(each.keys)))
    return tuple(each.applies for each in by_cost)
