"""What a name of Python source may stand for, as far as its source tells.

A dictionary or list is a ``Table`` or ``Array``, shared like Python's own: a change through one
name is seen through the other. ``open`` says that it may hold more than is seen, and why.
Everything that is not literal is ``Unknown`` and keeps a short form of its source for people,
never the text of an argument, which may be a secret.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

MAX_TEXT: Final = 4096
MAX_ITEMS: Final = 2000
MAX_DEPTH: Final = 40
# Copies of what is known are made where a program branches; this bounds them for one document.
MAX_COPIES: Final = 400_000
_BRANCH: Final = "differs by branch"


class TooMuch(Exception):
    """The source asks for more work than a hint is worth."""


class Unknown(Struct, frozen=True):
    """What the source does not decide; ``text`` is its short form."""

    text: str


class Ref(Struct, frozen=True):
    """Something imported, by its full dotted name."""

    path: str

    @property
    def name(self) -> str:
        """The last part of the name."""
        return self.path.rpartition(".")[2]


class Other(Struct, frozen=True):
    """Something known to be none of ours: a class or function of the document, an instance."""

    what: str
    kind: str = "value"


class Client(Struct, frozen=True):
    """A boto3 client; ``service`` is None where the source does not decide which."""

    service: str | None


class Table(dict[Any, Any]):
    """A dictionary, or the arguments of a call."""

    def __init__(self, items: Mapping[Any, Any] | Iterable[Any] = (), why: str | None = None):
        super().__init__(items)
        self.open = why


class Array(list[Any]):
    """A list or tuple."""

    def __init__(self, items: Iterable[Any] = (), why: str | None = None):
        super().__init__(items)
        self.open = why


class Instance:
    """An object of an imported class: its full name, and the arguments it was made with."""

    def __init__(self, path: str, args: Table):
        self.path = path
        self.args = args

    @property
    def name(self) -> str:
        """The class's own name."""
        return self.path.rpartition(".")[2]


Value = Any
State = dict[str, Value]
_PLAIN = (str, int, float, bool, type(None), bytes)


def is_plain(value: Value) -> bool:
    """Tell whether a value is a literal without parts."""
    return isinstance(value, _PLAIN)


