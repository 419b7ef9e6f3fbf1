"""Policy documents: what IAM accepts, read into statements.

The grammar is AWS's "Grammar of the IAM JSON policy language". Names of elements are as it writes
them, case included; a single statement, action, resource or value may stand without its list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from .errors import PolicyError
from .reading import Path, decoded, line_of, locate, read_json
from .statement import PolicyStatement

WITH_VARIABLES = "2012-10-17"
VERSIONS = ("2008-10-17", WITH_VARIABLES)
_DOCUMENT = frozenset({"Version", "Id", "Statement"})
_STATEMENT = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_PRINCIPALS = frozenset({"Principal", "NotPrincipal"})
_LONGEST_SHOWN = 60


class Document(NamedTuple):
    """A policy: its name (or ARN) and its statements in order."""

    name: str
    statements: tuple[PolicyStatement, ...]


def read_document(value: Any, default: str) -> Document:
    """Read a document: IAM JSON as text or dict, bare or as ``{"name", "arn", "document"}``.

    ``default`` names it where it has no name of its own. PolicyError says what IAM would refuse.
    """
    name, value = _unwrapped(value, default)
    if not isinstance(value, str):
        return Document(name, tuple(_statements(value, name)))
    text = decoded(value)
    parsed = read_json(text, name)
    try:
        return Document(name, tuple(_statements(parsed, name)))
    except PolicyError as error:
        place = locate(text, error.path) if error.path else None
        if place is None:
            raise
        raise PolicyError(
            error.problem,
            document=name,
            path=error.path,
            line=line_of(text, place),
            character=place,
        ) from None


def _unwrapped(value: Any, default: str) -> tuple[str, Any]:
    if isinstance(value, Mapping) and "document" in value and "Statement" not in value:
        named = value.get("name") or value.get("arn") or default
        if not isinstance(named, str):
            raise PolicyError("the name of a document must be a string", document=default)
        return named, value["document"]
    return default, value


def _statements(value: Any, name: str) -> Iterator[PolicyStatement]:
    if not isinstance(value, Mapping):
        raise PolicyError(f"a document is an object, not {_kind(value)}", document=name)
    _only(value, _DOCUMENT, name, ())
    version = value.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        raise PolicyError(
            f"the version is {_shown(version)}; IAM knows {' and '.join(VERSIONS)}",
            document=name,
            path=("Version",),
        )
    if "Statement" not in value:
        raise PolicyError("there is no Statement", document=name)
    statements = value["Statement"]
    alone = isinstance(statements, Mapping)
    for number, statement in enumerate([statements] if alone else _list(statements, name)):
        path: Path = ("Statement",) if alone else ("Statement", number)
        try:
            yield _statement(statement, name, number, version == WITH_VARIABLES)
        except PolicyError as error:
            raise PolicyError(
                error.problem, document=name, path=path + error.path, character=error.character
            ) from None


def _list(value: Any, name: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise PolicyError(
        f"Statement is an object or a list, not {_kind(value)}", document=name, path=("Statement",)
    )


def _statement(value: Any, name: str, index: int, variables: bool) -> PolicyStatement:
    if not isinstance(value, Mapping):
        raise PolicyError(f"a statement is an object, not {_kind(value)}")
    if found := sorted(_PRINCIPALS & value.keys()):
        raise PolicyError(
            "policies of identities and organisations have no principal", path=(found[0],)
        )
    _only(value, _STATEMENT, "", ())
    effect = value.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(
            f"Effect is Allow or Deny, not {_shown(effect)}",
            path=("Effect",) if "Effect" in value else (),
        )
    sid = value.get("Sid")
    if sid is not None and not isinstance(sid, str):
        raise PolicyError(f"Sid is a string, not {_kind(sid)}", path=("Sid",))
    chosen: Literal["Allow", "Deny"] = effect
    return PolicyStatement(
        name,
        index,
        sid,
        chosen,
        _one_of(value, "Action", "NotAction"),
        _one_of(value, "Resource", "NotResource"),
        list(_conditions(value.get("Condition", {}))),
        variables,
    )


def _one_of(statement: Mapping[str, Any], name: str, negated: str) -> tuple[str, list[str]]:
    """Return the element that is there, of a pair of which there must be one."""
    found = [each for each in (name, negated) if each in statement]
    if len(found) != 1:
        raise PolicyError(
            f"there is neither {name} nor {negated}"
            if not found
            else f"{name} and {negated} exclude each other"
        )
    return found[0], _strings(statement[found[0]], (found[0],))


def _strings(value: Any, path: Path) -> list[str]:
    """Return the strings of a string or a list of strings."""
    values = value if isinstance(value, list) else [value]
    for number, each in enumerate(values):
        if not isinstance(each, str):
            where = (*path, number) if isinstance(value, list) else path
            raise PolicyError(f"a string is wanted, not {_kind(each)}", path=where)
    return values


def _conditions(value: Any) -> Iterator[tuple[str, str, list[str]]]:
    """Yield operator, key and values; numbers and booleans become text."""
    if not isinstance(value, Mapping):
        raise PolicyError(f"Condition is an object, not {_kind(value)}", path=("Condition",))
    for name, keys in value.items():
        if not isinstance(keys, Mapping):
            raise PolicyError(
                f"an operator holds an object of keys, not {_kind(keys)}", path=("Condition", name)
            )
        for key, found in keys.items():
            path: Path = ("Condition", name, key)
            values = found if isinstance(found, list) else [found]
            texts = [_text(each) for each in values]
            if None in texts:
                wrong = values[texts.index(None)]
                raise PolicyError(
                    f"a string, number or boolean is wanted, not {_kind(wrong)}", path=path
                )
            yield name, key, [text for text in texts if text is not None]


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else None


def _only(value: Mapping[str, Any], known: frozenset[str], name: str, path: Path) -> None:
    for key in value:
        if key not in known:
            proper = next((each for each in known if each.lower() == str(key).lower()), None)
            hint = f"; IAM writes {proper}" if proper else ""
            raise PolicyError(
                f"there is no element {_shown(key)}{hint}", document=name, path=(*path, key)
            )


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    names.update({int: "a number", float: "a number", type(None): "null"})
    return names.get(type(value), type(value).__name__)


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
