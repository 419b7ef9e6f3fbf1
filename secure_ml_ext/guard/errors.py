"""The exceptions a user's cell may see."""

from __future__ import annotations

from typing import Any


class RequestBlocked(Exception):
    """Raised in place of sending a request that must not leave.

    Attributes:
        report: the report as plain JSON types, or None when the guard itself failed.

    It derives from ``Exception`` and not from botocore's errors: the SageMaker SDKs catch those
    and go on. The traceback in a notebook is the message alone.
    """

    def __init__(self, message: str, report: dict[str, Any] | None = None) -> None:
        super().__init__(message, report)
        self.report = report

    def __str__(self) -> str:
        return str(self.args[0])

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows; the frames inside botocore help nobody."""
        return [f"RequestBlocked: {self}"]


class DryRunStop(Exception):
    """Ends a dry-run cell that asks for the state of something it only pretended to create."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class ModeLocked(Exception):
    """The organisation's configuration fixes the guard's mode."""
