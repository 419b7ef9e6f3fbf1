"""Conditions that come out the same for every call of an action, for it never carries their key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import facts
from .group import Beside, asked, dead, never, unknown
from .records import LintFinding, listed
from .report import found
from .rewrite import copied, one_or_many, with_actions
from .rows import Clause, Row


def check(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    """Yield ``always-denied`` and ``if-exists-on-missing``."""
    if not row.clauses:
        return
    if row.effect == "Deny":
        yield from _always_denied(file, row)
    else:
        yield from _never_allowed(file, row, beside)


def _always_denied(file: str, row: Row) -> Iterator[LintFinding]:
    causes = {action: cause for action in row.actions if (cause := _cause(row, action))}
    if not causes:
        return
    literal = row.literal
    lax = {
        action
        for action, cause in causes.items()
        if action not in literal and any(c.condition.operator.if_exists for c in cause)
    }
    keep = frozenset(
        action
        for action in row.actions - causes.keys()
        if action in literal or not dead(row, action)
    )
    corrected = with_actions(row, copied(row.written), keep, others=True)
    unless = _unless(row)
    if always := causes.keys() - lax:
        names = facts.in_order(always)
        message = (
            f"{listed(names)} never {_carry(names)} {_keys(causes[name] for name in names)}, so "
            f"this Deny refuses every call of {_them(names)}{unless}."
        )
        keys = _written(causes[name] for name in names)
        yield found(file, row, "always-denied", message, one_or_many([corrected]), names, keys=keys)
    if lax:
        names = facts.in_order(lax)
        operators = facts.in_order(
            c.condition.operator.name
            for name in names
            for c in causes[name]
            if c.condition.operator.if_exists
        )
        message = (
            f"{listed(operators)} is true for a missing key, and {listed(names)} never "
            f"{_carry(names)} {_keys(causes[name] for name in names)}, so this Deny refuses every "
            f"call of {_them(names)}{unless}."
        )
        keys = _written(causes[name] for name in names)
        yield found(
            file, row, "if-exists-on-missing", message, one_or_many([corrected]), names, keys=keys
        )


def _cause(row: Row, action: str) -> list[Clause] | None:
    """Return the clauses that are true for every call, where nothing in a call can escape them."""
    missing = [each for each in row.clauses if never(action, each) and not unknown(each)]
    if not missing or dead(row, action) or asked(row, action):
        return None
    return missing


def _unless(row: Row) -> str:
    """Name the conditions on the principal that a call may still escape by."""
    keys = facts.in_order(c.key for c in row.clauses if facts.kind(c.key) == "session")
    return f" for which the conditions on {listed(keys)} hold" if keys else ""


def _never_allowed(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    """An Allow that demands what a call cannot have; where another Allow serves, no harm is done.

    Under wildcards that is how a statement is meant, unless nothing is left of it.
    """
    useless = frozenset(
        action
        for action in row.actions
        if any(not c.absent for c in row.clauses if never(action, c) and not unknown(c))
    )
    nothing = useless == row.actions
    candidates = useless if nothing else useless & row.literal - row.wild
    names = facts.in_order(
        action
        for action in candidates
        if not any(o is not row and not dead(o, action) for o in beside.allows[action])
    )
    if not names:
        return
    clauses = [
        [c for c in row.clauses if never(name, c) and not unknown(c) and not c.absent]
        for name in names
    ]
    message = (
        f"{listed(names)} never {_carry(names)} {_keys(clauses)}, so this Allow never applies to "
        f"{_them(names)}."
    )
    keep = row.actions - (useless if nothing else set(names))
    rest = with_actions(row, copied(row.written), keep, others=True)
    yield found(
        file,
        row,
        "always-denied",
        message,
        one_or_many([rest]),
        names,
        keys=_written(clauses),
        severity="warning",
    )


def _written(clauses: Iterable[Iterable[Clause]]) -> list[str]:
    return facts.in_order(clause.key for each in clauses for clause in each)


def _keys(clauses: Iterable[Iterable[Clause]]) -> str:
    return listed(_written(clauses))


def _carry(names: list[str]) -> str:
    return "carries" if len(names) == 1 else "carry"


def _them(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"
