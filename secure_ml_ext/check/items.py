"""What every reader gives: requests, and what it saw and could not or need not check.

A value that is decided later (a pipeline parameter, a template's intrinsic function, a variable of
a notebook) stays in ``params`` as a JSON object in the place of the value: ``{"Get":
"Parameters.Subnets"}``, ``{"Fn::ImportValue": "Key"}``, ``{"Unknown": "kms_key"}``. No leaf of a
request is an object of its own, so rules and condition keys take such a leaf as not known.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .records import Note, SubjectKind


class Item(Struct, frozen=True, kw_only=True):
    """One request that a reader found.

    ``where`` is its place for people (``step Train``, ``cell 3, line 12``). ``role`` is the ARN of
    the role that sends it, where that is not the caller (a pipeline's role); None is the caller.
    ``note`` says what a reader of the report has to know about it (a step that the SDK added).
    ``pointer`` is where ``params`` stand in the document (JSON Pointer), where they stand in one.
    """

    operation: str
    params: dict[str, Any]
    kind: SubjectKind
    where: str | None = None
    role: str | None = None
    note: str | None = None
    pointer: str | None = None


class Reading(Struct, frozen=True):
    """Everything a reader found in one document, in the document's order.

    ``notes`` hold what has nothing to check (a Lambda step), and what could not be decided.
    """

    items: list[Item] = []
    notes: list[Note] = []
