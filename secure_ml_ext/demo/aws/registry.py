"""What executions of pipelines use of moto itself: the model registry, and objects in S3."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends

from .facts import Facts
from .shapes import input_shape, refusals
from .store import AwsError, Store

# moto's names for the members of CreateModelPackage.
MEMBERS = {
    "ModelPackageName": "model_package_name",
    "ModelPackageGroupName": "model_package_group_name",
    "ModelPackageDescription": "model_package_description",
    "InferenceSpecification": "inference_specification",
    "ValidationSpecification": "validation_specification",
    "SourceAlgorithmSpecification": "source_algorithm_specification",
    "CertifyForMarketplace": "certify_for_marketplace",
    "Tags": "tags",
    "ModelApprovalStatus": "model_approval_status",
    "MetadataProperties": "metadata_properties",
    "ModelMetrics": "model_metrics",
    "ClientToken": "client_token",
    "CustomerMetadataProperties": "customer_metadata_properties",
    "DriftCheckBaselines": "drift_check_baselines",
    "Domain": "domain",
    "Task": "task",
    "SamplePayloadUrl": "sample_payload_url",
    "AdditionalInferenceSpecifications": "additional_inference_specifications",
}


def register(world: Store, params: Facts) -> str:
    """Register a model, and its group on first use, as a pipeline does; returns the ARN."""
    if faults := list(refusals(input_shape("CreateModelPackage"), params)):
        raise AwsError("ValidationException", "; ".join(faults))
    backend = sagemaker_backends[world.account][world.region]
    group = params.get("ModelPackageGroupName")
    if group and group not in backend.model_package_groups:
        backend.create_model_package_group(group, "", [])
    given: dict[str, Any] = {known: params.get(name) for name, known in MEMBERS.items()}
    given["certify_for_marketplace"] = bool(params.get("CertifyForMarketplace"))
    try:
        return str(backend.create_model_package(**given))
    except JsonRESTError as error:
        raise AwsError("ValidationException", str(error.message)) from error


def stored(world: Store, uri: str, name: str = "", version: str | None = None) -> bytes | None:
    """Return an object in S3 by URI, and name below it; None where there is none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    key = f"{key.rstrip('/')}/{name}" if name else key
    try:
        found = s3_backends[world.account][world.partition].get_object(bucket, key, version)
    except MissingBucket:
        return None
    return None if found is None else bytes(found.value)
