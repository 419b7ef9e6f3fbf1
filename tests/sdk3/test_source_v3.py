"""What the reader of source knows of SDK v3, compared with the requests that the SDK sends."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from secure_ml_ext.check.source_classes import order_of
from secure_ml_ext.demo.aws import Embedded
from tests.notebooks import sdk
from tests.notebooks.source import compare

START = """
from sagemaker.core.processing import Processor
from sagemaker.core.network import NetworkConfig
from sagemaker.core.resources import EndpointConfig, Model, TransformJob
from sagemaker.core.shapes import ContainerDefinition, ProcessingOutput, ProcessingS3Output
from sagemaker.core.shapes import ProductionVariant, VpcConfig
from sagemaker.core.training.configs import Compute, InputData, Networking, OutputDataConfig
from sagemaker.train import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner
from sagemaker.core.parameter import IntegerParameter

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4"
ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a0a0a0a-0000-4000-8000-000000000001"
DATA = "s3://sm-mlops-dev-eu-west-1-data/x"
inputs = [InputData(channel_name="train", data_source=DATA)]
common = {"role": ROLE, "sagemaker_session": session, "training_image": IMAGE}
network = Networking(subnets=["subnet-0a"], security_group_ids=["sg-0a"],
    enable_network_isolation=True, enable_inter_container_traffic_encryption=True)
compute = Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_kms_key_id=KEY)
output = OutputDataConfig(s3_output_path=DATA, kms_key_id=KEY)
"""
PROGRAMS = {
    "bare training": (
        "ModelTrainer(**common, compute=Compute(instance_type='ml.m5.xlarge',\n"
        "    instance_count=1)).train(inputs, wait=False)",
        ["CreateTrainingJob"],
    ),
    "full training": (
        "t = ModelTrainer(**common, networking=network, compute=compute,\n"
        "    output_data_config=output)\nt.train(inputs, wait=False)",
        ["CreateTrainingJob"],
    ),
    "no machine": ("ModelTrainer(**common).train(inputs, wait=False)", ["CreateTrainingJob"]),
    "tuning": (
        "t = ModelTrainer(**common, networking=network, compute=compute,\n"
        "    output_data_config=output)\n"
        "HyperparameterTuner(t, 'auc', {'depth': IntegerParameter(1, 9)},\n"
        "    metric_definitions=[{'Name': 'auc', 'Regex': '.'}]).tune(inputs=inputs, wait=False)",
        ["CreateHyperParameterTuningJob"],
    ),
    "processing": (
        "p = Processor(ROLE, IMAGE, 1, 'ml.m5.xlarge', sagemaker_session=session,\n"
        "    volume_kms_key=KEY, network_config=NetworkConfig(subnets=['subnet-0a'],\n"
        "        security_group_ids=['sg-0a'], enable_network_isolation=True))\n"
        "p.run(outputs=[ProcessingOutput(output_name='o', s3_output=ProcessingS3Output(\n"
        "    s3_uri=DATA, local_path='/o', s3_upload_mode='EndOfJob'))], wait=False, logs=False)",
        ["CreateProcessingJob"],
    ),
    "resources": (
        "Model.create(model_name='m', execution_role_arn=ROLE,\n"
        "    primary_container=ContainerDefinition(image=IMAGE),\n"
        "    vpc_config=VpcConfig(subnets=['subnet-0a'], security_group_ids=['sg-0a']))\n"
        "EndpointConfig.create(endpoint_config_name='c', kms_key_id=KEY, production_variants=[\n"
        "    ProductionVariant(variant_name='v', model_name='m', initial_instance_count=1,\n"
        "        instance_type='ml.m5.xlarge')])",
        ["CreateModel", "CreateEndpointConfig"],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_read_is_what_is_sent(
    name: str, aws: Embedded, session: Any, recorder: sdk.Recorder
) -> None:
    program, operations = PROGRAMS[name]
    source = f"{START}{program}\n"
    assert compare(source, {"session": session}, recorder) == operations


def test_the_order_of_arguments_is_the_sdk_s(aws: Embedded, session: Any) -> None:
    from sagemaker.core.processing import FrameworkProcessor, Processor, ScriptProcessor
    from sagemaker.core.transformer import Transformer
    from sagemaker.train.tuner import HyperparameterTuner

    classes = (FrameworkProcessor, HyperparameterTuner, Processor, ScriptProcessor, Transformer)
    for each in classes:
        order = order_of(f"{each.__module__}.{each.__name__}")
        names = list(inspect.signature(each.__init__).parameters)[1:]
        assert tuple(names[: len(order)]) == order
        assert order
