"""The field table: for every operation, which control lives where and which IAM key carries it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
from msgspec import Struct

from .paths import get, parse
from .words import ControlName

FieldKind = Literal["network", "subnet", "subnets", "groups", "key", "flag", "word", "count"]


class Field(Struct, frozen=True):
    """One security field of a request.

    ``pointer`` is a JSON Pointer in which ``*`` stands for every list index; ``anchor`` is
    the part of it that must be present before the field is asked for; ``keys`` are the
    current IAM condition keys that carry it (none: no policy can see it); ``instances`` the
    pointers of the instance types that it belongs to.
    """

    control: ControlName
    kind: FieldKind
    pointer: str
    anchor: str
    keys: list[str] = []
    instances: list[str] = []
    also: str | None = None


class Reference(Struct, frozen=True):
    """A name in the request whose target decides ``controls`` (a transform's model).

    The target was made by ``operation``; where that is None, the value at the pointer ``by``
    chooses it among ``choices`` (a schedule's ``MonitoringType``).
    """

    pointer: str
    operation: str | None
    controls: list[ControlName]
    by: str | None = None
    choices: dict[str, str] = {}

    def target(self, params: Mapping[str, Any]) -> str | None:
        """Return the operation that made what is named, or None when the request does not say."""
        if self.operation is not None or self.by is None:
            return self.operation
        chosen = get(params, parse(self.by))
        return self.choices.get(chosen) if isinstance(chosen, str) else None


class OperationFields(Struct, frozen=True):
    """What the field table knows about one operation.

    ``members`` are the top-level members of the request, ``required`` those that AWS demands.
    """

    kind: str
    name: str | None
    arn: str | None
    required: list[str]
    members: list[str]
    fields: list[Field]
    references: list[Reference] = []

    @property
    def name_member(self) -> str | None:
        """The request member that names the resource, e.g. ``TrainingJobName``."""
        return self.name

    @property
    def arn_member(self) -> str | None:
        """The reply member that holds the ARN, e.g. ``TrainingJobArn``."""
        return self.arn


class FieldTable(Struct, frozen=True):
    """The committed table with the versions it was derived from."""

    schema: Literal["secure-ml/field-table@1"]
    sources: dict[str, dict[str, Any]]
    deprecated_keys: dict[str, str]
    operations: dict[str, OperationFields]


@lru_cache(maxsize=1)
def field_table() -> FieldTable:
    """Return the committed field table, decoded once per process."""
    data = files(__package__).joinpath("table.json").read_bytes()
    return msgspec.json.decode(data, type=FieldTable)


def operations() -> Mapping[str, OperationFields]:
    """Return the operations of the field table by name."""
    return field_table().operations
