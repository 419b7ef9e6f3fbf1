"""Notebooks and Python files: the SageMaker requests that their source shows.

A hint, not a verdict: nothing is run, and what the source does not decide is said to be so. The
forms are those of nbformat 4 (``cells``) and 3 (``worksheets``).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from .files import InputError
from .items import Item, Reading
from .records import Note
from .source import Walk
from .source_values import TooMuch

MAX_CELL: Final = 1_000_000
MAX_SOURCE: Final = 5_000_000
MAX_CELLS: Final = 20_000

NOTHING: Final = "no SageMaker submission found in the source"
DEFAULTS: Final = (
    "defaults of the SageMaker SDK configuration are not seen: what a call leaves out may come "
    "from there"
)
_CLI: Final = "the AWS CLI is out of sight: what this command sends is not checked"
# Cell magics whose body is Python of the same kernel; of all others the body is something else.
_PYTHON: Final = frozenset(
    {"capture", "prun", "python", "python3", "secure_ml", "time", "timeit", "local", "memit"}
    | {"mprun", "lprun", "heat", "skip", "debug", "script-less"}
)
_AWS: Final = re.compile(r"\baws\s+(?:\S+\s+)*?sagemaker\s+(?:create|update|start)-")
_MAGIC: Final = re.compile(r"^(\s*)(?:[!%?]|[A-Za-z_][\w.\[\]'\", ]*\s*=\s*[!%](?![%=]))")
_QUESTION: Final = re.compile(r"^\s*[A-Za-z_%][\w.]*\s*\?{1,2}\s*$")
_LANGUAGES: Final = ("python", "ipython", "python3", "python2", "pyspark", "sagemaker")


class _Cell(Struct, frozen=True):
    number: int | None
    source: str


def is_notebook(content: Any) -> bool:
    """Tell whether parsed JSON is a notebook of nbformat 3 or 4."""
    if not isinstance(content, Mapping):
        return False
    if isinstance(content.get("nbformat"), int):
        return isinstance(content.get("cells"), list) or isinstance(content.get("worksheets"), list)
    cells = content.get("cells")
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
        raise InputError('a notebook is a JSON object with "cells" (or "worksheets")')
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
            raise InputError(f"the notebook holds more than {MAX_SOURCE:,} characters of code")
        language = cell.get("language")
        if isinstance(language, str) and not _is_python(language):
            continue
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
    for member in ("kernelspec", "language_info"):
        part = metadata.get(member) if isinstance(metadata, Mapping) else None
        name = part.get("language" if member == "kernelspec" else "name") if (
            isinstance(part, Mapping)
        ) else None
        if isinstance(name, str) and name and not _is_python(name):
            return name[:40]
    return None


def _is_python(name: str) -> bool:
    return name.lower().startswith(_LANGUAGES)


# -- source -------------------------------------------------------------------------------------


def _read(cells: list[_Cell]) -> Reading:
    walk = Walk()
    notes: list[Note] = []
    for cell in cells:
        source = _python_of(cell, notes)
        tree = _parsed(source, cell, notes) if source.strip() else None
        if tree is None:
            continue
        try:
            walk.run(tree.body, cell.number)
        except RecursionError:
            walk.recover()
            notes.append(Note("nested too deeply to be read", _where(cell.number, None)))
        except TooMuch:
            notes.append(
                Note("too much to follow: nothing is read from here on", _where(cell.number, None))
            )
            break
    try:
        walk.finish()
    except (RecursionError, TooMuch):
        notes.append(Note("too much to follow: not all functions are read"))
    return _reading(walk, notes, cells)


def _reading(walk: Walk, notes: list[Note], cells: list[_Cell]) -> Reading:
    found = sorted(walk.found.values(), key=lambda f: (f.cell or 0, f.line, f.column))
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
    placed = sorted((s for s in walk.said if s.line is not None), key=lambda s: (s.cell or 0, s.line or 0))
    notes += [Note(said.message, _where(said.cell, said.line)) for said in placed]
    notes += [Note(said.message) for said in walk.said if said.line is None]
    if not items:
        notes.append(Note(NOTHING))
    return Reading(items, notes)


def _where(cell: int | None, line: int | None) -> str | None:
    parts = [f"cell {cell}"] if cell is not None else []
    parts += [f"line {line}"] if line is not None else []
    return ", ".join(parts) or None


def _parsed(source: str, cell: _Cell, notes: list[Note]) -> ast.Module | None:
    if len(source) > MAX_CELL:
        notes.append(Note("too long to be read", _where(cell.number, None)))
        return None
    try:
        with warnings.catch_warnings():
            # A cell's invalid escape is the author's business.
            warnings.simplefilter("ignore")
            tree = compile(
                source,
                "<cell>",
                "exec",
                ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
    except SyntaxError as error:
        notes.append(
            Note(f"not readable as Python: {error.msg}", _where(cell.number, error.lineno or 1))
        )
        return None
    except (RecursionError, MemoryError):
        notes.append(Note("nested too deeply to be read", _where(cell.number, None)))
        return None
    except ValueError as error:
        notes.append(Note(f"not readable as Python: {error}", _where(cell.number, None)))
        return None
    return tree if isinstance(tree, ast.Module) else None


def _python_of(cell: _Cell, notes: list[Note]) -> str:
    """Return the Python of a cell, what is no Python blanked so that lines keep their numbers."""
    lines = cell.source.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return ""
    if cell.number is None:
        return cell.source
    magic = re.match(r"\s*%%([\w.-]+)", lines[first])
    if magic is not None and magic.group(1) not in _PYTHON:
        if magic.group(1) in ("bash", "sh", "script", "system", "sx"):
            _commands(lines, cell, notes)
        return ""
    if magic is not None:
        lines[first] = ""
    return "\n".join(_blanked(lines, cell, notes))


def _commands(lines: list[str], cell: _Cell, notes: list[Note]) -> None:
    for number, line in enumerate(lines, 1):
        if _AWS.search(line):
            notes.append(Note(_CLI, _where(cell.number, number)))


def _blanked(lines: list[str], cell: _Cell, notes: list[Note]) -> Iterator[str]:
    """Yield the lines with commands, magics and questions to IPython blanked.

    ``pass`` stands in their place, as one may be all that a block holds.
    """
    goes_on = False
    for number, line in enumerate(lines, 1):
        magic = _MAGIC.match(line) or _QUESTION.match(line)
        if not goes_on and magic is None:
            yield line
            continue
        if _AWS.search(line):
            notes.append(Note(_CLI, _where(cell.number, number)))
        indent = "" if goes_on else line[: len(line) - len(line.lstrip())]
        yield "" if goes_on else f"{indent}pass"
        goes_on = line.rstrip().endswith("\\")
