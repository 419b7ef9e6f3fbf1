"""Readers, the check and its report."""

from __future__ import annotations

from .caller import Caller, Resolver
from .records import Finding, PatchOp, Report, Subject
from .request import UnknownOperation, check_request

__all__ = [
    "Caller",
    "Finding",
    "PatchOp",
    "Report",
    "Resolver",
    "Subject",
    "UnknownOperation",
    "check_request",
]
