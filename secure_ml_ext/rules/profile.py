"""The profile: the organisation's environment, each value with where it came from."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

PROFILE_SCHEMA = "secure-ml/profile@1"

# name -> (title, takes a list). What the fixes and the approved-… rules can use.
PROFILE_VALUES: dict[str, tuple[str, bool]] = {
    "subnets": ("private subnets", True),
    "security_groups": ("security groups", True),
    "vpc_id": ("VPC", False),
    "volume_kms_key": ("KMS key for volumes", False),
    "output_kms_key": ("KMS key for outputs", False),
    "capture_kms_key": ("KMS key for captured data", False),
    "efs_kms_key": ("KMS key for home directories", False),
    "approved_kms_keys": ("approved KMS keys", True),
    "approved_subnets": ("approved subnets", True),
    "approved_security_groups": ("approved security groups", True),
    "execution_role": ("execution role", False),
    "pipeline_role": ("pipeline execution role", False),
    "data_bucket": ("data bucket", False),
    "model_bucket": ("model bucket", False),
    "s3_vpce": ("S3 VPC endpoint", False),
    "kms_vpce": ("KMS VPC endpoint", False),
    "domain_id": ("Studio domain", False),
    "project": ("project", False),
    "environment": ("environment", False),
    "network_access": ("network access of the domain", False),
    "policies": ("policy bundle", False),
}
# What an environment may well be without: it is not listed as missing.
OPTIONAL_VALUES = frozenset({"policies"})


class ProfileValue(Struct, frozen=True):
    """A value and the place it was read from, e.g. ``ssm:/mlops-dev-private-subnet-ids``."""

    value: str | list[str]
    source: str


class Profile(Struct, frozen=True):
    """The organisation's approved environment.

    ``values`` holds only what was found; a missing value is absent here and its
    name is in ``looked`` with the places that were asked. ``""`` never appears.
    """

    values: dict[str, ProfileValue] = {}
    looked: dict[str, list[str]] = {}
    account: str | None = None
    region: str | None = None
    name: str | None = None

    def get(self, name: str) -> Any:
        """Return the value called ``name`` or None when nobody provided it."""
        found = self.values.get(name)
        return found.value if found is not None else None

    def source(self, name: str) -> str | None:
        """Return where the value called ``name`` came from."""
        found = self.values.get(name)
        return found.source if found is not None else None

    def missing(self) -> list[str]:
        """Return the names that were looked for and not found, but for the optional ones."""
        return [n for n in PROFILE_VALUES if n not in self.values and n not in OPTIONAL_VALUES]

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as plain JSON types, with its schema."""
        return {"schema": PROFILE_SCHEMA, **msgspec.to_builtins(self)}
