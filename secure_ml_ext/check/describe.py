"""Reads Describe replies: what a job, model or notebook was made with, as the request it was.

A reply may come as botocore gives it, as ``aws sagemaker describe-…`` prints it, recorded
(``{"status_code", "data"}``, dates as ``{"__class__": "datetime"}``), in a list, or as a record of
``Search``. Where replies and requests differ is in ``describe_table``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..inventory.masking import resource_name
from ..inventory.paths import get, parse
from ..inventory.table import operations
from .definition import PipelineReader, steps_of
from .describe_table import Inside, by_arn, evidence_in, told_of
from .files import InputError
from .items import Item, Reading
from .records import Note, SubjectKind
from .request import entry_of
from .reshape import Change, bounded, each, put, without_absent

# Search nests deepest: Results, record, TrialComponent, SourceDetail, TrainingJob.
_DEPTH = 7
# Events and logs hold bodies of replies too; they have a reader of their own.
_FOREIGN = frozenset({"detail-type", "eventSource", "Records", "Events"})
# Who made something is named like a reply of DescribeUserProfile.
_ASIDE = frozenset({"ResponseMetadata", "CreatedBy", "LastModifiedBy"})
_NAMED = 3


def create_of(operation: str) -> str:
    """Return the Create operation that a Describe operation tells of; others are returned as is.

    Raises ``UnknownOperation`` for operations outside the field table.
    """
    if operation.startswith("Describe"):
        operation = "Create" + operation.removeprefix("Describe")
    entry_of(operation)
    return operation


def request_of_describe(operation: str, reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Create request that made what a Describe reply tells of.

    ``operation`` is either of the two. The request has only members that the Create operation
    takes, under its names; what Describe does not return (tags, mostly) is missing. Security
    fields that are null or ``""`` are left out. The reply is not changed; unchanged parts are
    shared. Raises ``UnknownOperation`` for operations outside the field table.
    """
    operation = create_of(operation)
    told, entry = told_of(operation), operations()[operation]
    wrapped = reply.get(told.within) if told.within else None
    request = dict(wrapped if isinstance(wrapped, Mapping) else reply)
    for source, target in told.moved:
        value = get(request, parse(source))
        if value is not None and get(request, parse(target)) is None:
            request = put(request, parse(target), value)
    if isinstance(tags := request.get("Tags"), Mapping):
        # Events of EventBridge write tags as a map.
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    request = {k: v for k, v in request.items() if k in entry.members and v is not None}
    for pointer, inside in told.inside.items():
        request = each(request, parse(pointer), _as_requested(inside))
    return without_absent(operation, request)


def _as_requested(inside: Inside) -> Change:
    def change(structure: dict[str, Any]) -> None:
        for name in inside.dropped:
            structure.pop(name, None)
        for source, target in inside.renamed:
            value = structure.pop(source, None)
            if value is not None:
                structure.setdefault(target, value)

    return change


def is_describe(content: Any) -> bool:
    """Tell whether parsed JSON is a reply of SageMaker: a Describe, Search or List reply."""
    if isinstance(content, Mapping) and _FOREIGN & content.keys():
        return False
    return next(_found(content), None) is not None or _is_reply(content)


def read_describe(
    reply: Mapping[str, Any] | list[Any],
    *,
    operation: str | None = None,
    pipeline_reader: PipelineReader | None = None,
) -> Reading:
    """Return the requests that a Describe reply, a list of them or a Search reply tells of.

    ``operation`` (``DescribeTrainingJob`` or ``CreateTrainingJob``) says what the reply is; without
    it the members do. ``pipeline_reader`` reads the definition in a DescribePipeline reply.
    Summaries of a List reply hold no settings: they become a note. Raises ``InputError`` for
    anything else, and ``UnknownOperation`` for an operation outside the field table.
    """
    bounded(reply)
    found = list(_found(reply)) if operation is None else _as_told(create_of(operation), reply)
    items: list[Item] = []
    notes: list[Note] = []
    listed: dict[str, list[str]] = {}
    for name, body, place, settings in found:
        if not settings:
            listed.setdefault(name, []).append(_name(name, body))
            continue
        item = described(name, body, kind="describe", where=place)
        items.append(item)
        steps = steps_of(item, pipeline_reader)
        items += steps.items
        notes += steps.notes
    notes += [_listed(name, names) for name, names in listed.items()]
    if not found:
        if not _is_reply(reply):
            raise InputError(
                "no Describe reply: no member names a resource and its ARN (TrainingJobName and "
                "TrainingJobArn, …); say which call it answers, e.g. DescribeTrainingJob"
            )
        notes.append(Note("a reply without settings: no Describe reply of a kind that has any"))
    return Reading(items=items, notes=notes)


