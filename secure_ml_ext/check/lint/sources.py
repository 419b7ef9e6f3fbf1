"""The policy documents in a file: one, several, or a bundle; bare, or as a command printed them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...iam.bundle import BUNDLE_SCHEMA, OWN_LAYERS, PolicyBundle
from ...iam.errors import PolicyError
from ...iam.reading import decoded, read_json
from ..files import InputError
from .positions import Path
from .tolerant import Remark, tolerant

# What stands around a document: `aws iam get-role-policy` (PolicyDocument), `get-policy-version`
# (PolicyVersion, Document), `aws organizations describe-policy` (Policy, Content), `aws s3api
# get-bucket-policy` (Policy), `aws sagemaker get-model-package-group-policy` (ResourcePolicy).
_AROUND = (
    "PolicyVersion",
    "PolicyDocument",
    "Document",
    "Policy",
    "Content",
    "ResourcePolicy",
    "AssumeRolePolicyDocument",
    "document",
)
_NAMES = ("PolicyName", "Name", "name", "Arn", "arn")
_DEEPEST = 6
_FORMS = (
    'a document with "Statement", one inside "PolicyDocument", "PolicyVersion" or "Policy" as the '
    "AWS CLI prints it, a list of them, or a policy bundle"
)


class NotAPolicy(InputError):
    """JSON that holds no policy document."""


class Source(NamedTuple):
    """A document: its name, what it holds, and where.

    ``path`` leads to it in the file's text; ``embedded`` says that it stands there as a string, of
    which only the beginning has a place.
    """

    name: str | None
    value: Mapping[str, Any]
    path: Path
    embedded: bool = False
    remarks: tuple[Remark, ...] = ()


class Group(NamedTuple):
    """The documents of one layer of one principal: their Allow statements unite.

    ``layer`` is None for documents outside a bundle, ``principal`` for layers above all of them.
    """

    layer: str | None
    principal: str | None
    documents: list[Source]


class Content(NamedTuple):
    """What a file holds, with its text as strict JSON (None where it was not given as text)."""

    groups: list[Group]
    text: str | None
    remarks: list[Remark]


def read(
    file: str, content: str | Mapping[str, Any] | list[Any], label: str | None = None
) -> Content:
    """Read a file's content; InputError says what is wrong with it, where, and what is read.

    ``label`` names a document that has no name of its own.
    """
    try:
        if not isinstance(content, str):
            return Content(_groups(content, label), None, [])
        plain = decoded(content)
        text, remarks = tolerant(plain)
        # Places in a URL-encoded text are of no use to anybody.
        parsed = read_json(text, "")
        return Content(_groups(parsed, label), text if plain is content else None, remarks)
    except InputError as error:
        raise type(error)(f"{file}: {error}") from None
    except PolicyError as error:
        raise InputError(f"{file}: {error}") from error


def _groups(value: Any, label: str | None) -> list[Group]:
    if isinstance(value, list):
        return [Group(None, "", _sources(value, (), label or ""))]
    if not isinstance(value, Mapping):
        raise NotAPolicy(f"holds no policy; what is read is {_FORMS}")
    if _is_bundle(value):
        # The strict reader first: a layer under a misspelt name would be overlooked.
        PolicyBundle.from_dict(value)
        return list(_bundle(value))
    return [Group(None, "", [_source(value, (), label)])]


def _is_bundle(value: Mapping[str, Any]) -> bool:
    keys = {"principals", "scps", *OWN_LAYERS}
    return "Statement" not in value and (
        value.get("schema") == BUNDLE_SCHEMA or not keys.isdisjoint(value)
    )


def _bundle(value: Mapping[str, Any]) -> Iterator[Group]:
    if "principals" in value:
        for arn, own in value["principals"].items():
            yield from _layers(own, ("principals", arn), f"{arn} ", arn)
    else:
        yield from _layers(value, (), "", "")
    for number, level in enumerate(value.get("scps") or ()):
        label = f"scp:{number}"
        yield Group(label, None, _sources(level, ("scps", number), label))


def _layers(own: Mapping[str, Any], path: Path, owner: str, principal: str) -> Iterator[Group]:
    for layer in OWN_LAYERS:
        if own.get(layer) is not None:
            documents = _sources(own[layer], (*path, layer), f"{owner}{layer}")
            yield Group(layer, principal, documents)


def _sources(value: Any, path: Path, label: str) -> list[Source]:
    if not isinstance(value, list):
        return [_source(value, path, f"{label}[0]")]
    return [_source(each, (*path, n), f"{label}[{n}]") for n, each in enumerate(value)]


def _source(value: Any, path: Path, label: str | None) -> Source:
    """Unwrap a document; a name around it is its name."""
    name, embedded = label, False
    remarks: list[Remark] = []
    for _ in range(_DEEPEST):
        if isinstance(value, str):
            text, found = tolerant(decoded(value))
            value = read_json(text, name or "")
            # Only the beginning of the string has a place in the file.
            remarks, embedded = found, True
        if not isinstance(value, Mapping):
            break
        if "Statement" in value:
            return Source(name, value, path, embedded, tuple(remarks))
        around = next((key for key in _AROUND if key in value), None)
        if around is None:
            break
        name = _name_in(value) or name
        path = path if embedded else (*path, around)
        value = value[around]
    raise NotAPolicy(
        f"{'' if label is None else label + ': '}holds no policy document{_misspelt(value)}; "
        f"what is read is {_FORMS}"
    )


def _name_in(value: Mapping[str, Any]) -> str | None:
    summary = value.get("PolicySummary")
    places = (value, summary) if isinstance(summary, Mapping) else (value,)
    for place in places:
        for key in _NAMES:
            if isinstance(place.get(key), str) and place[key]:
                return str(place[key])
    return None


def _misspelt(value: Any) -> str:
    if isinstance(value, Mapping):
        keys = [key for key in value if isinstance(key, str)][:20]
        near = difflib.get_close_matches("Statement", keys, n=1, cutoff=0.7)
        if near:
            return f" (it has {near[0]}; IAM writes Statement)"
    return ""
