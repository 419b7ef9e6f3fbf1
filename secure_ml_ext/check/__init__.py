"""Readers, the check and its report."""

from __future__ import annotations

from .records import Finding, PatchOp, Report, Subject
from .request import Caller, Resolver, UnknownOperation, check_request

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
