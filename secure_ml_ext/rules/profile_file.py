"""Reads a profile file: JSON (or YAML) with plain values, or values that carry their source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from ..inventory.paths import absent
from .model import RuleError, load_yaml
from .profile import PROFILE_SCHEMA, PROFILE_VALUES, Profile, ProfileValue


class ProfileError(ValueError):
    """A profile that cannot be used; the message names the file and the place."""


def profile_from_dict(content: Any, origin: str) -> Profile:
    """Return the profile in a dictionary.

    Values stand at the top level or under ``values``, plain or as ``{"value", "source"}``;
    ``""``, null and empty lists mean missing. Raises ``ProfileError`` for unknown names and
    wrong types.
    """
    if not isinstance(content, dict):
        raise ProfileError(f"{origin}: a profile is a JSON object")
    schema = content.get("schema", PROFILE_SCHEMA)
    if schema != PROFILE_SCHEMA:
        raise ProfileError(f"{origin}: schema is {schema!r}; this version reads {PROFILE_SCHEMA}")
    meta = {k: content[k] for k in ("account", "region", "name") if isinstance(content.get(k), str)}
    listed = content.get("values", {})
    if not isinstance(listed, dict):
        raise ProfileError(f"{origin}: values must be an object")
    plain = {k: v for k, v in content.items() if k in PROFILE_VALUES}
    known = {*PROFILE_VALUES, "schema", "values", "looked", "account", "region", "name"}
    unknown = sorted((set(content) | set(listed)) - known - {"missing", "problem"})
    if unknown:
        names = ", ".join(PROFILE_VALUES)
        raise ProfileError(f"{origin}: unknown names {', '.join(unknown)}; a profile has {names}")
    values: dict[str, ProfileValue] = {}
    for name, raw in {**plain, **listed}.items():
        value, source = _value(name, raw, origin)
        if not absent(value):
            values[name] = ProfileValue(value, source)
    looked = {name: [origin] for name in PROFILE_VALUES if name not in values}
    return Profile(values=values, looked=looked, **meta)


def _value(name: str, raw: Any, origin: str) -> tuple[Any, str]:
    source = origin
    if isinstance(raw, dict):
        source = str(raw.get("source") or origin)
        raw = raw.get("value")
    if absent(raw):
        return None, source
    many = PROFILE_VALUES[name][1]
    if many and isinstance(raw, str):
        raw = [item.strip() for item in raw.split(",") if item.strip()]
    right = (
        isinstance(raw, list) and all(isinstance(i, str) and i for i in raw)
        if many
        else isinstance(raw, str)
    )
    if not right:
        kind = "a list of strings" if many else "a string"
        raise ProfileError(f"{origin}: {name} must be {kind}")
    return raw, source


def load_profile_file(path: str | os.PathLike[str]) -> Profile:
    """Return the profile in a JSON or YAML file; ``ProfileError`` names file, line and column."""
    place = Path(path)
    try:
        data = place.read_bytes()
    except OSError as error:
        raise ProfileError(f"{place}: cannot be read: {error.strerror}") from error
    try:
        content = (
            load_yaml(data, str(place))
            if place.suffix in (".yaml", ".yml")
            else msgspec.json.decode(data)
        )
    except (msgspec.DecodeError, RuleError) as error:
        raise ProfileError(f"{place}: not readable as JSON: {error}") from error
    return profile_from_dict(content, str(place))
