"""Reads CloudFormation templates: every ``AWS::SageMaker::*`` resource is a Create request.

Property names are those of the API but for the few in ``_RENAMED`` (compared with the resource
schemas that cfn-lint 1.58 packages). What a stack decides stays open, see ``intrinsics``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..inventory.paths import expand, get, parse
from ..inventory.table import operations
from .definition import PipelineReader, steps_of
from .files import InputError, parse_json
from .intrinsics import NO_VALUE, known, resource_of
from .items import Item, Reading
from .records import Note
from .reshape import bounded, settle
from .template_yaml import TemplateYaml

# CloudFormation itself takes 1 MB.
MAX_CHARACTERS = 2_000_000
_PREFIX = "AWS::SageMaker::"
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "CreateImage": {
        "ImageRoleArn": "RoleArn",
        "ImageDisplayName": "DisplayName",
        "ImageDescription": "Description",
    },
}
# Security fields of the API for which CloudFormation has no property.
_WITHOUT: Mapping[str, str] = {"CreateMlflowApp": "KmsKeyId"}
_JSON_KEY = re.compile(r'"([A-Za-z0-9]+)"\s*:\s*\{')


def is_template(content: Any) -> bool:
    """Tell whether parsed JSON or YAML is a CloudFormation template."""
    if not isinstance(content, Mapping):
        return False
    resources = content.get("Resources")
    if not isinstance(resources, Mapping):
        return False
    if "AWSTemplateFormatVersion" in content or "Transform" in content:
        return True
    kinds = (r.get("Type") for r in resources.values() if isinstance(r, Mapping))
    return any(isinstance(kind, str) and "::" in kind for kind in kinds)


def read_template(
    text: str | Mapping[str, Any], *, pipeline_reader: PipelineReader | None = None
) -> Reading:
    """Return the requests of a template in YAML or JSON, or of one that is parsed already.

    ``pipeline_reader`` reads pipeline definitions that are literal text. Resources without a
    security setting, nested stacks, macros and loops become notes. Raises ``InputError``, with
    the line where it is known, for what is no template.
    """
    content, lines = _load(text) if isinstance(text, str) else (text, {})
    bounded(content)
    if not is_template(content):
        raise InputError("no CloudFormation template: it has no Resources with a Type")
    reader = _Reader(content["Resources"], lines, pipeline_reader)
    return reader.read(content.get("Transform"))


def _load(text: str) -> tuple[Any, dict[str, int]]:
    if len(text) > MAX_CHARACTERS:
        raise InputError("larger than 2 MB, so no template: CloudFormation takes 1 MB")
    text = text.removeprefix("\ufeff")
    if not text.lstrip().startswith("{"):
        loaded = TemplateYaml(text)
        return loaded.content, loaded.lines
    try:
        return parse_json(text, "the template"), _json_lines(text)
    except InputError as error:
        try:
            # YAML in flow style begins with a brace too.
            loaded = TemplateYaml(text)
        except InputError:
            raise error from None
    return loaded.content, loaded.lines


def _json_lines(text: str) -> dict[str, int]:
    """Return the line of every object member whose name is there once; others are not told."""
    lines: dict[str, int] = {}
    twice: set[str] = set()
    line, end = 1, 0
    for found in _JSON_KEY.finditer(text):
        line += text.count("\n", end, found.start())
        end = found.start()
        if found[1] in lines:
            twice.add(found[1])
        lines[found[1]] = line
    return {name: line for name, line in lines.items() if name not in twice}


class _Reader:
    """Reads the resources of one template."""

    def __init__(
        self,
        resources: Mapping[str, Any],
        lines: Mapping[str, int],
        pipeline_reader: PipelineReader | None,
    ) -> None:
        self._resources = resources
        self._lines = lines
        self._pipeline_reader = pipeline_reader
        self._items: list[Item] = []
        self._notes: list[Note] = []
        self._plain: Counter[str] = Counter()

    def read(self, transform: Any) -> Reading:
        """Return items and notes, the resources in the template's order."""
        for name, resource in self._resources.items():
            where = self._where(name)
            kind = resource.get("Type") if isinstance(resource, Mapping) else None
            if name.startswith("Fn::"):
                self._note("what this loop or macro makes is not seen", where)
            elif not isinstance(kind, str):
                self._note("no resource: it has no Type", where)
            elif kind.startswith(_PREFIX):
                self._resource(kind, resource, where)
            elif kind == "AWS::CloudFormation::Stack":
                self._note("a nested stack; check its template itself", where)
            elif kind.endswith("::MODULE"):
                self._note(f"what the module {kind[:100]} makes is not seen", where)
        if transform is not None:
            names = transform if isinstance(transform, list) else [transform]
            shown = ", ".join(n[:100] if isinstance(n, str) else "a macro" for n in names[:5])
            self._note(f"what the transform ({shown}) adds is not seen", None)
        if self._plain:
            counted = ", ".join(f"{kind} {count}" for kind, count in self._plain.most_common(10))
            total = self._plain.total()
            noun = "resource" if total == 1 else "resources"
            self._note(f"{total} {noun} without a security setting: {counted}", None)
        if not self._items and not self._notes:
            self._note("no SageMaker resource in the template", None)
        return Reading(items=self._items, notes=self._notes)

    def _resource(self, kind: str, resource: Mapping[str, Any], where: str) -> None:
        operation = f"Create{kind.removeprefix(_PREFIX)}"
        if operation not in operations():
            self._plain[kind[:100]] += 1
            return
        properties = known(resource.get("Properties") or {})
        if not isinstance(properties, Mapping) or properties == NO_VALUE:
            self._note("its Properties are no object", where)
            return
        renamed = _RENAMED.get(operation, {})
        params = {renamed.get(name, name): value for name, value in properties.items()}
        if operation == "CreatePipeline":
            params = _pipeline(params)
        item = Item(
            operation=operation,
            params=settle(operation, params),
            kind="template-resource",
            where=where,
            note=self._remarks(operation, params, resource.get("Condition")),
        )
        self._items.append(item)
        steps = steps_of(item, self._pipeline_reader)
        self._items += steps.items
        self._notes += steps.notes

    def _remarks(self, operation: str, params: Mapping[str, Any], condition: Any) -> str | None:
        """Return what has to be known about a resource."""
        remarks = []
        if isinstance(condition, str):
            remarks.append(f"only if condition {condition[:100]}")
        if operation in _WITHOUT:
            remarks.append(f"CloudFormation has no property {_WITHOUT[operation]} for it")
        for reference in operations()[operation].references:
            for place in expand(params, parse(reference.pointer)):
                target = resource_of(get(params, place))
                if target is not None and target in self._resources:
                    remarks.append(f"{place[-1]} is resource {target}, checked on its own")
        return "; ".join(dict.fromkeys(remarks)) or None

    def _where(self, name: str) -> str:
        line = self._lines.get(name)
        return f"resource {name[:255]}" + (f" (line {line})" if line else "")

    def _note(self, message: str, where: str | None) -> None:
        self._notes.append(Note(message, where))


def _pipeline(params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a pipeline: its definition is wrapped in a template."""
    definition = params.get("PipelineDefinition")
    if not isinstance(definition, Mapping):
        return params
    if "PipelineDefinitionBody" in definition:
        return {**params, "PipelineDefinition": definition["PipelineDefinitionBody"]}
    location = definition.get("PipelineDefinitionS3Location")
    if isinstance(location, Mapping):
        rest = {name: value for name, value in params.items() if name != "PipelineDefinition"}
        place = {"Bucket": location.get("Bucket"), "ObjectKey": location.get("Key")}
        return {**rest, "PipelineDefinitionS3Location": place}
    return params
