"""The statements of one layer together with every Deny that holds beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from . import facts
from .rows import Clause, Row


class Beside:
    """What other statements do for one: whether a Deny closes what it leaves open.

    ``denies`` are those of all layers of the principal; ``allows`` those of the same layer.
    """

    def __init__(self, rows: Iterable[Row], denies: Iterable[Row]) -> None:
        self.allows = _by_action(row for row in rows if row.effect == "Allow")
        self.denies = _by_action(denies)

    def refuses_without(self, row: Row, action: str, family: str) -> bool:
        """Tell whether another Deny hits every request that lacks a key, where ``row`` applies."""
        return any(
            other is not row and covers(other, row) and _needs_only(other, row, action, family)
            for other in self.denies.get(action, ())
        )

    def watches(self, row: Row, action: str, family: str) -> bool:
        """Tell whether another Deny looks at a key, where ``row`` applies."""
        return any(
            other is not row
            and any(clause.family == family for clause in other.clauses)
            and covers(other, row)
            for other in self.denies.get(action, ())
        )


def _by_action(rows: Iterable[Row]) -> Mapping[str, Sequence[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        for action in row.actions:
            found[action].append(row)
    return found


def _needs_only(deny: Row, row: Row, action: str, family: str) -> bool:
    """Tell whether the absence of a key is all that a Deny asks for beyond what ``row`` does."""
    ours = {clause.wanted for clause in row.clauses}
    about = False
    for clause in deny.clauses:
        if clause.family == family:
            if not clause.absent:
                return False
            about = True
        elif clause.wanted not in ours and not _no_matter(action, clause, family):
            return False
    return about


def _no_matter(action: str, clause: Clause, family: str) -> bool:
    """Tell whether a further condition of a Deny lets nobody go who should not be let go.

    A volume key cannot be demanded of all instance types: an exemption of some is no gap.
    """
    exempts = family == facts.VOLUME_KEY and clause.family == facts.INSTANCE_TYPES
    return clause.absent and (exempts or never(action, clause))


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


def never(action: str, clause: Clause) -> bool:
    """Tell whether no call of an action has the key of a clause."""
    return not facts.carried(action, clause.key)


def unknown(clause: Clause) -> bool:
    """Tell whether the key of a clause is in no definition."""
    return facts.kind(clause.key) == "unknown"


def asked(row: Row, action: str) -> list[Clause]:
    """Return the clauses on keys that the caller may fill in a call of an action."""
    return [
        clause
        for clause in row.clauses
        if facts.kind(clause.key) == "request" and facts.carried(action, clause.key)
    ]


def dead(row: Row, action: str) -> bool:
    """Tell whether a statement never applies to an action: it wants a key that no call has."""
    return any(not clause.absent for clause in row.clauses if never(action, clause))


def wants_absence(clause: Clause) -> bool:
    """Tell whether a condition is ``Null`` with ``true``, and nothing else."""
    operator = clause.condition.operator
    if operator.base != "Null" or operator.over is not None:
        return False
    return clause.absent and not clause.condition.test({clause.key.lower(): "x"})
