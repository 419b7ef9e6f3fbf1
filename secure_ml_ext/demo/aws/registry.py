"""The model registry: groups of model packages, and the versions in them.

moto's replies lack members that the API always gives (``ModelPackageName``).
"""

from __future__ import annotations

from typing import Any

from .facts import Facts
from .kinds import kinds
from .listing import list_kind
from .operations import Operation, create, delete, describe_one, require
from .store import AwsError, Record, Store, now

KIND = "ModelPackage"
GROUP = "ModelPackageGroup"


def operations() -> dict[str, Operation]:
    """What is peculiar to packages and groups, by operation."""
    return {
        "CreateModelPackage": create_package,
        "DescribeModelPackage": lambda world, params: describe_one(
            kinds()[KIND], world, _by(params)
        ),
        "UpdateModelPackage": _update,
        "DeleteModelPackage": lambda world, params: delete(kinds()[KIND], world, _by(params)),
        "ListModelPackages": _list,
        "DescribeModelPackageGroup": lambda world, params: describe_one(
            kinds()[GROUP], world, _by(params)
        ),
        "DeleteModelPackageGroup": _delete_group,
    }


def _by(params: Facts) -> Facts:
    """The request with names in the place of ARNs; both are taken everywhere."""
    return {
        name: value.partition("/")[2] if _is_arn(value) else value for name, value in params.items()
    }


def _is_arn(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("arn:")


def create_package(world: Store, params: Facts) -> Facts:
    """Keep a package: by its own name, or as the next version in its group."""
    params = _by({name: value for name, value in params.items() if name != "ClientToken"})
    own, group = params.get("ModelPackageName"), params.get("ModelPackageGroupName")
    if bool(own) == bool(group):
        raise AwsError(
            "ValidationException",
            "Either ModelPackageName or ModelPackageGroupName must be provided, not both.",
        )
    with world.lock:
        if group:
            require(kinds()[GROUP], world, {"ModelPackageGroupName": group})
            version = max((_version(r) for r in _versions(world, group)), default=0) + 1
            params |= {"ModelPackageName": f"{group}/{version}", "ModelPackageVersion": version}
            params.setdefault("ModelApprovalStatus", "PendingManualApproval")
        return create(kinds()[KIND], world, params)


def register(world: Store, params: Facts) -> str:
    """Register a model as a pipeline does, which makes the group on first use; returns the ARN."""
    group = params.get("ModelPackageGroupName")
    with world.lock:
        if group and world.get(kinds()[GROUP], group) is None:
            create(kinds()[GROUP], world, {"ModelPackageGroupName": group})
        return str(create_package(world, params)["ModelPackageArn"])


def _versions(world: Store, group: str) -> list[Record]:
    return [r for r in world.all(kinds()[KIND]) if r.params.get("ModelPackageGroupName") == group]


def _version(record: Record) -> int:
    return int(record.params["ModelPackageVersion"])


def _update(world: Store, params: Facts) -> Facts:
    with world.lock:
        arn = params["ModelPackageArn"]
        record = require(kinds()[KIND], world, _by({"ModelPackageName": arn}))
        kept = record.params
        properties = {
            **(kept.get("CustomerMetadataProperties") or {}),
            **(params.get("CustomerMetadataProperties") or {}),
        }
        for name in params.get("CustomerMetadataPropertiesToRemove") or []:
            properties.pop(name, None)
        more = params.get("AdditionalInferenceSpecificationsToAdd") or []
        specifications = [*(kept.get("AdditionalInferenceSpecifications") or []), *more]
        plain = ("ModelPackageArn", "ClientToken", "CustomerMetadataProperties")
        for name, value in params.items():
            if name not in plain and not name.endswith(("ToAdd", "ToRemove")):
                kept[name] = value
        for name, value in (
            ("CustomerMetadataProperties", properties),
            ("AdditionalInferenceSpecifications", specifications),
        ):
            if value:
                kept[name] = value
            else:
                kept.pop(name, None)
        record.updated = now()
    return {"ModelPackageArn": record.arn}


def _list(world: Store, params: Facts) -> Facts:
    params = _by(params)
    wanted = params.pop("ModelPackageType", None) or "Unversioned"
    if "ModelPackageGroupName" in params:
        wanted = "Versioned"

    def among(record: Record) -> bool:
        versioned = "ModelPackageVersion" in record.params
        return wanted == "Both" or versioned == (wanted == "Versioned")

    return list_kind(kinds()[KIND], world, params, among)


def _delete_group(world: Store, params: Facts) -> Facts:
    params = _by(params)
    with world.lock:
        if _versions(world, params["ModelPackageGroupName"]):
            raise AwsError(
                "ConflictException",
                "Cannot delete the model package group: it contains model packages.",
            )
        return delete(kinds()[GROUP], world, params)
