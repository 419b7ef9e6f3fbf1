"""Readers, the check and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .caller import Caller, Resolver
from .records import Finding, PatchOp, Report, Subject
from .request import UnknownOperation, check_request

if TYPE_CHECKING:
    from . import testing

__all__ = [
    "Caller",
    "Finding",
    "PatchOp",
    "Report",
    "Resolver",
    "Subject",
    "UnknownOperation",
    "check_request",
    "testing",
]


def __getattr__(name: str) -> Any:
    """Load the helper for tests on first use: no check needs it."""
    if name == "testing":
        from importlib import import_module

        return import_module(".testing", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