class Heap:
    """Copies and merges states, within one budget for the whole document."""

    def __init__(self) -> None:
        self._left = MAX_COPIES

    def spend(self, amount: int = 1) -> None:
        """Count work; raises ``TooMuch`` when none is left."""
        self._left -= amount
        if self._left < 0:
            raise TooMuch

    def copy(self, state: State) -> State:
        """Return a state of its own, in which what was shared is shared again."""
        memo: dict[int, Value] = {}
        return {name: self._copied(value, memo, 0) for name, value in state.items()}

    def copied(self, value: Value) -> Value:
        """Return a copy of one value, all of its parts included."""
        return self._copied(value, {}, 0)

    def _copied(self, value: Value, memo: dict[int, Value], depth: int) -> Value:
        self.spend()
        if not isinstance(value, (Table, Array, Instance)):
            return value
        if id(value) in memo:
            return memo[id(value)]
        if depth > MAX_DEPTH:
            return Unknown("nested too deeply")
        made: Value
        if isinstance(value, Table):
            made = memo[id(value)] = Table((), value.open)
            for key, each in value.items():
                made[key] = self._copied(each, memo, depth + 1)
        elif isinstance(value, Array):
            made = memo[id(value)] = Array((), value.open)
            made.extend(self._copied(each, memo, depth + 1) for each in value)
        else:
            made = memo[id(value)] = Instance(value.path, Table())
            made.args = self._copied(value.args, memo, depth + 1)
        return made

    def merge(self, first: State, second: State) -> State:
        """Return what holds after either of two ways was taken.

        A name that only one of them sets has that value: to use it after the other one fails.
        """
        memo: dict[tuple[int, int], Value] = {}
        merged = {}
        for name in {**first, **second}:
            if name in first and name in second:
                merged[name] = self._both(first[name], second[name], name, memo, 0)
            else:
                merged[name] = first[name] if name in first else second[name]
        return merged

    def either(self, first: Value, second: Value, text: str) -> Value:
        """Return what two possible values have in common."""
        return self._both(first, second, text, {}, 0)

    def _both(
        self, a: Value, b: Value, text: str, memo: dict[tuple[int, int], Value], depth: int
    ) -> Value:
        self.spend()
        if a is b and not isinstance(a, (Table, Array, Instance)):
            return a
        if is_plain(a) or isinstance(a, (Ref, Other, Client, Unknown)):
            if type(a) is type(b) and (a == b or isinstance(a, Unknown)):
                return a
            return Unknown(text)
        key = (id(a), id(b))
        if key in memo:
            return memo[key]
        if depth > MAX_DEPTH or type(a) is not type(b):
            return Unknown(text)
        made: Value
        if isinstance(a, Table):
            made = memo[key] = Table((), a.open or b.open)
            for name in {**a, **b}:
                if name in a and name in b:
                    made[name] = self._both(a[name], b[name], _BRANCH, memo, depth + 1)
                else:
                    made[name] = Unknown(_BRANCH)
            return made
        if isinstance(a, Array):
            if len(a) != len(b):
                return Unknown(text)
            made = memo[key] = Array((), a.open or b.open)
            for one, other in zip(a, b, strict=True):
                made.append(self._both(one, other, text, memo, depth + 1))
            return made
        if a.path != b.path:
            return Unknown(text)
        made = memo[key] = Instance(a.path, Table())
        made.args = self._both(a.args, b.args, text, memo, depth + 1)
        return made

    def same(self, first: State, second: State) -> bool:
        """Tell whether two states know the same of the same names."""
        seen: set[tuple[int, int]] = set()
        return first.keys() == second.keys() and all(
            self._same(value, second[name], seen) for name, value in first.items()
        )

    def _same(self, a: Value, b: Value, seen: set[tuple[int, int]]) -> bool:
        self.spend()
        if type(a) is not type(b):
            return False
        if isinstance(a, Unknown) or (id(a), id(b)) in seen:
            return True
        if not isinstance(a, (Table, Array, Instance)):
            return bool(a == b)
        seen.add((id(a), id(b)))
        if isinstance(a, Instance):
            return a.path == b.path and self._same(a.args, b.args, seen)
        if (a.open is None) is not (b.open is None) or len(a) != len(b):
            return False
        if isinstance(a, Array):
            return all(self._same(one, two, seen) for one, two in zip(a, b, strict=True))
        return a.keys() == b.keys() and all(self._same(a[k], b[k], seen) for k in a)

    def escape(self, value: Value, why: str) -> None:
        """Note that code which is not seen may change a value: nothing in it is certain."""
        self._escape(value, why, set())

    def _escape(self, value: Value, why: str, seen: set[int]) -> None:
        self.spend()
        if id(value) in seen or not isinstance(value, (Table, Array, Instance)):
            return
        seen.add(id(value))
        if isinstance(value, Instance):
            self._escape(value.args, why, seen)
            return
        value.open = value.open or why
        places = list(value.items()) if isinstance(value, Table) else list(enumerate(value))
        for place, each in places:
            if isinstance(each, (Table, Array, Instance)):
                self._escape(each, why, seen)
            elif not isinstance(each, Unknown):
                value[place] = Unknown(why)


def plain(value: Value, heap: Heap, depth: int = 0) -> Any:
    """Return a value as JSON; what is not known becomes ``{"Unknown": text}``."""
    heap.spend()
    if isinstance(value, float) and not math.isfinite(value):
        return {"Unknown": "a number"}
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (Table, Array)) and depth <= MAX_DEPTH:
        if isinstance(value, Array):
            return [plain(each, heap, depth + 1) for each in value]
        return {str(name): plain(each, heap, depth + 1) for name, each in value.items()}
    return {"Unknown": text_of(value)}


def text_of(value: Value) -> str:
    """Return a short form of a value that is not literal."""
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, Ref):
        return value.path
    if isinstance(value, Instance):
        return f"{value.name}(…)"
    if isinstance(value, Other):
        return value.what
    return "a client" if isinstance(value, Client) else "a value"
