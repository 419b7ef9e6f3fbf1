"""Walks Python source in the order of the document and keeps what every name may stand for.

Nothing is run. Both ways of a branch are walked and merged, loops are walked until nothing
changes, functions once with unknown parameters; what differs is unknown afterwards.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from .source_calls import Calls
from .source_names import Effects, effects_of, writes_of
from .source_values import Client, Other, Ref, State, TooMuch, Unknown, Value, is_plain

MAX_STEPS: Final = 200_000
_PASSES: Final = 3
_DEEPEST_LOOP: Final = 3

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class _Loop:
    """The states in which a loop is left or begun anew from its middle."""

    def __init__(self) -> None:
        self.left: list[State] = []
        self.again: list[State] = []


class Walk(Calls):
    """The walk over one document; ``found`` holds its submissions.

    ``run`` takes the statements of one cell after the other, ``finish`` the functions that were
    defined on the way. Both raise ``TooMuch`` where a document asks for more work than it is
    worth, ``RecursionError`` where it is nested too deeply.
    """

    def __init__(self) -> None:
        super().__init__()
        self._steps = MAX_STEPS
        self._loops: list[_Loop] = []
        self._functions: deque[tuple[int | None, _Function, State, dict[str, int]]] = deque()
        self._bound: dict[str, int] = {}

    def run(self, statements: Sequence[ast.stmt], cell: int | None) -> None:
        """Walk the statements of a cell."""
        self.cell = cell
        self._block(statements)

    def finish(self) -> None:
        """Walk the bodies of functions, with what the document knows of their free names."""
        while self._functions:
            cell, function, before, bound = self._functions.popleft()
            self.cell = cell
            self._body(function, before, bound)

    def recover(self) -> None:
        """Go on after a cell that could not be walked to its end; values are unknown then."""
        self._loops.clear()
        self.quiet = False
        self.doubt(list(self.state))

    def doubt(self, names: Iterable[str]) -> None:
        """Take the values of these names as unknown; what they are imported as stays."""
        for name in names:
            if not isinstance(self.state.get(name, Other("")), (Ref, Other, Client)):
                self.state[name] = Unknown(name)

    def forget(self, statements: Iterable[ast.AST]) -> None:
        """Take all that these statements may change as unknown."""
        for statement in statements:
            self._forget(effects_of(statement))

    def _forget(self, effects: Effects) -> None:
        for name in effects.changed:
            if name in self.state:
                self.heap.escape(self.state[name], name)
        for name in effects.bound:
            self.state[name] = Unknown(name)

    # -- statements ----------------------------------------------------------------------------

    def _block(self, statements: Iterable[ast.stmt]) -> bool:
        """Walk statements; False where control never reaches what follows them."""
        for statement in statements:
            self._steps -= 1
            if self._steps < 0:
                raise TooMuch
            handle = getattr(self, f"_on_{type(statement).__name__.lower()}", None)
            if handle is None:
                self._parts(statement)
            elif handle(statement) is False:
                return False
        return True

    def _parts(self, statement: ast.stmt) -> None:
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.expr):
                self.value(child)

    def _on_expr(self, node: ast.Expr) -> None:
        self.value(node.value)

    def _on_assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self._bind(target, value)

    def _on_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._bind(node.target, self.value(node.value))

    def _on_augassign(self, node: ast.AugAssign) -> None:
        self._bind(node.target, self.augmented(node))

    def _on_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.state.pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                self.removed(self.value(target.value), self.value(target.slice))

    def _bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = self.unpacked(value, target.elts)
            for each, part in zip(target.elts, parts, strict=True):
                self._bind(each.value if isinstance(each, ast.Starred) else each, part)
        elif isinstance(target, ast.Subscript):
            self.stored(self.value(target.value), self.value(target.slice), value)
        elif isinstance(target, ast.Attribute):
            self.attributed(self.value(target.value), target.attr, value)

    def bind(self, name: str, value: Value) -> None:
        """Give a name its value."""
        self._bound[name] = self._bound.get(name, 0) + 1
        self.state[name] = value

    def _on_import(self, node: ast.Import) -> None:
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            self.bind(alias.asname or path, Ref(path))

    def _on_importfrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(module)
            else:
                self.bind(alias.asname or alias.name, Ref(f"{module}.{alias.name}"))

    def _on_return(self, node: ast.Return) -> bool:
        if node.value is not None:
            self.value(node.value)
        return False

    def _on_raise(self, node: ast.Raise) -> bool:
        self._parts(node)
        return False

    def _on_break(self, _: ast.Break) -> bool:
        if self._loops:
            self._loops[-1].left.append(self.heap.copy(self.state))
        return False

    def _on_continue(self, _: ast.Continue) -> bool:
        if self._loops:
            self._loops[-1].again.append(self.heap.copy(self.state))
        return False

    # -- branches ------------------------------------------------------------------------------

    def _on_if(self, node: ast.If) -> bool:
        test = self.value(node.test)
        if is_plain(test):
            return self._block(node.body if test else node.orelse)
        return self._ways([node.body, node.orelse])

    def _ways(self, ways: Sequence[Sequence[ast.stmt]]) -> bool:
        """Walk each of several ways from here and go on with what they have in common."""
        before = self.state
        ends: list[State] = []
        for way in ways:
            self.state = self.heap.copy(before)
            if self._block(way):
                ends.append(self.state)
        if not ends:
            self.state = before
            return False
        self.state = self._merged(ends)
        return True

    def _merged(self, states: Sequence[State]) -> State:
        merged = states[0]
        for other in states[1:]:
            merged = self.heap.merge(merged, other)
        return merged

    def _on_match(self, node: ast.Match) -> bool:
        self.value(node.subject)
        for case in node.cases:
            for name in writes_of(case.pattern):
                self.bind(name, Unknown(name))
        return self._ways([*(case.body for case in node.cases), []])

    def _on_try(self, node: ast.Try) -> bool:
        before = self.heap.copy(self.state)
        through = self._block(node.body)
        broken = self.heap.merge(before, self.heap.copy(self.state))
        if through and node.orelse:
            through = self._block(node.orelse)
        ends = [self.state] if through else []
        for handler in node.handlers:
            self.state = self.heap.copy(broken)
            if handler.name:
                self.bind(handler.name, Unknown(handler.name))
            if self._block(handler.body):
                ends.append(self.state)
        self.state = self._merged(ends) if ends else broken
        finished = self._block(node.finalbody)
        return bool(ends) and finished

    _on_trystar = _on_try

    def _on_with(self, node: ast.With | ast.AsyncWith) -> bool:
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, self.entered(value, item.context_expr))
        return self._block(node.body)

    _on_asyncwith = _on_with

    # -- loops ---------------------------------------------------------------------------------

    def _on_for(self, node: ast.For | ast.AsyncFor) -> bool:
        self.value(node.iter)
        self._loop(node, node.target)
        return True

    _on_asyncfor = _on_for

    def _on_while(self, node: ast.While) -> bool:
        test = self.value(node.test)
        if is_plain(test) and not test:
            return self._block(node.orelse)
        self._loop(node, None)
        return True

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, target: ast.expr | None) -> None:
        """Walk a body until what is known at its head does not change, then once for good."""
        quiet, self.quiet = self.quiet, True
        steady = False
        if len(self._loops) < _DEEPEST_LOOP:
            for _ in range(_PASSES):
                head = self.heap.copy(self.state)
                self._once(node.body, target)
                merged = self.heap.merge(head, self.state)
                steady = self.heap.same(head, merged)
                self.state = merged
                if steady:
                    break
        if not steady:
            self.forget(node.body)
        self.quiet = quiet
        head = self.heap.copy(self.state)
        left = self._once(node.body, target)
        self.state = self.heap.merge(head, self.state)
        self._block(node.orelse)
        self.state = self._merged([self.state, *left])

    def _once(self, body: Sequence[ast.stmt], target: ast.expr | None) -> list[State]:
        """Walk a body once; the state is then that of its end, the others are returned."""
        head = self.heap.copy(self.state)
        loop = _Loop()
        self._loops.append(loop)
        if target is not None:
            for name in writes_of(target):
                self.bind(name, Unknown(name))
        through = self._block(body)
        self._loops.pop()
        ends = ([self.state] if through else []) + loop.again
        self.state = self._merged(ends) if ends else head
        return loop.left

    # -- functions -----------------------------------------------------------------------------

    def _on_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for expression in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if expression is not None:
                self.value(expression)
        self.bind(node.name, Other(f"{node.name}(…)", "function"))
        self.later(node)

    _on_asyncfunctiondef = _on_functiondef

    def _on_classdef(self, node: ast.ClassDef) -> None:
        for expression in [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]:
            self.value(expression)
        outside = self.state
        self.state = dict(outside)
        self._block(node.body)
        self.state = outside
        self.bind(node.name, Other(node.name, "class"))

    def later(self, node: _Function) -> None:
        """Keep a function for ``finish``; what it changes outside is not certain any more."""
        effects = effects_of(node)
        self.touched |= effects.outside
        if self.quiet:
            return
        before = self.heap.copy({n: self.state[n] for n in effects.read if n in self.state})
        bound = {name: self._bound.get(name, 0) for name in effects.read}
        self._functions.append((self.cell, node, before, bound))

    def _body(self, node: _Function, before: State, bound: dict[str, int]) -> None:
        """Walk a function's body; a free name that changed since has no certain value."""
        outside = self.state
        effects = effects_of(node)
        now = self.heap.copy({n: outside[n] for n in effects.read if n in outside})
        state = self.heap.merge(before, now)
        for name in effects.read:
            if self._bound.get(name, 0) - bound.get(name, 0) > 1:
                state[name] = Unknown(name)
        for name in effects.local:
            state.pop(name, None)
        for name in _parameters(node):
            state[name] = Unknown(name)
        self.state, loops, self._loops = state, self._loops, []
        if isinstance(node, ast.Lambda):
            self.value(node.body)
        else:
            self._block(node.body)
        self.state, self._loops = outside, loops


def _parameters(node: _Function) -> Iterator[str]:
    args = node.args
    for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]:
        yield arg.arg
    for rest in (args.vararg, args.kwarg):
        if rest is not None:
            yield rest.arg
