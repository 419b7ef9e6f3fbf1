"""A fix as code to copy: for SDK v3, SDK v2 and boto3.

Only values of the field table appear. ``...,  # as before`` stands for what the caller writes
already; the boto3 form works as it is on a dictionary ``request`` of the call's arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import UNSET

from ..inventory.authorization import action_named
from ..inventory.masking import MASK, mask
from ..inventory.paths import Path, get, parse, render
from .patch import PatchError, apply_patch
from .records import PatchOp
from .sdk import GONE, Call, Part, v2_calls, v3_calls

_WIDTH = 88
_REST = "...,  # as before"
_REQUEST = "# request: the arguments of your call, as a dictionary; sagemaker: the boto3 client\n"
_NOTHING = "# The request needs no change.\n"


def snippets(operation: str, params: Mapping[str, Any], fix: list[PatchOp]) -> dict[str, str]:
    """Return the change that ``fix`` makes as code, under ``v3``, ``v2`` and ``boto3``.

    ``params`` is the request before the fix, masked or not; it is read, never changed. Where a
    generation of the SDK has no argument for part of the change, its text says so and gives the
    boto3 form. Every text is valid Python.
    """
    patched, visible, others = _applied(operation, params, fix)
    wanted = dict(_leaves(visible, patched))
    if not wanted and not others:
        return dict.fromkeys(("v3", "v2", "boto3"), _NOTHING)
    plain = _boto3(operation, visible, patched, others)
    if others:
        fields = ", ".join(op.path[1:].replace("/", ".") for op in others)
        text = f"# {fields}: set it where your code does, or send the request with boto3.\n"
        return {"v3": f"{text}{_REQUEST}{plain}", "v2": f"{text}{_REQUEST}{plain}",
                "boto3": f"{_REQUEST}{plain}"}  # fmt: skip
    return {
        "v3": _sdk("SDK v3", v3_calls(operation, wanted), wanted, patched, plain),
        "v2": _sdk("SDK v2", v2_calls(operation, wanted), wanted, patched, plain),
        "boto3": f"{_REQUEST}{plain}",
    }


def _applied(
    operation: str, params: Mapping[str, Any], fix: list[PatchOp]
) -> tuple[dict[str, Any], list[PatchOp], list[PatchOp]]:
    """Return the fixed request as it may be shown, the changes one sees there, and the others.

    The others (a tag, a time limit) lie where a request is masked: only their own values, which
    come from the profile or the policy, may be shown.
    """
    current: Mapping[str, Any] = params
    visible: list[PatchOp] = []
    others: list[PatchOp] = []
    for op in fix:
        seen = False
        try:
            current = apply_patch(current, [op])
            in_list = op.path.rpartition("/")[2].isdecimal()
            seen = not in_list and next(_leaves([op], mask(operation, current)), None) is not None
        except PatchError:  # it changes something inside what is masked
            seen = False
        if seen:
            visible.append(op)
        elif _demanded(operation, op.path):
            others.append(op)
    return mask(operation, current), visible, others


def _demanded(operation: str, path: str) -> bool:
    """Tell whether a policy can ask for what stands at a path."""
    action = action_named(operation)
    if action is None or path.startswith("/Tags"):
        return action is not None
    plain = re.sub(r"/[0-9]+(?=/|$)", "/*", path)
    known = {pointer for pointers in action.paths.values() for pointer in pointers}
    return plain in known or plain.removesuffix("/*") in known


def _leaves(fix: list[PatchOp], patched: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield pointer and value of everything the fix sets; GONE for what it takes away."""
    for change in fix:
        path = parse(change.path)
        if change.value is UNSET:
            yield change.path, GONE
        else:
            yield from _below(_concrete(path, patched), patched)


def _below(path: Path, document: Any) -> Iterator[tuple[str, Any]]:
    value = get(document, path)
    if isinstance(value, dict):
        for key in value:
            yield from _below((*path, key), document)
    elif value is not None and value != MASK:
        yield render(path), value


def _concrete(path: Path, document: Any) -> Path:
    """Return the path with list indexes as numbers, as ``get`` wants them."""
    made: Path = ()
    for part in path:
        inside_list = isinstance(get(document, made), list) and str(part).isdecimal()
        made = (*made, int(part) if inside_list else part)
    return made


# -- boto3 ------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def method_name(operation: str) -> str:
    """Return boto3's name of an operation: ``create_auto_ml_job_v2``.

    The two substitutions are botocore's own (``botocore.xform_name``); names that end in a
    plural acronym, which it treats apart, do not occur in the field table.
    """
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", operation)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words).lower()


def _other(change: PatchOp) -> str:
    """Return a change by itself, as a statement on the request."""
    *above, last = [int(p) if str(p).isdecimal() else p for p in parse(change.path)]
    parent = "request" + "".join(f"[{_literal(part)}]" for part in above)
    if change.value is UNSET:
        return f"del {parent}[{_literal(last)}]"
    if isinstance(last, int) and change.op == "add":
        return f"{parent}.insert({last}, {_literal(change.value)})"
    return f"{parent}[{_literal(last)}] = {_literal(change.value)}"


