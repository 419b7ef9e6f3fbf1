"""Exports a policy bundle: what IAM and Organizations say about roles, in one file.

Read with the caller's own rights. Whatever could not be read is named in the bundle (``unread``),
so that a request is never called allowed because a policy was out of sight. The order is fixed:
exporting unchanged policies again gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ..iam import PolicyBundle, PolicyError
from ..iam.bundle import BUNDLE_SCHEMA
from . import clients
from .errors import spoken, to_problem
from .policies_read import (
    Failed,
    MakeClient,
    Principal,
    Reader,
    RoleError,
    Unread,
    read_role,
    role_of,
)
from .policies_scps import Scps, read_scps
from .records import Problem

# IAM limits the rate of reads; an export may wait for it.
ATTEMPTS = 5
# IAM and STS are asked here where no Region is set: both are global, per partition.
_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_NEVER_READ = (
    "Not part of a bundle: resource control policies, the policies of buckets, keys and other "
    "resources, and session policies (AWS shows them to nobody)."
)

__all__ = ["ExportFailed", "Exported", "RoleError", "Unread", "export", "to_json"]


class ExportFailed(Exception):
    """Nothing could be exported; ``problem`` says why and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(spoken(problem))
        self.problem = problem


class Exported(Struct, frozen=True):
    """A bundle, what is missing in it, and what is to be known about it.

    ``invalid`` names a document that this product cannot evaluate, or is None.
    """

    bundle: dict[str, Any]
    unread: list[Unread]
    notes: list[str]
    invalid: str | None = None

    @property
    def complete(self) -> bool:
        """Whether everything was read, and can be evaluated."""
        return not self.unread and self.invalid is None


def export(
    role_arns: Sequence[str] = (),
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    organizations_profile: str | None = None,
    make_client: MakeClient | None = None,
) -> Exported:
    """Return the policies of roles, and the service control policies above their account.

    ``role_arns`` name roles or sessions of roles of one account; without any, the caller's own.
    ``organizations_profile`` is an AWS profile for Organizations, where the caller's own
    credentials may not read it; ``make_client`` replaces the clients of this process. Raises
    RoleError for what is no role, ExportFailed where it is not known whose policies to read.
    """
    roles = [role_of(arn) for arn in role_arns]
    if len({role.account for role in roles}) > 1:
        raise RoleError("The roles are of several accounts; export each account by itself.")
    where = _region(region, roles[0].partition if roles else "aws")
    make = make_client or _clients(where, endpoint_url, organizations_profile)
    reader = Reader(make, where)
    account: str | None = None
    try:
        caller = reader.call("sts", "GetCallerIdentity", "get_caller_identity")
        account = str(caller["Account"])
        roles = roles or [role_of(str(caller["Arn"]))]
    except Failed as failed:
        if not roles:
            raise ExportFailed(failed.problem) from failed
    principals: dict[str, Principal] = {}
    unread: list[Unread] = []
    for role in roles:
        read = read_role(reader, role, account)
        if isinstance(read, Principal):
            principals[read.arn] = read
        else:
            unread.append(read)
    for arn in sorted(principals):
        unread += principals[arn].unread
    scps = read_scps(reader, roles[0].account)
    return _exported(principals, unread, scps)


def to_json(bundle: dict[str, Any], *, compact: bool = False) -> str:
    """Return a bundle as text: two spaces per level, or without any (for an SSM parameter)."""
    if compact:
        return json.dumps(bundle, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(bundle, ensure_ascii=False, indent=2) + "\n"


def _exported(principals: dict[str, Principal], unread: list[Unread], scps: Scps) -> Exported:
    bundle: dict[str, Any] = {
        "schema": BUNDLE_SCHEMA,
        "principals": {arn: principals[arn].entry for arn in sorted(principals)},
        "scps": scps.levels,
        "unread": sorted({each.layer for each in scps.unread}),
    }
    invalid = None
    try:
        PolicyBundle.from_dict(bundle)
    except PolicyError as error:
        invalid = str(error)
    return Exported(bundle, [*unread, *scps.unread], [*scps.notes, _NEVER_READ], invalid)


def _region(named: str | None, partition: str) -> str:
    try:
        found = named or clients.default_region()
    except Exception as exc:  # e.g. a broken ~/.aws/config
        problem = to_problem(exc, service="sts", operation="GetCallerIdentity", region=None)
        raise ExportFailed(problem) from exc
    return found or _REGIONS.get(partition, "us-east-1")


def _clients(
    region: str, endpoint_url: str | None, organizations_profile: str | None
) -> MakeClient:
    def make(service: str) -> Any:
        session = None
        if service == "organizations" and organizations_profile is not None:
            import boto3

            session = boto3.Session(profile_name=organizations_profile)
        return clients.client(
            service, region, session=session, endpoint_url=endpoint_url, attempts=ATTEMPTS
        )

    return make
