"""What the routes take and give, beside the records of the other rooms."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from ..aws.records import Problem
from ..check.documents import Kind
from ..guard.records import Decision, Submission
from ..rules.profile import ProfileValue


class ValidateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What to check: a request (``operation``, ``params``), or a document (``kind``, ``content``).

    ``content`` is JSON, or text: a YAML template, Python source, a definition as AWS keeps it;
    ``kind`` null lets the content tell. ``role`` is the ARN of the role that sends the requests,
    ``parameters`` are those of a pipeline. ``profile`` replaces the server's own profile, in the
    form of ``GET profile`` or of a profile file; ``policies`` the server's own policy bundle.
    """

    operation: str | None = None
    params: dict[str, Any] | None = None
    kind: Kind | None = None
    content: Any = None
    role: str | None = None
    parameters: dict[str, Any] = {}
    profile: dict[str, Any] | None = None
    policies: dict[str, Any] | None = None


class PolicyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy to lint, under the name that its findings carry.

    ``content`` is IAM JSON, parsed or as text, or a policy bundle.
    """

    content: Any
    file: str = "policy"


class LintRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Policies to lint; contents under one name belong to one principal."""

    documents: list[PolicyFile]


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """Every error of every route: what happened, and what to do next."""

    code: str
    message: str
    remedy: str
    action: str | None = None


class ProfileReply(Struct, frozen=True):
    """The profile with what is missing and what went wrong on the way."""

    schema: Literal["secure-ml/profile@1"]
    values: dict[str, ProfileValue]
    looked: dict[str, list[str]]
    account: str | None
    region: str | None
    name: str | None
    missing: list[str]
    problem: Problem | None
    problems: list[Problem]


class Status(Struct, frozen=True):
    """Who answers, and what the organisation's configuration says."""

    version: str
    mode: str
    mode_locked: bool
    server_guarded: bool
    config_problems: list[str]


class SubmissionEvent(Struct, frozen=True):
    """A request the guard saw, in the kernel named (``server``: in the server itself)."""

    kernel: str
    record: Submission


class DecisionEvent(Struct, frozen=True):
    """An entry of the audit trail."""

    kernel: str
    record: Decision


decode_validate = msgspec.json.Decoder(ValidateRequest).decode
decode_lint = msgspec.json.Decoder(LintRequest).decode
