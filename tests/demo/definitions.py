"""A pipeline's definition, and a call that must fail, for the tests of pipelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

ROLE = "arn:aws:iam::123456789012:role/pipeline-role"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/abalone:1"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"
EXECUTION = "Execution.PipelineExecutionId"
PREPARED = "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"
MSE = {
    "Std:JsonGet": {
        "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"},
        "Path": "regression_metrics.mse.value",
    }
}


def processing(name: str, output: str, **more: Any) -> dict[str, Any]:
    """A processing step that writes one output."""
    target = {"Std:Join": {"On": "/", "Values": ["s3://bucket", {"Get": EXECUTION}, output]}}
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "RoleArn": ROLE,
            "AppSpecification": {"ImageUri": IMAGE},
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": {"Get": "Parameters.Instance"},
                    "InstanceCount": {"Get": "Parameters.Count"},
                    "VolumeSizeInGB": 5,
                }
            },
            "ProcessingOutputConfig": {
                "KmsKeyId": KEY,
                "Outputs": [
                    {
                        "OutputName": output,
                        "S3Output": {
                            "S3Uri": target,
                            "LocalPath": f"/opt/ml/processing/{output}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ],
            },
        },
        **more,
    }


def training() -> dict[str, Any]:
    """A training step on what the first step wrote."""
    source = {"S3DataType": "S3Prefix", "S3Uri": {"Get": PREPARED}}
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models", "KmsKeyId": KEY},
            "ResourceConfig": {
                "InstanceType": {"Get": "Parameters.Instance"},
                "InstanceCount": 1,
                "VolumeSizeInGB": 5,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        },
    }


def registering() -> dict[str, Any]:
    """A registration of what the training step made."""
    model = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "abalone",
            "InferenceSpecification": {"Containers": [{"Image": IMAGE, "ModelDataUrl": model}]},
        },
    }


def definition(**changes: Any) -> dict[str, Any]:
    """Prepare, train, evaluate, then register or fail; the steps are not in their order."""
    report = {"PropertyFileName": "Report", "OutputName": "evaluation", "FilePath": "e.json"}
    condition = {"Type": "LessThanOrEqualTo", "LeftValue": MSE, "RightValue": 6.0}
    fail = {"Name": "TooHigh", "Type": "Fail", "Arguments": {"ErrorMessage": "MSE is too high"}}
    return {
        "Version": "2020-12-01",
        "Parameters": [
            {"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.large"},
            {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
        ],
        "PipelineExperimentConfig": {
            "ExperimentName": {"Get": "Execution.PipelineName"},
            "TrialName": {"Get": EXECUTION},
        },
        "Steps": [
            {
                "Name": "Check",
                "Type": "Condition",
                "Arguments": {
                    "Conditions": [condition],
                    "IfSteps": [registering()],
                    "ElseSteps": [fail],
                },
            },
            processing("Evaluate", "evaluation", PropertyFiles=[report], DependsOn=["Train"]),
            training(),
            processing("Prepare", "train"),
        ],
        **changes,
    }


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    """Code and message of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
