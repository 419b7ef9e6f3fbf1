"""Pipelines inside other documents: their steps are requests of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from ..inventory.masking import resource_name
from ..inventory.paths import absent, get
from .files import InputError
from .items import Item, Reading
from .records import Note

# Reads the text of a pipeline definition.
PipelineReader = Callable[[str], Reading]


def steps_of(item: Item, reader: PipelineReader | None) -> Reading:
    """Return the steps of the pipeline that an item makes; nothing for other operations.

    The steps are requests of the pipeline's role. A definition that lies in S3, has variables
    of a template, cannot be read or has no reader becomes a note.
    """
    if item.operation not in ("CreatePipeline", "UpdatePipeline"):
        return Reading()
    name = resource_name(item.operation, item.params) or "the pipeline"
    definition = item.params.get("PipelineDefinition")
    if not isinstance(definition, str) or absent(definition):
        return Reading(notes=[Note(f"{name}: {_elsewhere(item.params)}", item.where)])
    if reader is None:
        message = f"{name}: its steps are in its definition; check the definition itself"
        return Reading(notes=[Note(message, item.where)])
    try:
        steps = reader(definition)
    except InputError as error:
        message = f"{name}: its definition cannot be read: {error}"
        return Reading(notes=[Note(message, item.where)])
    role = item.params.get("RoleArn")
    own = role if isinstance(role, str) and role else None
    return Reading(
        items=[replace(s, where=_within(item, s.where), role=s.role or own) for s in steps.items],
        notes=[replace(n, where=_within(item, n.where)) for n in steps.notes],
    )


def _within(item: Item, where: str | None) -> str | None:
    return ", ".join(part for part in (item.where, where) if part) or None


def _elsewhere(params: Mapping[str, Any]) -> str:
    bucket = get(params, ("PipelineDefinitionS3Location", "Bucket"))
    key = get(params, ("PipelineDefinitionS3Location", "ObjectKey"))
    if isinstance(bucket, str) and isinstance(key, str):
        return f"its definition lies in s3://{bucket}/{key}; check that object"
    if absent(params.get("PipelineDefinition")):
        return "its definition is not here; check the definition itself"
    return "its definition has variables that are filled in later; check the definition itself"
