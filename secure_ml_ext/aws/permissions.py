"""What this product itself may do in AWS: the least-privilege policy and the VPC endpoints.

``permissions.json`` is the only list; a test compares it with the calls recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from .endpoints import GATEWAYS, endpoint_service

# What everybody needs; the other parts are asked for by name.
PARTS = ("check", "panel")


def permissions(
    parts: Iterable[str] = PARTS,
    *,
    partition: str = "aws",
    region: str = "*",
    account: str = "*",
) -> dict[str, Any]:
    """Return the IAM policy and the VPC endpoints that the named parts need.

    The shape is ``{"schema", "parts", "policy", "vpc_endpoints", "without_permission"}``;
    ``policy`` is an IAM policy document. Raises ValueError for an unknown part.
    """
    wanted = list(dict.fromkeys(parts))
    known = _data()["parts"]
    unknown = [part for part in wanted if part not in known]
    if unknown or not wanted:
        raise ValueError(
            f"There is no part {', '.join(unknown) or '(none named)'}; "
            f"the parts are {', '.join(known)}."
        )
    statements: list[dict[str, Any]] = []
    endpoints: dict[str, dict[str, Any]] = {}
    free: list[str] = []
    for part in wanted:
        for statement in known[part]["statements"]:
            statements.append(
                {
                    "Sid": statement["sid"],
                    "Effect": "Allow",
                    "Action": statement["actions"],
                    "Resource": [
                        resource.format(partition=partition, region=region, account=account)
                        for resource in statement["resources"]
                    ],
                }
            )
        for endpoint in known[part]["endpoints"]:
            service = endpoint["service"]
            name = endpoint_service(service, None if region == "*" else region)
            kind = "Gateway" if service in GATEWAYS else "Interface"
            entry = endpoints.setdefault(
                service, {"service": name.partition(" ")[0], "type": kind, "why": []}
            )
            entry["why"].append(endpoint["why"])
        free += [action for action in known[part]["without_permission"] if action not in free]
    return {
        "schema": "secure-ml/permissions@1",
        "parts": {part: known[part]["why"] for part in wanted},
        "policy": {"Version": "2012-10-17", "Statement": statements},
        "vpc_endpoints": [{**entry, "why": " ".join(entry["why"])} for entry in endpoints.values()],
        "without_permission": free,
    }


def actions(parts: Iterable[str] = PARTS) -> set[str]:
    """Return every IAM action of the named parts, those that need no permission included."""
    known = _data()["parts"]
    found: set[str] = set()
    for part in parts:
        found.update(known[part]["without_permission"])
        for statement in known[part]["statements"]:
            found.update(statement["actions"])
    return found


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    content: dict[str, Any] = msgspec.json.decode(
        files(__package__).joinpath("permissions.json").read_bytes()
    )
    return content
