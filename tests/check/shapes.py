"""Full values of botocore's shapes, for tests that compare readers with the API model."""

from __future__ import annotations

import datetime
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape


def sagemaker() -> ServiceModel:
    """Return botocore's model of SageMaker."""
    return botocore.session.get_session().get_service_model("sagemaker")


def full(shape: Shape, *, only_required: bool = False, above: tuple[str, ...] = ()) -> Any:
    """Return a value in which every member (or every required one) is there and valid."""
    if shape.type_name == "structure":
        if shape.name in above:
            return {}
        members = shape.members
        if getattr(shape, "is_tagged_union", False):
            # The first one is the member most structures of the table are about.
            members = dict(list(members.items())[:1])
        elif only_required:
            members = {n: m for n, m in members.items() if n in shape.required_members}
        return {
            name: full(member, only_required=only_required, above=(*above, shape.name))
            for name, member in members.items()
        }
    if shape.type_name == "list":
        return [full(shape.member, only_required=only_required, above=above)] * max(
            1, shape.metadata.get("min", 1)
        )
    if shape.type_name == "map":
        return {"key": full(shape.value, only_required=only_required, above=above)}
    return _leaf(shape)


def _leaf(shape: Shape) -> Any:
    if shape.type_name == "string":
        words = getattr(shape, "enum", None)
        return words[0] if words else "x" * max(1, shape.metadata.get("min", 1))
    if shape.type_name in ("integer", "long"):
        return max(1, shape.metadata.get("min", 1))
    if shape.type_name in ("float", "double"):
        return float(shape.metadata.get("min", 1))
    if shape.type_name == "boolean":
        return True
    if shape.type_name == "timestamp":
        return datetime.datetime(2026, 8, 1, tzinfo=datetime.timezone.utc)
    return b"x"


def member(operation: OperationModel, path: tuple[str | int, ...]) -> bool:
    """Tell whether the operation's reply has a member at a path with ``*``."""
    shape: Shape = operation.output_shape
    for part in path:
        if part == "*":
            if shape.type_name != "list":
                return False
            shape = shape.member
        elif shape.type_name == "structure" and part in shape.members:
            shape = shape.members[part]
        else:
            return False
    return True
