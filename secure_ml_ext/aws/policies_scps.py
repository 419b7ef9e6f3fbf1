"""The service control policies above an account, level by level from the root down."""

from __future__ import annotations

from dataclasses import dataclass, field

from .policies_read import Document, Failed, Reader, Unread, document
from .records import Problem

FILTER = "SERVICE_CONTROL_POLICY"
# A root, five levels of organizational units, an account ("Quotas for AWS Organizations").
DEEPEST = 7


@dataclass
class Scps:
    """The levels, the layers that are missing, and what is to be said about them."""

    levels: list[list[Document]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_scps(reader: Reader, account: str) -> Scps:
    """Return the policies on the path from the root to an account.

    An account outside of organisations, and the one that manages its organisation, have none.
    Where the path could not be read, the layer ``scps`` is unread; where one level could not, only
    that level (``scp:1``), and what was read of it is kept.
    """
    found = Scps()
    try:
        organization = reader.call(
            "organizations", "DescribeOrganization", "describe_organization"
        )["Organization"]
        if organization.get("MasterAccountId") == account:
            found.notes.append(
                f"{account} manages its organisation: service control policies do not apply to it."
            )
            return found
        if organization.get("FeatureSet") == "CONSOLIDATED_BILLING":
            found.notes.append(
                "The organisation is for consolidated billing alone: it has no service control "
                "policies."
            )
            return found
        path = _path(reader, account)
    except Failed as failed:
        if failed.code == "AWSOrganizationsNotInUseException":
            found.notes.append(f"{account} is in no organisation: no service control policies.")
        else:
            found.unread.append(Unread("scps", None, failed.problem))
        return found
    _levels(reader, path, found)
    return found


def _path(reader: Reader, account: str) -> list[str]:
    """Return the ids from the root down to the account; raises Failed."""
    path = [account]
    while not path[0].startswith("r-"):
        parents = reader.pages(
            "organizations", "ListParents", "list_parents", "Parents", ChildId=path[0]
        )
        if not parents or len(path) == DEEPEST:
            raise Failed(
                Problem(
                    "aws-error",
                    f"The path from {account} to the root of its organisation ends at {path[0]}.",
                    "Try again; the account may just have been moved.",
                ),
                "",
            )
        path.insert(0, str(parents[0]["Id"]))
    return path


def _levels(reader: Reader, path: list[str], found: Scps) -> None:
    known: dict[str, Document] = {}
    for number, target in enumerate(path):
        layer = f"scp:{number}"
        level: list[Document] = []
        found.levels.append(level)
        try:
            policies = reader.pages(
                "organizations",
                "ListPoliciesForTarget",
                "list_policies_for_target",
                "Policies",
                TargetId=target,
                Filter=FILTER,
            )
        except Failed as failed:
            found.unread.append(Unread(layer, None, failed.problem))
            continue
        for policy in sorted(policies, key=lambda each: (each["Name"], each["Id"])):
            try:
                if policy["Id"] not in known:
                    known[policy["Id"]] = _policy(reader, policy["Id"])
                level.append(known[policy["Id"]])
            except Failed as failed:
                found.unread.append(Unread(layer, None, failed.problem))
    _tidy(found)


def _tidy(found: Scps) -> None:
    """Say it in fewer words: no level could be read, or the organisation has no such policies."""
    if any(found.levels):
        return
    if found.unread:
        found.unread = [Unread("scps", None, found.unread[0].problem)]
    else:
        # Where they are in use, every root, unit and account has at least one.
        found.notes.append("Service control policies are not enabled in the organisation.")
    found.levels.clear()


def _policy(reader: Reader, policy_id: str) -> Document:
    policy = reader.call("organizations", "DescribePolicy", "describe_policy", PolicyId=policy_id)[
        "Policy"
    ]
    summary = policy["PolicySummary"]
    return document(summary["Name"], summary["Arn"], policy["Content"])
