"""Names that IAM does not know, or not any more: keys and actions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import facts
from .reach import SERVICE, named_by
from .records import LintFinding, listed
from .report import found
from .rewrite import (
    Statement,
    copied,
    each_clause,
    one_or_many,
    replaced,
    with_entries,
    written_values,
)
from .rows import Clause, Row

_MOST_SUGGESTIONS = 10
_KEY_ID = re.compile(r"(?:mrk-)?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
# A key id becomes an ARN with wildcards, which only these operators read.
_WITH_WILDCARDS = {
    "StringEquals": "StringLike",
    "StringEqualsIgnoreCase": "StringLike",
    "StringNotEquals": "StringNotLike",
    "StringNotEqualsIgnoreCase": "StringNotLike",
}


def check(file: str, row: Row) -> Iterator[LintFinding]:
    """Yield ``deprecated-key``, ``unknown-key`` and ``unknown-action``."""
    yield from _deprecated(file, row)
    yield from _unknown_keys(file, row)
    yield from _unknown_actions(file, row)


def _deprecated(file: str, row: Row) -> Iterator[LintFinding]:
    old = [c for c in row.clauses if c.key.lower() in facts.renamed() and not _with_new(row, c)]
    if not old:
        return
    keys = facts.in_order(c.key for c in old)
    pairs = listed(f"{key} is now {facts.renamed()[key.lower()]}" for key in keys)
    effects = listed(dict.fromkeys(_effect(row, c) for c in old))
    values = any(c.condition.operator.base != "Null" for c in old)
    message = (
        f"{pairs}, and no action lists the old name: where it is no longer sent, {effects}"
        f"{'; the values of the new key are ARNs of keys' if values else ''}."
    )
    corrected = each_clause(copied(row.written), old, lambda s, c: _renamed(row, s, c))
    actions = facts.in_order(action for c in old for action in c.carried(row.actions))
    yield found(file, row, "deprecated-key", message, one_or_many([corrected]), actions, keys=keys)


def _with_new(row: Row, clause: Clause) -> bool:
    """Tell whether the new name stands beside the old one: the statement is ready for both."""
    return any(
        each.family == clause.family
        and each.block == clause.block
        and each.key.lower() not in facts.renamed()
        for each in row.clauses
    )


def _effect(row: Row, clause: Clause) -> str:
    """Say what becomes of a statement when the key is missing from every request."""
    if not clause.absent:
        return f"this {row.effect} never applies"
    if row.effect == "Deny" and len(row.clauses) == 1:
        return "this Deny refuses every request"
    return "the condition always holds"


def _renamed(row: Row, statement: Statement, clause: Clause) -> Statement | None:
    new = facts.renamed()[clause.key.lower()]
    values = written_values(row, clause)
    operator = clause.condition.operator
    if operator.base == "Null":
        return replaced(statement, clause, clause.block, new, values)
    each = values if isinstance(values, list) else [values]
    if any(isinstance(value, str) and "alias/" in value for value in each):
        return None  # which key an alias names is not in the policy
    arns = [_key_arn(value) for value in each]
    block = clause.block
    if arns != each and operator.base in _WITH_WILDCARDS:
        block = operator.name.replace(operator.base, _WITH_WILDCARDS[operator.base])
    written: Any = arns if isinstance(values, list) else arns[0]
    return replaced(statement, clause, block, new, written)


def _key_arn(value: Any) -> Any:
    is_id = isinstance(value, str) and _KEY_ID.fullmatch(value)
    return f"arn:*:kms:*:*:key/{value}" if is_id else value


def _unknown_keys(file: str, row: Row) -> Iterator[LintFinding]:
    strange = [c for c in row.clauses if c.kind == "unknown" and _concerns(row, c)]
    if not strange:
        return
    keys = facts.in_order(c.key for c in strange)
    near = {key: facts.near_key(key) for key in keys[:_MOST_SUGGESTIONS]}
    hints = [f"{key} is probably {meant}" for key, meant in near.items() if meant]
    effects = listed(dict.fromkeys(_effect(row, c) for c in strange))
    verb = "is in no definition" if len(keys) == 1 else "are in no definition"
    message = (
        f"{listed(keys)} {verb} of IAM's ({facts.data_version()}): no request has such a key, so "
        f"{effects}{'; ' + listed(hints, 3) if hints else ''}."
    )

    def meant(statement: Statement, clause: Clause) -> Statement | None:
        key = near.get(clause.key)
        values = written_values(row, clause)
        return replaced(statement, clause, clause.block, key, values) if key else None

    corrected = each_clause(copied(row.written), strange, meant)
    yield found(
        file,
        row,
        "unknown-key",
        message,
        one_or_many([corrected]),
        facts.in_order(row.actions),
        keys=keys,
    )


def _concerns(row: Row, clause: Clause) -> bool:
    """Tell whether a key is ours to judge: SageMaker's own anywhere, others beside its actions."""
    return bool(row.actions) or clause.key.lower().startswith(SERVICE)


def _unknown_actions(file: str, row: Row) -> Iterator[LintFinding]:
    strange = list(
        dict.fromkeys(e for e in row.entries if e.lower().startswith(SERVICE) and not named_by(e))
    )
    only_api = [e for e in strange if e.lower().removeprefix(SERVICE) in facts.unlisted_actions()]
    wrong = [e for e in strange if e not in only_api]
    if only_api:
        message = (
            f"The API has {listed(only_api)}, IAM's data ({facts.data_version()}) has not: what "
            "a call carries is not known."
        )
        yield found(file, row, "unknown-action", message, None, only_api, severity="info")
    if not wrong:
        return
    near = {e: facts.near_action(e[len(SERVICE) :]) for e in wrong[:_MOST_SUGGESTIONS]}
    hints = [f"{entry} is probably {SERVICE}{name}" for entry, name in near.items() if name]
    does = "except" if row.statement.not_action else {"Deny": "deny", "Allow": "grant"}[row.effect]
    subject = "An entry that names" if len(wrong) == 1 else "Entries that name"
    message = (
        f"{subject} no action of SageMaker can {does} nothing: {listed(wrong)}"
        f"{'; ' + listed(hints, 3) if hints else ''}."
    )
    meant = {e: f"{SERVICE}{name}" if name else None for e, name in near.items()}
    entries = [meant.get(e) if e in wrong else e for e in row.entries]
    kept = list(dict.fromkeys(e for e in entries if e is not None))
    corrected = with_entries(copied(row.written), kept)
    yield found(file, row, "unknown-action", message, one_or_many([corrected]), wrong)
