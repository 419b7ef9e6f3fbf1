"""What the kernel says to the panel: spool lines, comm messages and the card under a cell.

Records carry account, region and endpoint, never credentials, and of a request
only the values at paths of the field table.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from ..check.records import Report
from ..inventory.words import Mode

SPOOL_SCHEMA = "secure-ml/spool@1"
CARD_MIME = "application/vnd.secure-ml.report.v1+json"
COMM_TARGET = "secure-ml-ext"

Action = Literal[
    "passed",  # compliant, or nothing to say: sent as it was
    "warned",  # findings shown, sent as it was
    "observed",  # findings recorded, nothing shown, sent as it was
    "fixed",  # patched from the profile, then sent
    "blocked",  # not sent
    "dry-run",  # not sent: the cell ran under %%secure_ml dry-run
    "resent",  # sent with the fix, after the user pressed "Send with fix"
]
Outcome = Literal["created", "refused", "failed", "not-sent", "pending"]


class ApiError(Struct, frozen=True):
    """An AWS refusal as the API reported it."""

    code: str
    message: str


class Hello(Struct, frozen=True, tag="hello"):
    """First line of a spool file: who writes it, and the state of its guard."""

    schema: Literal["secure-ml/spool@1"]
    time: str
    kernel: str
    pid: int
    version: str
    mode: Mode
    locked: bool


class ModeChange(Struct, frozen=True, tag="mode"):
    """The guard's mode changed."""

    time: str
    mode: Mode
    locked: bool


class Submission(Struct, frozen=True, tag="submission"):
    """One request the guard saw. Written again, with the same ``id``, when its outcome is known."""

    id: str
    time: str
    operation: str
    name: str | None
    action: Action
    outcome: Outcome
    arn: str | None
    account: str | None
    region: str | None
    endpoint: str | None
    error: ApiError | None
    notebook: str | None
    cell: str | None
    report: Report


class Decision(Struct, frozen=True, tag="decision"):
    """An entry of the audit trail."""

    time: str
    decision: Literal[
        "mode-changed",
        "sent-anyway",
        "blocked",
        "fixed",
        "resent",
        "waiver-used",
        "wrong-prediction",
        "guard-error",
        "unloaded",
    ]
    operation: str | None
    name: str | None
    submission: str | None
    detail: str
    report: Report | None = None


class Change(Struct, frozen=True):
    """One line of the difference that a fix makes, with what stood there before."""

    path: str
    before: Any
    after: Any
    source: str | None = None


class Snippets(Struct, frozen=True):
    """The change as code to copy."""

    v3: str
    v2: str
    boto3: str


class Card(Struct, frozen=True):
    """The payload of the card under a cell (MIME type ``CARD_MIME``).

    ``held`` is the random id under which this kernel still holds the request,
    for *Send with fix*; null when there is nothing to send.
    """

    report: Report
    mode: Mode
    action: Action
    held: str | None
    kernel: str | None
    changes: list[Change]
    code: Snippets | None
    request: dict[str, Any]
