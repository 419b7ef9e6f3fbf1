"""Cells as IPython takes them: Python with magics, shell commands and questions between the lines.

Blanked lines keep their numbers. ``pass`` stands in their place, as one may be all that a block
holds.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

MAX_CELL: Final = 1_000_000
_NESTED: Final = "nested too deeply to be read"
# Cell magics whose body is Python of the same kernel; of all others the body is something else.
_PYTHON: Final = frozenset(
    {"capture", "debug", "heat", "local", "lprun", "memit", "mprun", "prun", "secure_ml", "time"}
    | {"timeit"}
)
_SHELLS: Final = frozenset({"bash", "sh", "script", "system", "sx", "!"})
_AWS: Final = re.compile(r"\baws\b[^#|;&]{0,200}?\bsagemaker\s+(?:create|update|start)-")
_CELL_MAGIC: Final = re.compile(r"\s*%%([\w.!-]+)")
_MAGIC: Final = re.compile(r"\s*(?:[!%?]|[A-Za-z_][\w.\[\]'\", ]{0,200}=\s*[!%])")
_QUESTION: Final = re.compile(r"\s*%{0,2}[A-Za-z_][\w.]{0,200}\s*\?{1,2}\s*$")
_TOKEN: Final = re.compile(
    r"#.*|(?P<triple>\"\"\"|''')|\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[()\[\]{}]"
)
_CONFIG: Final = frozenset(
    {"SAGEMAKER_ADMIN_CONFIG_OVERRIDE", "SAGEMAKER_USER_CONFIG_OVERRIDE", "sagemaker_config"}
)


class Problem(Struct, frozen=True):
    """What could not be read, and the line where that is known."""

    message: str
    line: int | None = None


class Code(Struct, frozen=True):
    """A cell's Python, parsed where that is possible; ``commands`` are lines with the AWS CLI.

    ``configured`` says that the cell sets defaults of the SageMaker SDK.
    """

    tree: ast.Module | None = None
    commands: tuple[int, ...] = ()
    problem: Problem | None = None
    configured: bool = False


def code_of(source: str, *, cell: bool) -> Code:
    """Return what is Python in a cell, or in a file, where nothing is a magic.

    A cell that begins with a magic of another language has no Python.
    """
    if len(source) > MAX_CELL:
        return Code(problem=Problem("too long to be read"))
    if not cell:
        tree, problem = _parsed(source)
        return Code(tree, problem=problem, configured=_configured(tree))
    lines = source.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return Code()
    magic = _CELL_MAGIC.match(lines[first])
    if magic is not None and magic.group(1) not in _PYTHON:
        shell = magic.group(1) in _SHELLS
        return Code(commands=tuple(_commands(lines, range(len(lines)))) if shell else ())
    if magic is not None:
        lines[first] = ""
    blanked = list(_blanked(lines))
    kept = list(lines)
    for index in blanked:
        before = index - 1
        follows = before in blanked and lines[before].rstrip().endswith("\\")
        indent = lines[index][: len(lines[index]) - len(lines[index].lstrip())]
        kept[index] = "" if follows else f"{indent}pass"
    tree, problem = _parsed("\n".join(kept))
    configured = _configured(tree) or any(
        name in lines[index] for index in blanked for name in _CONFIG
    )
    return Code(tree, tuple(_commands(lines, blanked)), problem, configured)


def _commands(lines: Sequence[str], which: Sequence[int]) -> Iterator[int]:
    """Yield the numbers of lines that send a request with the AWS CLI."""
    for index in which:
        if _AWS.search(lines[index].partition("#")[0]):
            yield index + 1


def _blanked(lines: Sequence[str]) -> Iterator[int]:
    """Yield the indexes of lines that IPython takes for itself, never those inside a bracket."""
    depth, triple = 0, ""
    goes_on = False
    for index, line in enumerate(lines):
        whole = depth <= 0 and not triple
        if goes_on or (whole and (_MAGIC.match(line) or _QUESTION.match(line))):
            yield index
            goes_on = line.rstrip().endswith("\\")
            continue
        depth, triple = _scanned(line, max(depth, 0), triple)


def _scanned(line: str, depth: int, triple: str) -> tuple[int, str]:
    """Return how many brackets, and which long string, are open after a line."""
    at = 0
    if triple:
        end = line.find(triple)
        if end < 0:
            return depth, triple
        at = end + 3
    while (token := _TOKEN.search(line, at)) is not None:
        at = token.end()
        text = token.group()
        if token["triple"]:
            end = line.find(text, at)
            if end < 0:
                return depth, text
            at = end + 3
        elif text in "([{":
            depth += 1
        elif text in ")]}":
            depth -= 1
    return depth, ""


def _parsed(source: str) -> tuple[ast.Module | None, Problem | None]:
    """Parse Python as a notebook's kernel does, with ``await`` at the top."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with warnings.catch_warnings():
            # An invalid escape in somebody's cell is the author's business.
            warnings.simplefilter("ignore")
            tree = compile(source, "<cell>", "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        return None, Problem(f"not readable as Python: {_said(error)}", error.lineno)
    except (RecursionError, MemoryError):
        return None, Problem(_NESTED)
    except ValueError as error:
        # A null byte, or half of a surrogate pair.
        return None, Problem(f"not readable as Python: {type(error).__name__}")
    return (tree, None) if isinstance(tree, ast.Module) else (None, None)


def _said(error: SyntaxError) -> str:
    """Return the parser's words; they may quote a character, never a line."""
    return (error.msg or "invalid syntax")[:100]


def _configured(tree: ast.Module | None) -> bool:
    """Tell whether the source names a configuration of the SageMaker SDK's defaults."""
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in _CONFIG:
                return True
        elif isinstance(node, ast.keyword) and node.arg == "sagemaker_config":
            return True
    return False
