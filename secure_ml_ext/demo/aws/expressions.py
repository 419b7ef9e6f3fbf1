"""Values of a pipeline definition: parameters, execution variables, properties of steps, joins.

The form is the SageMaker pipeline definition schema 2020-12-01.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .facts import Facts

GET = "Get"
JOIN = "Std:Join"
JSON_GET = "Std:JsonGet"
_PART = re.compile(r"\.?([^.\[\]]+)|\[(?:'([^']*)'|\"([^\"]*)\"|(\d+))\]")


class Unreadable(Exception):
    """A value that cannot be made: a reference to nothing, or a function not known here."""


class NoReport(Unreadable):
    """A property file that no container has written."""


def references(value: Any) -> Iterator[str]:
    """Every ``Get`` in a part of a definition, in order."""
    if isinstance(value, Mapping):
        if set(value) == {GET} and isinstance(value[GET], str):
            yield value[GET]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def steps_named(value: Any) -> set[str]:
    """The names of the steps whose properties a part of a definition reads."""
    found = set()
    for reference in references(value):
        root, _, rest = reference.partition(".")
        if root == "Steps":
            found.add(rest.partition(".")[0])
    return found


def resolve(value: Any, get: Callable[[str], Any], read_json: Callable[[str], Any]) -> Any:
    """Return the value with its functions applied; raises ``Unreadable``.

    ``get`` answers a ``Get``; ``read_json`` returns the content of the property file that a
    ``Get`` names.
    """
    if isinstance(value, list):
        return [resolve(inner, get, read_json) for inner in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {GET}:
        return get(str(value[GET]))
    if set(value) == {JOIN}:
        join = value[JOIN]
        parts = [resolve(part, get, read_json) for part in join["Values"]]
        return str(join.get("On", "")).join(_text(part) for part in parts)
    if set(value) == {JSON_GET}:
        wanted = value[JSON_GET]
        reference = wanted.get("PropertyFile")
        if not isinstance(reference, Mapping) or set(reference) != {GET}:
            raise Unreadable("JsonGet reads property files alone here")
        return at(read_json(str(reference[GET])), str(wanted.get("Path", "")))
    return {key: resolve(inner, get, read_json) for key, inner in value.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def at(content: Any, path: str) -> Any:
    """Return what stands at a path such as ``Outputs['train'].S3Output.S3Uri``.

    A name in brackets picks the entry of a list that bears it (``OutputName``).
    """
    for dotted, single, double, index in _PART.findall(path):
        name = dotted or single or double
        if index and isinstance(content, list):
            content = content[int(index)] if int(index) < len(content) else None
        elif isinstance(content, Mapping):
            content = content.get(name or index)
        elif isinstance(content, list):
            content = next((entry for entry in content if _bears(entry, name)), None)
        else:
            content = None
        if content is None:
            raise Unreadable(f"there is nothing at {path}")
    return content


def _bears(entry: Any, name: str) -> bool:
    return isinstance(entry, Mapping) and any(
        key.endswith("Name") and value == name for key, value in entry.items()
    )


def holds(condition: Facts, value: Callable[[Any], Any]) -> bool:
    """Tell whether a condition is met; ``value`` resolves its sides. Raises ``Unreadable``."""
    kind = condition.get("Type")
    if kind == "Not":
        return not holds(condition["Expression"], value)
    if kind == "Or":
        return any(holds(inner, value) for inner in condition["Conditions"])
    if kind == "In":
        return value(condition["QueryValue"]) in value(condition["Values"])
    compare = COMPARISONS.get(str(kind))
    if compare is None:
        raise Unreadable(f"conditions of type {kind} are not known here")
    left, right = value(condition["LeftValue"]), value(condition["RightValue"])
    if isinstance(left, str) != isinstance(right, str):
        left, right = str(left), str(right)
    return compare(left, right)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda left, right: bool(left == right),
    "GreaterThan": lambda left, right: bool(left > right),
    "GreaterThanOrEqualTo": lambda left, right: bool(left >= right),
    "LessThan": lambda left, right: bool(left < right),
    "LessThanOrEqualTo": lambda left, right: bool(left <= right),
}
