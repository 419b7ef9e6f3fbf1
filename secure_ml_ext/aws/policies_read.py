"""Reading policies: every call of an export, its failures typed, and the policies of one role."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ..iam.reading import decoded
from .clients import account_of
from .errors import FATAL, to_problem
from .records import Problem

Document = dict[str, Any]
MakeClient = Callable[[str], Any]

_ROLE = re.compile(r"arn:([a-z-]+):iam::(\d{12}):role/((?:[^/\s]+/)*)([\w+=,.@-]{1,64})", re.A)
_ASSUMED = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([\w+=,.@-]{1,64})(?:/.*)?", re.A)
_PERMISSIONS = "jupyter secure-ml permissions"
_ORGANIZATIONS_REMEDY = (
    "Organizations answers the management account and delegated administrators alone: export "
    "there, or name an AWS profile that may read it with --organizations-profile."
)


class RoleError(ValueError):
    """A principal whose policies cannot be exported; the message says why and what to name."""


class Unread(Struct, frozen=True):
    """A layer that could not be read; ``principal`` is None for the organisation's policies."""

    layer: str
    principal: str | None
    problem: Problem


class Failed(Exception):
    """A call that failed: the problem, and the code AWS gave (``""`` without an answer)."""

    def __init__(self, problem: Problem, code: str) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.code = code


class Role(NamedTuple):
    """A role as it was named: partition, account, path (None: not known) and name."""

    partition: str
    account: str
    path: str | None
    name: str

    @property
    def arn(self) -> str:
        """The role's ARN, as far as its path is known."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.path or ''}{self.name}"


def role_of(arn: str) -> Role:
    """Read the ARN of a role, or of a session of one; RoleError for every other principal."""
    if found := _ROLE.fullmatch(arn):
        return Role(found[1], found[2], found[3], found[4])
    if found := _ASSUMED.fullmatch(arn):
        return Role(found[1], found[2], None, found[3])
    kind = "a user" if ":user/" in arn else "the root user" if arn.endswith(":root") else "no role"
    raise RoleError(
        f"{arn} is {kind}; name a role: arn:aws:iam::<account>:role/<name>, or a session of one."
    )


class Reader:
    """Makes the calls of one export, with clients from ``make_client``.

    What concerns a whole service (no way to it, no credentials) is asked once, not at every call.
    """

    def __init__(self, make_client: MakeClient, region: str | None) -> None:
        self._make_client = make_client
        self._region = region
        self._off: dict[str, Failed] = {}
        self._managed: dict[str, Document | Failed] = {}

    def call(self, service: str, operation: str, method: str, **params: Any) -> dict[str, Any]:
        """Return the reply of one call; raises Failed."""
        reply: dict[str, Any] = self._guarded(
            service, operation, lambda client: getattr(client, method)(**params)
        )
        return reply

    def pages(
        self, service: str, operation: str, method: str, member: str, **params: Any
    ) -> list[Any]:
        """Return what all pages list under ``member``; raises Failed."""

        def collect(client: Any) -> list[Any]:
            pages = client.get_paginator(method).paginate(**params)
            return [each for page in pages for each in page.get(member) or []]

        found: list[Any] = self._guarded(service, operation, collect)
        return found

    def managed(self, arn: str) -> Document:
        """Return a managed policy in its default version, read once per export; raises Failed."""
        if arn not in self._managed:
            try:
                self._managed[arn] = self._read_managed(arn)
            except Failed as failed:
                self._managed[arn] = failed
        found = self._managed[arn]
        if isinstance(found, Failed):
            raise found
        return found

    def _read_managed(self, arn: str) -> Document:
        policy = self.call("iam", "GetPolicy", "get_policy", PolicyArn=arn)["Policy"]
        version = self.call(
            "iam",
            "GetPolicyVersion",
            "get_policy_version",
            PolicyArn=arn,
            VersionId=policy["DefaultVersionId"],
        )["PolicyVersion"]
        return document(policy["PolicyName"], arn, version["Document"])

    def _guarded(self, service: str, operation: str, ask: Callable[[Any], Any]) -> Any:
        if known := self._off.get(service):
            raise known
        try:
            return ask(self._make_client(service))
        except Exception as exc:
            problem = to_problem(exc, service=service, operation=operation, region=self._region)
            if problem.code == "access-denied":
                problem = replace(problem, remedy=_remedy(service, problem))
            response = getattr(exc, "response", None) or {}
            failed = Failed(problem, str(response.get("Error", {}).get("Code", "")))
            if problem.code in FATAL:
                self._off[service] = failed
            raise failed from exc


def _remedy(service: str, problem: Problem) -> str:
    if service == "organizations":
        return _ORGANIZATIONS_REMEDY
    return problem.remedy.replace(_PERMISSIONS, f"{_PERMISSIONS} --part policy-export")


def document(name: str, arn: str | None, content: Any) -> Document:
    """Return a document in the bundle's form; text (URL-encoded or not) is parsed if it is JSON."""
    if isinstance(content, str):
        # Text that is no JSON stays: whoever reads the bundle names the character.
        with contextlib.suppress(ValueError):
            content = json.loads(decoded(content))
    return {"name": name, "arn": arn, "document": content}


