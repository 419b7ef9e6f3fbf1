"""IAM's policy simulator: what it is asked with, and what it answers, in this product's terms.

SimulateCustomPolicy (IAM API reference) takes identity policies, one boundary, and service control
policies level by level; a session policy it cannot take. Of the statements that decided it names
those of identity policies and boundary, by their place in the text; of service control policies it
says only whether they allow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct

from ..iam import PolicyError, Verdict
from ..iam.reading import decoded, read_json
from ..inventory.authorization import authorization

IDENTITY, BOUNDARY = "PolicyInputList", "PermissionsBoundaryPolicyInputList"
SCPS, LEVEL = "OrderedOrganizationPolicyInputList", "ServiceControlPolicyInputList"
_VERDICTS: Mapping[str, Verdict] = {
    "allowed": "allowed",
    "explicitDeny": "explicitly-denied",
    "implicitDeny": "implicitly-denied",
}
# The types that the Service Authorization Reference uses, as the simulator calls them.
_TYPES = {
    "Bool": "boolean",
    "Numeric": "numeric",
    "Date": "date",
    "IPAddress": "ip",
    "Binary": "binary",
}
_GLOBAL_TYPES = {
    "aws:currenttime": "date",
    "aws:epochtime": "numeric",
    "aws:ispublicnetwork": "boolean",
    "aws:multifactorauthage": "numeric",
    "aws:multifactorauthpresent": "boolean",
    "aws:principalisawsservice": "boolean",
    "aws:securetransport": "boolean",
    "aws:sourceip": "ip",
    "aws:tokenissuetime": "date",
    "aws:viaawsservice": "boolean",
    "aws:vpcsourceip": "ip",
}


class Matched(Struct, frozen=True):
    """A statement that the simulator says decided.

    ``layer`` is identity or boundary, ``index`` the statement's from 0; both are None where the
    simulator's reference leads nowhere. ``policy`` is the document's name.
    """

    layer: str | None
    policy: str
    sid: str | None
    index: int | None


class Text(NamedTuple):
    """A document as it is sent: one statement per line, so that a place tells the statement."""

    name: str
    text: str
    spans: tuple[tuple[int, int], ...]
    sids: tuple[str | None, ...]


class Answer(NamedTuple):
    """What the simulator decided; the two flags are None where it does not say."""

    verdict: Verdict
    matched: list[Matched]
    by_organizations: bool | None
    by_boundary: bool | None


def text_of(value: Any, default: str) -> Text:
    """Return a bundle's document as text; PolicyError for what is no policy."""
    name = default
    if isinstance(value, Mapping) and "document" in value and "Statement" not in value:
        name = str(value.get("name") or value.get("arn") or default)
        value = value["document"]
    if isinstance(value, str):
        value = read_json(decoded(value), name)
    if not isinstance(value, Mapping) or not isinstance(value.get("Statement"), (list, Mapping)):
        raise PolicyError("a document is an object with a Statement", document=name)
    statements = value["Statement"]
    several = statements if isinstance(statements, list) else [statements]
    head = json.dumps({key: each for key, each in value.items() if key != "Statement"})[:-1]
    text = head + (", " if len(head) > 1 else "") + '"Statement": [\n'
    spans = []
    for number, statement in enumerate(several):
        # Letters beyond ASCII are escaped: the simulator takes no others than Latin-1.
        one = json.dumps(statement)
        spans.append((len(text), len(text) + len(one)))
        text += one + (",\n" if number < len(several) - 1 else "\n")
    sids = tuple(each.get("Sid") if isinstance(each, Mapping) else None for each in several)
    return Text(name, text + "]}", tuple(spans), sids)


def entries(context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the context as the simulator takes it; absent keys (None, empty lists) are left out."""
    for key, value in context.items():
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        texts = [_text(each) for each in values if each is not None]
        if not texts:
            continue
        several = isinstance(value, (list, tuple))
        kind = _type(key, several)
        yield {
            "ContextKeyName": key,
            "ContextKeyValues": texts,
            "ContextKeyType": kind,
        }


def answer(result: Mapping[str, Any], resource: str, texts: Mapping[str, list[Text]]) -> Answer:
    """Read one evaluation result, of the resource where there is one of its own."""
    specific = next(
        (
            each
            for each in result.get("ResourceSpecificResults") or []
            if each.get("EvalResourceName") == resource
        ),
        None,
    )
    decision = result["EvalDecision"]
    told: Mapping[str, Any] = result
    if specific is not None:
        decision, told = specific["EvalResourceDecision"], specific
    organizations = result.get("OrganizationsDecisionDetail") or {}
    boundary = (
        told.get("PermissionsBoundaryDecisionDetail")
        or result.get("PermissionsBoundaryDecisionDetail")
        or {}
    )
    return Answer(
        _VERDICTS[decision],
        [_matched(each, texts) for each in told.get("MatchedStatements") or []],
        organizations.get("AllowedByOrganizations"),
        boundary.get("AllowedByPermissionsBoundary"),
    )


def _matched(told: Mapping[str, Any], texts: Mapping[str, list[Text]]) -> Matched:
    source = str(told.get("SourcePolicyId") or "")
    name, _, number = source.rpartition(".")
    documents = texts.get(name, [])
    if not number.isdecimal() or not 0 < int(number) <= len(documents):
        return Matched(None, source, None, None)
    document = documents[int(number) - 1]
    layer = "identity" if name == IDENTITY else "boundary"
    index = _statement_at(document, told.get("StartPosition"), told.get("EndPosition"))
    return Matched(layer, document.name, None if index is None else document.sids[index], index)


def _statement_at(document: Text, start: Any, end: Any) -> int | None:
    """Return the statement that a range covers most of; AWS does not say how it counts columns."""
    if len(document.spans) == 1:
        return 0
    try:
        first, last = _offset(document.text, start), _offset(document.text, end)
    except (KeyError, TypeError, IndexError):
        return None
    overlaps = [min(last, stop) - max(first, begin) for begin, stop in document.spans]
    best = max(range(len(overlaps)), key=overlaps.__getitem__)
    return best if overlaps[best] > 0 else None


def _offset(text: str, position: Mapping[str, int]) -> int:
    """Return the offset of a line and column, both from 1."""
    lines = text.splitlines(keepends=True)
    line, column = int(position["Line"]) - 1, int(position["Column"]) - 1
    if line < 0:
        raise IndexError(line)
    return sum(map(len, lines[:line])) + min(max(column, 0), len(lines[line]))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@lru_cache(maxsize=1)
def _known_types() -> Mapping[str, str]:
    """Return the types of the SageMaker keys in lower case, those with a tag's name shortened."""
    return {key.lower().partition("$")[0]: kind for key, kind in authorization().keys.items()}


def _type(key: str, several: bool) -> str:
    lower = key.lower()
    head, slash, _ = lower.partition("/")
    known = _known_types()
    kind = known.get(lower) or (known.get(head + slash) if slash else None) or ""
    base = _GLOBAL_TYPES.get(lower) or _TYPES.get(kind.removeprefix("ArrayOf"), "string")
    return f"{base}List" if several or kind.startswith("ArrayOf") else base
