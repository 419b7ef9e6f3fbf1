"""Changing a document along known paths: what is not on the path is shared, never copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..inventory.paths import Path, absent, parse
from ..inventory.table import operations
from .files import InputError

Change = Callable[[dict[str, Any]], None]
MAX_DEPTH = 100


def bounded(content: Any) -> Any:
    """Return the content, or raise ``InputError`` where it is nested deeper than any real one."""
    level = [content]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            if isinstance(node, Mapping):
                below += [v for v in node.values() if isinstance(v, (Mapping, list, tuple))]
            elif isinstance(node, (list, tuple)):
                below += [v for v in node if isinstance(v, (Mapping, list, tuple))]
        if not below:
            return content
        level = below
    raise InputError(f"nested more than {MAX_DEPTH} levels deep, which no document of AWS is")


def each(document: Any, path: Path, change: Change) -> Any:
    """Return the document with every structure at ``path`` changed; ``*`` is every list index.

    ``change`` is given a copy that is its own. A wrong type on the way ends the way.
    """
    if not path:
        if not isinstance(document, Mapping):
            return document
        own = dict(document)
        change(own)
        return own
    head, rest = path[0], path[1:]
    if head == "*":
        if not isinstance(document, (list, tuple)):
            return document
        return [each(item, rest, change) for item in document]
    if not isinstance(document, Mapping) or head not in document:
        return document
    return {**document, head: each(document[head], rest, change)}


def put(document: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return the document with ``value`` at a path of structures, which are made where missing."""
    head, rest = str(path[0]), path[1:]
    if rest:
        below = document.get(head)
        value = put(below if isinstance(below, Mapping) else {}, rest, value)
    return {**document, head: value}


def settle(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the request with the types that its security fields have.

    CloudFormation and event records may write a flag as ``"true"``, a number as ``"2"`` and a
    word (``MinimumInstanceMetadataServiceVersion``) as a number; botocore never does.
    """
    for field in operations()[operation].fields:
        if field.kind in ("flag", "count", "word"):
            path = parse(field.pointer)
            params = each(params, path[:-1], _typed(str(path[-1]), field.kind))
    return params


def _typed(name: str, kind: str) -> Change:
    def change(structure: dict[str, Any]) -> None:
        value = structure.get(name)
        if kind == "flag" and isinstance(value, str):
            structure[name] = {"true": True, "false": False}.get(value.strip().lower(), value)
        elif kind == "count" and isinstance(value, str) and value.strip().isdecimal():
            structure[name] = int(value[:18])
        elif kind == "word" and isinstance(value, (int, float)) and not isinstance(value, bool):
            structure[name] = str(value)

    return change


def without_absent(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the request without security fields that are null, ``""`` or empty: not given."""

    def change_for(name: str) -> Change:
        def change(structure: dict[str, Any]) -> None:
            if name in structure and absent(structure[name]):
                del structure[name]

        return change

    for field in operations()[operation].fields:
        path = parse(field.pointer)
        params = each(params, path[:-1], change_for(str(path[-1])))
        if field.kind == "subnet":
            params = each(params, path[:-1], change_for("SecurityGroupIds"))
    return params
