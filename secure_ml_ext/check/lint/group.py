"""The statements of one layer together with every Deny that holds beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from . import facts
from .rows import Clause, Row

_MOST_REFINING = 100
_NONE: frozenset[str] = frozenset()


class Beside:
    """What other statements do for one: whether a Deny closes what it leaves open.

    ``denies`` are those of all layers of the principal; ``allows`` those of the same layer.
    """

    def __init__(self, rows: Iterable[Row], denies: Iterable[Row]) -> None:
        self.allows = [row for row in rows if row.effect == "Allow" and row.actions]
        self.denies = [row for row in denies if row.actions]
        # Only as refinements of one code, and bounded: a missing one costs a needless finding.
        self.by_types = [row for row in self.denies if _by_types(row)][:_MOST_REFINING]
        self.keyless = [row for row in self.allows if _keyless(row)][:_MOST_REFINING]
        self._by_key: dict[str, list[Row]] = defaultdict(list)
        for row in self.denies:
            for family in {clause.family for clause in row.clauses}:
                self._by_key[family].append(row)

    def refused_without(self, row: Row, family: str) -> frozenset[str]:
        """Return the actions of which another Deny hits every request that lacks a key.

        Every request to which ``row`` applies, that is.
        """
        refused = _NONE
        for other in self._by_key.get(family, ()):
            if other is not row and covers(other, row):
                refused |= _refused(other, row, family)
                if refused >= row.actions:
                    break
        return refused

    def watched(self, row: Row, family: str) -> frozenset[str]:
        """Return the actions of which another Deny looks at a key, where ``row`` applies."""
        others = self._by_key.get(family, ())
        return _NONE.union(*(o.actions for o in others if o is not row and covers(o, row)))

    def allowed_elsewhere(self, row: Row) -> frozenset[str]:
        """Return the actions that another Allow may allow."""
        return _NONE.union(*(other.alive for other in self.allows if other is not row))


def _by_types(row: Row) -> bool:
    """Tell whether a statement looks at instance types and nothing else."""
    return bool(row.clauses) and all(c.family == facts.INSTANCE_TYPES for c in row.clauses)


def _keyless(row: Row) -> bool:
    """Tell whether a statement applies without a volume key."""
    return all(clause.absent for clause in row.clauses if clause.family == facts.VOLUME_KEY)


def _refused(deny: Row, row: Row, family: str) -> frozenset[str]:
    """Return the actions for which a Deny asks only that a key be absent, beyond what ``row`` does.

    A volume key cannot be demanded of all instance types: an exemption of some is no gap.
    """
    ours = {clause.wanted for clause in row.clauses}
    actions = deny.actions
    for clause in deny.clauses:
        if clause.family == family:
            if not clause.absent:
                return _NONE
        elif clause.wanted not in ours:
            exempts = family == facts.VOLUME_KEY and clause.family == facts.INSTANCE_TYPES
            actions = actions if exempts and clause.absent else clause.missing(actions)
            if not clause.absent or not actions:
                return _NONE
    return actions


def covers(other: Row, row: Row) -> bool:
    """Tell whether a statement is about all resources and principals that ``row`` is about.

    A pattern is taken as text: what matches it as text matches all that it matches.
    """
    if other.principal != row.principal:
        return False
    mine, theirs = row.statement, other.statement
    if theirs.not_resource:
        same = mine.not_resource and mine.written_resources == theirs.written_resources
        return bool(same)
    if theirs.resources.everything:
        return True
    if mine.not_resource:
        return False
    return all(
        text in theirs.written_resources or theirs.resources.fixed(text)
        for text in mine.written_resources
    )


def wants_absence(clause: Clause) -> bool:
    """Tell whether a condition is ``Null`` with ``true``, and nothing else."""
    operator = clause.condition.operator
    if operator.base != "Null" or operator.over is not None:
        return False
    return clause.absent and not clause.condition.test({clause.key.lower(): "x"})
