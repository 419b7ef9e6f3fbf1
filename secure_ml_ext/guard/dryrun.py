"""The dry run: calls that would change something are checked, answered from here and not sent.

The answer comes from a ``before-call`` handler, so that several Create calls in one cell are all
checked: a reply with the shape of the operation's output and made-up ARNs in the account
``000000000000``. Reads of something that was only pretended end the cell
quietly. The flag is the process's, not the thread's: while the cell runs, calls of other threads
are not sent either, because sending one would break the cell's promise.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

ACCOUNT = "000000000000"
# What SageMaker writes after the kind, where it is not the name alone.
_TAILS = (
    "dryrun000000",
    "{name}/execution/dryrun000000",
    "{name}/export-job/dry-run",
    "{name}/1",
    "job/{name}",
    "app-DRYRUN000000",
    "eks-dry-run/dry-run/dryrun",
)
_READS = ("Describe", "List", "Get", "Search", "BatchDescribe", "Query", "Render")


def reads(operation: str) -> bool:
    """Tell whether an operation changes nothing."""
    return operation.startswith(_READS)


class Reply:
    """What botocore looks at in an HTTP response."""

    status_code = 200
    headers: ClassVar[dict[str, str]] = {}
    content = b"{}"


def answer(model: Any, meta: Any, name: str | None) -> tuple[Reply, dict[str, Any]]:
    """Return the pair that botocore takes as the answer of an operation.

    ``model`` is botocore's operation model, ``meta`` the client's; only members that are ARNs,
    required, or structures of those are filled.
    """
    prefix = f"arn:{meta.partition}:sagemaker:{meta.region_name}:{ACCOUNT}"
    shape = model.output_shape
    parsed = _structure(shape, prefix, name, 0) if shape is not None else {}
    parsed["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
    return Reply(), parsed


def made_up_arn(member: str, shape: Any, prefix: str, name: str | None) -> str:
    """Return an ARN that the service model's pattern accepts, e.g. ``…:training-job/<name>``.

    The SDKs take names out of ARNs, so the name is kept wherever the pattern has room for it.
    """
    pattern = shape.metadata.get("pattern", ".*")
    named = re.search(r":\(?([a-z][a-z-]+)[a-z|-]*\)?\\?/[^:]*$", pattern)
    spelt = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", member.removesuffix("Arn")).lower()
    kind = named.group(1) if named else spelt or "resource"
    own = name or "dry-run"
    for tail in (own, *_TAILS):
        arn = f"{prefix}:{kind}/{tail.format(name=own)}"
        if re.fullmatch(pattern, arn):
            return arn
    return f"{prefix}:{kind}/{own}"


def pretended(params: Any, names: set[str]) -> bool:
    """Tell whether a request's top-level values name something a dry run made up."""
    return isinstance(params, dict) and any(
        isinstance(v, str) and (v in names or f":{ACCOUNT}:" in v) for v in params.values()
    )


def _structure(shape: Any, prefix: str, name: str | None, depth: int) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for member, target in shape.members.items():
        if member.endswith("Arn") and target.type_name == "string":
            filled[member] = made_up_arn(member, target, prefix, name)
        elif member in shape.required_members and depth < 3:
            filled[member] = _value(target, prefix, name, depth)
    return filled


def _value(shape: Any, prefix: str, name: str | None, depth: int) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, prefix, name, depth + 1)
    if kind == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else "dry-run"
    if kind == "timestamp":
        from datetime import datetime, timezone

        return datetime.now(timezone.utc)
    plain = {"list": [], "map": {}, "boolean": False, "blob": b""}
    return plain.get(kind, 0)
