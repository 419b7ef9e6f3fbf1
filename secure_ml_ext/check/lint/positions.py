"""Where the statements of a document stand in the text it was read from."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from .records import Region

Path = tuple[str | int, ...]
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Span(NamedTuple):
    """Where a value begins and ends, in characters from 0."""

    start: int
    end: int


class Lines:
    """Lines and columns of a text."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(self, character: int) -> tuple[int, int]:
        """Return line and column, both from 1."""
        line = bisect_right(self._starts, character)
        return line, character - self._starts[line - 1] + 1

    def region(self, span: Span) -> Region:
        """Return the region of a span."""
        return Region(*self.place(span.start), *self.place(span.end))


def spans(text: str, wanted: list[Path]) -> dict[Path, Span]:
    """Return where the values at ``wanted`` stand in valid JSON, and the elements of lists there.

    One pass; what is not on the way to a wanted value is skipped by the C parser.
    """
    tree: dict[str | int, Any] = {}
    for path in wanted:
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
    found: dict[Path, Span] = {}
    _visit(text, _skip(text, 0), (), tree, found)
    return found


def _visit(
    text: str, at: int, path: Path, tree: Mapping[str | int, Any], found: dict[Path, Span]
) -> int:
    """Look at the value that begins at ``at``; an empty ``tree`` means that it is wanted."""
    start = at
    if not tree and text[at] != "[":
        end = _end(text, at)
        found[path] = Span(start, end)
        return end
    opening = text[at]
    if opening not in "{[":
        return _end(text, at)
    at = _skip(text, at + 1)
    number = 0
    while text[at] not in "}]":
        here: Path = (*path, number)
        if opening == "{":
            key, at = scanstring(text, at + 1)
            here = (*path, key)
            at = _skip(text, _skip(text, at) + 1)
        if not tree:
            end = _end(text, at)
            found[here] = Span(at, end)
        elif here[-1] in tree:
            end = _visit(text, at, here, tree[here[-1]], found)
        else:
            end = _end(text, at)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1
    if not tree:
        found[path] = Span(start, at + 1)
    return at + 1


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _end(text: str, at: int) -> int:
    return _DECODER.raw_decode(text, at)[1]
