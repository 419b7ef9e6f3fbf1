"""Pipelines as SDK v2 makes them: hidden steps are told, every kind is read."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.items import Item
from secure_ml_ext.check.pipeline import definition_of, read_pipeline
from secure_ml_ext.check.pipeline_steps import (
    BRANCHES,
    OPERATIONS,
    REPACK_V2,
    TRANSFORMER_MODEL,
    WITHOUT_REQUEST,
)
from secure_ml_ext.check.testing import assert_compliant
from secure_ml_ext.demo.aws import Embedded

# What the SDK says about itself is no concern of these tests.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning"),
    pytest.mark.filterwarnings("ignore:We are deprecating:DeprecationWarning"),
]

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


@pytest.fixture
def pipelines(sdk_loaded: None, aws: Embedded) -> Any:
    """The SDK's session for pipelines, against the embedded AWS."""
    import boto3
    from sagemaker.workflow.pipeline_context import PipelineSession

    boto3.setup_default_session()
    bucket = "sm-mlops-dev-eu-west-1-data"
    return PipelineSession(boto_session=boto3.Session(), default_bucket=bucket)


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "inference.py"
    path.write_text("x = 1\n")
    return str(path)


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


def test_register_model_adds_a_job_that_keeps_the_network_only(pipelines: Any, script: str) -> None:
    from sagemaker.workflow.step_collections import RegisterModel

    estimator = pytorch(pipelines, script, **SECURE)
    trained = training(estimator)
    register = RegisterModel(
        "Register",
        estimator=estimator,
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        model_package_group_name="risk",
        entry_point=script,
        **TYPES,
        **HOSTS,
    )
    found = items(pipelines, trained, register)
    assert {where: item.operation for where, item in found.items()} == {
        "step Train": "CreateTrainingJob",
        "step Register-RepackModel": "CreateTrainingJob",
        "step Register-RegisterModel": "CreateModelPackage",
    }
    hidden = found["step Register-RepackModel"]
    assert hidden.note == REPACK_V2
    assert settings(found["step Train"]) == COMPLETE
    assert settings(hidden) == {"network": VPC}
    assert [item.note for item in found.values() if item is not hidden] == [None, None]


def test_what_register_model_passes_on(pipelines: Any, script: str) -> None:
    """Output key and isolation can be had; volume key and traffic encryption cannot."""
    from sagemaker.workflow.step_collections import RegisterModel

    def found(**more: Any) -> dict[str, Item]:
        estimator = pytorch(pipelines, script, **SECURE)
        trained = training(estimator)
        register = RegisterModel(
            "Register",
            estimator=estimator,
            model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
            entry_point=script,
            **TYPES,
            **HOSTS,
            **more,
        )
        return items(pipelines, trained, register)

    hidden = found(model_kms_key="alias/model", enable_network_isolation=True)
    assert settings(hidden["step Register-RepackModel"]) == {
        "network": VPC,
        "output": "alias/model",
        "isolation": True,
    }
    for name in ("volume_kms_key", "encrypt_inter_container_traffic"):
        with pytest.raises(InputError, match=name):
            found(**{name: SECURE[name]})


def test_the_remedy_of_the_note_works(pipelines: Any, script: str) -> None:
    from sagemaker.workflow.model_step import ModelStep

    trained = training(pytorch(pipelines, script, **SECURE))
    secure = {"vpc_config": VPC, "enable_network_isolation": True}
    bare = ModelStep(
        "Bare",
        step_args=model(pipelines, trained, script, **secure).create(instance_type="ml.m5.large"),
    )
    hidden = items(pipelines, trained, bare)["step Bare-RepackModel-0"]
    assert (hidden.note, settings(hidden)) == (REPACK_V2, {"network": VPC})

    network = ("subnets", "security_group_ids")
    wanted = {name: value for name, value in SECURE.items() if name not in network}
    mended = ModelStep(
        "Mended",
        step_args=model(pipelines, trained, script, name="risk", **secure).register(
            model_package_group_name="risk", **TYPES, **HOSTS
        ),
        repack_model_step_settings=wanted,
    )
    found = items(pipelines, trained, mended)
    hidden = found["step Mended-RepackModel-risk"]
    assert (hidden.note, settings(hidden)) == (REPACK_V2, COMPLETE)
    assert_compliant(pipeline(pipelines, trained, mended), role=ROLE)


