"""Names that AWS gives to the same thing elsewhere: IAM actions and VPC endpoint services.

Sources: "AWS services that integrate with AWS PrivateLink" (VPC guide) and the
Service Authorization Reference.
"""

from __future__ import annotations

# botocore's service name -> the last part of the VPC endpoint service's name.
_ENDPOINTS = {
    "sagemaker": "sagemaker.api",
    "sagemaker-runtime": "sagemaker.runtime",
    "sagemaker-featurestore-runtime": "sagemaker.featurestore-runtime",
    "sagemaker-metrics": "sagemaker.metrics",
    "cloudwatch": "monitoring",
    "cloudtrail": "cloudtrail",
    "logs": "logs",
    "events": "events",
    "ecr": "ecr.api",
}
GATEWAYS = frozenset(("s3", "dynamodb"))
# The Regions in China put "cn." before the names of these, and only these, of the above
# (as `aws ec2 describe-vpc-endpoint-services` lists them there).
_CHINESE = frozenset(
    (
        "sagemaker.api",
        "sagemaker.runtime",
        "sagemaker.featurestore-runtime",
        "sts",
        "monitoring",
        "ecr.api",
    )
)

# botocore's service name -> IAM's prefix, where they differ.
_PREFIXES = {
    "sagemaker-runtime": "sagemaker",
    "sagemaker-featurestore-runtime": "sagemaker",
    "sagemaker-metrics": "sagemaker",
}
# Operations whose IAM action has another name.
_ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:UploadPartCopy": "s3:PutObject",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
}


def endpoint_service(service: str, region: str | None) -> str:
    """Return the name of the VPC endpoint service, e.g. ``com.amazonaws.eu-west-1.ssm``.

    Gateway endpoints say so behind the name.
    """
    where = region or "<region>"
    last = _ENDPOINTS.get(service, service)
    prefix = "cn.com.amazonaws" if where.startswith("cn-") and last in _CHINESE else "com.amazonaws"
    kind = " (gateway)" if service in GATEWAYS else ""
    return f"{prefix}.{where}.{last}{kind}"


def iam_action(service: str, operation: str) -> str:
    """Return the IAM action that an API operation needs, e.g. ``sagemaker:DescribeDomain``."""
    action = f"{_PREFIXES.get(service, service)}:{operation}"
    return _ACTIONS.get(action, action)
