"""What requests look like: operations, controls and the field table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .masking import mask
    from .table import (
        Field,
        FieldTable,
        OperationFields,
        Reference,
        field_table,
        operations,
    )

__all__ = [
    "Field",
    "FieldTable",
    "OperationFields",
    "Reference",
    "field_table",
    "mask",
    "operations",
]


def __getattr__(name: str) -> Any:
    """Load the table's records on first use: msgspec is not imported before that."""
    if name == "mask":
        from .masking import mask

        return mask
    if name in __all__:
        from . import table

        return getattr(table, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
