"""Print the least-privilege IAM policy and the VPC endpoints that this product itself needs."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..aws.permissions import PARTS, permissions
from .common import OK, UsageError


def run(arguments: argparse.Namespace) -> int:
    """Print the policy and the endpoints."""
    try:
        needed = permissions(
            arguments.part or PARTS,
            partition=arguments.partition,
            region=arguments.region,
            account=arguments.account,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    if arguments.policy_only:
        print(json.dumps(needed["policy"], indent=2))
    elif arguments.format == "json":
        print(json.dumps(needed, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(needed)))
    return OK


def _lines(needed: dict[str, Any]) -> list[str]:
    lines = ["Parts"]
    lines += [f"  {part}: {why}" for part, why in needed["parts"].items()]
    lines += ["", "IAM policy", json.dumps(needed["policy"], indent=2), "", "VPC endpoints"]
    lines += [f"  {e['service']} ({e['type']}): {e['why']}" for e in needed["vpc_endpoints"]]
    if needed["without_permission"]:
        lines += ["", "Called, but IAM asks for no permission:"]
        lines += [f"  {action}" for action in needed["without_permission"]]
    return lines