def test_a_model_that_is_packed_already_has_no_such_step(pipelines: Any, script: str) -> None:
    from sagemaker.model import Model
    from sagemaker.workflow.model_step import ModelStep

    trained = training(pytorch(pipelines, script, **SECURE))
    packed = Model(
        image_uri=IMAGE,
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        role=ROLE,
        vpc_config=VPC,
        enable_network_isolation=True,
        sagemaker_session=pipelines,
    )
    made = ModelStep("Make", step_args=packed.create(instance_type="ml.m5.large"))
    assert list(items(pipelines, trained, made)) == ["step Train", "step Make-CreateModel"]
    assert_compliant(pipeline(pipelines, trained, made), role=ROLE)


def test_estimator_transformer_adds_a_model_without_the_network(
    pipelines: Any, script: str
) -> None:
    from sagemaker.inputs import CreateModelInput, TransformInput
    from sagemaker.workflow.step_collections import EstimatorTransformer

    estimator = pytorch(pipelines, script, **SECURE)
    trained = training(estimator)
    transformer = EstimatorTransformer(
        "Score",
        estimator=estimator,
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        model_inputs=CreateModelInput(instance_type="ml.m5.large"),
        transform_inputs=TransformInput(data=DATA),
        entry_point=script,
        volume_kms_key="alias/volume",
        output_kms_key="alias/output",
        output_path=DATA,
        **MACHINE,
    )
    found = items(pipelines, trained, transformer)
    assert {where: item.note for where, item in found.items()} == {
        "step Train": None,
        "step ScoreRepackModel": REPACK_V2,
        "step ScoreCreateModelStep": TRANSFORMER_MODEL,
        "step ScoreTransformStep": "VPC, Isolation: those of step ScoreCreateModelStep",
    }
    assert settings(found["step ScoreRepackModel"]) == {"network": VPC, "output": "alias/output"}
    assert "VpcConfig" not in found["step ScoreCreateModelStep"].params


def test_the_defaults_file_reaches_the_hidden_job(pipelines: Any, script: str) -> None:
    from sagemaker.workflow.step_collections import RegisterModel

    job = {
        "VpcConfig": VPC,
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "ResourceConfig": {"VolumeKmsKeyId": "alias/volume"},
        "OutputDataConfig": {"KmsKeyId": "alias/output"},
    }
    pipelines.sagemaker_config["SageMaker"]["TrainingJob"] = job
    estimator = pytorch(pipelines, script)
    trained = training(estimator)
    register = RegisterModel(
        "Register",
        estimator=estimator,
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        entry_point=script,
        **TYPES,
        **HOSTS,
    )
    found = items(pipelines, trained, register)
    assert settings(found["step Register-RepackModel"]) == COMPLETE


def processing(session: Any, key: Any) -> Any:
    from sagemaker.network import NetworkConfig
    from sagemaker.processing import ProcessingOutput, Processor
    from sagemaker.workflow.steps import ProcessingStep

    processor = Processor(
        image_uri=IMAGE,
        role=ROLE,
        volume_kms_key=key,
        output_kms_key=key,
        network_config=NetworkConfig(
            enable_network_isolation=True,
            subnets=SUBNETS,
            security_group_ids=GROUPS,
            encrypt_inter_container_traffic=True,
        ),
        sagemaker_session=session,
        **MACHINE,
    )
    outputs = [ProcessingOutput(source="/opt/ml/processing/x", destination=f"{DATA}/x")]
    return ProcessingStep("Prepare", step_args=processor.run(outputs=outputs))


