"""Where the settings come from: what was said, the profile, the instance's tags and metadata."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from ..aws import clients
from ..aws.errors import spoken, to_problem
from ..aws.profile import discover_profile
from .records import BadRequest
from .store import Store

NOTEBOOK_ROOT = "/home/ec2-user/SageMaker"
BUCKET_TAG = "ebs-backup-bucket"
SNAPSHOT_TAG = "backup-snapshot"


class Said(Struct, frozen=True):
    """What the user said; None: find it."""

    bucket: str | None = None
    owner: str | None = None
    kms_key: str | None = None
    endpoint_url: str | None = None


def open_store(said: Said, bucket: str | None = None) -> Store:
    """Return the bucket to work with; ``bucket`` is one that a snapshot's URI names."""
    from .keys import checked_bucket

    if bucket and said.bucket and bucket != said.bucket:
        raise BadRequest(f"The snapshot is in {bucket}, --bucket says {said.bucket}: drop one")
    name = bucket or said.bucket or tags(said.endpoint_url).get(BUCKET_TAG)
    if not name:
        raise BadRequest(
            f"Which bucket? Name it with --bucket, or tag the notebook instance {BUCKET_TAG}"
        )
    profile = discover_profile()
    key = said.kms_key or profile.get("output_kms_key")
    owner = said.owner or profile.account or _account(said.endpoint_url)
    return Store(
        checked_bucket(name),
        owner=owner,
        kms_key=str(key) if key else None,
        endpoint_url=said.endpoint_url,
    )


def tags(endpoint_url: str | None = None) -> dict[str, str]:
    """Return the tags of this notebook instance; empty elsewhere. Raises ``BadRequest``."""
    arn = clients.resource_metadata().get("ResourceArn")
    if not isinstance(arn, str) or ":notebook-instance/" not in arn:
        return {}
    region = clients.region_of(arn)
    try:
        sagemaker = clients.client("sagemaker", region, endpoint_url=endpoint_url)
        pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    except Exception as error:
        problem = to_problem(error, service="sagemaker", operation="ListTags", region=region)
        raise BadRequest(
            f"The instance's tags cannot be read: {spoken(problem)} Or name the bucket with "
            "--bucket"
        ) from error


def default_name(given: str | None) -> str:
    """Return the name for snapshots: as said, else the instance's or the space's."""
    metadata = clients.resource_metadata()
    name = given or metadata.get("SpaceName") or metadata.get("ResourceName")
    if not isinstance(name, str) or not name:
        raise BadRequest("Under which name? Say it with --name: this is no SageMaker notebook")
    return name


def default_root(given: str | None) -> Path:
    """Return the folder to back up or restore: as said, else the notebook's volume."""
    if given:
        return Path(given).expanduser()
    metadata = clients.resource_metadata()
    if os.path.isdir(NOTEBOOK_ROOT):
        return Path(NOTEBOOK_ROOT)
    if metadata.get("SpaceName"):
        return Path.home()
    raise BadRequest(f"Which folder? Name it: this is no SageMaker notebook ({NOTEBOOK_ROOT})")


def _account(endpoint_url: str | None) -> str:
    try:
        identity = clients.client("sts", endpoint_url=endpoint_url).get_caller_identity()
        return str(identity["Account"])
    except Exception as error:
        problem = to_problem(
            error, service="sts", operation="GetCallerIdentity", region=clients.default_region()
        )
        raise BadRequest(
            f"Whose bucket it must be is not known: {spoken(problem)} Or name the account with "
            "--bucket-owner"
        ) from error
