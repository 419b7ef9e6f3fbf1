"""Code to copy, tried with the real SDK: completing it, running it, and what it sends."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from secure_ml_ext.check import check_request
from secure_ml_ext.check.code import snippets
from secure_ml_ext.check.patch import apply_patch
from secure_ml_ext.guard import hook
from secure_ml_ext.inventory import operations
from secure_ml_ext.rules import Profile


class Recorder:
    """A guard that only notes what botocore is about to send to SageMaker."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def before_build(self, client: Any, operation: str, params: Any, context: Any) -> None:
        self.requests.append((operation, copy.deepcopy(params)))

    def before_call(self, client: Any, operation: str, model: Any, context: Any) -> Any:
        return None

    def after_call(self, client: Any, operation: str, http: Any, parsed: Any, context: Any) -> None:
        return None

    def after_error(self, client: Any, operation: str, error: Any, context: Any) -> None:
        return None

    def last(self, operation: str) -> dict[str, Any]:
        """The newest request of an operation."""
        return next(p for name, p in reversed(self.requests) if name == operation)


def recording() -> Iterator[Recorder]:
    """Install a recorder as the guard of this process, and take it away again."""
    recorder = Recorder()
    hook.install(recorder)
    try:
        yield recorder
    finally:
        hook.uninstall()


class _Completed(ast.NodeTransformer):
    """Puts the caller's own arguments where the code says ``...,  # as before``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and first.value is Ellipsis:
            name = ast.parse(f"before[{ast.unparse(node.func)!r}]", mode="eval").body
            node.args = []
            node.keywords.append(ast.keyword(arg=None, value=name))
        return node


def execute(code: str, before: Mapping[str, Mapping[str, Any]], world: dict[str, Any]) -> None:
    """Run code to copy with the caller's arguments, by the name of what is called."""
    tree = ast.fix_missing_locations(_Completed().visit(ast.parse(code)))
    world["before"] = before
    exec(compile(tree, "code to copy", "exec"), world)


def check_code(
    generation: str,
    operation: str,
    *,
    recorder: Recorder,
    profile: Profile,
    first: str,
    before: Mapping[str, Mapping[str, Any]],
    world: Mapping[str, Any],
    go: Callable[[dict[str, Any]], object],
) -> str:
    """Send a request as the user wrote it, copy the card's code, send again, and compare.

    ``first`` is the user's own code in the same form as the card's, ``before`` the arguments in
    both, ``go`` submits what the code made. Returns the code.
    """
    sent = []
    code = first
    for _ in range(2):
        scope = dict(world)
        execute(code, before, scope)
        go(scope)
        sent.append(recorder.last(operation))
        subject = check_request(operation, sent[-1], profile=profile).subjects[0]
        if len(sent) == 1:
            assert [f.rule for f in subject.findings if f.severity == "error"]
            fix = subject.fix
            code = snippets(operation, sent[0], fix)[generation]
            assert "boto3" not in code, code
    assert [f.rule for f in subject.findings if f.severity == "error"] == [], code
    bad, good = (_nameless(operation, request) for request in sent)
    assert _covers(good, apply_patch(bad, fix)), code
    return code


def _covers(good: Any, wanted: Any) -> bool:
    """Tell whether all that is wanted is there; the SDKs add an explicit False here and there."""
    if isinstance(wanted, dict):
        return isinstance(good, dict) and all(
            key in good and _covers(good[key], value) for key, value in wanted.items()
        )
    return bool(good == wanted)


def _nameless(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request without its name, in which the SDKs put the time."""
    member = operations()[operation].name_member
    return {key: value for key, value in request.items() if key != member}


def unknown_arguments(code: str, world: dict[str, Any]) -> list[str]:
    """Return the arguments in the code that what it calls does not take.

    The imports of the code are made; ``world`` names what else is called.
    """
    tree = ast.parse(code)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            exec(compile(ast.Module([node], []), "imports", "exec"), world)
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = eval(ast.unparse(node.func), world)
            known = _parameters(called)
            wrong += [
                f"{ast.unparse(node.func)}({keyword.arg}=)"
                for keyword in node.keywords
                if keyword.arg not in known
            ]
    return wrong


def _parameters(called: Any) -> set[str]:
    fields = getattr(called, "model_fields", None)
    if isinstance(called, type) and fields:
        return set(fields)
    return set(inspect.signature(inspect.unwrap(called)).parameters)