def _boto3(
    operation: str, fix: list[PatchOp], patched: Mapping[str, Any], others: list[PatchOp]
) -> str:
    lines = [_other(change) for change in others]
    for change in fix:
        path = _concrete(parse(change.path), patched)
        parent = "request" + "".join(f"[{_literal(part)}]" for part in path[:-1])
        if change.value is UNSET:
            lines.append(f"{parent}.pop({_literal(path[-1])}, None)")
            continue
        value = _unmasked(get(patched, path))
        if value not in (None, {}, []):
            target = f"{parent}[{_literal(path[-1])}] = "
            lines.append(target + _literal(value, 0, len(target)))
    lines.append(f"sagemaker.{method_name(operation)}(**request)")
    return "\n".join(lines) + "\n"


def _unmasked(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _unmasked(v) for k, v in value.items() if v != MASK}
    return None if value == MASK else value


def _literal(value: Any, indent: int = 0, used: int = 0) -> str:
    """Return a value as Python source, on several lines where one is too narrow."""
    if isinstance(value, dict):
        parts = [f"{_literal(k)}: {_literal(v, indent + 4)}" for k, v in value.items()]
        return _bracket("{", parts, "}", indent, used)
    if isinstance(value, list):
        return _bracket("[", [_literal(v, indent + 4) for v in value], "]", indent, used)
    text = repr(value)
    if isinstance(value, str) and '"' not in text:
        return f'"{text[1:-1]}"'
    return text


def _bracket(opening: str, parts: list[str], closing: str, indent: int, used: int) -> str:
    flat = f"{opening}{', '.join(parts)}{closing}"
    if "\n" not in flat and indent + used + len(flat) <= _WIDTH:
        return flat
    inner = "".join(f"{' ' * (indent + 4)}{part},\n" for part in parts)
    return f"{opening}\n{inner}{' ' * indent}{closing}"


# -- the SDKs -----------------------------------------------------------------------------------


def _sdk(
    title: str, calls: list[Call], wanted: Mapping[str, Any], patched: Mapping[str, Any], plain: str
) -> str:
    """Return the calls as source, or boto3's form where they leave a change out."""
    said = {pointer for call in calls for pointer in call.part.pointers()}
    unsaid = [pointer for pointer in wanted if pointer not in said]
    if unsaid:
        fields = ", ".join(pointer[1:].replace("/", ".") for pointer in unsaid)
        said_so = f"# {title} has no argument for {fields}: send the request with boto3.\n"
        return said_so + _REQUEST + plain
    imports: dict[str, set[str]] = {}
    blocks = []
    for call in calls:
        if not any(pointer in wanted for pointer in call.part.pointers()):
            continue
        for module, name in _imports(call.part, wanted):
            imports.setdefault(module, set()).add(name)
        note = "".join(f"# {line}\n" for line in call.note)
        source = _construct(call.part, wanted, patched, 0)
        blocks.append(f"{note}{call.target}{source}\n")
    head = "".join(_import(module, sorted(names)) for module, names in sorted(imports.items()))
    return "\n".join(([head] if head else []) + blocks)


def _import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}\n"
    if len(line) <= _WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"


def _imports(part: Part, wanted: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if part.module:
        yield part.module, part.name.partition(".")[0]
    for value in part.args.values():
        if isinstance(value, Part) and any(pointer in wanted for pointer in value.pointers()):
            yield from _imports(value, wanted)


def _construct(
    part: Part, wanted: Mapping[str, Any], patched: Mapping[str, Any], indent: int
) -> str:
    """Return a constructor call, or a dictionary display, with what changes.

    Objects that hold nothing but security settings are written out in full.
    """
    lines = [] if part.whole else [_REST]
    for name, value in part.args.items():
        if isinstance(value, Part):
            if any(pointer in wanted for pointer in value.pointers()):
                inner = _construct(value, wanted, patched, indent + 4)
                lines.append(_argument(part, name, inner))
            continue
        given = wanted.get(value)
        if given is GONE:
            lines.append(f"# without {name}")
            continue
        if given is None and part.whole:
            given = _unmasked(get(patched, _concrete(parse(value), patched)))
        if given is not None:
            used = len(name) + 3
            lines.append(_argument(part, name, _literal(given, indent + 4, used)))
    opening, closing = ("(", ")") if part.name else ("{", "}")
    pad = " " * (indent + 4)
    inner = "".join(f"{pad}{line}\n" for line in lines)
    return f"{part.name}{opening}\n{inner}{' ' * indent}{closing}"


def _argument(part: Part, name: str, source: str) -> str:
    return f"{name}={source}," if part.name else f"{_literal(name)}: {source},"
