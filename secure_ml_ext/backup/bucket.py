"""The bucket itself: is it the right one, is it protected, and how to make one that is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from ..inventory.regions import partition
from .records import BackupError
from .store import Store, StoreError

ABORT_DAYS = 7
NONCURRENT_DAYS = 30


class BucketFinding(Struct, frozen=True):
    """A shortcoming of the bucket, and what to do about it."""

    check: Literal["region", "encryption", "public-access", "versioning", "not-checked"]
    message: str
    remedy: str


def check_bucket(store: Store) -> list[BucketFinding]:
    """Return the shortcomings of the bucket; ``BackupError`` if it is not ours."""
    _there(store)
    checks: list[Callable[[Store], BucketFinding | None]] = [
        _region, _encryption, _public_access, _versioning,
    ]  # fmt: skip
    findings = []
    for check in checks:
        try:
            finding = check(store)
        except StoreError as error:
            if error.problem.code != "access-denied":
                raise
            finding = BucketFinding("not-checked", error.problem.message, error.problem.remedy)
        if finding is not None:
            findings.append(finding)
    return findings


def _there(store: Store) -> None:
    try:
        store.call("HeadBucket")
    except StoreError as error:
        if error.code in ("404", "NoSuchBucket"):
            raise BackupError(
                f"There is no bucket {store.bucket}: correct --bucket, or let --create-bucket make "
                "it"
            ) from error
        if error.code == "403":
            owner = f", or does not belong to account {store.owner}" if store.owner else ""
            raise BackupError(
                f"The bucket {store.bucket} may not be used by this role (s3:ListBucket){owner}: "
                "check the name; for a bucket of another account name it with --bucket-owner"
            ) from error
        raise


def _region(store: Store) -> BucketFinding | None:
    where = store.call("GetBucketLocation").get("LocationConstraint") or "us-east-1"
    where = "eu-west-1" if where == "EU" else where
    own = store.client.meta.region_name
    if where == own:
        return None
    return BucketFinding(
        "region",
        f"The bucket is in {where}, this machine in {own}: data leaves the Region.",
        f"Use a bucket in {own}, if your rules want data to stay.",
    )


def _encryption(store: Store) -> BucketFinding | None:
    try:
        rules = store.call("GetBucketEncryption")["ServerSideEncryptionConfiguration"]["Rules"]
    except StoreError as error:
        if error.code != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        rules = []
    defaults = [rule.get("ApplyServerSideEncryptionByDefault") or {} for rule in rules]
    if any(str(each.get("SSEAlgorithm", "")).startswith("aws:kms") for each in defaults):
        return None
    return BucketFinding(
        "encryption",
        "By default the bucket does not encrypt with KMS.",
        "Set a KMS key as default encryption, with a bucket key "
        "(aws s3api put-bucket-encryption), or name one with --kms-key.",
    )


_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _public_access(store: Store) -> BucketFinding | None:
    try:
        told = store.call("GetPublicAccessBlock")["PublicAccessBlockConfiguration"]
    except StoreError as error:
        if error.code != "NoSuchPublicAccessBlockConfiguration":
            raise
        told = {}
    missing = [name for name in _BLOCKS if not told.get(name)]
    if not missing:
        return None
    return BucketFinding(
        "public-access",
        f"The bucket does not block public access ({', '.join(missing)}).",
        "Switch on all four settings of Block Public Access (aws s3api put-public-access-block).",
    )


def _versioning(store: Store) -> BucketFinding | None:
    if store.call("GetBucketVersioning").get("Status") == "Enabled":
        return None
    return BucketFinding(
        "versioning",
        "The bucket keeps no versions: what is overwritten or deleted is gone.",
        "Enable versioning (aws s3api put-bucket-versioning), with a lifecycle rule that expires "
        "old versions.",
    )


def create_bucket(store: Store) -> bool:
    """Make the bucket if it is not there; true if it was made. An existing one is left as it is.

    KMS by default with a bucket key, public access blocked, versions kept, TLS only, rules that
    abort forgotten uploads and expire old versions.
    """
    try:
        store.call("HeadBucket")
        return False
    except StoreError as error:
        if error.code not in ("404", "NoSuchBucket"):
            raise
    region = store.client.meta.region_name
    where: dict[str, Any] = {}
    if region != "us-east-1":
        where["CreateBucketConfiguration"] = {"LocationConstraint": region}
    owner, store.owner = store.owner, None  # CreateBucket knows no expected owner
    try:
        store.call("CreateBucket", **where)
    finally:
        store.owner = owner
    store.call("PutPublicAccessBlock", PublicAccessBlockConfiguration=dict.fromkeys(_BLOCKS, True))
    default: dict[str, str] = {"SSEAlgorithm": "aws:kms"}
    if store.kms_key is not None:
        default["KMSMasterKeyID"] = store.kms_key
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    store.call("PutBucketEncryption", ServerSideEncryptionConfiguration={"Rules": [rule]})
    store.call("PutBucketVersioning", VersioningConfiguration={"Status": "Enabled"})
    store.call("PutBucketPolicy", Policy=json.dumps(tls_only(store.bucket, region)))
    store.call("PutBucketLifecycleConfiguration", LifecycleConfiguration={"Rules": _LIFECYCLE})
    return True


def tls_only(bucket: str, region: str | None) -> dict[str, Any]:
    """Return a bucket policy that refuses requests without TLS."""
    arn = f"arn:{partition(region)}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


_LIFECYCLE = [
    {
        "ID": "abort-forgotten-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORT_DAYS},
    },
    {
        "ID": "expire-old-versions",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
    },
]
