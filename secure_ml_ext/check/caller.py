"""Who sends a request, and what the check may ask about the world around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from ..inventory.regions import partition


class Caller(Struct, frozen=True):
    """Who sends the request, as far as it is known; None is not known.

    ``role_arn`` may be an assumed-role ARN as STS gives it. ``tags`` are the principal's tags,
    ``source_vpce`` the VPC endpoint through which the request leaves.
    """

    account: str | None = None
    region: str | None = None
    role_arn: str | None = None
    tags: dict[str, str] | None = None
    source_vpce: str | None = None


class Resolver(Protocol):
    """Answers what the check cannot know from the request alone; ``aws`` implements it.

    A resolver may have ``key_arn(key: str) -> str | None`` too, which gives the key ARN of a KMS
    key id or alias.
    """

    def request_of(self, operation: str, name: str) -> Mapping[str, Any] | None:
        """Return the parameters with which the named resource was made, or None."""


class Place(Struct, frozen=True):
    """Where a request goes: the parts of ARNs that it does not hold itself."""

    partition: str
    region: str | None
    account: str | None

    def arn(self, service: str, rest: str) -> str | None:
        """Return an ARN here, or None while Region or account are not known."""
        if self.region is None or self.account is None:
            return None
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"


def place_of(caller: Caller, params: Mapping[str, Any]) -> Place:
    """Return where the request goes: what the caller says, else what its role's ARN tells."""
    account, named = caller.account, None
    for arn in (caller.role_arn, params.get("RoleArn"), params.get("ExecutionRoleArn")):
        parts = arn.split(":") if isinstance(arn, str) and arn.startswith("arn:") else []
        if len(parts) > 5:
            named = named or parts[1]
            account = account or parts[4] or None
    return Place(named or partition(caller.region), caller.region, account)
