"""JSON Pointers (RFC 6901) with ``*`` for every list index, over plain request dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Path = tuple[str | int, ...]

_VARIABLES = frozenset({"Get", "Ref", "Unknown"})
_FUNCTIONS = frozenset({"Fn::", "Std:"})


@lru_cache(maxsize=4096)
def parse(pointer: str) -> Path:
    """Return the parts of a pointer; ``""`` is the whole document."""
    if pointer == "":
        return ()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


@lru_cache(maxsize=4096)
def render(path: Path) -> str:
    """Return the pointer of a path, with ``~`` and ``/`` escaped."""
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in path)


def get(document: Any, path: Path) -> Any:
    """Return the value at ``path`` or None; a wrong type on the way counts as absent."""
    for part in path:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, (list, tuple)) and isinstance(part, int):
            document = document[part] if part < len(document) else None
        else:
            return None
        if document is None:
            return None
    return document


def expand(document: Any, path: Path, prefix: Path = ()) -> Iterator[Path]:
    """Yield the concrete paths that a path with ``*`` stands for in this document.

    Only lists that are there are walked; the parts after the last ``*`` need not exist.
    """
    if "*" not in path:
        yield prefix + path
        return
    star = path.index("*")
    head, tail = path[:star], path[star + 1 :]
    items = get(document, head)
    if isinstance(items, (list, tuple)):
        for index, item in enumerate(items):
            yield from expand(item, tail, (*prefix, *head, index))


def absent(value: Any) -> bool:
    """Tell whether the value counts as not given: None, ``""``, blanks, empty lists and maps.

    A list of nothing but absent values is absent too. ``False`` and ``0`` are values.
    """
    if value is None or value == "":
        return True
    if isinstance(value, str):
        return value.isspace()
    if isinstance(value, (list, tuple)):
        return all(map(absent, value))
    return isinstance(value, dict) and not value


def undetermined(value: Any) -> bool:
    """Tell whether an object stands in the place of a value that is decided later.

    Such objects are a pipeline's variables (``{"Get": …}``, ``{"Std:Join": …}``), a template's
    intrinsic functions (``{"Ref": …}``, ``{"Fn::If": …}``), also beside members that are known
    (``Fn::Transform``), and what a reader could not know (``{"Unknown": …}``).
    """
    if not isinstance(value, dict):
        return False
    if len(value) == 1 and not _VARIABLES.isdisjoint(value):
        return True
    # On the path of every request: a loop is several times faster than any() over a generator.
    for key in value:  # noqa: SIM110
        if isinstance(key, str) and key[:4] in _FUNCTIONS:
            return True
    return False


def perhaps_absent(value: Any) -> bool:
    """Tell whether an object may stand for no value at all.

    Nobody knows ``{"Unknown": …}``, and an ``Fn::If`` may have ``AWS::NoValue`` as a branch; other
    variables are always filled in.
    """
    if not isinstance(value, dict) or len(value) != 1:
        return False
    branches = value.get("Fn::If")
    return "Unknown" in value or (
        isinstance(branches, list) and {"Ref": "AWS::NoValue"} in branches[1:]
    )


def decided_later(document: Any, path: Path) -> bool:
    """Tell whether something above the end of ``path`` is decided later.

    A ``*`` in the path is every item of the list; what lies at the end itself does not count.
    """
    for depth, part in enumerate(path):
        if isinstance(document, dict):
            if part not in document:
                return undetermined(document)
            document = document[part]
        elif isinstance(document, (list, tuple)) and part == "*":
            return any(decided_later(item, path[depth + 1 :]) for item in document)
        elif isinstance(document, (list, tuple)) and isinstance(part, int):
            document = document[part] if part < len(document) else None
        else:
            return False
    return False
