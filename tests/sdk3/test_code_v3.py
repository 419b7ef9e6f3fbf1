"""The code to copy for SDK v3, tried with the real SDK: what it sends is compliant."""

from __future__ import annotations

import time
from collections import UserDict
from typing import Any

from secure_ml_ext.check.code import snippets
from secure_ml_ext.check.records import PatchOp
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.inventory import operations
from tests.notebooks import lab4, sdk

ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4"
DATA = "s3://sm-mlops-dev-eu-west-1-data/credit-risk"
MACHINE = {"instance_count": 1, "instance_type": "ml.m5.xlarge"}
# Said so by the code itself, which then gives the boto3 form.
NOT_IN_V3 = {"CreateInferenceRouter"}


def unique(word: str) -> str:
    return f"{word}-{time.time_ns()}"


def test_training(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    code = sdk.check_code(
        "v3",
        "CreateTrainingJob",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.core.training.configs import Compute, OutputDataConfig\n"
        "from sagemaker.train import ModelTrainer\n"
        "model_trainer = ModelTrainer(\n"
        "    ..., compute=Compute(...), output_data_config=OutputDataConfig(...))",
        before={
            # The SDK adds the second to this name, and two requests can fall into one.
            "ModelTrainer": Renamed(
                "base_job_name",
                "train",
                {"training_image": IMAGE, "role": ROLE, "sagemaker_session": session},
            ),
            "Compute": MACHINE,
            "OutputDataConfig": {"s3_output_path": f"{DATA}/out"},
        },
        world={},
        go=lambda made: made["model_trainer"].train(wait=False),
    )
    assert "networking=Networking(\n        subnets=[" in code


def test_processing(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output

    target = ProcessingS3Output(
        s3_uri=f"{DATA}/x", local_path="/opt/ml/processing/x", s3_upload_mode="EndOfJob"
    )
    outputs = [ProcessingOutput(output_name="x", s3_output=target)]
    sdk.check_code(
        "v3",
        "CreateProcessingJob",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.core.processing import Processor\nprocessor = Processor(...)",
        before={
            "Processor": {
                "role": ROLE,
                "image_uri": IMAGE,
                "sagemaker_session": session,
                "base_job_name": unique("process"),
                **MACHINE,
            }
        },
        world={},
        go=lambda made: made["processor"].run(
            outputs=outputs, wait=False, logs=False, job_name=unique("process")
        ),
    )


def test_tuning(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    from sagemaker.core import shapes

    ranges = shapes.ParameterRanges(
        integer_parameter_ranges=[
            shapes.IntegerParameterRange(name="max_depth", min_value="3", max_value="9")
        ]
    )
    before: dict[str, Any] = {
        "HyperParameterTuningJob.create": {
            "hyper_parameter_tuning_job_config": shapes.HyperParameterTuningJobConfig(
                strategy="Bayesian",
                resource_limits=shapes.ResourceLimits(max_parallel_training_jobs=1),
                parameter_ranges=ranges,
            ),
        },
        "HyperParameterTrainingJobDefinition": {
            "algorithm_specification": shapes.HyperParameterAlgorithmSpecification(
                training_image=IMAGE, training_input_mode="File"
            ),
            "role_arn": ROLE,
            "stopping_condition": shapes.StoppingCondition(max_runtime_in_seconds=3600),
        },
        "OutputDataConfig": {"s3_output_path": f"{DATA}/out"},
        "ResourceConfig": {**MACHINE, "volume_size_in_gb": 30},
    }
    before["HyperParameterTuningJob.create"] = Renamed(
        "hyper_parameter_tuning_job_name", "tune", before["HyperParameterTuningJob.create"]
    )
    code = sdk.check_code(
        "v3",
        "CreateHyperParameterTuningJob",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.core.resources import HyperParameterTuningJob\n"
        "from sagemaker.core.shapes import (\n"
        "    HyperParameterTrainingJobDefinition, OutputDataConfig, ResourceConfig)\n"
        "HyperParameterTuningJob.create(\n"
        "    ..., training_job_definition=HyperParameterTrainingJobDefinition(\n"
        "        ..., output_data_config=OutputDataConfig(...),\n"
        "        resource_config=ResourceConfig(...)))",
        before=before,
        world={},
        go=lambda made: None,
    )
    assert "HyperparameterTuner of SDK v3 drops" in code


class Renamed(UserDict[str, Any]):
    """Arguments with a new name each time they are taken; ``**`` of a plain dict would not ask."""

    def __init__(self, member: str, word: str, rest: dict[str, Any]) -> None:
        super().__init__({**rest, member: None})
        self.member, self.word = member, word

    def __getitem__(self, key: str) -> Any:
        return f"{self.word}-{time.time_ns()}" if key == self.member else super().__getitem__(key)


def test_the_tuner_itself_drops_what_the_note_says(
    aws: Embedded, session: Any, recorder: sdk.Recorder
) -> None:
    """When this fails the SDK was mended, and the code to copy can be the tuner's own."""
    from sagemaker.core.parameter import IntegerParameter
    from sagemaker.core.training.configs import Compute, Networking, OutputDataConfig
    from sagemaker.train import ModelTrainer
    from sagemaker.train.tuner import HyperparameterTuner

    profile = lab4.profile_of(aws)
    trainer = ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        compute=Compute(**MACHINE, volume_kms_key_id=profile.get("volume_kms_key")),
        output_data_config=OutputDataConfig(
            s3_output_path=f"{DATA}/out", kms_key_id=profile.get("output_kms_key")
        ),
        networking=Networking(
            subnets=profile.get("subnets"),
            security_group_ids=profile.get("security_groups"),
            enable_network_isolation=True,
            enable_inter_container_traffic_encryption=True,
        ),
        sagemaker_session=session,
    )
    tuner = HyperparameterTuner(
        trainer,
        objective_metric_name="auc",
        hyperparameter_ranges={"max_depth": IntegerParameter(3, 9)},
        metric_definitions=[{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
    )
    tuner.tune(job_name=unique("tune"), wait=False)
    sent = recorder.last("CreateHyperParameterTuningJob")["TrainingJobDefinition"]
    assert sent["VpcConfig"]["Subnets"] == profile.get("subnets")
    assert sent["OutputDataConfig"]["KmsKeyId"] == profile.get("output_kms_key")
    assert "VolumeKmsKeyId" not in sent["ResourceConfig"]
    assert not sent.get("EnableNetworkIsolation")
    assert not sent.get("EnableInterContainerTrafficEncryption")


def test_model(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    from sagemaker.core.shapes import ContainerDefinition

    arguments = {
        "primary_container": ContainerDefinition(image=IMAGE),
        "execution_role_arn": ROLE,
    }
    sdk.check_code(
        "v3",
        "CreateModel",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.core.resources import Model\nModel.create(...)",
        before={"Model.create": Renamed("model_name", "model", arguments)},
        world={},
        go=lambda made: None,
    )


def test_endpoint_config(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    from sagemaker.core import shapes

    name = unique("model")
    aws.client("sagemaker").create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    variant = shapes.ProductionVariant(
        variant_name="All",
        model_name=name,
        initial_instance_count=1,
        instance_type="ml.m5.xlarge",
    )
    create = Renamed("endpoint_config_name", "config", {"production_variants": [variant]})
    sdk.check_code(
        "v3",
        "CreateEndpointConfig",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.core.resources import EndpointConfig\n"
        "from sagemaker.core.shapes import DataCaptureConfig\n"
        "EndpointConfig.create(..., data_capture_config=DataCaptureConfig(...))",
        before={
            "EndpointConfig.create": create,
            "DataCaptureConfig": {
                "initial_sampling_percentage": 20,
                "destination_s3_uri": f"{DATA}/capture",
                "capture_options": [shapes.CaptureOption(capture_mode="Input")],
            },
        },
        world={},
        go=lambda made: None,
    )


def test_transform(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    from sagemaker.core import shapes

    name = unique("model")
    aws.client("sagemaker").create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    source = shapes.TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=DATA)
    rest = {
        "model_name": name,
        "transform_input": shapes.TransformInput(
            data_source=shapes.TransformDataSource(s3_data_source=source)
        ),
    }
    sdk.check_code(
        "v3",
        "CreateTransformJob",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.core.resources import TransformJob\n"
        "from sagemaker.core.shapes import (\n"
        "    BatchDataCaptureConfig, TransformOutput, TransformResources)\n"
        "TransformJob.create(..., transform_output=TransformOutput(...),\n"
        "    transform_resources=TransformResources(...),\n"
        "    data_capture_config=BatchDataCaptureConfig(...))",
        before={
            "TransformJob.create": Renamed("transform_job_name", "score", rest),
            "TransformOutput": {"s3_output_path": f"{DATA}/scores"},
            "TransformResources": MACHINE,
            "BatchDataCaptureConfig": {"destination_s3_uri": f"{DATA}/capture"},
        },
        world={},
        go=lambda made: None,
    )


def test_every_field_of_the_table_has_its_argument(sdk_loaded: None) -> None:
    """Resources and shapes of sagemaker.core are named as the code to copy names them."""
    tried = 0
    for operation, entry in operations().items():
        for field in entry.fields:
            if "*" in field.pointer or not operation.startswith("Create"):
                continue
            value: Any = "x"
            if field.kind == "network":
                value = {"Subnets": ["x"], "SecurityGroupIds": ["x"]}
            request: dict[str, Any] = {}
            node = request
            for part in field.pointer[1:].split("/")[:-1]:
                node = node.setdefault(part, {})
            fix = [PatchOp("add", field.pointer, value)]
            code = snippets(operation, request, fix)["v3"]
            has_none = code.startswith("# SDK v3 has no argument")
            said_so = operation in NOT_IN_V3 or "TrainingImageConfig" in field.pointer
            said_so = said_so or "DatasetDefinition" in field.pointer
            assert has_none == said_so, (operation, field.pointer)
            if not has_none:
                assert sdk.unknown_arguments(code, {}) == [], (operation, field.pointer)
                tried += 1
    assert tried > 90
