"""Masking: of a request, only what the field table knows may be shown, stored or logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .paths import Path, expand, get, parse
from .table import operations

MASK = "…"
_NETWORK = ("Subnets", "SecurityGroupIds", "VpcId")


def _visible(operation: str, params: Mapping[str, Any]) -> set[Path]:
    entry = operations().get(operation)
    if entry is None:
        return set()
    paths: set[Path] = set()
    pointers = [f.pointer for f in entry.fields] + [r.pointer for r in entry.references]
    pointers += [r.by for r in entry.references if r.by]
    for field in entry.fields:
        pointers.extend(field.instances)
        if field.also:
            pointers.append(field.also)
        if field.kind == "subnet":
            pointers.append("/SecurityGroupIds")
    if entry.name:
        pointers.append(f"/{entry.name}")
    for pointer in pointers:
        paths.update(expand(params, parse(pointer)))
    return paths


def mask(operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request with every value that is not at a path of the field table as ``…``.

    The structure is kept, so that a reader sees which parts the request has; map keys
    below ``Environment``, ``HyperParameters`` and the like are masked with their values.
    The caller's objects are not touched. An unknown operation is masked whole.
    """
    visible = _visible(operation, params)
    result = _copy(params, (), visible)
    return result if isinstance(result, dict) else {}


def _copy(value: Any, path: Path, visible: set[Path]) -> Any:
    if path in visible:
        return _plain(value)
    if isinstance(value, Mapping):
        if path and not any(v[: len(path)] == path for v in visible):
            return MASK
        return {str(k): _copy(v, (*path, k), visible) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        if not any(v[: len(path)] == path for v in visible):
            return MASK
        return [_copy(item, (*path, i), visible) for i, item in enumerate(value)]
    return MASK


def _plain(value: Any) -> Any:
    """Copy a visible value, which for a network is a structure of known members only."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) if k in _NETWORK else MASK for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return MASK


def resource_name(operation: str, params: Mapping[str, Any]) -> str | None:
    """Return the name the request gives its resource, if it is a string."""
    entry = operations().get(operation)
    name = get(params, (entry.name,)) if entry is not None and entry.name else None
    return name if isinstance(name, str) and name else None
