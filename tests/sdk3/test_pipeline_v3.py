"""Pipelines as SDK v3 makes them: hidden steps are told, every kind is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.items import Item
from secure_ml_ext.check.pipeline import definition_of, read_pipeline
from secure_ml_ext.check.pipeline_steps import (
    BRANCHES,
    OPERATIONS,
    REPACK_V3,
    WITHOUT_REQUEST,
)
from secure_ml_ext.check.testing import assert_compliant
from secure_ml_ext.demo.aws import Embedded

# What the SDK says about itself is no concern of these tests.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning"),
    pytest.mark.filterwarnings("ignore:The 'dependencies' parameter:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),
]

ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4"
DATA = "s3://sm-mlops-dev-eu-west-1-data/credit-risk"
MACHINE = {"instance_count": 1, "instance_type": "ml.m5.xlarge"}
SUBNETS, GROUPS = ["subnet-1"], ["sg-1"]
VPC = {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}


@pytest.fixture
def pipelines(sdk_loaded: None, aws: Embedded) -> Iterator[Any]:
    """The SDK's session for pipelines, against the embedded AWS."""
    import boto3
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    boto3.setup_default_session()
    bucket = "sm-mlops-dev-eu-west-1-data"
    yield PipelineSession(boto_session=boto3.Session(), default_bucket=bucket)
    # The SDK leaves temporary folders to the collector, which warns: not in another test.
    gc.collect()


def pipeline(session: Any, *steps: Any, parameters: Any = ()) -> Any:
    from sagemaker.mlops.workflow.pipeline import Pipeline

    return Pipeline(
        "risk", steps=list(steps), parameters=list(parameters), sagemaker_session=session
    )


def networking() -> Any:
    from sagemaker.core.training.configs import Networking

    return Networking(
        subnets=SUBNETS,
        security_group_ids=GROUPS,
        enable_network_isolation=True,
        enable_inter_container_traffic_encryption=True,
    )


def training(session: Any, name: str = "Train", key: Any = "alias/volume") -> Any:
    from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
    from sagemaker.mlops.workflow.steps import TrainingStep
    from sagemaker.train import ModelTrainer

    trainer = ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        compute=Compute(volume_kms_key_id=key, **MACHINE),
        networking=networking(),
        output_data_config=OutputDataConfig(s3_output_path=f"{DATA}/o", kms_key_id="alias/output"),
        sagemaker_session=session,
    )
    inputs = [InputData(channel_name="train", data_source=DATA)]
    return TrainingStep(name, step_args=trainer.train(inputs, wait=False, logs=False))


def processing(session: Any, key: Any) -> Any:
    from sagemaker.core.network import NetworkConfig
    from sagemaker.core.processing import Processor
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
    from sagemaker.mlops.workflow.steps import ProcessingStep

    processor = Processor(
        role=ROLE,
        image_uri=IMAGE,
        volume_kms_key=key,
        output_kms_key=key,
        network_config=NetworkConfig(
            enable_network_isolation=True,
            encrypt_inter_container_traffic=True,
            subnets=SUBNETS,
            security_group_ids=GROUPS,
        ),
        sagemaker_session=session,
        **MACHINE,
    )
    target = ProcessingS3Output(
        s3_uri=f"{DATA}/x", local_path="/opt/ml/processing/x", s3_upload_mode="EndOfJob"
    )
    outputs = [ProcessingOutput(output_name="x", s3_output=target)]
    return ProcessingStep("Prepare", step_args=processor.run(outputs=outputs))


def test_a_pipeline_of_many_kinds_is_read(pipelines: Any) -> None:
    """All jobs are made with all settings, so a reading that loses one breaks a rule."""
    from sagemaker.core.workflow.conditions import ConditionEquals
    from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterString
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.for_each_step import ForEachStep

    key = ParameterString("Key", default_value="alias/both")
    go = ParameterBoolean("Go", default_value=True)
    items = ParameterString("Items", default_value='["a", "b"]')
    loop = ForEachStep(
        "Loop",
        iterable_items=items,
        max_concurrency=2,
        for_each_body=[training(pipelines, "Each", key)],
    )
    branch = ConditionStep(
        "Branch",
        conditions=[ConditionEquals(left=go, right=True)],
        if_steps=[training(pipelines)],
        else_steps=[FailStep("Stop", error_message="no")],
    )
    made = pipeline(
        pipelines, processing(pipelines, key), branch, loop, parameters=[key, go, items]
    )
    text = definition_of(made)
    reading = read_pipeline(text, parameters={"Key": "alias/given"}, role=ROLE)
    assert [(item.where, item.operation) for item in reading.items] == [
        ("step Prepare", "CreateProcessingJob"),
        ("step Train, in Branch (if)", "CreateTrainingJob"),
        ("step Each, in Loop (each)", "CreateTrainingJob"),
    ]
    assert [note.where for note in reading.notes] == ["step Stop, in Branch (else)"]
    cluster = reading.items[0].params["ProcessingResources"]["ClusterConfig"]
    assert cluster["VolumeKmsKeyId"] == "alias/given"
    assert reading.items[2].params["ResourceConfig"]["VolumeKmsKeyId"] == "alias/given"
    report = assert_compliant(made, role=ROLE)
    assert report.summary.warning == 0, [s.findings for s in report.subjects]
    with pytest.raises(AssertionError, match="processing-volume-kms"):
        assert_compliant(made, parameters={"Key": ""}, role=ROLE)


