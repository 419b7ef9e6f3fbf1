"""Requests that are sent with boto3: the names of its methods, and when a call is one of them."""

from __future__ import annotations

from functools import lru_cache

from ..inventory.table import operations
from .code import method_name
from .source_values import Table

# Methods that clients of other AWS services have too, as of botocore's models in November 2026.
SHARED = frozenset(
    {
        "create_app",
        "create_cluster",
        "create_domain",
        "create_endpoint",
        "create_image",
        "create_model",
        "create_pipeline",
        "create_space",
        "create_user_profile",
        "start_pipeline_execution",
        "update_cluster",
        "update_domain",
        "update_endpoint",
        "update_pipeline",
        "update_space",
        "update_user_profile",
    }
)


@lru_cache(maxsize=1)
def methods() -> dict[str, str]:
    """Return the operation by the name of boto3's method."""
    return {method_name(operation): operation for operation in operations()}


def fits(operation: str, method: str, members: Table) -> bool:
    """Tell whether a call on a receiver that nothing is known of is this operation.

    The names alone are specific enough, except where other services have them too: there the
    call has to name a required member. No call passes members that the operation does not have.
    """
    entry = operations()[operation]
    if not set(members) <= set(entry.members):
        return False
    if any(name in entry.required for name in members):
        return True
    return method not in SHARED and bool(members or members.open)


def undecided_text(operation: str, undecided: dict[str, str]) -> str:
    """Return the note about the fields of a submission that the source does not decide."""
    by_text: dict[str, list[str]] = {}
    for pointer, text in undecided.items():
        by_text.setdefault(text, []).append(pointer)
    parts = [f"{', '.join(pointers)} ({text})" for text, pointers in by_text.items()]
    more = f" and {len(parts) - 6} more" if len(parts) > 6 else ""
    return f"cannot be decided from source: {operation} {'; '.join(parts[:6])}{more}"
