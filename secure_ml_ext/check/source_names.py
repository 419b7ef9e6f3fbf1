"""Which names a piece of Python source reads, binds and changes, without looking at values."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

# Methods that change a dictionary or list in place.
CHANGING = frozenset(
    {"append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
)


class Effects(Struct, frozen=True):
    """The names of a piece of source.

    ``bound`` are assigned, ``changed`` changed in place or handed to a call, ``read`` looked
    up. For a function ``local`` are its own names and ``outside`` those of the document that it
    may change when it is called.
    """

    bound: frozenset[str]
    changed: frozenset[str]
    read: frozenset[str]
    local: frozenset[str]
    outside: frozenset[str]


def effects_of(node: ast.AST) -> Effects:
    """Return the names in a statement or function, those of its parts included."""
    bound: set[str] = set()
    changed: set[str] = set()
    stored: set[str] = set()
    read: set[str] = set()
    declared: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            (read if isinstance(child.ctx, ast.Load) else bound).add(child.id)
        elif isinstance(child, (ast.Global, ast.Nonlocal)):
            declared.update(child.names)
        elif isinstance(child, (ast.Subscript, ast.Attribute)) and not isinstance(
            child.ctx, ast.Load
        ):
            stored.update(_root(child))
        elif isinstance(child, ast.Call):
            stored.update(_receiver(child))
            for argument in [*child.args, *(k.value for k in child.keywords)]:
                changed.update(_root(argument))
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if child is not node:
                bound.add(child.name)
        elif isinstance(child, ast.alias):
            bound.add((child.asname or child.name).partition(".")[0])
    local = frozenset(bound - declared)
    return Effects(
        frozenset(bound),
        frozenset(changed | stored),
        frozenset(read),
        local,
        frozenset((stored - local - _arguments(node)) | (bound & declared)),
    )


def _receiver(call: ast.Call) -> Iterator[str]:
    if isinstance(call.func, ast.Attribute) and call.func.attr in CHANGING:
        yield from _root(call.func.value)


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, (ast.Subscript, ast.Attribute, ast.Starred)):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _arguments(node: ast.AST) -> frozenset[str]:
    return frozenset(child.arg for child in ast.walk(node) if isinstance(child, ast.arg))


def writes_of(node: ast.AST) -> Iterator[str]:
    """Yield the names that an assignment's target, or a pattern, binds."""
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif isinstance(child, (ast.MatchAs, ast.MatchStar)) and child.name:
            yield child.name
        elif isinstance(child, ast.MatchMapping) and child.rest:
            yield child.rest


def short(node: ast.AST, depth: int = 0) -> str:
    """Return an expression's source in short; arguments and texts in it are left out."""
    if depth > 4:
        return "…"
    if isinstance(node, ast.Name):
        return node.id[:60]
    if isinstance(node, ast.Attribute):
        return f"{short(node.value, depth + 1)}.{node.attr[:60]}"
    if isinstance(node, ast.Call):
        return f"{short(node.func, depth + 1)}(…)"
    if isinstance(node, ast.Subscript):
        return f"{short(node.value, depth + 1)}[{_index(node.slice)}]"
    if isinstance(node, ast.Await):
        return f"await {short(node.value, depth + 1)}"
    if isinstance(node, (ast.Starred, ast.FormattedValue)):
        return short(node.value, depth + 1)
    if isinstance(node, ast.JoinedStr):
        parts = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        return "".join(f"{{{short(part, depth + 1)}}}" for part in parts[:4]) or "a text"
    if isinstance(node, ast.BinOp):
        return f"{short(node.left, depth + 1)} … {short(node.right, depth + 1)}"
    if isinstance(node, ast.IfExp):
        return f"{short(node.body, depth + 1)} or {short(node.orelse, depth + 1)}"
    names = {
        ast.Constant: "…",
        ast.Lambda: "a function",
        ast.Dict: "{…}",
        ast.List: "[…]",
        ast.Tuple: "(…)",
        ast.ListComp: "[…]",
        ast.DictComp: "{…}",
    }
    return names.get(type(node), "an expression")


def _index(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int)):
        return repr(node.value)[:60]
    return short(node, 4) if isinstance(node, ast.Name) else "…"
