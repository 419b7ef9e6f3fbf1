"""What a policy bundle holds, counted, with every document that cannot be evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..iam import PolicyBundle, PolicyError
from ..iam.bundle import OWN_LAYERS
from ..iam.document import read_document

SCHEMA = "secure-ml/policies-summary@1"


def summarise(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the layers of a bundle, what is unread, and the errors.

    The shape is ``{"schema", "layers": [{"principal", "layer", "documents": [{"name", "arn",
    "statements", "denies"}]}], "unread": [{"principal", "layer"}], "errors": [{"message",
    "document", "statement", "character"}]}``; the principal is None for the organisation's
    layers, and for the only one of a flat bundle.
    """
    layers, errors = [], []
    for principal, layer, documents in _layers(content):
        counted = []
        for number, document in enumerate(documents):
            try:
                counted.append(_counted(document, f"{layer}[{number}]"))
            except PolicyError as error:
                errors.append(_error(error))
        layers.append({"principal": principal, "layer": layer, "documents": counted})
    if not errors:
        try:
            PolicyBundle.from_dict(content)
        except PolicyError as error:
            errors.append(_error(error))
    return {
        "schema": SCHEMA,
        "layers": layers,
        "unread": list(_unread(content)),
        "errors": errors,
    }


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return a summary as text."""
    lines: list[str] = []
    shown: Any = ""
    for layer in summary["layers"]:
        if layer["principal"] != shown:
            shown = layer["principal"]
            lines.append(shown or "Service control policies")
        documents = layer["documents"]
        statements = sum(document["statements"] for document in documents)
        lines.append(f"  {layer['layer']:<9} documents {len(documents)}, statements {statements}")
        lines += [
            f"    {document['name']}: statements {document['statements']}, "
            f"Deny {document['denies']}"
            for document in documents
        ]
    for unread in summary["unread"]:
        whose = f" of {unread['principal']}" if unread["principal"] else ""
        lines.append(f"not read: {unread['layer']}{whose}")
    lines += [f"cannot be evaluated: {error['message']}" for error in summary["errors"]]
    return lines or ["empty: no principal and no service control policy"]


def _layers(content: Mapping[str, Any]) -> Iterator[tuple[str | None, str, list[Any]]]:
    principals = content.get("principals")
    if isinstance(principals, Mapping):
        for arn, own in principals.items():
            yield from _own(own, str(arn))
    else:
        yield from _own(content, "the principal")
    scps = content.get("scps")
    for number, level in enumerate(scps if isinstance(scps, list) else []):
        yield None, f"scp:{number}", _list(level)


def _own(own: Any, principal: str) -> Iterator[tuple[str, str, list[Any]]]:
    for layer in OWN_LAYERS if isinstance(own, Mapping) else ():
        if own.get(layer) is not None:
            yield principal, layer, _list(own[layer])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _counted(document: Any, default: str) -> dict[str, Any]:
    read = read_document(document, default)
    return {
        "name": read.name,
        "arn": document.get("arn") if isinstance(document, Mapping) else None,
        "statements": len(read.statements),
        "denies": sum(statement.effect == "Deny" for statement in read.statements),
    }


def _unread(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for layer in _names(content):
        yield {"principal": None, "layer": layer}
    principals = content.get("principals")
    for arn, own in principals.items() if isinstance(principals, Mapping) else ():
        for layer in _names(own):
            yield {"principal": arn, "layer": layer}


def _names(own: Any) -> list[str]:
    named = own.get("unread") if isinstance(own, Mapping) else None
    return [name for name in _list(named or []) if isinstance(name, str)]


def _error(error: PolicyError) -> dict[str, Any]:
    return {
        "message": str(error),
        "document": error.document or None,
        "statement": error.statement,
        "character": error.character,
    }
