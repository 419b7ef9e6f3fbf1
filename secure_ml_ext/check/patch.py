"""Applying a report's fix to a request."""

from __future__ import annotations

from ..rules.patch import PatchError
from ..rules.patch import apply as apply_patch

__all__ = ["PatchError", "apply_patch"]
