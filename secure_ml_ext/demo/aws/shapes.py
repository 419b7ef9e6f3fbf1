"""Botocore's shapes as a judge of requests SageMaker would refuse and replies it never gives.

The messages of `refusals` follow the text that SageMaker answers with
("1 validation error detected: Value … failed to satisfy constraint: …").
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
from botocore.model import ServiceModel


@functools.cache
def service_model(service: str) -> ServiceModel:
    """Botocore's model of a service, loaded once."""
    return botocore.session.get_session().get_service_model(service)


def input_shape(operation: str) -> Any:
    """The input shape of a SageMaker operation (untyped: botocore's members depend on its kind)."""
    return service_model("sagemaker").operation_model(operation).input_shape


def output_shape(operation: str, service: str = "sagemaker") -> Any:
    """The output shape of an operation, None where it has none."""
    return service_model(service).operation_model(operation).output_shape


@functools.cache
def _regex(pattern: str) -> re.Pattern[str] | None:
    # The patterns are Java's; the few that Python does not read are not enforced.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(pattern)
    except re.error:
        return None


def refusals(shape: Any, value: Any, where: str = "") -> Iterator[str]:
    """What SageMaker finds wrong with a request: type, presence, length, range, pattern, enum."""
    if shape is None:
        return
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, Mapping):
            yield f"Value at '{where}' failed to satisfy constraint: Member must be an object"
            return
        for name in shape.required_members:
            if value.get(name) is None:
                yield (
                    f"Value null at '{_join(where, name)}' failed to satisfy constraint: "
                    "Member must not be null"
                )
        for name, item in value.items():
            if name in shape.members and item is not None:
                yield from refusals(shape.members[name], item, _join(where, name))
        return
    if kind == "list" and isinstance(value, list):
        yield from _limits(shape, len(value), value, where, "length")
        for index, item in enumerate(value):
            yield from refusals(shape.member, item, f"{where}.{index + 1}.member")
        return
    if kind == "map" and isinstance(value, Mapping):
        yield from _limits(shape, len(value), value, where, "length")
        for key, item in value.items():
            yield from refusals(shape.value, item, f"{where}.{key}.member")
        return
    yield from _scalar_refusals(shape, value, where)


def _scalar_refusals(shape: Any, value: Any, where: str) -> Iterator[str]:
    kind = shape.type_name
    if not _type_fits(kind, value):
        yield f"Value '{value}' at '{where}' failed to satisfy constraint: Member must be a {kind}"
        return
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        yield (
            f"Value '{value}' at '{where}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(enum)}]"
        )
    if kind == "string":
        yield from _limits(shape, len(value), value, where, "length")
        pattern = shape.metadata.get("pattern")
        regex = _regex(pattern) if pattern else None
        if regex is not None and not regex.fullmatch(value):
            yield (
                f"Value '{value}' at '{where}' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {pattern}"
            )
    elif kind in ("integer", "long", "float", "double"):
        yield from _limits(shape, value, value, where, "value")


def _limits(shape: Any, size: float, value: Any, where: str, word: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield (
            f"Value '{value}' at '{where}' failed to satisfy constraint: "
            f"Member must have {word} greater than or equal to {low}"
        )
    if high is not None and size > high:
        yield (
            f"Value '{value}' at '{where}' failed to satisfy constraint: "
            f"Member must have {word} less than or equal to {high}"
        )


def _join(where: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{where}.{member}" if where else member


def _type_fits(kind: str, value: Any) -> bool:
    if kind in ("string", "blob"):
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "long"):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in ("float", "double", "timestamp"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return False


def misfits(shape: Any, value: Any, where: str = "") -> Iterator[str]:
    """Where a reply does not fit its output shape, as `/Member/0/Member: why`.

    A missing required member, an unknown member, a wrong type or an unknown enum value.
    """
    kind = shape.type_name if shape is not None else "structure"
    if kind == "structure":
        if not isinstance(value, Mapping):
            yield f"{where or '/'}: not an object"
            return
        members = shape.members if shape is not None else {}
        for name in shape.required_members if shape is not None else ():
            if value.get(name) is None:
                yield f"{where}/{name}: required, but missing"
        for name, item in value.items():
            if name not in members:
                yield f"{where}/{name}: not a member of {shape.name if shape else 'the reply'}"
            elif item is not None:
                yield from misfits(members[name], item, f"{where}/{name}")
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{where}: not a list"
            return
        for index, item in enumerate(value):
            yield from misfits(shape.member, item, f"{where}/{index}")
    elif kind == "map":
        if not isinstance(value, Mapping):
            yield f"{where}: not a map"
            return
        for key, item in value.items():
            yield from misfits(shape.value, item, f"{where}/{key}")
    elif not _type_fits(kind, value):
        yield f"{where}: {value!r} is not a {kind}"
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{where}: {value!r} is not one of {', '.join(shape.enum)}"


def pick(shape: Any, value: Any) -> Any:
    """The part of a value that a shape has members for; empty optional members are kept."""
    if shape is None or value is None:
        return value
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return {
            name: pick(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [pick(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {key: pick(shape.value, item) for key, item in value.items()}
    return value
