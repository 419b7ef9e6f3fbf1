"""JSON Patch (RFC 6902): building the smallest patch for a set of changes, and applying one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from ..inventory.paths import Path, get, parse, render


class PatchOp(Struct, frozen=True):
    """One operation of a JSON Patch (RFC 6902); ``value`` is absent for ``remove``."""

    op: Literal["add", "replace", "remove"]
    path: str
    value: Any | UnsetType = UNSET


class Assignment(Struct, frozen=True):
    """A wish: this value at this path; UNSET means the path must not be there."""

    path: Path
    value: Any = UNSET


class PatchError(ValueError):
    """A patch that does not fit the document; the message names the operation's path."""


def build(params: Mapping[str, Any], wishes: Iterable[Assignment]) -> list[PatchOp]:
    """Return the smallest patch that fulfils all wishes on this document.

    Missing parents are created once, with everything that goes below them, existing
    siblings are kept, and a parent that is there but unusable (None, ``""``, a scalar)
    is replaced. Later wishes win over earlier ones at the same path.
    """
    chosen = {wish.path: wish.value for wish in wishes}
    result = dict(params)
    own = {id(result)}
    removals = [path for path, value in chosen.items() if value is UNSET]
    roots: dict[Path, None] = {}  # in the order of the wishes, the gravest finding first
    for path, value in chosen.items():
        if value is not UNSET:
            roots[_put(result, path, fresh(value), own)] = None
    patch = []
    for root in roots:
        if any(root[:cut] in roots for cut in range(len(root))):
            continue
        verb: Literal["add", "replace"] = "replace" if _present(params, root) else "add"
        patch.append(PatchOp(verb, render(root), get(result, root)))
    patch.extend(PatchOp("remove", render(p)) for p in removals if _present(params, p))
    return patch


def fresh(value: Any) -> Any:
    """Return a copy that shares no dictionary or list with the original; leaves are shared."""
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fresh(item) for item in value]
    return value


def _put(document: Any, path: Path, value: Any, own: set[int]) -> Path:
    """Write the value, creating parents; return the shallowest path that was created.

    Only what lies on the path is copied: ``own`` holds the ids of the containers that
    are ours already, everything else still belongs to the caller.
    """
    node: Any = document
    root: Path | None = None
    for depth, part in enumerate(path[:-1]):
        child = node[int(part)] if isinstance(node, list) else node.get(part)
        # A list where the path wants a structure is as unusable as a scalar.
        fits = isinstance(child, list) and isinstance(path[depth + 1], int)
        if not (fits or isinstance(child, dict)):
            child = {}
            root = root or path[: depth + 1]
        elif id(child) not in own:
            child = dict(child) if isinstance(child, dict) else list(child)
        own.add(id(child))
        node[part] = child
        node = child
    if isinstance(node, list) and path[-1] == len(node):
        node.append(value)  # an entry of its own at the end
    else:
        node[path[-1]] = value
    return root or path


def _present(document: Any, path: Path) -> bool:
    parent = get(document, path[:-1])
    if isinstance(parent, dict):
        return path[-1] in parent
    return isinstance(parent, list) and isinstance(path[-1], int) and path[-1] < len(parent)


def apply(params: Mapping[str, Any], patch: Iterable[PatchOp]) -> dict[str, Any]:
    """Return a deep copy of the document with the patch applied.

    Takes ``add``, ``replace`` and ``remove`` with a path below the root. Raises
    ``PatchError`` where a parent is missing, as RFC 6902 demands; the original is
    never touched.
    """
    document: dict[str, Any] = fresh(dict(params))
    for operation in patch:
        path = parse(operation.path)
        if not path:
            raise PatchError("a patch cannot replace the whole request")
        parent = document
        for part in path[:-1]:
            parent = _child(parent, part, operation.path)
        _apply_one(parent, path[-1], operation)
    return document


def _child(node: Any, part: str | int, where: str) -> Any:
    if isinstance(node, list) and str(part).isdecimal() and int(part) < len(node):
        return node[int(part)]
    if isinstance(node, dict) and part in node:
        return node[part]
    raise PatchError(f"{where}: {part} is not there")


def _apply_one(parent: Any, last: str | int, operation: Any) -> None:
    value = None if operation.value is UNSET else fresh(operation.value)
    if isinstance(parent, list):
        if operation.op == "add" and last == "-":
            parent.append(value)
            return
        if not str(last).isdecimal() or int(last) > len(parent) - (operation.op != "add"):
            raise PatchError(f"{operation.path}: no such index")
        if operation.op == "add":
            parent.insert(int(last), value)
        elif operation.op == "replace":
            parent[int(last)] = value
        else:
            del parent[int(last)]
    elif isinstance(parent, dict):
        if operation.op != "add" and last not in parent:
            raise PatchError(f"{operation.path} is not there")
        if operation.op == "remove":
            del parent[last]
        else:
            parent[last] = value
    else:
        raise PatchError(f"{operation.path}: its parent is neither a structure nor a list")
