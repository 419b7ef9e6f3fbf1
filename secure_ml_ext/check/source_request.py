"""From what the source tells of a request to one that the check takes without false alarms.

A member that may be there without being seen (``**kwargs``, a dictionary that other code
changes) becomes ``{"Unknown": …}`` where a rule or a condition key would miss it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..inventory.authorization import action_named
from ..inventory.paths import Path, absent, parse, render
from ..inventory.table import Field, operations
from .source_values import Array, Heap, Table, Unknown, Value, plain, text_of


def request_of(operation: str, members: Table, heap: Heap) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the parameters, and by pointer what of the field table is not decided.

    ``members`` is read, never changed.
    """
    made = heap.copied(members)
    stop = {f.pointer for f in operations()[operation].fields if f.kind == "network"}
    for pointer in _pointers(operation):
        _fill(made, parse(pointer), (), stop)
    for field in operations()[operation].fields:
        _by_instance(made, field)
    _by_reference(operation, made)
    params: dict[str, Any] = plain(made, heap)
    undecided: dict[str, str] = {}
    for field in operations()[operation].fields:
        for path, value in _places(made, parse(field.pointer)):
            for place, text in _unknown(value, path):
                undecided[render(place)] = text
    return params, undecided


@lru_cache(maxsize=256)
def _pointers(operation: str) -> tuple[str, ...]:
    """Return every member that a rule or a condition key reads, parents before children."""
    entry, action = operations()[operation], action_named(operation)
    found = [field.pointer for field in entry.fields]
    found += [pointer for field in entry.fields for pointer in field.instances]
    found += [reference.pointer for reference in entry.references]
    if "Tags" in entry.members:
        found.append("/Tags")
    if action is not None:
        found += [pointer for pointers in action.paths.values() for pointer in pointers]
        found += [pointer for _, *pointers in action.named.values() for pointer in pointers]
        found += action.roles
    return tuple(sorted(set(found), key=lambda pointer: pointer.count("/")))


def _fill(node: Value, path: Path, at: Path, stop: set[str]) -> None:
    part, rest = path[0], path[1:]
    if part == "*":
        for index, each in enumerate(node if isinstance(node, Array) else ()):
            if isinstance(each, Unknown) and rest:
                node[index] = each = Table((), each.text)
            if rest:
                _fill(each, rest, (*at, "*"), stop)
        return
    if not isinstance(node, Table):
        return
    here = (*at, part)
    if part in node:
        inner = node[part]
        if not rest or (render(here) in stop and isinstance(inner, Unknown)):
            return
        if isinstance(inner, Unknown) and rest[0] != "*":
            inner = node[part] = Table((), inner.text)
        _fill(inner, rest, here, stop)
    elif node.open is not None and "*" not in rest:
        node[part] = Table((), node.open) if rest else Unknown(node.open)
        if rest:
            _fill(node[part], rest, here, stop)


def _by_instance(made: Table, field: Field) -> None:
    """An instance type that is not known may have local disks, which take no key."""
    if field.kind != "key" or not field.instances:
        return
    anchor = parse(field.anchor)
    rest = parse(field.pointer)[len(anchor) :]
    for _, parent in _places(made, anchor):
        types = [
            value
            for pointer in field.instances
            for _, value in _places(parent, parse(pointer)[len(anchor) :])
        ]
        lists = [
            value
            for pointer in field.instances
            for _, value in _places(parent, _before_star(parse(pointer)[len(anchor) :]))
        ]
        unsure = next((v for v in [*types, *lists] if isinstance(v, Unknown)), None)
        if unsure is not None and isinstance(parent, Table):
            _set(parent, rest, unsure)


def _before_star(path: Path) -> Path:
    return path[: path.index("*")] if "*" in path else path


def _by_reference(operation: str, made: Table) -> None:
    """Where the reference itself may be there unseen, so may be what is taken from it."""
    entry = operations()[operation]
    for reference in entry.references:
        path = parse(reference.pointer)
        if "*" not in path:
            continue
        for _, value in _places(made, _before_star(path)):
            if isinstance(value, Unknown):
                for field in entry.fields:
                    if field.control in reference.controls and not field.anchor:
                        _set(made, parse(field.pointer), value)


def _set(node: Value, path: Path, value: Unknown) -> None:
    """Set a member that is absent; what is given stays."""
    for part in path[:-1]:
        if not isinstance(node, Table):
            return
        node = node.setdefault(part, Table())
    if isinstance(node, Table) and absent(node.get(path[-1])):
        node[path[-1]] = value


def _places(node: Value, path: Path, at: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield place and value for every concrete place of a path, as far as values are seen."""
    if not path:
        yield at, node
    elif path[0] == "*":
        for index, each in enumerate(node if isinstance(node, Array) else ()):
            yield from _places(each, path[1:], (*at, index))
    elif isinstance(node, Table) and path[0] in node:
        yield from _places(node[path[0]], path[1:], (*at, path[0]))


def _unknown(value: Value, at: Path) -> Iterator[tuple[Path, str]]:
    """Yield what is not decided at a field, or right below it (the members of a network)."""
    if isinstance(value, Table):
        for name, each in value.items():
            yield from _unknown_leaf(each, (*at, str(name)))
    else:
        yield from _unknown_leaf(value, at)


def _unknown_leaf(value: Value, at: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Array):
        texts = [each.text for each in value if isinstance(each, Unknown)]
        if texts:
            yield at, ", ".join(dict.fromkeys(texts))
    elif not isinstance(value, (str, int, float, type(None), Table)):
        yield at, text_of(value)
