"""Every way of the table to submit with SDK v2, with nothing about network or keys in the code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.notebooks.defaults import BUCKET, DATA, IMAGE, MACHINE, ROLE, Lab, unique

Params = dict[str, Any]


def machine(lab: Lab) -> Params:
    return {"image_uri": IMAGE, "role": ROLE, "sagemaker_session": lab.session, **MACHINE}


def train(lab: Lab, **changes: Any) -> Params:
    from sagemaker.estimator import Estimator

    estimator = Estimator(**{**machine(lab), **changes})
    estimator.fit({"train": DATA}, wait=False, job_name=unique("train"))
    return lab.recorder.last("CreateTrainingJob")


def train_with_modules(lab: Lab) -> Params:
    from sagemaker.modules.configs import Compute
    from sagemaker.modules.train import ModelTrainer
    from sagemaker_core.helper.session_helper import Session

    trainer = ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        sagemaker_session=Session(default_bucket=BUCKET),
        base_job_name=unique("train"),
        compute=Compute(**MACHINE),
    )
    trainer.train(wait=False)
    return lab.recorder.last("CreateTrainingJob")


def remote(lab: Lab) -> Params:
    # The decorator waits for the end of the job; this is what it submits with.
    from sagemaker.remote_function.job import _Job, _JobSettings

    settings = {"image_uri": IMAGE, "role": ROLE, "instance_type": "ml.m5.xlarge"}
    _Job.start(_JobSettings(sagemaker_session=lab.session, **settings), abs, (-1,), {})
    return lab.recorder.last("CreateTrainingJob")


def process(lab: Lab) -> Params:
    from sagemaker.processing import ProcessingOutput, Processor

    outputs = [ProcessingOutput(source="/opt/ml/processing/x", destination=f"{DATA}/x")]
    Processor(**machine(lab)).run(
        outputs=outputs, wait=False, logs=False, job_name=unique("process")
    )
    return lab.recorder.last("CreateProcessingJob")


def transform(lab: Lab) -> Params:
    from sagemaker.inputs import BatchDataCaptureConfig
    from sagemaker.transformer import Transformer

    transformer = Transformer(
        model_name=lab.model(),
        output_path=f"{DATA}/scores",
        sagemaker_session=lab.session,
        **MACHINE,
    )
    transformer.transform(
        data=DATA,
        wait=False,
        job_name=unique("score"),
        batch_data_capture_config=BatchDataCaptureConfig(destination_s3_uri=f"{DATA}/capture"),
    )
    return lab.recorder.last("CreateTransformJob")


def tune(lab: Lab) -> Params:
    from sagemaker.estimator import Estimator
    from sagemaker.tuner import HyperparameterTuner, IntegerParameter

    tuner = HyperparameterTuner(
        Estimator(**machine(lab)),
        objective_metric_name="auc",
        hyperparameter_ranges={"max_depth": IntegerParameter(3, 9)},
        metric_definitions=[{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
    )
    tuner.fit({"train": DATA}, job_name=unique("tune"), wait=False)
    return lab.recorder.last("CreateHyperParameterTuningJob")


def model(lab: Lab) -> Any:
    from sagemaker.model import Model

    return Model(
        image_uri=IMAGE,
        role=ROLE,
        name=unique("model"),
        model_data=f"{DATA}/model.tar.gz",
        sagemaker_session=lab.session,
    )


def create_model(lab: Lab) -> Params:
    model(lab).create(instance_type="ml.m5.xlarge")
    return lab.recorder.last("CreateModel")


def deploy(lab: Lab, instance_type: str = "ml.m5.xlarge", *, capture: bool = True) -> Params:
    from sagemaker.async_inference import AsyncInferenceConfig
    from sagemaker.model_monitor import DataCaptureConfig

    more: Params = {}
    if capture:
        more["data_capture_config"] = DataCaptureConfig(
            enable_capture=True, destination_s3_uri=f"{DATA}/capture", sagemaker_session=lab.session
        )
        more["async_inference_config"] = AsyncInferenceConfig(output_path=f"{DATA}/answers")
    model(lab).deploy(
        initial_instance_count=1,
        instance_type=instance_type,
        endpoint_name=unique("endpoint"),
        wait=False,
        **more,
    )
    return lab.recorder.last("CreateEndpointConfig")


def pipeline(lab: Lab) -> None:
    """Send a pipeline that trains a model and registers it with an entry point of its own."""
    import boto3
    from sagemaker.estimator import Estimator
    from sagemaker.pytorch import PyTorchModel
    from sagemaker.workflow.model_step import ModelStep
    from sagemaker.workflow.pipeline import Pipeline
    from sagemaker.workflow.pipeline_context import PipelineSession
    from sagemaker.workflow.steps import TrainingStep

    session = PipelineSession(boto_session=boto3.Session(), default_bucket=BUCKET)
    estimator = Estimator(**{**machine(lab), "sagemaker_session": session})
    training = TrainingStep(name="Train", step_args=estimator.fit({"train": DATA}))
    code = lab.folder / "inference.py"
    code.write_text("pass\n")
    made = PyTorchModel(
        role=ROLE,
        framework_version="2.0",
        py_version="py310",
        model_data=training.properties.ModelArtifacts.S3ModelArtifacts,
        sagemaker_session=session,
        entry_point=str(code),
    )
    step = ModelStep(name="Model", step_args=made.create(instance_type="ml.m5.xlarge"))
    steps = [training, step]
    Pipeline(name=unique("pipeline"), steps=steps, sagemaker_session=session).create(role_arn=ROLE)


def automl(lab: Lab) -> Params:
    from sagemaker.automl.automl import AutoML

    learner = AutoML(
        role=ROLE, target_attribute_name="y", output_path=DATA, sagemaker_session=lab.session
    )
    learner.fit(inputs=DATA, wait=False, job_name=unique("a")[:32])
    return lab.recorder.last("CreateAutoMLJob")


def automl_v2(lab: Lab) -> Params:
    from sagemaker.automl.automlv2 import AutoMLDataChannel, AutoMLTabularConfig, AutoMLV2

    channel = AutoMLDataChannel(
        s3_data_type="S3Prefix",
        s3_uri=DATA,
        channel_type="training",
        content_type="text/csv;header=present",
    )
    learner = AutoMLV2(
        problem_config=AutoMLTabularConfig(target_attribute_name="y"),
        role=ROLE,
        output_path=DATA,
        sagemaker_session=lab.session,
    )
    learner.fit(inputs=[channel], wait=False, job_name=unique("a")[:32])
    return lab.recorder.last("CreateAutoMLJobV2")


def compile_model(lab: Lab) -> Params:
    # The SDK waits for the end of the job, so its session submits it here.
    from sagemaker.model import Model

    made: Model = model(lab)
    config = made._compilation_job_config(
        "ml_m5", {"x": [1, 3]}, DATA, ROLE, 900, unique("compile"), "pytorch", None, "1.8"
    )
    lab.session.compile_model(**config)
    return lab.recorder.last("CreateCompilationJob")


def feature_group(lab: Lab) -> Params:
    from sagemaker.feature_store.feature_definition import StringFeatureDefinition
    from sagemaker.feature_store.feature_group import FeatureGroup

    FeatureGroup(
        name=unique("features"),
        sagemaker_session=lab.session,
        feature_definitions=[StringFeatureDefinition("id"), StringFeatureDefinition("time")],
    ).create(
        s3_uri=DATA,
        record_identifier_name="id",
        event_time_feature_name="time",
        role_arn=ROLE,
        enable_online_store=True,
    )
    return lab.recorder.last("CreateFeatureGroup")


def monitor(lab: Lab) -> Params:
    from sagemaker.model_monitor import CronExpressionGenerator, ModelMonitor, MonitoringOutput

    watch = ModelMonitor(role=ROLE, image_uri=IMAGE, sagemaker_session=lab.session, env={"A": "b"})
    # What is recorded is what was about to be sent; the embedded AWS has no such schedules.
    with pytest.raises(ClientError, match="does not implement sagemaker:CreateMonitoringSchedule"):
        watch.create_monitoring_schedule(
            endpoint_input="endpoint",
            output=MonitoringOutput(source="/opt/ml/processing/out", destination=DATA),
            schedule_cron_expression=CronExpressionGenerator.daily(),
            monitor_schedule_name=unique("watch"),
        )
    return lab.recorder.last("CreateMonitoringSchedule")


SUBMIT: dict[str, Callable[[Lab], Params]] = {
    "Estimator.fit()": train,
    "sagemaker.modules ModelTrainer.train()": train_with_modules,
    "@remote": remote,
    "Processor.run()": process,
    "Transformer.transform()": transform,
    "HyperparameterTuner.fit()": tune,
    "Model.create()": create_model,
    "Model.deploy()": deploy,
    "AutoML.fit()": automl,
    "AutoMLV2.fit()": automl_v2,
    "Model.compile()": compile_model,
    "FeatureGroup.create()": feature_group,
    "ModelMonitor.create_monitoring_schedule()": monitor,
}
