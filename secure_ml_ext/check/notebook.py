"""Notebooks and Python files: the SageMaker requests that their source shows.

A hint, not a verdict: nothing is run, and what the source does not decide is said to be so. The
forms are those of nbformat 4 (``cells``) and 3 (``worksheets``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from .files import InputError
from .items import Item, Reading
from .records import Note
from .source import Walk
from .source_cells import code_of
from .source_values import TooMuch

MAX_SOURCE: Final = 5_000_000
MAX_CELLS: Final = 20_000

NOTHING: Final = "no SageMaker submission found in the source"
DEFAULTS: Final = (
    "defaults of the SageMaker SDK configuration are not seen: what a call leaves out may come "
    "from there"
)
COMMAND: Final = "the AWS CLI is out of sight: what this command sends is not checked"
_DEEP: Final = "nested too deeply to be read"
_STOPPED: Final = "too much to follow: nothing is read from here on"
_LANGUAGES: Final = ("python", "ipython", "pyspark", "conda_python")


class _Cell(Struct, frozen=True):
    """A code cell; a file's text has no number."""

    number: int | None
    source: str


def is_notebook(content: Any) -> bool:
    """Tell whether parsed JSON is a notebook of nbformat 3 or 4."""
    if not isinstance(content, Mapping):
        return False
    cells = content.get("cells")
    if isinstance(content.get("nbformat"), int):
        return isinstance(cells, list) or isinstance(content.get("worksheets"), list)
    return (
        isinstance(cells, list)
        and bool(cells)
        and all(isinstance(cell, Mapping) and "cell_type" in cell for cell in cells)
    )


def read_notebook(content: Mapping[str, Any]) -> Reading:
    """Return the submissions that the code cells of a notebook show, cell by cell.

    Cells are counted from 1, with those that hold no code. Raises ``InputError`` for what is no
    notebook and for one that is too large.
    """
    if not is_notebook(content):
        raise InputError('a notebook is a JSON object with "nbformat" and a list of "cells"')
    cells = list(_cells(content))
    language = _language(content)
    if language is not None:
        return Reading(notes=[Note(f"the notebook is in {language}: only Python is read")])
    return _read(cells)


def read_python(source: str) -> Reading:
    """Return the submissions that a Python file shows; raises ``InputError`` for a huge one."""
    if len(source) > MAX_SOURCE:
        raise InputError(f"the source is longer than {MAX_SOURCE:,} characters: split it")
    return _read([_Cell(None, source)])


# -- cells --------------------------------------------------------------------------------------


def _cells(content: Mapping[str, Any]) -> Iterator[_Cell]:
    """Yield the code cells with their number among all cells."""
    total = 0
    for number, cell in enumerate(_all_cells(content), 1):
        if number > MAX_CELLS:
            raise InputError(f"the notebook has more than {MAX_CELLS:,} cells: split it")
        if not isinstance(cell, Mapping):
            raise InputError(f"cell {number} of the notebook is no object")
        if cell.get("cell_type") != "code":
            continue
        # nbformat 3 calls it "input".
        source = cell.get("source", cell.get("input", ""))
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise InputError(f"cell {number}: its source is no text")
        total += len(source)
        if total > MAX_SOURCE:
            raise InputError(
                f"the notebook holds more than {MAX_SOURCE:,} characters of code: split it"
            )
        language = cell.get("language")
        if not isinstance(language, str) or _is_python(language):
            yield _Cell(number, source)


def _all_cells(content: Mapping[str, Any]) -> Iterator[Any]:
    cells = content.get("cells")
    if isinstance(cells, list):
        yield from cells
        return
    for sheet in content.get("worksheets") or ():
        inner = sheet.get("cells") if isinstance(sheet, Mapping) else None
        if not isinstance(inner, list):
            raise InputError("a worksheet of the notebook holds no list of cells")
        yield from inner


def _language(content: Mapping[str, Any]) -> str | None:
    """Return the notebook's language where it is another than Python."""
    metadata = content.get("metadata")
    if not isinstance(metadata, Mapping):
        return None
    for member, key in (("kernelspec", "language"), ("language_info", "name")):
        part = metadata.get(member)
        name = part.get(key) if isinstance(part, Mapping) else None
        if isinstance(name, str) and name.strip():
            return None if _is_python(name) else name.strip()[:40]
    return None


def _is_python(name: str) -> bool:
    return name.strip().lower().startswith(_LANGUAGES)


# -- source -------------------------------------------------------------------------------------


def _read(cells: list[_Cell]) -> Reading:
    walk = Walk()
    notes: list[tuple[int, int, Note]] = []

    def say(cell: _Cell, line: int | None, message: str) -> None:
        notes.append((cell.number or 0, line or 0, Note(message, _where(cell.number, line))))

    codes = [(cell, code_of(cell.source, cell=cell.number is not None)) for cell in cells]
    walk.configured = any(code.configured for _, code in codes)
    for cell, code in codes:
        for line in code.commands:
            say(cell, line, COMMAND)
        if code.problem is not None:
            say(cell, code.problem.line, code.problem.message)
            # Whatever it was meant to do, the names in it are not certain any more.
            walk.doubt(re.findall(r"[^\W\d]\w*", cell.source))
        if code.tree is None:
            continue
        try:
            walk.run(code.tree.body, cell.number)
        except RecursionError:
            walk.recover()
            say(cell, None, _DEEP)
        except TooMuch:
            walk.recover()
            say(cell, None, _STOPPED)
            break
    try:
        walk.finish()
    except (RecursionError, TooMuch):
        notes.append((0, 0, Note("too much to follow: not all functions are read")))
    for said in walk.said:
        where = _where(said.cell, said.line)
        notes.append((said.cell or 0, said.line or 0, Note(said.message, where)))
    return _reading(walk, [note for *_, note in sorted(notes, key=lambda each: each[:2])])


def _reading(walk: Walk, notes: Iterable[Note]) -> Reading:
    found = sorted(walk.found.values(), key=lambda each: (each.cell or 0, each.line, each.column))
    items = [
        Item(
            operation=each.operation,
            params=each.params,
            kind="notebook-cell",
            where=_where(each.cell, each.line),
            note=each.note,
        )
        for each in found
    ]
    said = list(notes)
    if walk.sdk and items:
        said.append(Note(DEFAULTS))
    if not items:
        said.append(Note(NOTHING))
    return Reading(items, said)


def _where(cell: int | None, line: int | None) -> str | None:
    parts = [f"cell {cell}"] if cell is not None else []
    parts += [f"line {line}"] if line is not None else []
    return ", ".join(parts) or None
