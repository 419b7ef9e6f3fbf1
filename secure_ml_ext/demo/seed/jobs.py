"""Work that ran before the demo begins: some of it as the organisation wants, some not."""

from __future__ import annotations

from typing import Any

from ..aws.client import ACCOUNT, REGION
from ..aws.kinds import kinds
from ..aws.store import Phase, store
from .world import (
    DATA_BUCKET,
    EXECUTION_ROLE,
    IMAGE,
    MODEL_BUCKET,
    World,
    role_arn,
    tags,
    unless_there,
)

HOUR = 3600.0
ROLE = role_arn(EXECUTION_ROLE)
OUTPUT = f"s3://{MODEL_BUCKET}/credit-risk"
CHANNEL = {
    "ChannelName": "train",
    "ContentType": "text/csv",
    "DataSource": {
        "S3DataSource": {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://{DATA_BUCKET}/credit-risk/train/",
            "S3DataDistributionType": "FullyReplicated",
        }
    },
}
TAGS = tags(Project="credit-risk")


def plant(world: World) -> None:
    """Create the jobs, and set each back to when it ran."""
    network = {
        "Subnets": world.subnets,
        "SecurityGroupIds": [world.security_groups["sagemaker-sg"]],
    }
    foreign = {"Subnets": [world.foreign_subnet], "SecurityGroupIds": [world.foreign_group]}
    safe = {
        "VpcConfig": network,
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
    }
    _training(world, "credit-risk-train-monday", 50, "Completed", keys=True, **safe)
    _training(world, "credit-risk-quick-test", 26, "Stopped", keys=False)
    _training(
        world, "credit-risk-other-team", 5, "Completed", keys=True, **{**safe, "VpcConfig": foreign}
    )
    _processing(
        world,
        "credit-risk-prepare",
        51,
        keys=True,
        NetworkConfig={**safe, "VpcConfig": network},
    )
    _processing(world, "credit-risk-explore", 27, keys=False)
    _model(world, "credit-risk-model", 48, VpcConfig=network, EnableNetworkIsolation=True)
    _model(world, "credit-risk-model-open", 25)


def _put(world: World, kind: str, name: str, hours: float, status: str, **params: Any) -> None:
    """Create one and set it back: begun `hours` ago, ended twenty minutes later."""
    method = {
        "TrainingJob": "create_training_job",
        "ProcessingJob": "create_processing_job",
        "Model": "create_model",
    }[kind]
    with unless_there():
        getattr(world.client("sagemaker"), method)(**{f"{kind}Name": name}, Tags=TAGS, **params)
        record = store(ACCOUNT, REGION).get(kinds()[kind], name)
        if record is not None:
            record.shift(hours * HOUR)
            record.planned = HOUR / 3
            if record.phases:
                end = record.begun() + record.planned
                record.phases = [record.phases[0], Phase(end, status)]


def _training(
    world: World, name: str, hours: float, status: str, *, keys: bool, **more: Any
) -> None:
    output, resources = {"S3OutputPath": OUTPUT}, _machine()
    if keys:
        output["KmsKeyId"] = world.keys["s3"]
        resources["VolumeKmsKeyId"] = world.keys["ebs"]
    _put(
        world,
        "TrainingJob",
        name,
        hours,
        status,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"max_depth": "5"},
        InputDataConfig=[CHANNEL],
        OutputDataConfig=output,
        ResourceConfig=resources,
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
        **more,
    )


def _machine() -> dict[str, Any]:
    return {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}


def _processing(world: World, name: str, hours: float, *, keys: bool, **more: Any) -> None:
    cluster = _machine()
    outputs: dict[str, Any] = {
        "Outputs": [
            {
                "OutputName": "clean",
                "S3Output": {
                    "S3Uri": f"s3://{DATA_BUCKET}/credit-risk/clean/",
                    "LocalPath": "/opt/ml/processing/clean",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    }
    if keys:
        cluster["VolumeKmsKeyId"] = world.keys["ebs"]
        outputs["KmsKeyId"] = world.keys["s3"]
    _put(
        world,
        "ProcessingJob",
        name,
        hours,
        "Completed",
        RoleArn=ROLE,
        AppSpecification={"ImageUri": IMAGE},
        ProcessingResources={"ClusterConfig": cluster},
        ProcessingOutputConfig=outputs,
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
        **more,
    )


def _model(world: World, name: str, hours: float, **more: Any) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": f"{OUTPUT}/model.tar.gz"}
    _put(
        world,
        "Model",
        name,
        hours,
        "",
        ExecutionRoleArn=ROLE,
        PrimaryContainer=container,
        **more,
    )
