"""Pipelines as SDK v2 makes them: every kind of step is read."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.check.pipeline import definition_of, read_pipeline
from secure_ml_ext.check.pipeline_steps import BRANCHES, OPERATIONS, WITHOUT_REQUEST
from secure_ml_ext.check.testing import assert_compliant
from tests.sdk2.pipelines import (
    COMPLETE,
    DATA,
    GROUPS,
    IMAGE,
    MACHINE,
    ROLE,
    SECURE,
    SUBNETS,
    VPC,
    items,
    pipeline,
    pytorch,
    settings,
    training,
)

# What the SDK says about itself is no concern of these tests.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning"),
    pytest.mark.filterwarnings("ignore:We are deprecating:DeprecationWarning"),
]


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
