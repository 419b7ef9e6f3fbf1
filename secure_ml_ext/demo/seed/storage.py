"""KMS keys with aliases; buckets that encrypt with them and are closed to the public."""

from __future__ import annotations

from ..aws.client import REGION
from .world import DATA_BUCKET, LAKE_BUCKET, MODEL_BUCKET, PREFIX, World, unless_there

KEYS = {"ebs": "volumes", "s3": "buckets and outputs", "efs": "Studio home folders"}
SAMPLE = "income,debt,defaulted\n52000,4000,0\n18000,16500,1\n73500,12000,0\n31000,29900,1\n"


def plant(world: World) -> None:
    """Create keys, then buckets."""
    kms = world.client("kms")
    known = {entry["AliasName"]: entry for entry in kms.list_aliases()["Aliases"]}
    for name, purpose in KEYS.items():
        alias = f"alias/{PREFIX}-{name}"
        if alias in known:
            key = known[alias]["TargetKeyId"]
        else:
            key = kms.create_key(Description=f"{PREFIX}: {purpose}")["KeyMetadata"]["KeyId"]
            kms.create_alias(AliasName=alias, TargetKeyId=key)
            kms.enable_key_rotation(KeyId=key)
        world.keys[name] = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    for bucket in (DATA_BUCKET, MODEL_BUCKET, LAKE_BUCKET):
        _bucket(world, bucket)
    world.client("s3").put_object(
        Bucket=DATA_BUCKET, Key="credit-risk/train/train.csv", Body=SAMPLE.encode()
    )


def _bucket(world: World, name: str) -> None:
    s3 = world.client("s3")
    with unless_there():
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    rule = {
        "ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": world.keys["s3"],
        },
        "BucketKeyEnabled": True,
    }
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