def tuning(session: Any) -> Any:
    from sagemaker.estimator import Estimator
    from sagemaker.tuner import HyperparameterTuner, IntegerParameter
    from sagemaker.workflow.steps import TuningStep

    estimator = Estimator(
        image_uri=IMAGE,
        role=ROLE,
        sagemaker_session=session,
        output_path=f"{DATA}/tuned",
        **MACHINE,
        **SECURE,
    )
    tuner = HyperparameterTuner(
        estimator,
        objective_metric_name="auc",
        hyperparameter_ranges={"max_depth": IntegerParameter(3, 9)},
        metric_definitions=[{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
    )
    return TuningStep("Tune", step_args=tuner.fit({"train": DATA}))


def automl(session: Any) -> Any:
    from sagemaker.automl.automl import AutoML
    from sagemaker.workflow.automl_step import AutoMLStep

    job = AutoML(
        role=ROLE,
        target_attribute_name="y",
        mode="ENSEMBLING",
        volume_kms_key="alias/volume",
        output_kms_key="alias/output",
        vpc_config=VPC,
        encrypt_inter_container_traffic=True,
        output_path=f"{DATA}/automl",
        sagemaker_session=session,
    )
    return AutoMLStep("Automl", step_args=job.fit(inputs=DATA, wait=False, logs=False))


def checks(session: Any) -> list[Any]:
    from sagemaker.clarify import BiasConfig, DataConfig
    from sagemaker.model_monitor.dataset_format import DatasetFormat
    from sagemaker.network import NetworkConfig
    from sagemaker.workflow.check_job_config import CheckJobConfig
    from sagemaker.workflow.clarify_check_step import ClarifyCheckStep, DataBiasCheckConfig
    from sagemaker.workflow.quality_check_step import DataQualityCheckConfig, QualityCheckStep

    job = CheckJobConfig(
        role=ROLE,
        volume_kms_key="alias/volume",
        output_kms_key="alias/output",
        network_config=NetworkConfig(
            enable_network_isolation=True,
            subnets=SUBNETS,
            security_group_ids=GROUPS,
            encrypt_inter_container_traffic=True,
        ),
        sagemaker_session=session,
        **MACHINE,
    )
    quality = DataQualityCheckConfig(
        baseline_dataset=f"{DATA}/baseline.csv",
        dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri=f"{DATA}/quality",
    )
    bias = DataBiasCheckConfig(
        data_config=DataConfig(
            s3_data_input_path=f"{DATA}/bias.csv",
            s3_output_path=f"{DATA}/bias",
            s3_analysis_config_output_path=f"{DATA}/config",
            label=0,
            dataset_type="text/csv",
        ),
        data_bias_config=BiasConfig(label_values_or_threshold=[1], facet_name=[1]),
    )
    return [
        QualityCheckStep("Quality", quality_check_config=quality, check_job_config=job),
        ClarifyCheckStep("Bias", clarify_check_config=bias, check_job_config=job),
    ]


def without_request() -> list[Any]:
    from sagemaker.lambda_helper import Lambda
    from sagemaker.workflow.callback_step import CallbackStep
    from sagemaker.workflow.emr_step import EMRStep, EMRStepConfig
    from sagemaker.workflow.fail_step import FailStep
    from sagemaker.workflow.lambda_step import LambdaStep

    arn = "arn:aws:lambda:eu-west-1:123456789012:function:f"
    queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"
    return [
        LambdaStep("Call", lambda_func=Lambda(function_arn=arn), inputs={"a": 1}, outputs=[]),
        CallbackStep("Ask", sqs_queue_url=queue, inputs={"a": 1}, outputs=[]),
        EMRStep("Spark", None, None, "j-1", EMRStepConfig(jar="s3://b/a.jar")),
        FailStep("Stop", error_message="no"),
    ]


def test_every_kind_that_the_sdk_makes_is_read(pipelines: Any, script: str) -> None:
    """All jobs are made with all settings, so a reading that loses one breaks a rule."""
    from sagemaker.transformer import Transformer
    from sagemaker.workflow.condition_step import ConditionStep
    from sagemaker.workflow.conditions import ConditionEquals
    from sagemaker.workflow.functions import Join
    from sagemaker.workflow.parameters import ParameterBoolean, ParameterString
    from sagemaker.workflow.steps import TransformStep

    key = ParameterString("Key", default_value="alias/both")
    prefix = ParameterString("Prefix", default_value="s3://sm-mlops-dev-eu-west-1-data")
    deploy = ParameterBoolean("Deploy", default_value=False)
    trained = training(pytorch(pipelines, script, **SECURE))
    transformer = Transformer(
        model_name="made-before",
        base_transform_job_name="score",
        strategy="SingleRecord",
        output_path=Join(on="/", values=[prefix, "scored"]),
        output_kms_key=key,
        volume_kms_key=key,
        sagemaker_session=pipelines,
        **MACHINE,
    )
    score = TransformStep("Score", step_args=transformer.transform(DATA))
    quality, bias = checks(pipelines)
    branch = ConditionStep(
        "Branch",
        conditions=[ConditionEquals(left=deploy, right=True)],
        if_steps=[score, quality],
        else_steps=[bias, *without_request()],
    )
    made = pipeline(
        pipelines,
        processing(pipelines, key),
        trained,
        tuning(pipelines),
        automl(pipelines),
        branch,
        parameters=[key, prefix, deploy],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = definition_of(made)
    reading = read_pipeline(text, parameters={"Key": "alias/given"}, role=ROLE)
    assert [(item.where, item.operation) for item in reading.items] == [
        ("step Prepare", "CreateProcessingJob"),
        ("step Train", "CreateTrainingJob"),
        ("step Tune", "CreateHyperParameterTuningJob"),
        ("step Automl", "CreateAutoMLJob"),
        ("step Score, in Branch (if)", "CreateTransformJob"),
        ("step Quality, in Branch (if)", "CreateProcessingJob"),
        ("step Bias, in Branch (else)", "CreateProcessingJob"),
    ]
    assert [(note.where, note.message) for note in reading.notes] == [
        (f"step {name}, in Branch (else)", WITHOUT_REQUEST[kind])
        for name, kind in (
            ("Call", "Lambda"),
            ("Ask", "Callback"),
            ("Spark", "EMR"),
            ("Stop", "Fail"),
        )
    ]
    by_place = {(item.where or "").split(",")[0]: item.params for item in reading.items}
    cluster = by_place["step Prepare"]["ProcessingResources"]["ClusterConfig"]
    assert cluster["VolumeKmsKeyId"] == "alias/given"
    target = by_place["step Score"]["TransformOutput"]
    assert target["S3OutputPath"] == "s3://sm-mlops-dev-eu-west-1-data/scored"
    report = assert_compliant(text, parameters={"Key": "alias/given"}, role=ROLE)
    assert report.summary.warning == 0, [s.findings for s in report.subjects]


def test_steps_of_functions_and_notebooks_are_training_jobs(pipelines: Any, tmp_path: Path) -> None:
    from sagemaker.workflow.function_step import step
    from sagemaker.workflow.notebook_job_step import NotebookJobStep

    notebook = tmp_path / "n.ipynb"
    notebook.write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4}))
    common = {
        "subnets": SUBNETS,
        "security_group_ids": GROUPS,
        "volume_kms_key": "alias/volume",
        "role": ROLE,
        "image_uri": IMAGE,
        "instance_type": "ml.m5.xlarge",
    }

    @step(name="Function", encrypt_inter_container_traffic=True, **common)
    def function() -> int:
        return 1

    made = NotebookJobStep(
        name="Notebook",
        input_notebook=str(notebook),
        kernel_name="python3",
        encrypt_inter_container_traffic=True,
        s3_kms_key="alias/output",
        s3_root_uri=DATA,
        **common,
    )
    found = items(pipelines, function(), made)
    assert {where: item.operation for where, item in found.items()} == {
        "step Function": "CreateTrainingJob",
        "step Notebook": "CreateTrainingJob",
    }
    lacking = {name: value for name, value in COMPLETE.items() if name != "isolation"}
    assert settings(found["step Notebook"]) == lacking


def test_every_kind_of_the_sdk_is_known(sdk_loaded: None) -> None:
    from sagemaker.workflow.steps import StepTypeEnum

    kinds = {kind.value for kind in StepTypeEnum}
    assert kinds <= {*OPERATIONS, *WITHOUT_REQUEST, *BRANCHES}
