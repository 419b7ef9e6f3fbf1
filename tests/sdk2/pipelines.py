"""Estimators, models and pipelines of SDK v2, and what is read of them."""

from __future__ import annotations

import warnings
from typing import Any

from secure_ml_ext.check.items import Item
from secure_ml_ext.check.pipeline import definition_of, read_pipeline

ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4"
DATA = "s3://sm-mlops-dev-eu-west-1-data/credit-risk"
MACHINE = {"instance_count": 1, "instance_type": "ml.m5.xlarge"}
SUBNETS, GROUPS = ["subnet-1"], ["sg-1"]
VPC = {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}
SECURE = {
    "subnets": SUBNETS,
    "security_group_ids": GROUPS,
    "volume_kms_key": "alias/volume",
    "output_kms_key": "alias/output",
    "enable_network_isolation": True,
    "encrypt_inter_container_traffic": True,
}
TYPES = {"content_types": ["text/csv"], "response_types": ["text/csv"]}
HOSTS = {"inference_instances": ["ml.m5.large"], "transform_instances": ["ml.m5.large"]}


def pytorch(session: Any, script: str, **settings: Any) -> Any:
    from sagemaker.pytorch import PyTorch

    return PyTorch(
        entry_point=script,
        role=ROLE,
        framework_version="2.3",
        py_version="py311",
        output_path=f"{DATA}/out",
        sagemaker_session=session,
        **MACHINE,
        **settings,
    )


def model(session: Any, trained: Any, script: str, **settings: Any) -> Any:
    from sagemaker.pytorch.model import PyTorchModel

    return PyTorchModel(
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        role=ROLE,
        entry_point=script,
        framework_version="2.3",
        py_version="py311",
        sagemaker_session=session,
        **settings,
    )


def training(estimator: Any) -> Any:
    from sagemaker.workflow.steps import TrainingStep

    return TrainingStep("Train", step_args=estimator.fit({"train": DATA}))


def pipeline(session: Any, *steps: Any, parameters: Any = ()) -> Any:
    from sagemaker.workflow.pipeline import Pipeline

    return Pipeline(
        "risk", steps=list(steps), parameters=list(parameters), sagemaker_session=session
    )


def items(session: Any, *steps: Any) -> dict[str, Item]:
    """Return what is read of a pipeline that the SDK makes of these steps, by place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = definition_of(pipeline(session, *steps))
    reading = read_pipeline(text, role=ROLE)
    assert reading.notes == []
    return {item.where or "": item for item in reading.items}


def settings(item: Item) -> dict[str, Any]:
    """Return the security settings of a training job."""
    found = {
        "network": item.params.get("VpcConfig"),
        "volume": item.params["ResourceConfig"].get("VolumeKmsKeyId"),
        "output": item.params["OutputDataConfig"].get("KmsKeyId"),
        "isolation": item.params.get("EnableNetworkIsolation"),
        "traffic": item.params.get("EnableInterContainerTrafficEncryption"),
    }
    return {name: value for name, value in found.items() if value}


COMPLETE = {
    "network": VPC,
    "volume": "alias/volume",
    "output": "alias/output",
    "isolation": True,
    "traffic": True,
}