class Principal(NamedTuple):
    """The policies of a role: its ARN, its entry in the bundle, and what is missing there."""

    arn: str
    entry: dict[str, Any]
    unread: list[Unread]


def read_role(reader: Reader, role: Role, caller_account: str | None) -> Principal | Unread:
    """Return the policies of one role, or why nothing of it may be believed."""
    if caller_account is not None and caller_account != role.account:
        return _nothing(role, _foreign(role, caller_account))
    unread: list[Unread] = []
    arn, boundary_arns = role.arn, []
    try:
        told = reader.call("iam", "GetRole", "get_role", RoleName=role.name)["Role"]
    except Failed as failed:
        # Without an answer a namesake in another account could be meant.
        if failed.problem.code == "not-found" or caller_account is None:
            return _nothing(role, failed.problem)
        unread.append(Unread("boundary", arn, failed.problem))
    else:
        arn = str(told["Arn"])
        if account_of(arn) != role.account:
            return _nothing(role, _foreign(role, account_of(arn)))
        if role.path is not None and arn != role.arn:
            return _nothing(role, _elsewhere(role, arn))
        if attached := (told.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"):
            boundary_arns = [str(attached)]
    identity = _identity(reader, role.name, arn, unread)
    boundary = _policies(reader, boundary_arns, "boundary", arn, unread) or None
    entry: dict[str, Any] = {"identity": identity, "boundary": boundary, "session": None}
    if unread:
        entry["unread"] = sorted({each.layer for each in unread})
    return Principal(arn, entry, unread)


def _identity(reader: Reader, name: str, arn: str, unread: list[Unread]) -> list[Document]:
    """Return the managed policies, then the inline ones, each sorted by name."""
    found: list[Document] = []
    try:
        attached = reader.pages(
            "iam",
            "ListAttachedRolePolicies",
            "list_attached_role_policies",
            "AttachedPolicies",
            RoleName=name,
        )
        arns = [str(each["PolicyArn"]) for each in attached]
        found += _policies(reader, arns, "identity", arn, unread)
    except Failed as failed:
        unread.append(Unread("identity", arn, failed.problem))
    try:
        names = reader.pages(
            "iam", "ListRolePolicies", "list_role_policies", "PolicyNames", RoleName=name
        )
    except Failed as failed:
        unread.append(Unread("identity", arn, failed.problem))
        return found
    for inline in sorted(names):
        try:
            reply = reader.call(
                "iam", "GetRolePolicy", "get_role_policy", RoleName=name, PolicyName=inline
            )
            found.append(document(inline, None, reply["PolicyDocument"]))
        except Failed as failed:
            unread.append(Unread("identity", arn, failed.problem))
    return found


def _policies(
    reader: Reader, arns: list[str], layer: str, principal: str, unread: list[Unread]
) -> list[Document]:
    found: list[Document] = []
    for arn in arns:
        try:
            found.append(reader.managed(arn))
        except Failed as failed:
            unread.append(Unread(layer, principal, failed.problem))
    return sorted(found, key=lambda each: (each["name"], each["arn"]))


def _nothing(role: Role, problem: Problem) -> Unread:
    return Unread("identity", role.arn, problem)


def _foreign(role: Role, account: str | None) -> Problem:
    return Problem(
        "bad-input",
        f"The role {role.name} is in account {role.account}; these credentials are for "
        f"{account or 'an account that is not known'}.",
        f"Export it with credentials of account {role.account}: IAM shows only its own roles.",
    )


def _elsewhere(role: Role, arn: str) -> Problem:
    return Problem(
        "not-found", f"There is no role {role.arn}.", f"Name the one that there is: {arn}."
    )
