"""Reads events: calls as CloudTrail records them, and state changes as EventBridge sends them.

Taken are a record alone, an EventBridge envelope, a log file (``{"Records"}``), a reply of
``aws cloudtrail lookup-events`` (``{"Events"}``), and lists of any of these. Record format:
"CloudTrail record contents" (CloudTrail user guide); envelopes: "Automating Amazon SageMaker AI
with Amazon EventBridge" (SageMaker developer guide).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Literal

from msgspec.structs import replace

from ..inventory.masking import resource_name
from ..inventory.paths import get
from ..inventory.table import operations
from .definition import PipelineReader, steps_of
from .describe import described
from .describe_table import evidence_in
from .event_members import request_of_record, with_untold
from .files import InputError, parse_json
from .items import Item, Reading
from .records import Note
from .reshape import bounded

_STATE_CHANGE = re.compile(r"^SageMaker (?:HyperPod )?(.{1,80}) Stat(?:e|us) Change$")
_READS = re.compile(r"^(Describe|List|Get|Search|Query|Render|BatchGet|BatchDescribe)")
# A log can hold any number of refused calls; the first ones are named.
_REFUSED_SHOWN = 50
_DEPTH = 4
_LOOKED_AT = 20

_Form = Literal["call", "state", "foreign"]


def is_event(content: Any) -> bool:
    """Tell whether parsed JSON is an event, or a list or log of events."""
    if isinstance(content, Mapping) and content.get("Records") == []:
        return True
    seen = islice(_events(content), _LOOKED_AT)
    return any(form != "foreign" for form, _ in seen)


def read_event(
    content: Mapping[str, Any] | list[Any], *, pipeline_reader: PipelineReader | None = None
) -> Reading:
    """Return the requests that succeeded, in the order of the events.

    A refused call, a record without parameters and what changes nothing become notes; records
    of other services are counted. ``role`` of an item is the role (or user) that called.
    ``pipeline_reader`` reads definitions of pipelines. Raises ``InputError`` for what is no event.
    """
    bounded(content)
    if not is_event(content):
        raise InputError(
            "no event: neither a CloudTrail record (eventSource, eventName) nor an EventBridge "
            'envelope ("detail-type", detail); give the record, the envelope or the log file'
        )
    log = _Log(pipeline_reader)
    for form, event in _events(content):
        if form == "call":
            log.call(event)
        elif form == "state":
            log.state(event)
        else:
            log.unreadable += 1
    return log.reading()


def _events(content: Any, depth: int = _DEPTH) -> Iterator[tuple[_Form, Any]]:
    """Yield every event in the content with its form."""
    if isinstance(content, (list, tuple)) and depth:
        for item in content:
            yield from _events(item, depth - 1)
    elif not isinstance(content, Mapping):
        yield "foreign", content
    elif _is_record(content):
        yield "call", content
    elif isinstance(content.get("detail-type"), str) and isinstance(content.get("detail"), Mapping):
        detail = content["detail"]
        yield ("call", detail) if _is_record(detail) else ("state", content)
    elif isinstance(content.get("CloudTrailEvent"), str):
        try:
            record = bounded(parse_json(content["CloudTrailEvent"], "CloudTrailEvent"))
        except InputError:
            # Counted with what cannot be read, and said in a note.
            record = None
        yield ("call", record) if _is_record(record) else ("foreign", record)
    elif isinstance(listed := content.get("Records", content.get("Events")), list) and depth:
        yield from _events(listed, depth - 1)
    else:
        yield "foreign", content


def _is_record(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    source, name = value.get("eventSource"), value.get("eventName")
    # Notifications of S3 have both members too, with "aws:s3".
    return isinstance(source, str) and ".amazonaws.com" in source and isinstance(name, str)


class _Log:
    """What has been read so far, and the counts that become notes."""

    def __init__(self, pipeline_reader: PipelineReader | None) -> None:
        self.items: list[Item] = []
        self.notes: list[Note] = []
        self.unreadable = 0
        self._pipeline_reader = pipeline_reader
        self._others = 0
        self._refused = 0
        self._reads: Counter[str] = Counter()
        self._plain: Counter[str] = Counter()
        self._states: Counter[str] = Counter()

    def call(self, record: Mapping[str, Any]) -> None:
        """Take one CloudTrail record."""
        name = record["eventName"]
        if not record["eventSource"].startswith("sagemaker."):
            self._others += 1
        elif name not in operations():
            reads = str(record.get("readOnly")).lower() == "true" or _READS.match(name)
            (self._reads if reads else self._plain)[name[:60]] += 1
        else:
            self._request(name, record)

    def _request(self, name: str, record: Mapping[str, Any]) -> None:
        parameters, where = record.get("requestParameters"), _where(record)
        if error := record.get("errorCode"):
            self._refused += 1
            if self._refused <= _REFUSED_SHOWN:
                called = _called(name, parameters)
                message = f"{called} was refused ({_text(error)}): nothing was created"
                self.notes.append(Note(message, where))
        elif not isinstance(parameters, Mapping):
            self.notes.append(Note(f"{name}: the record holds no parameters", where))
        elif parameters.get("omitted") is True:
            message = f"{name}: CloudTrail left the parameters out, they were too large"
            self.notes.append(Note(message, where))
        else:
            params = request_of_record(name, parameters)
            self._add(
                Item(operation=name, params=params, kind="event", where=where, role=_role(record))
            )

    def state(self, envelope: Mapping[str, Any]) -> None:
        """Take one event of EventBridge that tells of a state."""
        kind, detail = envelope["detail-type"], envelope["detail"]
        matched = _STATE_CHANGE.match(kind)
        operation = f"Create{matched[1].replace(' ', '')}" if matched else ""
        if not kind.startswith("SageMaker "):
            self._others += 1
        elif operation in operations() and evidence_in(operation, detail):
            time, region = _text(envelope.get("time")), _text(envelope.get("region"))
            where = f"{time} in {region}, {matched[1] if matched else kind}"
            item = described(operation, detail, kind="event", where=where)
            self._add(replace(item, params=with_untold(operation, detail, item.params)))
        else:
            self._states[kind[:100]] += 1

    def _add(self, item: Item) -> None:
        self.items.append(item)
        steps = steps_of(item, self._pipeline_reader)
        self.items += steps.items
        self.notes += steps.notes

    def reading(self) -> Reading:
        """Return items and notes; what was only counted comes last."""
        counts = []
        if self._refused > _REFUSED_SHOWN:
            counts.append(f"refused, besides those above: {self._refused - _REFUSED_SHOWN}")
        if self._plain:
            counts.append(f"{_counted(self._plain, 'call')} without a security setting")
        if self._reads:
            counts.append(f"{_counted(self._reads, 'call')}, reading only")
        if self._states:
            counts.append(f"{_counted(self._states, 'event')} without settings")
        if self._others:
            counts.append(f"records of other services: {self._others}")
        if self.unreadable:
            counts.append(f"entries that are no events: {self.unreadable}")
        if not self.items and not self.notes and not counts:
            counts.append("no events")
        return Reading(items=self.items, notes=[*self.notes, *map(Note, counts)])


def _counted(counter: Counter[str], noun: str) -> str:
    """Return ``3 calls (StopTrainingJob 2, DeleteModel 1)``, the most frequent first."""
    total = counter.total()
    names = [f"{name} {count}" for name, count in counter.most_common(3)]
    more = ", …" if len(counter) > 3 else ""
    return f"{total} {noun}{'' if total == 1 else 's'} ({', '.join(names)}{more})"


def _called(name: str, parameters: Any) -> str:
    """Return the operation and, where the record tells it, the name of the resource."""
    if not isinstance(parameters, Mapping):
        return name
    resource = resource_name(name, request_of_record(name, parameters))
    return f"{name} {_text(resource)}" if resource else name


def _where(record: Mapping[str, Any]) -> str:
    time, region = _text(record.get("eventTime")), _text(record.get("awsRegion"))
    return f"{time} by {_principal(record)} in {region}"


def _principal(record: Mapping[str, Any]) -> str:
    """Return the last part of who called: a user, a session, a service."""
    arn = get(record, ("userIdentity", "arn"))
    if isinstance(arn, str) and arn:
        return _text(re.split("[/:]", arn)[-1])
    return _text(
        get(record, ("userIdentity", "invokedBy")) or get(record, ("userIdentity", "type"))
    )


def _role(record: Mapping[str, Any]) -> str | None:
    issuer = get(record, ("userIdentity", "sessionContext", "sessionIssuer", "arn"))
    for arn in (issuer, get(record, ("userIdentity", "arn"))):
        if isinstance(arn, str) and arn:
            return arn
    return None


def _text(value: Any) -> str:
    """Return a value of a record as it may stand in a note."""
    return value[:100] if isinstance(value, str) and value else "unknown"
