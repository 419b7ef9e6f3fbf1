"""List operations and Search: filters, order, and pages whose tokens survive new entries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import operator
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any

from .facts import Facts, describe, searched
from .kinds import EXECUTION, Kind, kinds
from .shapes import pick, service_model
from .store import AwsError, Record, Store, now

# Members of a summary that Describe names otherwise.
SUMMARY_NAMES = {
    "MonitoringJobDefinitionName": "JobDefinitionName",
    "MonitoringJobDefinitionArn": "JobDefinitionArn",
    "JobSecondaryStatus": "SecondaryStatus",
}
SEARCHABLE = {
    "TrainingJob": "TrainingJob",
    "HyperParameterTuningJob": "HyperParameterTuningJob",
    "Endpoint": "Endpoint",
    "Model": "Model",
    "Project": "Project",
    "FeatureGroup": "FeatureGroup",
    "ModelPackage": "ModelPackage",
    "ModelPackageGroup": "ModelPackageGroup",
    "Pipeline": "Pipeline",
    "PipelineExecution": EXECUTION.name,
}
# Times of a filter that Describe names otherwise (CreatedAfter).
TIMES = {"Created": "CreationTime"}
IGNORED = frozenset({"NextToken", "MaxResults", "SortBy", "SortOrder"})


def page(
    rows: list[tuple[Any, str, Facts]], params: Facts, *, default: int = 10, descending: bool
) -> tuple[list[Facts], str | None]:
    """One page of rows `(sort value, ARN, row)` and the token of the next.

    The token remembers the last row told, not a number, so nothing is told twice or left out
    when rows are added; it belongs to its query and is refused with another.
    """
    query = {k: v for k, v in params.items() if k not in ("NextToken", "MaxResults")}
    mark = hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:16]
    rows = sorted(rows, key=lambda row: (row[0], row[1]), reverse=descending)
    if token := params.get("NextToken"):
        last = _read_token(token, mark)
        beyond: Callable[[Any, Any], bool] = operator.lt if descending else operator.gt
        rows = [row for row in rows if beyond((row[0], row[1]), last)]
    size = int(params.get("MaxResults") or default)
    told = rows[:size]
    if len(rows) <= size:
        return [row[2] for row in told], None
    content = json.dumps([mark, told[-1][0], told[-1][1]])
    return [row[2] for row in told], base64.urlsafe_b64encode(content.encode()).decode()


def _read_token(token: str, mark: str) -> tuple[Any, str]:
    try:
        found, value, arn = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, UnicodeDecodeError):
        found, value, arn = None, None, ""
    if found != mark:
        raise AwsError("ValidationException", "The NextToken does not belong to this request.")
    return value, arn


def list_kind(
    kind: Kind, store: Store, params: Facts, among: Callable[[Record], bool] = lambda record: True
) -> Facts:
    """The reply of a List operation, about the records ``among`` which it chooses."""
    row_shape = kind.row
    moment = now()
    rows = []
    for record in filter(among, store.all(kind)):
        facts = describe(record, store, moment)
        if all(_passes(kind, facts, name, value) for name, value in params.items()):
            for told, known in SUMMARY_NAMES.items():
                if known in facts:
                    facts[told] = facts[known]
            for member in row_shape.members:
                if member not in facts and (found := _deeper(facts, member)) is not None:
                    facts[member] = found
            sort = _sort_value(kind, record, facts, params.get("SortBy", "CreationTime"))
            rows.append((sort, record.arn, pick(row_shape, facts)))
    descending = params.get("SortOrder", "Descending") == "Descending"
    told_rows, token = page(rows, params, descending=descending)
    return {kind.list_member: told_rows, **({"NextToken": token} if token else {})}


def _deeper(facts: Any, member: str) -> Any:
    """A member that a summary has at the top and Describe further down (a tuning's Strategy)."""
    if member == "OptimizationTypes":
        return [next(iter(step)) for step in facts.get("OptimizationConfigs") or [] if step]
    inner = [value for value in facts.values() if isinstance(value, dict)]
    for value in inner:
        if member in value:
            return value[member]
    return next((f for value in inner if (f := _deeper(value, member)) is not None), None)


def _sort_value(kind: Kind, record: Record, facts: Facts, by: str) -> Any:
    if by in ("Name", "NAME") or by.endswith("Name"):
        return record.key
    if by in ("Status", "STATUS"):
        return facts.get(kind.status_member or "", "")
    if by in ("LastModifiedTime", "LAST_MODIFIED_TIME"):
        return facts.get("LastModifiedTime", record.created)
    return record.created


def _passes(kind: Kind, facts: Facts, name: str, value: Any) -> bool:
    """Whether a row passes one member of a List request."""
    if name in IGNORED or value is None:
        return True
    if name.endswith("Contains"):
        known = facts.get(name.removesuffix("Contains")) or facts.get(kind.name_member, "")
        return str(value).lower() in str(known).lower()
    if name.endswith("Prefix"):
        return str(facts.get(name.removesuffix("Prefix"), "")).startswith(str(value))
    if name.endswith("Equals"):
        member = name.removesuffix("Equals")
        status = kind.status_member if member == "Status" else member
        return bool(facts.get(status or "") == value)
    for suffix, compare in (("After", operator.ge), ("Before", operator.le)):
        if name.endswith(suffix):
            known = facts.get(TIMES.get(name.removesuffix(suffix), name.removesuffix(suffix)))
            return known is not None and bool(compare(float(known), float(value)))
    if name in kind.output.members:
        return bool(facts.get(name) == value)
    raise AwsError(
        "NotImplementedByEmbeddedAws", f"{kind.listing}: the filter {name} is not implemented."
    )


def search(store: Store, params: Facts) -> Facts | None:
    """The reply of Search; None for resources that are not ours."""
    resource = params["Resource"]
    if resource not in SEARCHABLE:
        return None
    name = SEARCHABLE[resource]
    kind = EXECUTION if name == EXECUTION.name else kinds()[name]
    record_shape: Any = service_model("sagemaker").shape_for("SearchRecord")
    shape = record_shape.members[resource]
    moment = now()
    rows = []
    by = params.get("SortBy") or "LastModifiedTime"
    for record in store.all(kind):
        facts = searched(record, store, moment)
        if _matches(params.get("SearchExpression") or {}, facts):
            if resource == "Model":
                row: Facts = {"Model": facts}
            else:
                row = facts
            sort = _value_at(facts, by)
            sort = sort if isinstance(sort, (int, float)) else str(sort or "")
            rows.append((sort, record.arn, {resource: pick(shape, row)}))
    if len({isinstance(row[0], str) for row in rows}) > 1:
        rows = [(str(row[0]), row[1], row[2]) for row in rows]
    descending = params.get("SortOrder", "Descending") == "Descending"
    told, token = page(rows, params, descending=descending)
    reply: Facts = {"Results": told, "TotalHits": {"Value": len(rows), "Relation": "EqualTo"}}
    return {**reply, "NextToken": token} if token else reply


def _matches(expression: Facts, facts: Facts) -> bool:
    checks: Iterable[bool] = [
        *(_filter(item, facts) for item in expression.get("Filters", [])),
        *(_matches(item, facts) for item in expression.get("SubExpressions", [])),
        *(_nested(item, facts) for item in expression.get("NestedFilters", [])),
    ]
    results = list(checks)
    if not results:
        return True
    return any(results) if expression.get("Operator", "And") == "Or" else all(results)


def _nested(nested: Facts, facts: Facts) -> bool:
    """All filters hold for one and the same entry of a list."""
    path = nested["NestedPropertyName"]
    entries = _value_at(facts, path)
    return isinstance(entries, list) and any(
        all(
            _filter({**item, "Name": item["Name"].removeprefix(f"{path}.")}, entry)
            for item in nested["Filters"]
        )
        for entry in entries
    )


def _value_at(facts: Any, path: str) -> Any:
    if path.startswith("Tags."):
        key = path.removeprefix("Tags.")
        return next((t["Value"] for t in facts.get("Tags", []) if t["Key"] == key), None)
    value = facts
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _filter(item: Facts, facts: Facts) -> bool:
    known = _value_at(facts, item["Name"])
    wanted = item.get("Value")
    how = item.get("Operator", "Equals")
    if how == "Exists":
        return known is not None
    if how == "NotExists":
        return known is None
    if how == "NotEquals":
        return bool(_text(known) != wanted)
    if known is None or wanted is None:
        return False
    if how == "Equals":
        return bool(_text(known) == wanted)
    if how == "Contains":
        return str(wanted).lower() in _text(known).lower()
    if how == "In":
        return _text(known) in [part.strip() for part in wanted.split(",")]
    return bool(COMPARISONS[how](_number(known), _number(wanted)))


COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _number(value: Any) -> float:
    """A number, or a time in ISO 8601 as Search takes it."""
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError as error:
        raise AwsError("ValidationException", f"'{value}' is no number or time.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
