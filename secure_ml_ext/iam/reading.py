"""Policy documents as text: JSON whose errors name a line, a column and a character."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any
from urllib.parse import unquote

from .errors import PolicyError

MAX_CHARACTERS = 8 * 1024 * 1024
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^,\]}\s]+")
Path = tuple[str | int, ...]


def read_json(text: str, document: str) -> Any:
    """Parse a document; PolicyError names the character.

    IAM's replies carry documents URL-encoded: such text is decoded first. A key given twice in
    one object is an error, as in IAM ("must not contain multiple instances of the same key").
    """
    if len(text) > MAX_CHARACTERS:
        raise PolicyError(
            f"the document has {len(text)} characters, more than {MAX_CHARACTERS}",
            document=document,
        )
    twice: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice.append("")
        return found

    try:
        parsed = json.loads(text, object_pairs_hook=collect, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise PolicyError(
            f"not JSON: {error.msg}",
            document=document,
            line=(error.lineno, error.colno),
            character=error.pos,
        ) from None
    except RecursionError:
        raise PolicyError("the document is nested too deeply", document=document) from None
    except ValueError as error:
        raise PolicyError(f"not JSON: {error}", document=document) from None
    if twice:
        path, place = _given_twice(text)
        raise PolicyError(
            f"{path[-1] if path else 'a key'} is given twice",
            document=document,
            path=path[:-1],
            line=None if place is None else line_of(text, place),
            character=place,
        )
    return parsed


def decoded(text: str) -> str:
    """Return the text of a document that may be URL-encoded."""
    return unquote(text) if text.lstrip()[:3].upper() == "%7B" else text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no value")


def line_of(text: str, place: int) -> tuple[int, int]:
    """Return line and column, both from 1, of a character."""
    return text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)


def locate(text: str, path: Path) -> int | None:
    """Return where in valid JSON text the member or element at ``path`` begins."""
    return _first(text, lambda here: here == path)[1]


def _given_twice(text: str) -> tuple[Path, int | None]:
    seen: set[Path] = set()

    def repeated(here: Path) -> bool:
        known = here in seen
        seen.add(here)
        return known

    return _first(text, repeated)


def _first(text: str, wanted: Callable[[Path], bool]) -> tuple[Path, int | None]:
    """Return path and place of the first member or element that is wanted."""
    try:
        _visit(text, _skip(text, 0), (), wanted)
    except _Found as found:
        return found.path, found.place
    except (IndexError, RecursionError):  # not as valid as it should be: no place
        pass
    return (), None


class _Found(Exception):
    def __init__(self, path: Path, place: int) -> None:
        self.path = path
        self.place = place


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches everywhere


def _visit(text: str, at: int, path: Path, wanted: Callable[[Path], bool]) -> int:
    """Show every member and element below the value that begins at ``at``; return its end."""
    opening = text[at]
    if opening == '"':
        return int(scanstring(text, at + 1)[1])
    if opening not in "{[":
        scalar = _SCALAR.match(text, at)
        return scalar.end() if scalar else len(text)
    at = _skip(text, at + 1)
    number = 0
    while text[at] not in "}]":
        place = at
        here: Path = (*path, number)
        if opening == "{":
            key, at = scanstring(text, at + 1)
            here = (*path, key)
            at = _skip(text, _skip(text, at) + 1)
        if wanted(here):
            raise _Found(here, place)
        at = _skip(text, _visit(text, at, here, wanted))
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1
    return at + 1
