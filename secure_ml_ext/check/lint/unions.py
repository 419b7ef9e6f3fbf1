"""Allow statements that undo the conditions of other ones: within a layer, Allows unite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import facts
from .group import Beside, covers, wants_absence
from .inverse import inverse
from .records import LintFinding, listed
from .report import found
from .rewrite import (
    Statement,
    about_resources,
    actions_list,
    copied,
    one_or_many,
    short,
    with_actions,
    with_condition,
    with_sid,
    written_values,
)
from .rows import Clause, Row

# An Allow of more actions is not taken apart: Deny statements keep the condition instead.
_MOST_SPLIT = 60


def check(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    """Yield ``undone-by-allow``: ``row`` is the conditional statement, another one the broader."""
    if row.effect != "Allow" or not row.clauses:
        return
    stakes = _stakes(row, beside)
    open_ = frozenset[str]().union(*stakes.values())
    for other in beside.allows:
        common = open_ & other.alive
        if not common or other is row:
            continue
        passing = _passing(row, other, common)
        if not passing or not covers(other, row):
            continue
        looked_at = {clause.family for clause in other.clauses}
        lost = {f: actions & passing for f, actions in stakes.items() if f not in looked_at}
        undone = {family: actions for family, actions in lost.items() if actions}
        if undone:
            yield _finding(file, row, other, undone)
            open_ = open_.difference(*undone.values())


def _stakes(row: Row, beside: Beside) -> dict[str, frozenset[str]]:
    """Return the keys that only this statement looks at, and the actions that carry each."""
    stakes: dict[str, frozenset[str]] = {}
    for clause in row.clauses:
        if carried := clause.carried(row.alive):
            stakes[clause.family] = stakes.get(clause.family, frozenset()) | carried
    return {family: actions - beside.watched(row, family) for family, actions in stakes.items()}


def _passing(row: Row, other: Row, actions: frozenset[str]) -> frozenset[str]:
    """Return the actions that the other Allow lets pass without any of the keys it looks at.

    What both ask is no matter. Two Allows with demands of their own are alternatives, and may be
    meant as such; so are two of which one wants a key absent, or another value of the same key,
    or another principal.
    """
    ours = {clause.wanted for clause in row.clauses}
    demanded = {clause.family for clause in other.clauses if not clause.absent}
    for theirs in other.clauses:
        if theirs.wanted in ours:
            continue
        if theirs.family in demanded or theirs.kind == "session":
            return frozenset()
        if wants_absence(theirs):
            actions = theirs.missing(actions)
        same = (clause for clause in row.clauses if clause.family == theirs.family)
        if not all(_compatible(theirs, clause) for clause in same):
            return frozenset()
    return actions


def _compatible(one: Clause, other: Clause) -> bool:
    """Tell whether some value of a key, or none, fits two conditions."""
    if one.absent and other.absent:
        return True
    values = dict.fromkeys((*one.condition.values, *other.condition.values, "x"))
    first, second = one.key.lower(), other.key.lower()
    return any(
        one.condition.test({first: value}) and other.condition.test({second: value})
        for value in values
    )


def _finding(file: str, row: Row, other: Row, undone: Mapping[str, frozenset[str]]) -> LintFinding:
    clauses = [clause for clause in row.clauses if clause.family in undone]
    shared = frozenset[str]().union(*undone.values())
    names = facts.in_order(shared)
    keys = facts.in_order(clause.key for clause in clauses)
    where = f"statement {other.number}" + (f" ({other.sid})" if other.sid else "")
    if other.document != row.document:
        where += f" of {other.document}"
    message = (
        f"Allow statements unite: {where} allows {listed(names)} without the "
        f"{'condition' if len(keys) == 1 else 'conditions'} on {listed(keys)}."
    )
    merged = _merged(row, other, shared)
    if merged is not None:
        return found(
            file,
            row,
            "undone-by-allow",
            message,
            merged,
            names,
            keys=keys,
            replaces=[row.place, other.place],
        )
    closed = _closed(row, clauses, undone)
    return found(file, row, "undone-by-allow", message, closed, names, keys=keys)


def _merged(row: Row, other: Row, shared: frozenset[str]) -> list[Statement] | None:
    """Return both statements with the shared actions under the conditions of both.

    None where the broader one is about more resources, or has too many actions to list the rest.
    """
    split = row.written.get("Resource") == other.written.get("Resource")
    if not split or row.document != other.document or len(other.actions) > _MOST_SPLIT:
        return None
    both: Statement | None = with_actions(row, copied(row.written), shared, others=False)
    for clause in other.clauses:
        # A condition on what none of the shared actions carries demands nothing of them.
        if clause.carried(shared):
            values = written_values(other, clause)
            both = with_condition(both, clause.block, clause.key, values)
    if both is None:
        return None
    rest = with_actions(row, copied(row.written), row.actions - shared, others=True)
    others = with_actions(other, copied(other.written), other.actions - shared, others=True)
    parts = [both, with_sid(rest, "Others") if rest else None, others]
    return [part for part in parts if part is not None]


def _closed(
    row: Row, clauses: list[Clause], undone: Mapping[str, frozenset[str]]
) -> list[Statement] | Statement | None:
    """Return the statement with a Deny beside it for each of its conditions."""
    parts: list[Statement] = [copied(row.written)]
    for clause in clauses:
        demands = inverse(clause, written_values(row, clause))
        if demands is None:
            return None
        deny: Statement | None = {
            **({"Sid": row.sid} if row.sid else {}),
            "Effect": "Deny",
            "Action": actions_list(undone[clause.family]),
            **about_resources(row),
        }
        for demand in demands:
            deny = with_condition(deny, demand.operator, demand.key, demand.values)
        if deny is not None:
            parts.append(with_sid(deny, f"Deny{len(parts)}{short(clause.key)}"))
    return one_or_many(parts)
