"""Configuration in levels: what the administrator decides, what is left to the user.

Levels, the first wins: ``/etc/secure-ml/config.json``, ``{sys.prefix}/etc/secure-ml/config.json``,
the SSM parameter or S3 object that one of these names as ``remote`` (a cached copy; the ``aws``
room fetches it), the user's file, the environment. A key listed under ``locked`` at a level
cannot be set below it, nor changed while running. ``rules`` merge rule by rule, ``waivers`` add up.
"""

from __future__ import annotations

import datetime
import fnmatch
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from ..inventory.words import Mode, Severity
from .model import Rule, builtin_rules

CONFIG_SCHEMA = "secure-ml/config@1"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "mode": get_args(Mode),
    "fail_on": get_args(Severity),
    "on_guard_error": ("send", "block"),
}
LOCKABLE = frozenset(
    {
        "mode",
        "fail_on",
        "block_on",
        "on_guard_error",
        "profile",
        "policies",
        "rules",
        "waivers",
        "remote",
    }
)
_FROM_ENVIRONMENT = ("mode", "fail_on", "on_guard_error", "profile", "policies")
_SINGLE = ("mode", "fail_on", "block_on", "on_guard_error", "profile", "policies")


class Waiver(Struct, frozen=True):
    """A recorded decision to live with a finding until a date (ISO 8601).

    ``rule`` is a rule id or a pattern, ``scope`` a pattern on the resource's name or on
    ``<operation>/<name>``; ``*`` matches everything.
    """

    rule: str
    scope: str
    reason: str
    ticket: str | None = None
    expires: str | None = None

    def covers(self, rule: str, operation: str, name: str | None, today: datetime.date) -> bool:
        """Tell whether this waiver silences the rule for the request today."""
        if not fnmatch.fnmatchcase(rule, self.rule):
            return False
        if self.expires is not None and datetime.date.fromisoformat(self.expires[:10]) < today:
            return False
        own = name or ""
        return fnmatch.fnmatchcase(own, self.scope) or fnmatch.fnmatchcase(
            f"{operation}/{own}", self.scope
        )


class RuleOverride(Struct, frozen=True, forbid_unknown_fields=True):
    """What an organisation changes about a built-in rule."""

    severity: Literal["error", "warning", "info", "off"] | None = None
    automatic: bool | None = None
    accept: list[str] | None = None
    minimum: int | None = None


class Level(Struct, frozen=True, forbid_unknown_fields=True):
    """One configuration file. Absent keys say nothing."""

    schema: Literal["secure-ml/config@1"] = "secure-ml/config@1"
    mode: Mode | None = None
    fail_on: Severity | None = None
    block_on: list[Severity] | None = None
    on_guard_error: Literal["send", "block"] | None = None
    profile: str | None = None
    policies: str | None = None
    remote: str | None = None
    rules: dict[str, RuleOverride] = {}
    waivers: list[Waiver] = []
    locked: list[str] = []


class Config(Struct, frozen=True):
    """The configuration in force, and what was wrong with the files that could not be used."""

    mode: Mode = "warn"
    fail_on: Severity = "error"
    block_on: tuple[Severity, ...] = ("error",)
    on_guard_error: Literal["send", "block"] = "send"
    profile: str | None = None
    policies: str | None = None
    remote: str | None = None
    rules: dict[str, RuleOverride] = {}
    waivers: tuple[Waiver, ...] = ()
    locked: frozenset[str] = frozenset()
    sources: dict[str, str] = {}
    problems: tuple[str, ...] = ()


def cache_dir() -> Path:
    """Return the private cache folder (``$XDG_CACHE_HOME/secure-ml``); it may not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "secure-ml"


def user_dir() -> Path:
    """Return the user's configuration folder (``$XDG_CONFIG_HOME/secure-ml``)."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(base) / "secure-ml"


def remote_copy(remote: str) -> Path:
    """Return where the cached copy of a remote configuration lies."""
    digest = hashlib.sha256(remote.encode()).hexdigest()[:16]
    return cache_dir() / f"config-{digest}.json"


def system_paths() -> list[Path]:
    """Return the administrator's files, the strongest first."""
    return [
        Path("/etc/secure-ml/config.json"),
        Path(sys.prefix) / "etc" / "secure-ml" / "config.json",
    ]