def described(
    operation: str, body: Mapping[str, Any], *, kind: SubjectKind, where: str | None
) -> Item:
    """Return the item of one reply; what Describe does not return is ``{"Unknown": …}`` in it."""
    request = request_of_describe(operation, body)
    describe = "Describe" + operation.removeprefix("Create")
    unknown = []
    for pointer in told_of(operation).untold:
        path = parse(pointer)
        if str(path[-1]) not in request and get(request, path) is None:
            request = put(request, path, {"Unknown": f"{describe} does not return it"})
            unknown.append(pointer[1:].replace("/", "."))
    note = f"{describe} does not return {', '.join(unknown)}" if unknown else None
    return Item(operation=operation, params=request, kind=kind, where=where, note=note)


def tell(body: Mapping[str, Any]) -> tuple[str, bool] | None:
    """Return the Create operation whose resource a reply names, and whether it has its settings.

    None is no reply of a kind in the field table. The resource must be named with its ARN;
    of operations that share the ARN's member, the one with most evidence is chosen.
    """
    best: tuple[int, str] | None = None
    for wrapper in (None, "TrainingSessionDetail", "Workforce"):
        inner = body if wrapper is None else body.get(wrapper)
        if not isinstance(inner, Mapping):
            continue
        for arn in by_arn().keys() & inner.keys():
            for operation in by_arn()[arn]:
                if operations()[operation].name in inner:
                    best = max(best or (-1, ""), (evidence_in(operation, inner), operation))
    return None if best is None else (best[1], best[0] > 0)


_Found = tuple[str, Mapping[str, Any], "str | None", bool]


def _found(
    node: Any, place: str | None = None, key: str = "", depth: int = _DEPTH
) -> Iterator[_Found]:
    """Yield every reply below a node: operation, body, place, whether it has the settings."""
    if isinstance(node, Mapping):
        told = tell(node)
        if told is not None:
            yield told[0], node, place, told[1]
        elif depth:
            for name, child in node.items():
                if isinstance(child, (Mapping, list)) and name not in _ASIDE:
                    yield from _found(child, place, str(name), depth - 1)
    elif isinstance(node, (list, tuple)) and depth:
        word = "result" if key == "Results" else "reply"
        for number, child in enumerate(node, 1):
            yield from _found(child, place or f"{word} {number}", "", depth - 1)


def _as_told(operation: str, reply: Any) -> list[_Found]:
    """Return the replies where the caller says what they are."""
    found: list[_Found] = []
    many = isinstance(reply, (list, tuple))
    for number, body in enumerate(reply if many else [reply], 1):
        place = f"reply {number}" if many else None
        body = _unwrapped(body)
        if not isinstance(body, Mapping):
            raise InputError(f"{place or 'the content'} is no JSON object, so no reply")
        told = tell(body)
        if told is not None and told[0] != operation:
            raise InputError(
                f"{place or 'the reply'} tells of {told[0].removeprefix('Create')}, "
                f"not of {operation.removeprefix('Create')}; leave the operation out"
            )
        settings = told[1] if told is not None else bool(request_of_describe(operation, body))
        if not settings and told is None:
            raise InputError(
                f"{place or 'the reply'} has no member of "
                f"Describe{operation.removeprefix('Create')}; leave the operation out"
            )
        found.append((operation, body, place, settings))
    return found


def _unwrapped(body: Any) -> Any:
    """Return what a recorded reply holds."""
    if (
        isinstance(body, Mapping)
        and isinstance(body.get("data"), Mapping)
        and "status_code" in body
    ):
        return body["data"]
    return body


def _is_reply(content: Any) -> bool:
    """Tell whether JSON is an answer of AWS, though not of a kind that is known here."""
    body = _unwrapped(content)
    if body is not content:
        return True
    if not isinstance(body, Mapping):
        return False
    if "ResponseMetadata" in body:
        return True
    if isinstance(body.get("Results"), list) or any(
        name.endswith(("Summaries", "SummaryList")) and isinstance(value, list)
        for name, value in body.items()
    ):
        return True
    # Requests name other things by ARN too, but not when they were made, nor nothing else.
    arns = {
        name
        for name, value in body.items()
        if name.endswith("Arn") and isinstance(value, str) and ":sagemaker:" in value
    }
    return bool(arns) and ("CreationTime" in body or arns == body.keys())


def _name(operation: str, body: Mapping[str, Any]) -> str:
    return (resource_name(operation, body) or "without a name")[:100]


def _listed(operation: str, names: list[str]) -> Note:
    noun = operation.removeprefix("Create")
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return Note(
        f"{len(names)} × {noun} without settings ({shown}): a summary does not hold them; "
        f"give the reply of Describe{noun}"
    )
