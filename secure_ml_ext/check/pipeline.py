"""Reads a SageMaker pipeline definition: every step becomes a request of the pipeline's role.

IAM sees nothing inside a definition when the pipeline is made; each step is decided when it runs.
The form is the SageMaker pipeline definition schema 2020-12-01.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from .files import MAX_BYTES, InputError, parse_json
from .items import Item, Reading
from .pipeline_steps import BRANCHES, OPERATIONS, WITHOUT_REQUEST, note_of, operation_of
from .pipeline_values import MAX_DEPTH, Parameters, Values, is_function, shown
from .records import Note

__all__ = ["definition_of", "is_pipeline", "read_pipeline"]

_MARKS: Final = ("Version", "Metadata", "Parameters")
_BODY: Final = "PipelineDefinition"


def is_pipeline(content: Any) -> bool:
    """Tell whether parsed JSON is a pipeline definition, or a request or reply that holds one."""
    if not isinstance(content, Mapping):
        return False
    if isinstance(content.get("Steps"), list):
        return any(mark in content for mark in _MARKS)
    return isinstance(content.get(_BODY), str)


def definition_of(pipeline: Any) -> str:
    """Return the definition of a ``Pipeline`` object of SageMaker Python SDK v2 or v3.

    Making a definition uploads code and creates Lambda functions, as the SDK does it for
    ``pipeline.create()``. Raises ``InputError`` where the object is no pipeline, or the SDK fails.
    """
    kind = type(pipeline).__name__
    make = getattr(pipeline, "definition", None)
    if not callable(make):
        raise InputError(
            f"{kind} is no SageMaker pipeline: it has no definition(); pass a Pipeline of the "
            "SageMaker Python SDK, or the definition itself"
        )
    try:
        made = make()
    except Exception as error:
        raise InputError(f"the SDK cannot make the definition of this {kind}: {error}") from error
    if not isinstance(made, str):
        raise InputError(f"definition() of {kind} gives no text, so it is no SageMaker pipeline")
    return made


def read_pipeline(
    definition: str | Mapping[str, Any],
    *,
    parameters: Parameters | None = None,
    role: str | None = None,
    name: str | None = None,
) -> Reading:
    """Return the requests that the steps of a pipeline send, and what there is not to check.

    ``definition`` is the JSON as text or parsed; a ``CreatePipeline`` request or a
    ``DescribePipeline`` reply that holds one is read too. ``parameters`` override defaults, by
    name or in ``StartPipelineExecution``'s form. ``role`` is the pipeline's role ARN, which sends
    every request. Raises ``InputError`` for what is no definition; what is wrong with one step is
    a note, and the others are read. The caller's objects are not changed, nor kept.
    """
    content = _document(definition, name)
    place = _Place("", "/Steps", 0)
    if "Steps" not in content and _BODY in content:
        place = _Place("", None, 0)  # no pointer leads into a text
        inner = content[_BODY]
        role = role or _text(content.get("RoleArn"))
        name = name or _text(content.get("PipelineName"))
        if not isinstance(inner, str):
            raise InputError(f"{_BODY} must be the definition's text")
        content = _document(inner, name)
    steps = content.get("Steps")
    if not isinstance(steps, (list, tuple)):
        remedy = ""
        if "PipelineDefinitionS3Location" in content:
            remedy = ": it lies in Amazon S3; read the object and pass its text"
        raise InputError(f'no pipeline definition: it has no list of "Steps"{remedy}')
    walk = _Walk(Values(content.get("Parameters"), parameters, name), role)
    walk.steps(steps, place)
    if not steps:
        walk.notes.append(Note("the pipeline has no steps"))
    return Reading(walk.items, [*walk.values.finish(), *walk.notes])


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _document(definition: Any, name: str | None) -> Mapping[str, Any]:
    if isinstance(definition, str):
        if len(definition) > MAX_BYTES:
            raise InputError(
                f"a definition of more than {MAX_BYTES // 1024 // 1024} MB is not read"
            )
        origin = f"pipeline {shown(name)}" if name else "pipeline definition"
        definition = parse_json(definition.removeprefix("\ufeff"), origin)
    if not isinstance(definition, Mapping):
        raise InputError("a pipeline definition is a JSON object, as text or parsed")
    return definition


class _Place(Struct, frozen=True):
    """A list of steps: ``inside`` is the chain of steps around it, ``pointer`` where it stands."""

    inside: str
    pointer: str | None
    depth: int


class _Step(Struct, frozen=True):
    """One step: ``where`` is its place for people, ``pointer`` where its arguments stand."""

    name: str
    label: str
    where: str
    pointer: str | None
    arguments: Any


class _Walk:
    """Collects items and notes, in the definition's order."""

    def __init__(self, values: Values, role: str | None) -> None:
        self.items: list[Item] = []
        self.notes: list[Note] = []
        self.values = values
        self._role = role
        self._seen: set[str] = set()

    def steps(self, steps: Sequence[Any], place: _Place) -> None:
        """Read a list of steps and the lists inside them."""
        if place.depth > MAX_DEPTH:
            raise InputError(
                f"steps lie more than {MAX_DEPTH} levels deep in other steps and are not read: "
                "split the pipeline"
            )
        transforms = _transforms(steps)
        for index, content in enumerate(steps):
            self.values.spend()
            if not isinstance(content, Mapping):
                where = f"step {index + 1}{place.inside}"
                self._note("not checked: a step must be an object; AWS refuses this", where)
                continue
            step = self._step(content, index, place)
            kind = content.get("Type")
            if not isinstance(kind, str):
                self._note("not checked: the step has no Type; AWS refuses it", step.where)
            elif kind in BRANCHES:
                for nested, inner in self._branches(kind, step, place):
                    self.steps(nested, inner)
            elif kind in OPERATIONS:
                self._request(kind, step, transforms)
            else:
                unknown = f"not checked: steps of kind {shown(kind)} are not known to this version"
                self._note(WITHOUT_REQUEST.get(kind, unknown), step.where)

    def _note(self, message: str, where: str) -> None:
        self.notes.append(Note(message, where))

    def _step(self, content: Mapping[str, Any], index: int, place: _Place) -> _Step:
        name = _text(content.get("Name")) or ""
        label = shown(name) if name else str(index + 1)
        where = f"step {label}{place.inside}"
        if not name:
            self._note("the step has no name; AWS refuses it", where)
        elif name in self._seen:
            self._note("another step has this name; AWS refuses the definition", where)
        self._seen.add(name)
        pointer = f"{place.pointer}/{index}/Arguments" if place.pointer else None
        return _Step(name, label, where, pointer, content.get("Arguments"))

    def _branches(
        self, kind: str, step: _Step, place: _Place
    ) -> Iterator[tuple[Sequence[Any], _Place]]:
        """Yield the lists of steps inside a step: both branches, whatever the condition says."""
        if not isinstance(step.arguments, Mapping):
            self._note("not checked: Arguments must be an object; AWS refuses this", step.where)
            return
        for member, branch in BRANCHES[kind]:
            nested = step.arguments.get(member)
            if isinstance(nested, (list, tuple)):
                inside = f", in {step.label} ({branch}){place.inside}"
                pointer = f"{step.pointer}/{member}" if step.pointer else None
                yield nested, _Place(inside, pointer, place.depth + 1)
            elif nested is not None:
                self._note(f"not checked: {member} must be a list; AWS refuses this", step.where)

    def _request(self, kind: str, step: _Step, transforms: Mapping[str, Any]) -> None:
        """Add the request of a step."""
        if is_function(step.arguments):
            self._note("not checked: all Arguments are decided while it runs", step.where)
            return
        if not isinstance(step.arguments, Mapping):
            self._note("not checked: Arguments must be an object; AWS refuses this", step.where)
            return
        operation = operation_of(kind, step.arguments)
        params = self.values.resolve(step.arguments, step.where)
        item = Item(
            operation=operation,
            params=params,
            kind="pipeline-step",
            where=step.where,
            role=self._role,
            note=note_of(step.name, operation, params, transforms),
            pointer=step.pointer,
        )
        self.items.append(item)


def _transforms(steps: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    """Return the transform steps of a list by name."""
    found: dict[str, Mapping[str, Any]] = {}
    for step in steps:
        if isinstance(step, Mapping) and step.get("Type") == "Transform":
            found[_text(step.get("Name")) or ""] = step
    return found
