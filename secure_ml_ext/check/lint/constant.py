"""Conditions that come out the same for every call of an action, for it never carries their key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import facts
from .group import Beside
from .records import LintCode, LintFinding, listed
from .report import found
from .rewrite import Statement, copied, one_or_many, with_actions
from .rows import Clause, Row


def check(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    """Yield ``always-denied`` and ``if-exists-on-missing``."""
    known = [clause for clause in row.clauses if clause.kind != "unknown"]
    if row.effect == "Deny":
        yield from _always_denied(file, row, known)
    else:
        yield from _never_allowed(file, row, known, beside)


def _always_denied(file: str, row: Row, known: list[Clause]) -> Iterator[LintFinding]:
    """Nothing in a call can escape: what the statement asks of it is missing in every one."""
    free = row.alive - row.asking
    caught = frozenset[str]().union(*(clause.missing(free) for clause in known))
    if not caught:
        return
    lax = [clause for clause in known if clause.condition.operator.if_exists]
    by_if_exists = frozenset[str]().union(*(c.missing(caught - row.literal) for c in lax))
    keep = (row.actions - caught) & (row.alive | row.literal)
    corrected = with_actions(row, copied(row.written), keep, others=True)
    if always := caught - by_if_exists:
        yield _denied(file, row, "always-denied", "", always, known, corrected)
    if by_if_exists:
        names = {c.condition.operator.name for c in lax if c.missing(by_if_exists)}
        lead = f"{listed(facts.in_order(names))} is true for a missing key, and "
        yield _denied(file, row, "if-exists-on-missing", lead, by_if_exists, known, corrected)


def _denied(
    file: str,
    row: Row,
    code: LintCode,
    lead: str,
    actions: frozenset[str],
    known: list[Clause],
    corrected: Statement | None,
) -> LintFinding:
    keys = facts.in_order(clause.key for clause in known if clause.missing(actions))
    names = facts.in_order(actions)
    message = (
        f"{lead}{listed(names)} never {_carry(names)} {listed(keys)}, so this Deny refuses every "
        f"call of {_them(names)}{_unless(row)}."
    )
    return found(file, row, code, message, one_or_many([corrected]), names, keys=keys)


def _unless(row: Row) -> str:
    """Name the conditions on the principal that a call may still escape by."""
    keys = facts.in_order(clause.key for clause in row.clauses if clause.kind == "session")
    return f" for which the conditions on {listed(keys)} hold" if keys else ""


def _never_allowed(
    file: str, row: Row, known: list[Clause], beside: Beside
) -> Iterator[LintFinding]:
    """An Allow that demands what a call cannot have; where another Allow serves, no harm is done.

    Under wildcards that is how a statement is meant, unless nothing is left of it.
    """
    wanting = [clause for clause in known if not clause.absent]
    useless = frozenset[str]().union(*(clause.missing(row.actions) for clause in wanting))
    nothing = useless == row.actions
    candidates = useless if nothing else useless & row.literal - row.wild
    if not candidates or not (harmed := candidates - beside.allowed_elsewhere(row)):
        return
    names = facts.in_order(harmed)
    keys = facts.in_order(clause.key for clause in wanting if clause.missing(harmed))
    message = (
        f"{listed(names)} never {_carry(names)} {listed(keys)}, so this Allow never applies to "
        f"{_them(names)}."
    )
    keep = row.actions - (useless if nothing else harmed)
    rest = with_actions(row, copied(row.written), keep, others=True)
    yield found(
        file,
        row,
        "always-denied",
        message,
        one_or_many([rest]),
        names,
        keys=keys,
        severity="warning",
    )


def _carry(names: Iterable[str]) -> str:
    return "carries" if len(list(names)) == 1 else "carry"


def _them(names: Iterable[str]) -> str:
    return "it" if len(list(names)) == 1 else "them"
