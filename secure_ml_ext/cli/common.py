"""What all commands share: exit codes and the error that ends in one sentence."""

from __future__ import annotations

OK, OBJECTION, BAD_INPUT = 0, 1, 2


class UsageError(Exception):
    """Something the user can mend; the message says what and how."""