def _read(path: Path, problems: list[str]) -> Level | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
        return None
    try:
        level = msgspec.json.decode(data, type=Level)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        problems.append(f"{path}: {error}")
        return None
    unknown = {k.split(".")[0] for k in level.locked} - LOCKABLE
    if unknown:
        problems.append(f"{path}: locked names unknown keys: {', '.join(sorted(unknown))}")
    known = {rule.id for rule in builtin_rules()}
    for rule in sorted(set(level.rules) - known):
        problems.append(f"{path}: rules: there is no rule {rule!r}")
    return level


def _environment(environ: Mapping[str, str], problems: list[str]) -> Level:
    found: dict[str, Any] = {}
    for key in _FROM_ENVIRONMENT:
        if value := environ.get(f"SECURE_ML_{key.upper()}"):
            found[key] = value
    while True:
        try:
            return msgspec.convert(found, Level)
        except msgspec.ValidationError as error:
            bad = str(error).rsplit("$.", 1)[-1].rstrip("`")
            choices = f"; choose one of {', '.join(_CHOICES[bad])}" if bad in _CHOICES else ""
            problems.append(f"SECURE_ML_{bad.upper()} is {found.get(bad)!r}{choices}")
            if found.pop(bad, None) is None:
                return Level()


def load_config(
    *,
    system: Iterable[Path] | None = None,
    user: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Return the configuration in force; arguments replace the standard places.

    A file that cannot be used is left out and named in ``Config.problems``.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    levels: list[tuple[str, Level]] = []
    for path in system_paths() if system is None else system:
        if (level := _read(path, problems)) is not None:
            levels.append((str(path), level))
    remote = next((level.remote for _, level in levels if level.remote), None)
    if remote and (copy := _read(remote_copy(remote), problems)) is not None:
        levels.append((remote, copy))
    own = user or Path(environ.get("SECURE_ML_CONFIG") or user_dir() / "config.json")
    if (level := _read(own, problems)) is not None:
        levels.append((str(own), level))
    levels.append(("environment", _environment(environ, problems)))
    return _merge(levels, remote, problems)


def _merge(levels: list[tuple[str, Level]], remote: str | None, problems: list[str]) -> Config:
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    rules: dict[str, RuleOverride] = {}
    waivers: list[Waiver] = []
    locked: set[str] = set()
    for source, level in levels:
        for key in _SINGLE:
            value = getattr(level, key)
            if value is None or key in values:
                continue
            if key in locked:
                problems.append(f"{source}: {key} is locked by the administrator; ignored")
                continue
            values[key] = tuple(value) if isinstance(value, list) else value
            sources[key] = source
        for rule, override in level.rules.items():
            if "rules" in locked or f"rules.{rule}" in locked:
                problems.append(f"{source}: rule {rule} is locked by the administrator; ignored")
            elif rule not in rules:
                rules[rule] = override
                sources[f"rules.{rule}"] = source
        if level.waivers and "waivers" in locked:
            problems.append(f"{source}: waivers are locked by the administrator; ignored")
        else:
            waivers += [w for w in level.waivers if _usable(w, source, problems)]
        locked |= set(level.locked)
    return Config(
        **values,
        remote=remote,
        rules=rules,
        waivers=tuple(waivers),
        locked=frozenset(locked),
        sources=sources,
        problems=tuple(problems),
    )


def _usable(waiver: Waiver, source: str, problems: list[str]) -> bool:
    try:
        datetime.date.fromisoformat((waiver.expires or "2000-01-01")[:10])
    except ValueError:
        problems.append(f"{source}: waiver of {waiver.rule}: expires is no date: {waiver.expires}")
        return False
    return True


def overridden(rules: Iterable[Rule], overrides: Mapping[str, RuleOverride]) -> list[Rule]:
    """Return rules with an organisation's changes applied."""
    result = []
    for rule in rules:
        override = overrides.get(rule.id)
        if override is not None:
            changes = {k: v for k, v in msgspec.structs.asdict(override).items() if v is not None}
            rule = msgspec.structs.replace(rule, **changes)
        result.append(rule)
    return result


def rules_in_force(config: Config | None = None) -> list[Rule]:
    """Return the built-in rules with the organisation's overrides applied."""
    return overridden(builtin_rules(), config.rules if config is not None else {})
