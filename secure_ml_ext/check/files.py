"""Reads files, and a request from JSON: what ``jupyter secure-ml check`` is given."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ..inventory.table import operations
from .request import entry_of

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024


class InputError(ValueError):
    """A file that is no request; the message names the file, the place and what to do."""


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise InputError(f"the member {name!r} stands twice in one object")
            seen.add(name)
    return result


def _no_constants(name: str) -> Any:
    raise InputError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise InputError(f"{text[:20]} is out of range")
    return value


def parse_json(text: str, origin: str) -> Any:
    """Parse JSON strictly: no duplicate members, no NaN; errors name line and column."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constants,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        raise InputError(
            f"{origin}: line {error.lineno}, column {error.colno}: "
            f"not readable as JSON: {error.msg}"
        ) from error
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None
    except RecursionError:
        raise InputError(f"{origin}: nested too deeply") from None
    except ValueError:
        # CPython refuses to read integers of more than 4300 digits.
        raise InputError(f"{origin}: holds a number that is out of range") from None


def read_file(path: Path) -> str:
    """Return the text of a file, unpacked if it is gzip; ``-`` reads standard input.

    Raises ``InputError`` for what is no text, and for more than 20 MB (unpacked 200 MB).
    """
    origin = str(path)
    if origin == "-":
        import sys

        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        origin = "standard input"
    else:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError(f"{origin}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{origin}: larger than {MAX_BYTES // 1024 // 1024} MB, so no request")
    return text_of(data, origin)


def text_of(data: bytes, origin: str) -> str:
    """Return the text in bytes, unpacked if they are gzip; ``origin`` names them in errors."""
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, origin)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{origin}: byte {error.start}: not UTF-8 text") from error


def _unpacked(data: bytes, origin: str) -> bytes:
    """Unpack gzip (CloudTrail's logs), bounded: a small file may hold a very large one."""
    import io
    import zlib
    from gzip import GzipFile

    try:
        with GzipFile(fileobj=io.BytesIO(data)) as file:
            text = file.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{origin}: not readable as gzip: {error}") from error
    if len(text) > MAX_UNPACKED:
        raise InputError(f"{origin}: unpacked larger than {MAX_UNPACKED // 1024 // 1024} MB")
    return text


def request_in(
    content: Any, origin: str, operation: str | None = None
) -> tuple[str, dict[str, Any]]:
    """Return ``(operation, parameters)`` of a request given as parsed JSON.

    Two forms are read: ``{"operation": …, "params": {…}}``; bare parameters, as
    ``aws sagemaker create-training-job --cli-input-json`` takes them, when ``operation`` says or
    the members tell which call they belong to; raises ``InputError`` otherwise.
    """
    if not isinstance(content, dict):
        raise InputError(f"{origin}: a request is a JSON object, this is {kind_of_json(content)}")
    wrapped = _unwrap(content, origin)
    if wrapped is not None:
        named, params = wrapped
        if operation is not None and operation != named:
            raise InputError(
                f"{origin}: the file says {named}, --operation says {operation}; drop one of them"
            )
        operation = named
    else:
        params = content
        operation = operation or guess_operation(params, origin)
    entry_of(operation)
    return operation, params


def _unwrap(content: dict[str, Any], origin: str) -> tuple[str, dict[str, Any]] | None:
    lowered = {key.lower(): key for key in content}
    if "operation" not in lowered or not {"params", "parameters"} & set(lowered):
        return None
    operation = content[lowered["operation"]]
    params = content[lowered.get("params") or lowered["parameters"]]
    if not isinstance(operation, str):
        raise InputError(f"{origin}: operation must be a string, not {kind_of_json(operation)}")
    if not isinstance(params, dict):
        raise InputError(f"{origin}: params must be an object, not {kind_of_json(params)}")
    return operation, params


def kind_of_json(value: Any) -> str:
    """Return what a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return names.get(type(value), "null" if value is None else "a number")


def guess_operation(params: dict[str, Any], origin: str) -> str:
    """Return the Create operation that the members of bare parameters belong to.

    The request must name its resource (``TrainingJobName``); among the operations that do so,
    the one that knows most of the members wins, then the one that lacks the fewest required
    ones. Raises ``InputError`` when none or several fit, naming ``--operation`` as the remedy.
    """
    given = set(params)
    scores: dict[str, tuple[int, int]] = {}
    for name, entry in operations().items():
        if name.startswith("Create") and entry.name in given:
            lacking = len(set(entry.required) - given)
            scores[name] = (len(given & set(entry.members)), -lacking)
    best = max(scores.values(), default=None)
    fitting = sorted(name for name, score in scores.items() if score == best)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise InputError(
            f"{origin}: no SageMaker request: it has none of the members that name a resource "
            "(TrainingJobName, ModelName, …); say which call it is with --operation"
        )
    raise InputError(f"{origin}: fits {', '.join(fitting)}; say which with --operation")
