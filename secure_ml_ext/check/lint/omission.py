"""What a request escapes by leaving a field out: Null blocks, flags, ForAllValues."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from . import facts
from .group import Beside, wants_absence
from .records import LintFinding, listed
from .report import found
from .rewrite import (
    Statement,
    about_resources,
    actions_list,
    copied,
    each_clause,
    one_or_many,
    replaced,
    short,
    with_actions,
    with_condition,
    with_sid,
    without,
    written_values,
)
from .rows import Clause, Row

# A statement of more actions is not split into lists of them: Deny statements beside it do.
_MOST_SPLIT = 60
# Without tags there is no call of these.
_ABOUT_TAGS = frozenset({"AddTags", "DeleteTags"})
_FLAG_OPERATORS = ("Bool", "StringEquals", "StringEqualsIgnoreCase", "StringLike")


def check(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    """Yield ``anded-null``, ``bool-by-omission`` and ``vacuous-for-all-values``."""
    if row.effect == "Deny":
        yield from _anded_null(file, row, beside)
        yield from _bool_by_omission(file, row, beside)
    else:
        yield from _vacuous(file, row, beside)


def _anded_null(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    nulls: dict[str, list[Clause]] = defaultdict(list)
    for clause in row.clauses:
        if wants_absence(clause) and clause.kind == "request":
            nulls[clause.family].append(clause)
    carried = {family: _carried(clauses, row.alive) for family, clauses in nulls.items()}
    times = Counter(action for actions in carried.values() for action in actions)
    several = frozenset(action for action, number in times.items() if number > 1)
    if not several:
        return
    # Where other statements ask for each of the keys, this one is idle and does no harm.
    closed = (beside.refused_without(row, family) | (several - carried[family]) for family in nulls)
    slipping = several.difference(frozenset.intersection(*closed))
    if not slipping:
        return
    names = facts.in_order(slipping)
    keys = facts.in_order(cs[0].key for family, cs in nulls.items() if carried[family] & slipping)
    message = (
        f"The keys of one Null block are ANDed: a request that lacks only one of {listed(keys)} "
        f"passes ({listed(names)})."
    )
    yield found(file, row, "anded-null", message, _apart(row, nulls, carried), names, keys=keys)


def _carried(clauses: Iterable[Clause], actions: frozenset[str]) -> frozenset[str]:
    return frozenset[str]().union(*(clause.carried(actions) for clause in clauses))


def _apart(
    row: Row, nulls: Mapping[str, list[Clause]], carried: Mapping[str, frozenset[str]]
) -> list[Statement] | Statement | None:
    """Return a statement for each key, over the actions that carry it.

    Actions that carry none keep what else the statement asks of them.
    """
    every = [clause for clauses in nulls.values() for clause in clauses]
    parts: list[Statement | None] = []
    for family, clauses in nulls.items():
        part = without(copied(row.written), [each for each in every if each not in clauses])
        narrowed = with_actions(row, part, carried[family], others=not any(parts))
        if carried[family] and narrowed:
            parts.append(with_sid(narrowed, short(clauses[0].key)))
    rest = (row.alive & row.asking).difference(*carried.values())
    if rest:
        plain = without(copied(row.written), every)
        other = with_actions(row, plain, rest, others=False)
        parts.append(with_sid(other, "Others") if other else None)
    return one_or_many(parts)


def _bool_by_omission(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    flags = [clause for clause in row.clauses if _escapable(row, clause)]
    if not flags or not row.alive:
        return
    closed = (beside.refused_without(row, flag.family) for flag in flags)
    names = facts.in_order(row.alive.difference(frozenset.intersection(*closed)))
    if not names:
        return
    keys = facts.in_order(flag.key for flag in flags)
    message = (
        f"Whether a field that is left out counts as false is not documented: {listed(names)} may "
        f"pass by omitting {listed(keys)}."
    )
    # What does not carry the key is not denied now; with IfExists it always would be.
    narrowed = with_actions(row, copied(row.written), row.alive, others=False)
    mended = narrowed and each_clause(narrowed, flags, lambda s, c: _closed(row, s, c))
    yield found(file, row, "bool-by-omission", message, one_or_many([mended]), names, keys=keys)


def _escapable(row: Row, clause: Clause) -> bool:
    """Tell whether a condition is true for false, and false for a missing key."""
    operator = clause.condition.operator
    if operator.base not in _FLAG_OPERATORS or not facts.is_flag(clause.key):
        return False
    key, test = clause.key.lower(), clause.condition.test
    if clause.absent or not test({key: "false"}) or test({key: "true"}):
        return False
    # Whoever asks for presence beside it means to let omission pass.
    return not any(
        each.family == clause.family and each.condition.operator.base == "Null"
        for each in row.clauses
    )


def _closed(row: Row, statement: Statement, clause: Clause) -> Statement | None:
    # ForAnyValue ignores IfExists; a flag has one value, so that it is not needed.
    operator = f"{clause.condition.operator.base}IfExists"
    return replaced(statement, clause, operator, clause.key, written_values(row, clause))


def _vacuous(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    open_: dict[str, frozenset[Clause]] = {}
    for clause in row.clauses:
        if not _unguarded(row, clause):
            continue
        there = _ABOUT_TAGS if clause.family == "aws:tagkeys" else frozenset[str]()
        carried = clause.carried(row.alive) - there
        for action in carried and carried - beside.refused_without(row, clause.family):
            open_[action] = open_.get(action, frozenset()) | {clause}
    if not open_:
        return
    names = facts.in_order(open_)
    clauses = frozenset[Clause]().union(*open_.values())
    keys = facts.in_order(clause.key for clause in clauses)
    message = (
        f"ForAllValues is true for a missing key, so this Allow lets {listed(names)} pass without "
        f"{listed(keys, 3)}."
    )
    yield found(
        file, row, "vacuous-for-all-values", message, _guarded(row, open_), names, keys=keys
    )


def _unguarded(row: Row, clause: Clause) -> bool:
    """Tell whether a condition is ForAllValues, on a key that nothing else asks to be there."""
    operator = clause.condition.operator
    if operator.over != "ForAllValues" or operator.base == "Null" or clause.kind == "unknown":
        return False
    return all(each.absent for each in row.clauses if each.family == clause.family)


def _guarded(
    row: Row, open_: Mapping[str, frozenset[Clause]]
) -> list[Statement] | Statement | None:
    """Return the statement with its keys demanded, of the actions that carry them."""
    groups: dict[frozenset[str], set[str]] = defaultdict(set)
    for action, clauses in open_.items():
        groups[frozenset(clause.key for clause in clauses)].add(action)
    everything = len(groups) == 1 and len(open_) == len(row.actions)
    if not everything and len(row.actions) > _MOST_SPLIT:
        return _beside(row, open_)
    parts: list[Statement | None] = []
    for keys, actions in sorted(groups.items(), key=lambda each: sorted(each[0])):
        part: Statement | None = copied(row.written)
        if not everything and part is not None:
            part = with_actions(row, part, frozenset(actions), others=False)
        for key in facts.in_order(keys):
            part = with_condition(part, "Null", key, "false")
        if part is None:
            return None
        parts.append(with_sid(part, "".join(map(short, sorted(keys)))) if parts else part)
    rest = row.actions - open_.keys()
    other = with_actions(row, copied(row.written), rest, others=True)
    if other and not everything:
        parts.append(with_sid(other, "Others"))
    return one_or_many(parts)


def _beside(row: Row, open_: Mapping[str, frozenset[Clause]]) -> list[Statement]:
    """Return the statement with a Deny for each key beside it, for the same principals."""
    by_key: dict[str, set[str]] = defaultdict(set)
    for action, clauses in open_.items():
        for clause in clauses:
            by_key[clause.key].add(action)
    session = [c for c in row.clauses if c.kind == "session"]
    kept = without(copied(row.written), [c for c in row.clauses if c not in session])
    parts = [copied(row.written)]
    for key in facts.in_order(by_key):
        deny: Statement = {
            **({"Sid": row.sid} if row.sid else {}),
            "Effect": "Deny",
            "Action": actions_list(by_key[key]),
            **about_resources(row),
            "Condition": {**kept.get("Condition", {})},
        }
        closed = with_condition(deny, "Null", key, "true")
        if closed is not None:
            parts.append(with_sid(closed, f"Without{short(key)}"))
    return parts
