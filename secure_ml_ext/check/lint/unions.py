"""Allow statements that undo the conditions of other ones: within a layer, Allows unite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import facts
from .group import Beside, covers, dead, never, unknown, wants_absence
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
    undone: dict[int, dict[str, frozenset[str]]] = {}
    by_place: dict[int, Row] = {}
    for action in row.actions:
        if dead(row, action):
            continue
        for other in beside.allows[action]:
            lost = _lost(row, other, action, beside) if other is not row else frozenset()
            if lost:
                by_place[id(other)] = other
                undone.setdefault(id(other), {})[action] = lost
                break
    for which, actions in undone.items():
        yield _finding(file, row, by_place[which], actions)


def _lost(row: Row, other: Row, action: str, beside: Beside) -> frozenset[str]:
    """Return the keys whose conditions a call escapes through another Allow.

    The other one has to let pass a call that has none of the keys it looks at itself: two Allow
    statements with demands of their own are alternatives, and may be meant as such. So are two of
    which one wants a key absent, or another value of the same key.
    """
    if not covers(other, row) or _alternatives(row, other, action):
        return frozenset()
    ours = {clause.wanted for clause in row.clauses}
    for clause in other.clauses:
        missing = never(action, clause) or unknown(clause) or facts.kind(clause.key) == "request"
        if not clause.absent if missing else clause.wanted not in ours:
            return frozenset()
    looked_at = {clause.family for clause in other.clauses}
    return frozenset(
        clause.family
        for clause in row.clauses
        if clause.family not in looked_at
        and not never(action, clause)
        and not beside.watches(row, action, clause.family)
    )


def _alternatives(row: Row, other: Row, action: str) -> bool:
    """Tell whether two statements divide the calls of an action between them."""
    if any(wants_absence(clause) and not never(action, clause) for clause in other.clauses):
        return True
    return any(
        theirs.family == ours.family and not _compatible(theirs, ours)
        for theirs in other.clauses
        for ours in row.clauses
    )


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


def _finding(file: str, row: Row, other: Row, actions: Mapping[str, frozenset[str]]) -> LintFinding:
    families = frozenset[str]().union(*actions.values())
    clauses = [clause for clause in row.clauses if clause.family in families]
    names = facts.in_order(actions)
    keys = facts.in_order(clause.key for clause in clauses)
    where = f"statement {other.number}" + (f" ({other.sid})" if other.sid else "")
    if other.document != row.document:
        where += f" of {other.document}"
    message = (
        f"Allow statements unite: {where} allows {listed(names)} without the "
        f"{'condition' if len(keys) == 1 else 'conditions'} on {listed(keys)}."
    )
    merged = _merged(row, other, frozenset(actions))
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
    closed = _closed(row, clauses, actions)
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
        if any(not never(action, clause) for action in shared):
            values = written_values(other, clause)
            both = with_condition(both, clause.block, clause.key, values)
    if both is None:
        return None
    rest = with_actions(row, copied(row.written), row.actions - shared, others=True)
    others = with_actions(other, copied(other.written), other.actions - shared, others=True)
    parts = [both, with_sid(rest, "Others") if rest else None, others]
    return [part for part in parts if part is not None]


def _closed(
    row: Row, clauses: list[Clause], actions: Mapping[str, frozenset[str]]
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
            "Action": actions_list(a for a, lost in actions.items() if clause.family in lost),
            **about_resources(row),
        }
        for demand in demands:
            deny = with_condition(deny, demand.operator, demand.key, demand.values)
        if deny is not None:
            parts.append(with_sid(deny, f"Deny{len(parts)}{short(clause.key)}"))
    return one_or_many(parts)
