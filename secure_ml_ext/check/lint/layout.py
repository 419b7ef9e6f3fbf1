"""JSON as people write policies: what fits stands on one line, long lists fill their lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_STEP = 2


def laid_out(value: Any, *, width: int = 88, margin: int = 0) -> str:
    """Return JSON whose lines end before ``width`` where they can; the first has no margin."""
    return "\n".join(_lines(value, width, margin))


def _lines(value: Any, width: int, margin: int, head: int = 0) -> Iterator[str]:
    """Yield the lines of a value; ``head`` characters stand before the first one."""
    flat = json.dumps(value, ensure_ascii=False)
    scalar = not isinstance(value, (Mapping, list)) or not value
    if scalar or (margin + head + len(flat) < width and not _has_objects(value)):
        yield flat
        return
    inner = " " * (margin + _STEP)
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    yield opening
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        yield from _filled(value, width, inner)
    else:
        yield from _members(value, width, margin + _STEP, inner)
    yield " " * margin + closing


def _has_objects(value: Any) -> bool:
    """Tell whether an object holds others: a statement or a Condition reads better in lines."""
    each = value.values() if isinstance(value, Mapping) else value
    return any(isinstance(one, Mapping) for one in each) or (
        isinstance(value, Mapping) and "Effect" in value
    )


def _members(value: Any, width: int, margin: int, inner: str) -> Iterator[str]:
    pairs = (
        [(f"{json.dumps(key, ensure_ascii=False)}: ", each) for key, each in value.items()]
        if isinstance(value, Mapping)
        else [("", each) for each in value]
    )
    for number, (head, each) in enumerate(pairs):
        lines = list(_lines(each, width, margin, len(head)))
        lines[0] = f"{inner}{head}{lines[0]}"
        if number < len(pairs) - 1:
            lines[-1] += ","
        yield from lines


def _filled(values: list[str], width: int, inner: str) -> Iterator[str]:
    line = inner
    for number, value in enumerate(values):
        text = json.dumps(value, ensure_ascii=False) + ("," if number < len(values) - 1 else "")
        if line != inner and len(line) + 1 + len(text) > width:
            yield line
            line = inner
        line += text if line == inner else f" {text}"
    yield line
