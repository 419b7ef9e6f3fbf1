"""Loads the YAML of CloudFormation: short tags become functions, and no tag runs anything.

The parser's events are put together here, without recursion, because three things are needed that
PyYAML's own loaders do not give: the line of a resource, an error for a member that stands twice,
and a bound on what aliases expand to. Values are YAML 1.1, as in CloudFormation: dates stay text.
"""

from __future__ import annotations

import math
from typing import Any

from .files import InputError
from .reshape import MAX_DEPTH

MAX_ALIASED = 100_000
_CORE = "tag:yaml.org,2002:"
# No key of YAML can hold this character.
_MERGE = "\0merge"
_PLAIN = frozenset({"str", "seq", "map", "timestamp", "binary"})


class _Frame:
    """A list or an object that is being read."""

    def __init__(self, event: Any, is_list: bool) -> None:
        self.event = event
        self.value: Any = [] if is_list else {}
        self.key: str | None = None
        self.merged: list[dict[str, Any]] = []
        self.size = 1


class TemplateYaml:
    """A loaded document: ``content``, and in ``lines`` the line of every resource, from 1.

    Raises ``InputError`` with the line for what is no YAML, holds more than one document, a
    member twice, a tag of another language, or aliases that expand to more than 100,000 values.
    """

    def __init__(self, text: str) -> None:
        import yaml

        self.content: Any = None
        self.lines: dict[str, int] = {}
        self._yaml = yaml
        self._resolver: Any = yaml.resolver.Resolver()
        self._constructor = yaml.constructor.SafeConstructor()
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._aliased = 0
        self._documents = 0
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(text, Loader=loader):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
            raise InputError(f"{place}not readable as YAML: {error.problem}") from error
        except (yaml.YAMLError, UnicodeError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"not readable as YAML: {reason}") from error

    def _take(self, event: Any) -> None:
        yaml = self._yaml
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise InputError(f"{_line(event)}: a second document; a template is one")
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._add(event, *self._scalar(event), 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._stack) >= MAX_DEPTH:
                raise InputError(f"{_line(event)}: nested more than {MAX_DEPTH} levels deep")
            self._stack.append(_Frame(event, isinstance(event, yaml.SequenceStartEvent)))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(self._stack.pop())

    def _close(self, frame: _Frame) -> None:
        for below in frame.merged:
            for key, value in below.items():
                frame.value.setdefault(key, value)
        tag = frame.event.tag
        if tag and not tag.startswith(_CORE):
            self._add(frame.event, _function(frame.event, frame.value), False, frame.size + 1)
            return
        if tag and tag.removeprefix(_CORE) not in _PLAIN:
            raise _foreign(frame.event)
        self._add(frame.event, frame.value, False, frame.size)

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            raise InputError(f"{_line(event)}: the alias *{event.anchor} stands for nothing yet")
        value, size = known
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise InputError(
                f"{_line(event)}: aliases expand to more than {MAX_ALIASED} values; write them out"
            )
        self._add(event, value, False, size)

    def _scalar(self, event: Any) -> tuple[Any, bool]:
        """Return the value of a scalar, and whether it is the sign of a merge (``<<``)."""
        text, tag = event.value, event.tag
        if tag and not tag.startswith(_CORE) and tag != "!":
            return _function(event, text), False
        if not tag and event.implicit[0]:
            tag = self._resolver.resolve(self._yaml.ScalarNode, text, (True, False))
        kind = (tag or "").removeprefix(_CORE)
        if kind == "merge":
            return text, True
        if kind in ("", "!", "value") or kind in _PLAIN:
            return text, False
        if kind not in ("null", "bool", "int", "float"):
            raise _foreign(event)
        return self._typed(kind, tag, text), False

    def _typed(self, kind: str, tag: str, text: str) -> Any:
        make = getattr(self._constructor, f"construct_yaml_{kind}")
        try:
            value = make(self._yaml.ScalarNode(tag, text))
        except (ValueError, KeyError):
            # "0b_", or more digits than Python reads: not a number in CloudFormation either.
            return text
        return text if isinstance(value, float) and not math.isfinite(value) else value

    def _add(self, event: Any, value: Any, merges: bool, size: int) -> None:
        """Put a finished value where it belongs: into its list, as a key or under its key."""
        anchor = getattr(event, "anchor", None)
        if anchor and not isinstance(event, self._yaml.AliasEvent):
            self._anchors[anchor] = (value, size)
        if not self._stack:
            self.content = value
            return
        frame = self._stack[-1]
        frame.size += size
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is None:
            frame.key = _MERGE if merges else self._key(frame, event, value)
        else:
            self._member(frame, event, value)
            frame.key = None

    def _key(self, frame: _Frame, event: Any, value: Any) -> str:
        # A key that looks like another type (2012, yes) is the text that stands there.
        key = event.value if isinstance(event, self._yaml.ScalarEvent) else value
        if not isinstance(key, str) or isinstance(value, (dict, list)):
            raise InputError(f"{_line(event)}: a member's name must be text")
        if key in frame.value:
            raise InputError(f"{_line(event)}: the member {key[:60]!r} stands twice in one object")
        if len(self._stack) == 2 and self._stack[0].key == "Resources":
            self.lines[key] = event.start_mark.line + 1
        return key

    def _member(self, frame: _Frame, event: Any, value: Any) -> None:
        if frame.key is not None and frame.key != _MERGE:
            frame.value[frame.key] = value
            return
        below = value if isinstance(value, list) else [value]
        if not all(isinstance(item, dict) for item in below):
            raise InputError(f"{_line(event)}: only objects can be merged with <<")
        frame.merged += below


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"


def _foreign(event: Any) -> InputError:
    return InputError(f"{_line(event)}: the tag {event.tag[:60]!r} is none of CloudFormation")


def _function(event: Any, value: Any) -> dict[str, Any]:
    """Return the function that a short tag stands for: ``!Ref X`` is ``{"Ref": "X"}``."""
    if not event.tag.startswith("!") or event.tag.startswith("!!"):
        raise _foreign(event)
    name = event.tag[1:]
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{name}": value}
