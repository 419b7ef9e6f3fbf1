"""Shapes of SDK v3, which mirror the API: from snake case back to the names of the API."""

from __future__ import annotations

import re
from functools import lru_cache

from ..inventory.authorization import action_named
from ..inventory.paths import parse
from ..inventory.table import operations
from .code import method_name
from .source_values import MAX_DEPTH, Array, Instance, Table, Value


def members_of(operation: str, args: Table) -> Table:
    """Return the members of a request from the arguments of a resource's ``create``."""
    return _table(args, _names(operation), 0)


@lru_cache(maxsize=64)
def _names(operation: str) -> dict[str, str]:
    """Return the names that rules and condition keys know, by their snake case."""
    entry, action = operations()[operation], action_named(operation)
    pointers = [field.pointer for field in entry.fields]
    pointers += [pointer for field in entry.fields for pointer in field.instances]
    pointers += [reference.pointer for reference in entry.references]
    if action is not None:
        pointers += [pointer for several in action.paths.values() for pointer in several]
        pointers += [pointer for _, *several in action.named.values() for pointer in several]
        pointers += action.roles
    words = {str(part) for pointer in pointers for part in parse(pointer)}
    return {method_name(word): word for word in {*words, *entry.members}}


def _table(args: Table, names: dict[str, str], depth: int) -> Table:
    made = Table((), args.open)
    for name, value in args.items():
        text = str(name)
        made[names.get(text) or _camel(text)] = _shaped(value, names, depth + 1)
    return made


def _shaped(value: Value, names: dict[str, str], depth: int) -> Value:
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, Instance):
        return _table(value.args, names, depth)
    if isinstance(value, Table):
        return _table(value, names, depth)
    if isinstance(value, Array):
        return Array([_shaped(each, names, depth + 1) for each in value], value.open)
    return value


def _camel(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return name
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))