# -- hidden steps ----------------------------------------------------------------------------------


def register(session: Any, source: Path | None, network: Any = None, **settings: Any) -> Any:
    """Return the step that makes a model, with the code of ``source`` packed into it."""
    from sagemaker.core.training.configs import SourceCode
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.serve.model_builder import ModelBuilder

    code = SourceCode(source_dir=str(source), entry_script="inference.py") if source else None
    builder = ModelBuilder(
        s3_model_data_url=ParameterString("Model"),
        image_uri=IMAGE,
        role_arn=ROLE,
        network=network,
        source_code=code,
        sagemaker_session=session,
    )
    return ModelStep("Make", step_args=builder.build(), repack_model_step_settings=settings)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "inference.py").write_text("x = 1\n")
    return tmp_path


def items(session: Any, *steps: Any) -> list[Item]:
    from sagemaker.core.workflow.parameters import ParameterString

    made = pipeline(session, *steps, parameters=[ParameterString("Model", default_value=DATA)])
    return read_pipeline(definition_of(made)).items


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


def test_model_step_adds_a_job_that_keeps_the_network_only(pipelines: Any, source: Path) -> None:
    model, hidden = items(pipelines, register(pipelines, source, networking()))
    assert (model.operation, model.note) == ("CreateModel", None)
    assert (model.params["VpcConfig"], model.params["EnableNetworkIsolation"]) == (VPC, True)
    assert (hidden.operation, hidden.note) == ("CreateTrainingJob", REPACK_V3)
    assert (hidden.where or "").startswith("step Make-RepackModel-")
    assert settings(hidden) == {"network": VPC}


def test_the_output_key_can_be_given_and_the_volume_key_cannot(
    pipelines: Any, source: Path
) -> None:
    from sagemaker.core.training.configs import Compute, OutputDataConfig

    output = OutputDataConfig(s3_output_path=DATA, kms_key_id="alias/output")
    step = register(pipelines, source, networking(), output_data_config=output)
    hidden = items(pipelines, step)[1]
    assert (hidden.note, settings(hidden)) == (
        REPACK_V3,
        {"network": VPC, "output": "alias/output"},
    )
    compute = Compute(volume_kms_key_id="alias/volume", **MACHINE)
    with pytest.raises(TypeError, match="multiple values for keyword argument 'compute'"):
        register(pipelines, source, compute=compute)
    with pytest.raises(TypeError, match="multiple values for keyword argument 'networking'"):
        register(pipelines, source, networking=networking())


def test_the_defaults_file_gives_isolation_and_traffic_encryption(
    pipelines: Any, source: Path
) -> None:
    modules = pipelines.sagemaker_config["SageMaker"]["PythonSDK"]["Modules"]
    modules["ModelTrainer"] = {
        "networking": {
            "subnets": SUBNETS,
            "security_group_ids": GROUPS,
            "enable_network_isolation": True,
            "enable_inter_container_traffic_encryption": True,
        }
    }
    hidden = items(pipelines, register(pipelines, source))[1]
    assert settings(hidden) == {"network": VPC, "isolation": True, "traffic": True}


def test_a_model_that_is_packed_already_has_no_such_step(pipelines: Any) -> None:
    (model,) = items(pipelines, register(pipelines, None, networking()))
    assert (model.operation, model.where) == ("CreateModel", "step Make")


def test_every_kind_of_the_sdk_is_known(sdk_loaded: None) -> None:
    from sagemaker.mlops.workflow.steps import StepTypeEnum

    kinds = {kind.value for kind in StepTypeEnum}
    assert kinds <= {*OPERATIONS, *WITHOUT_REQUEST, *BRANCHES}


def test_what_the_sdk_cannot_make_is_said(pipelines: Any) -> None:
    made = pipeline(pipelines, training(pipelines), training(pipelines))
    with pytest.raises(
        InputError, match=r"cannot make the definition of this Pipeline: .*duplicate"
    ):
        definition_of(made)
