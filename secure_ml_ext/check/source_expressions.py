"""Expressions of Python source: what they give, as far as literals and names tell."""

from __future__ import annotations

import ast
import builtins
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final

from .source_names import short
from .source_values import (
    MAX_ITEMS,
    MAX_TEXT,
    Array,
    Client,
    Heap,
    Instance,
    Ref,
    State,
    Table,
    TooMuch,
    Unknown,
    Value,
    is_plain,
)

MAX_EXPRESSIONS: Final = 1_000_000
_NUMBERS: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_COMPARED: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_LARGEST: Final = 10**12


class Expressions(ABC):
    """Evaluates expressions in ``state``; calls are left to ``called``."""

    def __init__(self) -> None:
        self.state: State = {}
        self.heap = Heap()
        self.touched: set[str] = set()
        self.stars: list[str] = []
        self._expressions = MAX_EXPRESSIONS

    @abstractmethod
    def called(self, node: ast.Call) -> Value:
        """Return what a call gives."""

    @abstractmethod
    def later(self, node: ast.Lambda) -> None:
        """Keep the body of a function for later."""

    @abstractmethod
    def bind(self, name: str, value: Value) -> None:
        """Give a name its value."""

    def value(self, node: ast.expr) -> Value:
        """Return what an expression gives; submissions in it are found on the way."""
        self._expressions -= 1
        if self._expressions < 0:
            raise TooMuch
        handle = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if handle is not None:
            return handle(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
        return Unknown(short(node))

    # -- literals and names --------------------------------------------------------------------

    def _of_constant(self, node: ast.Constant) -> Value:
        value = node.value
        if isinstance(value, (str, bytes)) and len(value) > MAX_TEXT:
            return Unknown("a long text")
        return value if is_plain(value) else Unknown("…")

    def _of_name(self, node: ast.Name) -> Value:
        name = node.id
        if name in self.state:
            value = self.state[name]
            if name in self.touched:
                self.heap.escape(value, name)
                return Unknown(name) if is_plain(value) else value
            return value
        if hasattr(builtins, name):
            return Ref(f"builtins.{name}")
        for module in self.stars:
            if module.partition(".")[0] in ("sagemaker", "sagemaker_core"):
                return Ref(f"{module}.{name}")
        return Unknown(name)

    def _of_dict(self, node: ast.Dict) -> Value:
        made = Table()
        if len(node.keys) > MAX_ITEMS:
            return Table((), "a long dictionary")
        for key, item in zip(node.keys, node.values, strict=True):
            if key is None:
                self.spread(made, self.value(item), f"**{short(item)}")
            else:
                name = self.value(key)
                self.stored(made, name, self.value(item), short(key))
        return made

    def _of_list(self, node: ast.List | ast.Tuple) -> Value:
        if len(node.elts) > MAX_ITEMS:
            return Array([Unknown("a long list")], "a long list")
        made = Array()
        for each in node.elts:
            value = self.value(each)
            if not isinstance(each, ast.Starred):
                made.append(value)
            elif isinstance(value, Array) and len(made) + len(value) <= MAX_ITEMS:
                made.extend(value)
                made.open = made.open or value.open
            else:
                made.append(Unknown(f"*{short(each.value)}"))
                made.open = made.open or f"*{short(each.value)}"
        return made

    _of_tuple = _of_list

    def _of_starred(self, node: ast.Starred) -> Value:
        return self.value(node.value)

    def _of_await(self, node: ast.Await) -> Value:
        return self.value(node.value)

    def _of_namedexpr(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.bind(node.target.id, value)
        return value

    def _of_joinedstr(self, node: ast.JoinedStr) -> Value:
        made = ""
        known = True
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            value = self.value(inner)
            plain = isinstance(value, (str, int)) and (
                not isinstance(part, ast.FormattedValue)
                or (part.format_spec is None and part.conversion == -1)
            )
            known = known and plain and len(made) <= MAX_TEXT
            made += str(value) if known else ""
        return made if known else Unknown(short(node))

    # -- operators -----------------------------------------------------------------------------

    def _of_binop(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        return self.combined(left, node.op, right, short(node))

    def augmented(self, node: ast.AugAssign) -> Value:
        """Return what an augmented assignment gives; dictionaries and lists change in place."""
        target = ast.copy_location(_loaded(node.target), node.target)
        left, right = self.value(target), self.value(node.value)
        if isinstance(left, Table) and isinstance(node.op, ast.BitOr):
            self.spread(left, right, short(node.value))
            return left
        if isinstance(left, Array) and isinstance(node.op, ast.Add):
            if isinstance(right, Array) and len(left) + len(right) <= MAX_ITEMS:
                left.extend(list(right))
                left.open = left.open or right.open
            else:
                left.open = left.open or short(node.value)
                left.append(Unknown(short(node.value)))
            return left
        return self.combined(left, node.op, right, short(node.target))

    def combined(self, left: Value, op: ast.operator, right: Value, text: str) -> Value:
        """Return what a binary operator gives."""
        if isinstance(op, ast.BitOr) and isinstance(left, Table):
            made = Table(left, left.open)
            self.spread(made, right, text)
            return made
        if isinstance(op, ast.BitOr) and isinstance(right, Table):
            made = Table((), text)
            self.spread(made, right, text)
            return made
        if isinstance(op, ast.Add) and isinstance(left, Array) and isinstance(right, Array):
            if len(left) + len(right) <= MAX_ITEMS:
                return Array([*left, *right], left.open or right.open)
            return Unknown(text)
        if isinstance(op, ast.Add) and isinstance(left, str) and isinstance(right, str):
            made_text = left + right
            return made_text if len(made_text) <= MAX_TEXT else Unknown(text)
        fold = _NUMBERS.get(type(op))
        if fold is not None and _number(left) and _number(right):
            return fold(left, right)
        return Unknown(text)

    def _of_unaryop(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not) and (is_plain(value) or _sized(value)):
            return not value
        if isinstance(node.op, ast.USub) and _number(value):
            return -value
        return Unknown(short(node.operand))

    def _of_boolop(self, node: ast.BoolOp) -> Value:
        wanted = isinstance(node.op, ast.Or)
        last: Value = None
        unsure = False
        for each in node.values:
            last = self.value(each)
            if unsure:
                continue
            if not (is_plain(last) or _sized(last)):
                unsure = True
            elif bool(last) is wanted:
                return last
        return Unknown(" or ".join(short(each) for each in node.values[:3])) if unsure else last

    def _of_compare(self, node: ast.Compare) -> Value:
        left = self.value(node.left)
        rest = [self.value(each) for each in node.comparators]
        if len(rest) == 1:
            fold = _COMPARED.get(type(node.ops[0]))
            if fold is not None and is_plain(left) and is_plain(rest[0]):
                return bool(fold(left, rest[0]))
        return Unknown("a comparison")

    def _of_ifexp(self, node: ast.IfExp) -> Value:
        test = self.value(node.test)
        if is_plain(test):
            return self.value(node.body if test else node.orelse)
        return self.heap.either(self.value(node.body), self.value(node.orelse), short(node))

    # -- parts of values -----------------------------------------------------------------------

    def _of_attribute(self, node: ast.Attribute) -> Value:
        value = self.value(node.value)
        if isinstance(value, Ref):
            return Ref(f"{value.path}.{node.attr}")
        if isinstance(value, Instance):
            if node.attr in value.args:
                return value.args[node.attr]
            if node.attr == "sagemaker_client":
                return Client("sagemaker")
        return Unknown(short(node))

    def _of_subscript(self, node: ast.Subscript) -> Value:
        value = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return Unknown(short(node))
        key = self.value(node.slice)
        if isinstance(value, Table) and isinstance(key, (str, int)) and key in value:
            return value[key]
        if isinstance(value, Array) and self._inside(value, key):
            return value[key]
        return Unknown(short(node))

    @staticmethod
    def _inside(array: Array, key: Value) -> bool:
        return type(key) is int and array.open is None and -len(array) <= key < len(array)

    def _of_call(self, node: ast.Call) -> Value:
        return self.called(node)

    def stored(self, holder: Value, key: Value, value: Value, text: str = "a key") -> None:
        """Set an entry of a dictionary or list."""
        if isinstance(holder, Table):
            if isinstance(key, (str, int)):
                holder[key] = value
            else:
                text = key.text if isinstance(key, Unknown) else text
                for name in holder:
                    holder[name] = Unknown(f"[{text}]")
                holder.open = f"[{text}]"
        elif isinstance(holder, Array):
            if self._inside(holder, key):
                holder[key] = value
            else:
                self.heap.escape(holder, "an entry of a list")

    def removed(self, holder: Value, key: Value) -> None:
        """Take an entry away; of what is open it is then known not to be there."""
        if isinstance(holder, Table) and isinstance(key, (str, int)):
            holder.pop(key, None)
            if holder.open is not None:
                holder[key] = None
        else:
            self.heap.escape(holder, "an entry that is removed")

    def attributed(self, holder: Value, name: str, value: Value) -> None:
        """Set an attribute of an object."""
        if isinstance(holder, Instance):
            holder.args[name] = value

    def spread(self, into: Table, value: Value, text: str) -> None:
        """Add all entries of a mapping; one that is not known may replace any entry."""
        if isinstance(value, Table):
            if value.open is not None:
                for name in into:
                    if name not in value:
                        into[name] = Unknown(value.open)
                into.open = value.open
            into.update(value)
        elif value is not None:
            why = value.text if isinstance(value, Unknown) and text[:2] != "**" else text
            for name in into:
                into[name] = Unknown(why)
            into.open = why

    def unpacked(self, value: Value, targets: Sequence[ast.expr]) -> list[Value]:
        """Return the parts of a value for the targets of an unpacking."""
        plain = not any(isinstance(each, ast.Starred) for each in targets)
        known = plain and isinstance(value, Array) and value.open is None
        if known and len(value) == len(targets):
            return list(value)
        return [Unknown(short(each)) for each in targets]

    def entered(self, value: Value, node: ast.expr) -> Value:
        """Return what ``with`` gives a name."""
        return value if isinstance(value, (Client, Instance)) else Unknown(short(node))

    # -- scopes of their own -------------------------------------------------------------------

    def _of_lambda(self, node: ast.Lambda) -> Value:
        self.later(node)
        return Unknown("a function")

    def _of_listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        self._comprehended(node.generators, [node.elt])
        return Unknown(short(node))

    _of_setcomp = _of_listcomp
    _of_generatorexp = _of_listcomp

    def _of_dictcomp(self, node: ast.DictComp) -> Value:
        self._comprehended(node.generators, [node.key, node.value])
        return Table((), short(node))

    def _comprehended(self, parts: Sequence[ast.comprehension], made: Sequence[ast.expr]) -> None:
        outside = self.state
        self.heap.spend(len(outside))
        self.state = dict(outside)
        for part in parts:
            self.value(part.iter)
            for child in ast.walk(part.target):
                if isinstance(child, ast.Name):
                    self.state[child.id] = Unknown(child.id)
            for test in part.ifs:
                self.value(test)
        for each in made:
            self.value(each)
        self.state = outside


def _loaded(target: ast.expr) -> ast.expr:
    """Return the target of an augmented assignment as an expression to read."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    return target


def _number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST


def _sized(value: Value) -> bool:
    return isinstance(value, (Table, Array)) and value.open is None
