"""Calls that make or start a pipeline: the steps in them, and the definition with its fixes.

IAM sees nothing inside a definition, so ``CreatePipeline``, ``UpdatePipeline`` and
``StartPipelineExecution`` are checked step by step, each as a request of the pipeline's role.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from ..inventory.paths import get, parse
from ..rules.patch import PatchError, PatchOp, apply
from .caller import Resolver
from .files import InputError
from .items import Reading
from .pipeline import read_pipeline
from .records import Note

PIPELINES = frozenset({"CreatePipeline", "UpdatePipeline", "StartPipelineExecution"})
_INLINE = "PipelineDefinition"
_IN_S3 = "PipelineDefinitionS3Location"


class Definition(Struct, frozen=True):
    """A pipeline's definition as AWS keeps it, and the role that runs it.

    A resolver may have ``pipeline_definition(params) -> Definition | None``, which reads the
    definition in S3 that a request names, or that of the pipeline it names.
    """

    text: str
    role: str | None = None


def steps_of(operation: str, params: Mapping[str, Any], resolver: Resolver | None) -> Reading:
    """Return the steps that a call makes or starts; a note where they cannot be seen."""
    text, role = params.get(_INLINE), params.get("RoleArn")
    where = "pipeline definition"
    if operation == "StartPipelineExecution" or text is None:
        if operation == "UpdatePipeline" and _IN_S3 not in params:
            return Reading()  # the definition is left as it is
        ask = getattr(resolver, "pipeline_definition", None)
        found = ask(params) if ask is not None else None
        if found is None:
            return Reading(notes=[Note("not looked up, so its steps are not checked", where)])
        text, role = found.text, role or found.role
    if not isinstance(text, str):
        return Reading(notes=[Note("it is no text, so its steps are not checked", where)])
    try:
        return read_pipeline(
            text,
            parameters=params.get("PipelineParameters"),
            role=role if isinstance(role, str) else None,
            name=_name(params),
        )
    except InputError as error:
        return Reading(notes=[Note(f"not readable, so its steps are not checked: {error}", where)])


def _name(params: Mapping[str, Any]) -> str | None:
    name = params.get("PipelineName")
    return name if isinstance(name, str) and name else None


def can_be_fixed(operation: str, params: Mapping[str, Any]) -> bool:
    """Tell whether the request itself holds the definition, so that its steps can be changed."""
    return operation != "StartPipelineExecution" and isinstance(params.get(_INLINE), str)


def with_fixes(
    params: Mapping[str, Any], fixes: Iterable[tuple[str, list[PatchOp]]]
) -> dict[str, Any]:
    """Return the request with its definition changed step by step.

    ``fixes`` are pointers to the steps' arguments and patches relative to them. What belongs to
    a step that does not take its patch is left as it is; the check afterwards says so.
    """
    definition = json.loads(params[_INLINE])
    for pointer, patch in fixes:
        path = parse(pointer)
        arguments = get(definition, _indexed(path, definition))
        if not isinstance(arguments, dict):
            continue
        try:
            changed = apply(arguments, patch)
        except PatchError:
            continue
        arguments.clear()
        arguments.update(changed)
    return {**params, _INLINE: json.dumps(definition)}


def _indexed(path: tuple[str | int, ...], document: Any) -> tuple[str | int, ...]:
    """Return the path with numbers where the document has lists."""
    found: list[str | int] = []
    for part in path:
        here = get(document, tuple(found))
        found.append(int(part) if isinstance(here, list) and str(part).isdecimal() else part)
    return tuple(found)
