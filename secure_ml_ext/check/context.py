"""What IAM would see of a request: its condition keys, as far as they are known.

The members that fill a key come from ``inventory.authorization``. Only keys that the policies
read are looked up. Where AWS does not document what it fills in (an omitted boolean, a key whose
name is deprecated) the key is ``Undetermined`` between the possibilities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ..iam import SOMETHING, Undetermined
from ..inventory.authorization import action_named, authorization, key_family
from ..inventory.paths import Path, absent, decided_later, expand, get, parse
from ..inventory.table import field_table
from .context_global import Getter, Sent, global_key, later, unknown

# What AWS takes where the member is omitted. Whether the key is then filled is documented for
# none of them. From the API reference of each operation, as read in November 2026.
_DEFAULTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("CreateNotebookInstance", "sagemaker:DirectInternetAccess"): ("Enabled",),
    ("CreateNotebookInstance", "sagemaker:RootAccess"): ("Enabled",),
    ("CreateNotebookInstance", "sagemaker:MinimumInstanceMetadataServiceVersion"): ("1", "2"),
    ("CreateDomain", "sagemaker:AppNetworkAccessType"): ("PublicInternetOnly",),
}
_RUNTIME = ("86400",)
_LATER: Mapping[str, str] = {"Unknown": "it is decided later"}
# Keys of things that a list's entry need not have: another channel says nothing about them.
_SPARSE = ("sagemaker:FileSystem", "sagemaker:Serverless", "sagemaker:Workteam")


def context(keys: frozenset[str], sent: Sent) -> dict[str, Any]:
    """Return the values of the condition keys (lower case) that a policy reads.

    A value is a string, a list of strings, None for absent, or ``Undetermined``.
    """
    found: dict[str, Any] = {}
    for key, getter in _getters(sent.operation, keys):
        value = getter(sent)
        if value is not None:
            found[key] = value
    if sent.principal is not None:
        found["aws:PrincipalArn"] = sent.principal
    return found


@lru_cache(maxsize=1024)
def _getters(operation: str, keys: frozenset[str]) -> tuple[tuple[str, Getter], ...]:
    """Compile the look-ups for the keys that a plan reads; unknown keys are absent."""
    made = []
    for key in sorted(keys):
        getter = _getter(operation, key)
        if getter is not None:
            made.append(getter)
    return tuple(made)


@lru_cache(maxsize=1)
def _proper() -> Mapping[str, str]:
    """Return the spelling of every SageMaker key by its lower-case form."""
    return {key.lower(): key for key in authorization().keys}


@lru_cache(maxsize=1)
def _deprecated() -> Mapping[str, str]:
    return {old.lower(): new for old, new in field_table().deprecated_keys.items()}


def _getter(operation: str, lower: str) -> tuple[str, Getter] | None:
    if lower.startswith(("aws:", "sagemaker:resourcetag/")):
        return global_key(operation, lower)
    action = action_named(operation)
    if (new := _deprecated().get(lower)) is not None:
        proper = next(old for old in field_table().deprecated_keys if old.lower() == lower)
        if action is None or not action.carries(new):
            return None
        inner = _member(operation, new)
        return (proper, _old_name(proper, inner)) if inner else None
    if action is None:
        # An operation that the IAM data does not have yet: nobody knows what it carries.
        return (lower, unknown) if lower.startswith("sagemaker:") else None
    proper_key = _proper().get(lower) or _in_family(lower)
    if proper_key is None or not action.carries(proper_key):
        return None
    inner = _member(operation, proper_key, lower)
    return (proper_key if "$" not in proper_key else lower, inner or unknown)


def _in_family(lower: str) -> str | None:
    family = key_family(lower)
    return next((k for k in authorization().keys if "${" in k and key_family(k) == family), None)


def _member(operation: str, key: str, written: str = "") -> Getter | None:
    """Return the look-up of a key that members of the request fill."""
    action = action_named(operation)
    if action is None:
        return None
    if key in action.named:
        kind, *pointers = action.named[key]
        return _arn_of(kind, [parse(p) for p in pointers], _many(key))
    pointers = action.paths.get(key, [])
    if not pointers:
        return None
    paths = [parse(p) for p in pointers]
    if "${" in key:
        return _map_entry(paths[0], written.partition("/")[2])
    if _many(key):
        return _list(paths)
    if key.endswith("KmsKeyArn"):
        return _kms(paths)
    kind = authorization().keys.get(key, "String")
    if kind == "Bool":
        return _flag(key, paths)
    defaults = _DEFAULTS.get((operation, key), ())
    if key == "sagemaker:MaxRuntimeInSeconds":
        defaults = _RUNTIME
    return _word(key, paths, defaults)


def _many(key: str) -> bool:
    return authorization().keys.get(key, "").startswith("ArrayOf")


def _values(paths: list[Path], params: Mapping[str, Any]) -> list[Any]:
    """Return the value at every place that a key is filled from, None where it is absent."""
    found = []
    for path in paths:
        for place in expand(params, path) if "*" in path else (path,):
            found.append(_value(params, place))
    return found


def _value(params: Mapping[str, Any], place: Path) -> Any:
    """Return what stands at a place: None for nothing, an object for what is decided later."""
    value = get(params, place)
    if value is None:
        return _LATER if decided_later(params, place) else None
    return None if absent(value) else value


def _by_entry(paths: list[Path], params: Mapping[str, Any]) -> list[Any]:
    """Return one value for each list entry that a key may be filled from, None for absent.

    Members of the same entry are alternatives (the two resource configurations of a tuning
    job's definition), and so are a single definition and a list of them.
    """
    if len(paths) == 1 and "*" not in paths[0]:
        return [_value(params, paths[0])]
    entries: dict[Path, Any] = {}
    for path in paths:
        for place in expand(params, path) if "*" in path else (path,):
            depth = max((n + 1 for n, part in enumerate(place) if isinstance(part, int)), default=0)
            if entries.get(place[:depth]) is None:
                entries[place[:depth]] = _value(params, place)
    if len(entries) > 1 and entries.get((), True) is None:
        del entries[()]
    return list(entries.values())


def _list(paths: list[Path]) -> Getter:
    def read(sent: Sent) -> Any:
        texts: list[str] = []
        for value in _values(paths, sent.params):
            if value is None:
                continue
            if later(value):
                return Undetermined()
            for each in value if isinstance(value, (list, tuple)) else (value,):
                if later(each):
                    return Undetermined((SOMETHING,))
                if isinstance(each, str) and each.strip():
                    texts.append(each)
        return texts or None

    return read


def _one(values: list[Any], text: Callable[[Any], Any]) -> Any:
    """Return the one value of a key that several entries of a list may fill.

    Where they differ (the definitions of a tuning job) AWS does not say which one counts.
    """
    for value in values:
        if later(value):
            return Undetermined()
    if len(values) == 1 and values[0] is None:
        return None
    given = dict.fromkeys(None if value is None else text(value) for value in values)
    if len(given) > 1:
        return Undetermined(tuple(given))
    only = next(iter(given), None)
    return Undetermined((SOMETHING,)) if only is SOMETHING else only


def _word(key: str, paths: list[Path], defaults: tuple[str, ...]) -> Getter:
    question = f"Is {key} absent or {' or '.join(defaults)} when the request does not set it?"
    sparse = key.startswith(_SPARSE)

    def read(sent: Sent) -> Any:
        values = _by_entry(paths, sent.params)
        if sparse and any(value is not None for value in values):
            values = [value for value in values if value is not None]
        found = _one(values, _text)
        if found is None and defaults:
            return Undetermined((None, *defaults), question)
        return found

    return read


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _flag(key: str, paths: list[Path]) -> Getter:
    question = f'Is {key} absent or "false" when the request does not set it?'

    def read(sent: Sent) -> Any:
        values = _by_entry(paths, sent.params)
        if key.endswith("FeatureGroupOfflineStoreConfig"):  # whether there is such a store
            values = [value is not None or None for value in values]
        found = _one(values, lambda value: _text(value).lower())
        return Undetermined((None, "false"), question) if found is None else found

    return read


def _kms(paths: list[Path]) -> Getter:
    def read(sent: Sent) -> Any:
        return _one(_by_entry(paths, sent.params), lambda value: key_arn(value, sent))

    return read


def key_arn(value: Any, sent: Sent) -> str:
    """Return the ARN of a key that is named by ARN, id or alias; SOMETHING if not known."""
    text = str(value).strip()
    tail = text.rsplit(":", 1)[-1] if text.startswith("arn:") else text
    if tail.startswith("alias/"):
        ask = getattr(sent.resolver, "key_arn", None)
        return (ask(text) if ask is not None else None) or SOMETHING
    if text.startswith("arn:"):
        return text
    return sent.place.arn("kms", f"key/{tail.removeprefix('key/')}") or SOMETHING


def _old_name(key: str, inner: Getter) -> Getter:
    """A key under its old name: nobody knows whether SageMaker still fills it."""
    question = f"Does SageMaker still fill {key}, which is deprecated?"

    def read(sent: Sent) -> Any:
        found = inner(sent)
        if found is None:
            return None
        if isinstance(found, Undetermined):
            return Undetermined((*found.candidates, None) if found.candidates else (), question)
        return Undetermined((found, None), question)

    return read


def _arn_of(kind: str, paths: list[Path], many: bool) -> Getter:
    """A key that wants the ARN of what the request names."""

    def read(sent: Sent) -> Any:
        names = [value for value in _values(paths, sent.params) if value is not None]
        if not names:
            return None
        if any(later(name) for name in names):
            return Undetermined((SOMETHING,))
        arns = [
            str(n) if str(n).startswith("arn:") else sent.place.arn("sagemaker", f"{kind}/{n}")
            for n in names
        ]
        if None in arns:
            return Undetermined((SOMETHING,))
        if many:
            return arns
        return arns[0] if len(set(arns)) == 1 else Undetermined(arns)

    return read


def _map_entry(path: Path, name: str) -> Getter:
    def read(sent: Sent) -> Any:
        entries = get(sent.params, path)
        if not isinstance(entries, dict):
            return None
        found = next((v for k, v in entries.items() if str(k).lower() == name), None)
        return Undetermined() if later(found) else found

    return read
