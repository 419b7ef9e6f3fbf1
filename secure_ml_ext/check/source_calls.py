"""Calls in Python source: which of them send a request, and what others do to values."""

from __future__ import annotations

import ast
from typing import Any, Final

from msgspec import Struct

from .source_boto import fits, methods, undecided_text
from .source_expressions import Expressions
from .source_names import short
from .source_request import request_of
from .source_values import (
    MAX_ITEMS,
    Array,
    Client,
    Instance,
    Other,
    Ref,
    Table,
    Unknown,
    Value,
    is_plain,
)

# What reads its arguments and leaves them as they are.
_READERS: Final = frozenset(
    {
        *(
            f"builtins.{name}"
            for name in (
                *("print", "len", "str", "repr", "sorted", "isinstance", "type", "bool", "int"),
                *("float", "enumerate", "zip", "range", "min", "max", "sum", "any", "all"),
                *("hasattr", "getattr", "id", "set", "dict", "list", "tuple"),
            )
        ),
        *("json.dumps", "json.dump", "pprint.pprint", "pprint.pformat", "yaml.dump"),
        *("yaml.safe_dump", "time.sleep", "os.path.join"),
        *("IPython.display.display", "IPython.display.JSON"),
    }
)
_COPIES: Final = frozenset({"copy.copy", "copy.deepcopy"})
_BOTO: Final = ("boto3", "botocore", "aioboto3", "aiobotocore")


class Found(Struct, frozen=True):
    """A submission: where its call stands, the operation and its parameters."""

    cell: int | None
    line: int
    column: int
    operation: str
    params: dict[str, Any]
    note: str | None = None


class Said(Struct, frozen=True):
    """Something to say about a place; without a line, about the whole document."""

    cell: int | None
    line: int | None
    message: str


class Arguments(Struct):
    """The arguments of a call; ``open`` says why there may be more positional ones."""

    positional: list[Value]
    keywords: Table
    open: str | None = None

    def get(self, index: int, name: str) -> Value:
        """Return an argument by keyword or position, None where it is not given."""
        if name in self.keywords:
            return self.keywords[name]
        return self.positional[index] if index < len(self.positional) else None


