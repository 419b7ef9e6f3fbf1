"""Statements rewritten: every function takes one as a document has it and returns a new one.

None means that there is no such statement, because nothing would be left of it or because a
Condition cannot hold two demands on one key under one operator.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...inventory.authorization import authorization
from .facts import in_order
from .reach import SERVICE, named_by
from .rows import Clause, Row

Statement = dict[str, Any]
_NOT_IN_SID = re.compile(r"[^A-Za-z0-9]")


def copied(statement: Mapping[str, Any]) -> Statement:
    """Return a deep copy."""
    return copy.deepcopy(dict(statement))


def one_or_many(statements: Iterable[Statement | None]) -> Statement | list[Statement] | None:
    """Return what stands for a statement: another, several, or None where none is left."""
    found = [each for each in statements if each is not None]
    return (found[0] if len(found) == 1 else found) or None


def with_actions(
    row: Row, statement: Statement, keep: frozenset[str], *, others: bool
) -> Statement | None:
    """Narrow a statement to the SageMaker actions ``keep``.

    Entries stay as they are where all they name is kept, or is out of the statement's reach.
    ``others`` keeps what the statement says about other services; a lone ``*`` and NotAction
    cannot be kept in part and become lists of the actions.
    """
    allowed = keep | (frozenset(authorization().actions) - row.actions)
    entries: list[str] = []
    loose: set[str] = set()
    written = () if row.statement.not_action else row.entries
    for entry in written:
        named = named_by(entry)
        whole = named <= allowed and named & keep and not _everything(entry)
        if whole or (others and not named):
            entries.append(entry)
        else:
            loose |= named & keep
    if row.statement.not_action:
        loose = set(keep)
    covered = frozenset[str]().union(*(named_by(entry) for entry in entries))
    entries += [f"{SERVICE}{name}" for name in in_order(loose - covered)]
    return _listing(statement, entries, alone=isinstance(statement.get("Action"), str))


def _everything(entry: str) -> bool:
    return ":" not in entry


def _listing(statement: Statement, entries: list[str], *, alone: bool) -> Statement | None:
    """Return the statement with these entries as its Action, where its actions stand now."""
    if not entries:
        return None
    action: Any = entries[0] if alone and len(entries) == 1 else entries
    return {
        ("Action" if key in ("Action", "NotAction") else key): (
            action if key in ("Action", "NotAction") else value
        )
        for key, value in statement.items()
    }


def with_entries(statement: Statement, entries: list[str]) -> Statement | None:
    """Return the statement with other entries of its Action or NotAction."""
    if not entries:
        return None
    name = "NotAction" if "NotAction" in statement else "Action"
    alone = isinstance(statement[name], str) and len(entries) == 1
    return {**statement, name: entries[0] if alone else entries}


def with_sid(statement: Statement, suffix: str) -> Statement:
    """Tell the parts of a split statement apart: a Sid is unique in its document."""
    if not statement.get("Sid"):
        return statement
    return {**statement, "Sid": statement["Sid"] + _NOT_IN_SID.sub("", suffix)}


def without(statement: Statement, clauses: Iterable[Clause]) -> Statement:
    """Take conditions away; empty operators and an empty Condition go too."""
    drop = {(each.block, each.key) for each in clauses}
    condition = {
        block: kept
        for block, keys in statement.get("Condition", {}).items()
        if (kept := {key: value for key, value in keys.items() if (block, key) not in drop})
    }
    rest = {key: value for key, value in statement.items() if key != "Condition"}
    return {**rest, "Condition": condition} if condition else rest


def with_condition(
    statement: Statement | None, operator: str, key: str, values: Any
) -> Statement | None:
    """Add a condition; None where the operator already holds another demand on the key."""
    if statement is None:
        return None
    condition = copy.deepcopy(statement.get("Condition", {}))
    name = next((block for block in condition if block.lower() == operator.lower()), operator)
    block = condition.setdefault(name, {})
    there = next((each for each in block if each.lower() == key.lower()), None)
    if there is not None:
        return statement if block[there] == values else None
    block[key] = values
    return {**statement, "Condition": condition}


def replaced(
    statement: Statement, clause: Clause, operator: str, key: str, values: Any
) -> Statement | None:
    """Put another condition in the place of one, in the same block if the operator stays."""
    condition = statement.get("Condition", {})
    if operator.lower() != clause.block.lower():
        return with_condition(without(statement, [clause]), operator, key, values)
    block = condition[clause.block]
    if any(each.lower() == key.lower() and each != clause.key for each in block):
        return None
    changed = {
        (key if each == clause.key else each): (values if each == clause.key else value)
        for each, value in block.items()
    }
    return {**statement, "Condition": {**condition, clause.block: changed}}


def each_clause(
    statement: Statement,
    clauses: Iterable[Clause],
    change: Callable[[Statement, Clause], Statement | None],
) -> Statement | None:
    """Apply a change for one clause after the other."""
    changed: Statement | None = statement
    for clause in clauses:
        if changed is None:
            return None
        changed = change(changed, clause)
    return changed


def written_values(row: Row, clause: Clause) -> Any:
    """Return the values of a condition as the document has them."""
    return row.written["Condition"][clause.block][clause.key]


def about_resources(row: Row) -> Statement:
    """Return the Resource or NotResource of a statement, for another one beside it."""
    return {
        key: copy.deepcopy(row.written[key])
        for key in ("Resource", "NotResource", "Principal", "NotPrincipal")
        if key in row.written
    }


def short(key: str) -> str:
    """Return the name of a key without its service, for a Sid."""
    return key.rpartition(":")[2]


def actions_list(names: Iterable[str]) -> str | list[str]:
    """Return actions as a policy writes them."""
    found = [f"{SERVICE}{name}" for name in in_order(names)]
    return found[0] if len(found) == 1 else found
