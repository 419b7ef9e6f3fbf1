"""Requests and profiles that many tests share; every function returns a fresh object."""

from __future__ import annotations

from typing import Any

from secure_ml_ext.rules import Profile, profile_from_dict

VOLUME_KEY = "arn:aws:kms:eu-west-1:111122223333:key/11111111-aaaa-4aaa-8aaa-111111111111"
OUTPUT_KEY = "arn:aws:kms:eu-west-1:111122223333:key/22222222-bbbb-4bbb-8bbb-222222222222"
SUBNETS = ["subnet-0fc1ed6b334bd4cfd", "subnet-0f398485e991f8333"]
GROUPS = ["sg-0da87d40633b8f922"]
ROLE = "arn:aws:iam::111122223333:role/execution"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/abalone:1"


def profile(**changes: Any) -> Profile:
    """Return a full profile; ``name=None`` leaves a value out."""
    values = {
        "subnets": list(SUBNETS),
        "security_groups": list(GROUPS),
        "volume_kms_key": VOLUME_KEY,
        "output_kms_key": OUTPUT_KEY,
        **changes,
    }
    return profile_from_dict({"values": values}, "test")


def training(**changes: Any) -> dict[str, Any]:
    """Return a training request without any security setting."""
    return {
        "TrainingJobName": "abalone-1",
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://models/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **changes,
    }


def compliant_training(**changes: Any) -> dict[str, Any]:
    """Return a training request that meets the whole baseline."""
    request = training(
        VpcConfig={"Subnets": list(SUBNETS), "SecurityGroupIds": list(GROUPS)},
        EnableNetworkIsolation=True,
        EnableInterContainerTrafficEncryption=True,
    )
    request["ResourceConfig"]["VolumeKmsKeyId"] = VOLUME_KEY
    request["OutputDataConfig"]["KmsKeyId"] = OUTPUT_KEY
    return {**request, **changes}


def processing(**changes: Any) -> dict[str, Any]:
    """Return a processing request without any security setting."""
    return {
        "ProcessingJobName": "prepare-1",
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            }
        },
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "train",
                    "S3Output": {
                        "S3Uri": "s3://data/train",
                        "LocalPath": "/opt/ml/processing/train",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        **changes,
    }


def tuning(**changes: Any) -> dict[str, Any]:
    """Return a tuning request as SDK v2 builds it: HyperParameterTuningResourceConfig."""
    return {
        "HyperParameterTuningJobName": "tune-1",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxParallelTrainingJobs": 1},
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://models/out"},
            "HyperParameterTuningResourceConfig": {
                "InstanceType": "ml.m5.xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
        **changes,
    }


def endpoint_config(**changes: Any) -> dict[str, Any]:
    """Return an endpoint configuration with data capture and no keys."""
    return {
        "EndpointConfigName": "abalone",
        "ProductionVariants": [
            {
                "VariantName": "main",
                "ModelName": "abalone",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 2,
            }
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://data/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
        **changes,
    }