class Calls(Expressions):
    """Evaluates calls, and keeps the submissions and notes that they make."""

    def __init__(self) -> None:
        super().__init__()
        self.cell: int | None = None
        self.quiet = False
        self.configured = False
        self.sdk = False
        self.found: dict[tuple[int, int, int, str], Found] = {}
        self.said: list[Said] = []

    # -- what is found -------------------------------------------------------------------------

    def submit(self, node: ast.Call, operation: str, members: Table, note: str | None) -> None:
        """Keep a submission at the place of its call."""
        if self.quiet:
            return
        params, undecided = request_of(operation, members, self.heap)
        line, column = _place(node)
        key = (self.cell or 0, line, column, operation)
        self.found[key] = Found(self.cell, line, column, operation, params, note)
        if undecided:
            self.say(line, undecided_text(operation, undecided))

    def say(self, line: int | None, message: str) -> None:
        """Keep a note, once."""
        said = Said(self.cell if line is not None else None, line, message)
        if not self.quiet and said not in self.said:
            self.said.append(said)

    # -- calls ---------------------------------------------------------------------------------

    def called(self, node: ast.Call) -> Value:
        """Return what a call gives."""
        if isinstance(node.func, ast.Attribute):
            receiver = self.value(node.func.value)
            arguments = self.arguments(node)
            if isinstance(receiver, Ref):
                ref = Ref(f"{receiver.path}.{node.func.attr}")
                return self._function(node, ref, arguments)
            return self._method(node, receiver, node.func.attr, arguments)
        callee = self.value(node.func)
        arguments = self.arguments(node)
        if isinstance(callee, Ref):
            return self._function(node, callee, arguments)
        self._handed(node, arguments)
        if isinstance(callee, Other) and callee.kind == "class":
            return Other(f"{callee.what}(…)")
        return Unknown(short(node))

    def arguments(self, node: ast.Call) -> Arguments:
        """Evaluate the arguments of a call."""
        made = Arguments([], Table())
        for each in node.args:
            value = self.value(each)
            if not isinstance(each, ast.Starred):
                made.positional.append(value)
            elif isinstance(value, Array) and value.open is None:
                made.positional.extend(value)
            else:
                made.open = made.open or f"*{short(each.value)}"
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is None:
                self.spread(made.keywords, value, f"**{short(keyword.value)}")
            else:
                made.keywords[keyword.arg] = value
        return made

    def _handed(self, node: ast.Call, arguments: Arguments) -> None:
        """Code that is not seen may change the dictionaries and objects that it is handed."""
        spread = {id(part) for k in node.keywords if k.arg is None for part in (k.value,)}
        why = f"as {short(node.func)}(…) leaves it"
        for value in arguments.positional:
            self.heap.escape(value, why)
        for keyword in node.keywords:
            if keyword.arg is not None and id(keyword.value) not in spread:
                self.heap.escape(arguments.keywords.get(keyword.arg), why)

    def _function(self, node: ast.Call, ref: Ref, arguments: Arguments) -> Value:
        root = ref.path.partition(".")[0]
        if root in _BOTO:
            return self._of_boto(node, ref, arguments)
        if root in ("sagemaker", "sagemaker_core"):
            return self.of_sdk(node, ref, arguments)
        if ref.path in _COPIES and arguments.positional:
            return self.heap.copied(arguments.positional[0])
        if root == "builtins":
            made = self._builtin(ref.name, arguments)
            if made is not None:
                return made
        if ref.path not in _READERS:
            self._handed(node, arguments)
        if ref.name == "client" or ref.name == "create_client":
            return self._client(arguments) or Unknown(short(node))
        operation = methods().get(ref.name)
        if operation is not None:
            self._sent(node, ref.name, arguments, certain=False)
        return Unknown(short(node))

    def _of_boto(self, node: ast.Call, ref: Ref, arguments: Arguments) -> Value:
        if ref.name in ("client", "create_client"):
            return self._client(arguments) or Client(None)
        if ref.name == "resource":
            return Other("a boto3 resource")
        if ref.name in ("Session", "get_session"):
            return Instance("boto3.Session", Table())
        return Unknown(short(node))

    def _client(self, arguments: Arguments) -> Client | None:
        service = arguments.get(0, "service_name")
        return Client(service) if isinstance(service, str) else None

    def _builtin(self, name: str, arguments: Arguments) -> Value | None:
        first = arguments.positional[0] if arguments.positional else None
        if name == "dict" and len(arguments.positional) < 2 and arguments.open is None:
            made = Table()
            if arguments.positional:
                self.spread(made, first, "dict(…)")
            self.spread(made, arguments.keywords, "dict(…)")
            return made
        if name in ("list", "tuple") and isinstance(first, Array):
            return Array(first, first.open)
        if name in ("str", "int", "bool") and is_plain(first) and arguments.positional:
            if name == "str" and isinstance(first, (str, int)):
                return str(first)
            if name == "bool":
                return bool(first)
            if name == "int" and isinstance(first, int):
                return int(first)
        return None

    def _method(self, node: ast.Call, receiver: Value, method: str, arguments: Arguments) -> Value:
        if isinstance(receiver, Table):
            return self._of_table(node, receiver, method, arguments)
        if isinstance(receiver, Array):
            return self._of_array(node, receiver, method, arguments)
        if isinstance(receiver, str):
            return self._of_text(node, receiver, method, arguments)
        if isinstance(receiver, Client):
            if receiver.service in (None, "sagemaker"):
                self._sent(node, method, arguments, certain=receiver.service is not None)
            return Unknown(short(node))
        if method in ("client", "create_client") and not isinstance(receiver, Other):
            client = self._client(arguments)
            if client is not None:
                return client
            if isinstance(receiver, Instance) and receiver.path == "boto3.Session":
                return Client(None)
        if isinstance(receiver, Instance):
            return self.on_instance(node, receiver, method, arguments)
        if isinstance(receiver, Unknown):
            self._sent(node, method, arguments, certain=False)
        self._handed(node, arguments)
        return Unknown(short(node))

    def _sent(self, node: ast.Call, method: str, arguments: Arguments, *, certain: bool) -> None:
        """Keep a call of boto3 as a submission where it is one."""
        operation = methods().get(method)
        if operation is None or arguments.positional or arguments.open is not None:
            return
        if certain or fits(operation, method, arguments.keywords):
            self.submit(node, operation, arguments.keywords, None)

    # -- methods of what Python has ------------------------------------------------------------

    def _of_table(self, node: ast.Call, table: Table, method: str, arguments: Arguments) -> Value:
        first = arguments.positional[0] if arguments.positional else None
        second = arguments.positional[1] if len(arguments.positional) > 1 else None
        text = short(node)
        if method == "update":
            for value in arguments.positional:
                self.spread(table, value, text)
            self.spread(table, arguments.keywords, text)
            return None
        if method == "copy":
            return Table(table, table.open)
        if method == "clear":
            table.clear()
            table.open = None
            return None
        if method in ("get", "setdefault", "pop") and isinstance(first, str):
            sure = first in table or table.open is None
            value = table.get(first, second) if sure else Unknown(text)
            if method == "pop":
                self.removed(table, first)
            elif method == "setdefault" and first not in table:
                table[first] = value if sure else self.heap.either(Unknown(text), second, text)
            return value
        if method not in ("items", "keys", "values", "get"):
            self.heap.escape(table, text)
        return Unknown(text)

    def _of_array(self, node: ast.Call, array: Array, method: str, arguments: Arguments) -> Value:
        first = arguments.positional[0] if arguments.positional else None
        if len(array) > MAX_ITEMS:
            array.open = array.open or short(node)
        elif method == "append" and len(arguments.positional) == 1:
            array.append(first)
            return None
        elif method == "extend" and isinstance(first, Array) and len(first) <= MAX_ITEMS:
            array.extend(list(first))
            array.open = array.open or first.open
            return None
        elif method == "copy":
            return Array(array, array.open)
        if method not in ("index", "count", "copy"):
            self.heap.escape(array, short(node))
            array[:] = [Unknown(short(node))]
        return Unknown(short(node))

    def _of_text(self, node: ast.Call, text: str, method: str, arguments: Arguments) -> Value:
        given = arguments.positional
        if method == "split" and len(given) == 1 and isinstance(given[0], str) and given[0]:
            parts = text.split(given[0])
            return Array(parts) if len(parts) <= MAX_ITEMS else Unknown(short(node))
        if method in ("strip", "lower", "upper") and not given:
            return getattr(text, method)()
        return Unknown(short(node))

    # -- the SDK, see source_sdk ---------------------------------------------------------------

    def of_sdk(self, node: ast.Call, ref: Ref, arguments: Arguments) -> Value:
        """Return what a function or class of the SageMaker SDK gives."""
        from .source_sdk import call

        return call(self, node, ref, arguments)

    def on_instance(
        self, node: ast.Call, receiver: Instance, method: str, arguments: Arguments
    ) -> Value:
        """Return what a method of an SDK object gives."""
        from .source_sdk import method as sdk_method

        return sdk_method(self, node, receiver, method, arguments)


def _place(node: ast.Call) -> tuple[int, int]:
    """Return where the name of what is called ends: the line of ``.fit(`` in a chain."""
    func = node.func
    if isinstance(func, ast.Attribute) and func.end_lineno is not None:
        return func.end_lineno, func.end_col_offset or 0
    return func.lineno, func.col_offset
