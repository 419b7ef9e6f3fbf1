"""The values of a pipeline definition: its parameters, and the functions that stand for a value.

``{"Get": "Parameters.X"}`` and ``{"Std:Join": …}`` are filled in where all of it is known.
All else (``Steps.…``, ``Execution.…``, ``Std:JsonGet``) is decided while the pipeline runs and
stays as it is. The forms are those of the SageMaker pipeline definition schema 2020-12-01 and of
``StartPipelineExecution``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .files import InputError
from .records import Note

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]

MAX_DEPTH: Final = 50
MAX_CONTAINERS: Final = 500_000
# What AWS takes as a String parameter's default; no field of a request is longer.
MAX_TEXT: Final = 4096
MAX_JOINED: Final = 8_000_000

_PARAMETER: Final = "Parameters."
_FUNCTIONS: Final = frozenset({"Get", "Std:Join", "Std:JsonGet"})
_LEAVES: Final = frozenset({str, int, float, bool, type(None)})
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}


class _Unknown:
    """The value of what is decided later."""


_UNKNOWN: Final = _Unknown()


def is_function(value: Any) -> bool:
    """Tell whether a JSON value is one of the pipeline service's functions, known or not."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _FUNCTIONS


class Values:
    """What the parameters of one definition are, and what stands in the place of a function.

    ``declared`` is the definition's ``Parameters``, ``given`` the overrides by name or as
    ``StartPipelineExecution`` takes them, ``name`` the pipeline's. ``notes`` tell what AWS would
    refuse; none repeats a value, which may be a secret. Raises ``InputError`` for another form.
    """

    def __init__(self, declared: Any, given: Parameters | None, name: str | None) -> None:
        self.notes: list[Note] = []
        self._known: dict[str, Any] = {} if name is None else {"Execution.PipelineName": name}
        self._declared: set[str] = set()
        self._wanted: dict[str, str | None] = {}
        self._where: str | None = None
        self._cuts: set[str | None] = set()
        self._left = MAX_CONTAINERS
        self._joined = MAX_JOINED
        overrides = dict(self._overrides(given))
        for parameter in self._parameters(declared):
            self._learn(parameter, overrides)
        for foreign in overrides:
            if foreign not in self._declared:
                self._say(f"parameter {shown(foreign)} is given, but not declared: AWS refuses it")

    # -- parameters ----------------------------------------------------------------------------

    def _say(self, message: str, where: str | None = None) -> None:
        self.notes.append(Note(message, where))

    def _overrides(self, given: Parameters | None) -> Iterator[tuple[str, Any]]:
        """Yield the overrides by name; of a name that is given twice the last counts."""
        if given is None:
            return
        if isinstance(given, Mapping):
            for name, value in given.items():
                yield str(name), value
            return
        if not isinstance(given, (list, tuple)):
            raise InputError('parameters: an object, or a list of {"Name": …, "Value": …}, is read')
        seen: set[str] = set()
        for index, entry in enumerate(given):
            key = entry.get("Name") if isinstance(entry, Mapping) else None
            if not isinstance(key, str):
                raise InputError(f'parameters: entry {index + 1} is no {{"Name": …, "Value": …}}')
            if key in seen:
                self._say(f"parameter {shown(key)} is given twice: the last value is taken")
            seen.add(key)
            yield key, entry.get("Value")

    def _parameters(self, declared: Any) -> Iterator[Mapping[str, Any]]:
        if declared is None:
            return
        if not isinstance(declared, (list, tuple)):
            raise InputError('"Parameters" of a pipeline definition must be a list of objects')
        for index, parameter in enumerate(declared):
            name = parameter.get("Name") if isinstance(parameter, Mapping) else None
            if not isinstance(name, str) or not name:
                self._say(f"parameter {index + 1} has no name: AWS refuses the definition")
            elif name in self._declared:
                self._say(f"parameter {shown(name)} is declared twice: the first is taken")
            else:
                self._declared.add(name)
                yield parameter

    def _learn(self, parameter: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
        """Keep the value of a parameter: the one given, else its default.

        A value of a wrong form is kept as it is: the check then says what it would be.
        """
        name, kind = parameter["Name"], parameter.get("Type", "String")
        value, said = parameter.get("DefaultValue"), "its default"
        if overrides.get(name) is not None:
            value, said = overrides[name], "the value given"
        if value is None:
            return
        said = f"parameter {shown(name)}: {said}"
        if not _fits(value):
            self._say(f"{said} is no text, number or flag that AWS takes; it counts as not known")
            return
        right = typed(value, kind)
        if right is None:
            form = shown(kind) if isinstance(kind, str) else "known type"
            self._say(f"{said} is no {form}: AWS refuses it")
            right = value
        allowed = parameter.get("EnumValues")
        if isinstance(allowed, (list, tuple)) and allowed and right not in allowed:
            self._say(f"{said} is none of its EnumValues: AWS refuses it")
        self._known[_PARAMETER + name] = right

    # -- values --------------------------------------------------------------------------------

    def resolve(self, value: Any, where: str | None) -> Any:
        """Return a copy of a JSON value with what is known in the place of the functions.

        ``where`` names the step, for notes. What is nested deeper than ``MAX_DEPTH`` becomes
        ``{"Unknown": …}``. Raises ``InputError`` past ``MAX_CONTAINERS`` objects and lists in all.
        """
        self._where = where
        return value if value.__class__ in _LEAVES else self._filled(value, 0)

    def spend(self) -> None:
        """Count one object or list; raises ``InputError`` past ``MAX_CONTAINERS``."""
        self._left -= 1
        if self._left < 0:
            raise InputError(
                f"the pipeline definition holds more than {MAX_CONTAINERS:,} objects and lists "
                "and is not read: split the pipeline"
            )

    def _filled(self, value: Any, depth: int) -> Any:
        # Nearly all of the time of reading a definition is spent here.
        self.spend()
        if depth > MAX_DEPTH:
            return self._cut()
        below = depth + 1
        if isinstance(value, dict):
            if len(value) == 1 and is_function(value):
                found = self._value(value, depth)
                return self._copy(value, depth) if found is _UNKNOWN else found
            return {
                key: item if item.__class__ in _LEAVES else self._filled(item, below)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [
                item if item.__class__ in _LEAVES else self._filled(item, below) for item in value
            ]
        return self._filled(dict(value), depth) if isinstance(value, Mapping) else value

    def finish(self) -> list[Note]:
        """Return all notes, with those about parameters that steps use and that have no value."""
        for name, where in self._wanted.items():
            if name in self._declared:
                text = "has no value yet, so what it decides is not determined; give it a value"
            else:
                text = "is used, but not declared: AWS refuses the definition"
            self._say(f"parameter {shown(name)} {text}", where)
        return self.notes

    def _cut(self) -> dict[str, str]:
        if self._where not in self._cuts:
            self._cuts.add(self._where)
            text = f"what is nested more than {MAX_DEPTH} levels deep is not read"
            self._say(text, self._where)
        return {"Unknown": "nested too deeply"}

    def _copy(self, value: Any, depth: int) -> Any:
        """Return a copy of what stays as it is."""
        if value.__class__ in _LEAVES:
            return value
        self.spend()
        if depth > MAX_DEPTH:
            return self._cut()
        if isinstance(value, Mapping):
            return {key: self._copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._copy(item, depth + 1) for item in value]
        return value

    def _value(self, function: Mapping[str, Any], depth: int) -> Any:
        """Return what a function gives, or ``_UNKNOWN``."""
        self.spend()
        path = function.get("Get")
        if isinstance(path, str):
            found = self._known.get(path, _UNKNOWN)
            if found is _UNKNOWN and path.startswith(_PARAMETER):
                self._wanted.setdefault(path[len(_PARAMETER) :], self._where)
            return found
        join = function.get("Std:Join")
        if isinstance(join, dict) and depth <= MAX_DEPTH:
            return self._join(join, depth)
        return _UNKNOWN

    def _join(self, join: Mapping[str, Any], depth: int) -> Any:
        """Return the joined text where all parts are known, or ``_UNKNOWN``.

        Text and whole numbers are joined; how AWS writes fractions and flags is not documented.
        """
        glue, parts = join.get("On", ""), join.get("Values")
        if not isinstance(glue, str) or not isinstance(parts, (list, tuple)):
            return _UNKNOWN
        texts: list[str] = []
        length = -len(glue)
        for part in parts:
            value = self._value(part, depth + 1) if is_function(part) else part
            if value.__class__ is int and _fits(value):
                value = str(value)
            if isinstance(value, str):
                texts.append(value)
                length += len(value) + len(glue)
        if len(texts) < len(parts) or length > min(MAX_TEXT, self._joined):
            return _UNKNOWN
        self._joined -= length
        return glue.join(texts)


def _fits(value: Any) -> bool:
    """Tell whether a value is a text, number or flag of a size that AWS takes."""
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, float) and math.isfinite(value)


def typed(value: Any, kind: Any) -> str | int | float | None:
    """Return a text, number or flag in a parameter's declared type; None for another form.

    ``StartPipelineExecution`` takes text only, and the SDKs write it with ``str``: ``True``.
    """
    if kind == "String":
        return str(value)
    if kind == "Boolean":
        return value if isinstance(value, bool) else _FLAGS.get(str(value).lower())
    if isinstance(value, bool):
        return None
    if kind == "Integer":
        if isinstance(value, str):
            return int(value) if _INTEGER.fullmatch(value) else None
        return int(value) if value == int(value) else None
    if kind == "Float" and (not isinstance(value, str) or _NUMBER.fullmatch(value)):
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def shown(name: str) -> str:
    """Return a name from the document as it may stand in a message: printable and bounded."""
    if not name.isprintable():
        name = "".join(character if character.isprintable() else "?" for character in name)
    return name if len(name) <= 100 else name[:99] + "…"
