"""What a rule is, and where the built-in ones are read from."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ..inventory.words import ControlName


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement of the baseline on one control.

    ``operations`` are names of the field table or ``*``; ``pointers`` narrow it to some of
    the control's fields. ``accept``, ``default``, ``set`` and ``minimum`` belong to words and
    counts. ``unless`` is a pointer: where the request has a value there, the rule does not
    apply. ``severity`` ``off`` switches the rule off.
    """

    id: str
    control: ControlName
    operations: list[str]
    severity: Literal["error", "warning", "info", "off"]
    why: str
    references: list[str] = []
    pointers: list[str] = []
    automatic: bool = True
    exempt: Literal["local-disk"] | None = None
    accept: list[str] = []
    default: str | None = None
    set: str | None = None
    minimum: int | None = None
    unless: str | None = None

    @property
    def merged(self) -> bool:
        """Whether the merged fix writes this rule's change: errors always, others by choice."""
        return self.severity == "error" or self.automatic


class RuleFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of rules."""

    schema: Literal["secure-ml/rules@1"]
    rules: list[Rule]


class _Instances(Struct, frozen=True):
    schema: Literal["secure-ml/instances@1"]
    local_disk: list[str]


class RuleError(ValueError):
    """A rule file or an override that cannot be used; the message names the place."""


def load_yaml(data: bytes, origin: str) -> Any:
    """Parse YAML with libyaml where it is there; errors name the file, line and column."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(data, Loader=loader)  # noqa: S506  both are safe loaders
    except yaml.YAMLError as error:
        raise RuleError(f"{origin}: not readable as YAML: {error}") from error


def read_rules(data: bytes, origin: str) -> list[Rule]:
    """Return the rules of a YAML file; ``RuleError`` names file and field."""
    try:
        return msgspec.convert(load_yaml(data, origin), RuleFile).rules
    except msgspec.ValidationError as error:
        raise RuleError(f"{origin}: {error}") from error


@lru_cache(maxsize=1)
def builtin_rules() -> tuple[Rule, ...]:
    """Return the built-in baseline."""
    data = files(__package__).joinpath("baseline.yaml").read_bytes()
    return tuple(read_rules(data, "baseline.yaml"))


@lru_cache(maxsize=1)
def local_disk_families() -> frozenset[str]:
    """Return the instance families that refuse a volume key, e.g. ``g5``."""
    data = files(__package__).joinpath("instances.yaml").read_bytes()
    return frozenset(msgspec.convert(load_yaml(data, "instances.yaml"), _Instances).local_disk)


def has_local_disk(instance_type: Any) -> bool:
    """Tell whether an instance type (``ml.g5.xlarge``) has local disks; unknown ones have none."""
    if not isinstance(instance_type, str):
        return False
    parts = instance_type.split(".")
    family = parts[1] if parts[0] == "ml" and len(parts) > 2 else parts[0]
    return family in local_disk_families()
