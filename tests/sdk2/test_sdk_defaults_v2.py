"""SDK v2 with the file of ``sdk-defaults``: every line of the table, submitted and compared."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from secure_ml_ext.check.sdk_coverage import Submission, coverage
from secure_ml_ext.cli.defaults import user_file
from secure_ml_ext.demo.aws import Embedded
from tests.notebooks import sdk
from tests.notebooks.defaults import (
    BUCKET,
    DATA,
    IMAGE,
    MACHINE,
    ROLE,
    Lab,
    expected,
    unique,
    write,
)

# Said by the SDK about itself, not about what is tried here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MODULES = (
    "modules.train",
    "pytorch",
    "remote_function",
    "workflow.model_step",
    "workflow.pipeline",
    "workflow.pipeline_context",
    "workflow.steps",
)
Params = dict[str, Any]


@pytest.fixture(scope="module")
def more_loaded(sdk_loaded: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODULES:
            importlib.import_module(f"sagemaker.{name}")


@pytest.fixture
def lab_with(
    more_loaded: None,
    aws: Embedded,
    recorder: sdk.Recorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Path | None], Lab]:
    """Make a session that reads a file of settings, or none."""

    def make(settings: Path | None) -> Lab:
        import boto3
        from sagemaker.session import Session

        if settings is not None:
            monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(settings))
        boto3.setup_default_session()
        session = Session(boto_session=boto3.Session(), default_bucket=BUCKET)
        return Lab(aws, session, recorder, tmp_path)

    return make


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
STEPS = {
    "pipeline TrainingStep": ("Training", "Train"),
    "pipeline ModelStep": ("Model", "Model"),
    "pipeline ModelStep, its RepackModel step": ("Training", "Repack"),
}
LINES = [pytest.param(line, id=line.how) for line in coverage("v2") if line.how in SUBMIT]


def test_every_line_of_the_table_is_tried() -> None:
    assert {line.how for line in coverage("v2")} == {*SUBMIT, *STEPS}


@pytest.mark.parametrize("line", LINES)
def test_what_the_file_fills_is_what_the_table_says(
    line: Submission,
    aws: Embedded,
    lab_with: Callable[[Path | None], Lab],
    tmp_path: Path,
) -> None:
    lab = lab_with(write(aws, tmp_path, "--isolation"))
    assert lab.took(line.operation, SUBMIT[line.how](lab)) == expected(line)


def test_what_the_file_fills_in_a_pipeline_is_what_the_table_says(
    aws: Embedded, lab_with: Callable[[Path | None], Lab], tmp_path: Path
) -> None:
    lab = lab_with(write(aws, tmp_path, "--isolation"))
    pipeline(lab)
    for line in coverage("v2"):
        if line.how in STEPS:
            sent = lab.step(*STEPS[line.how])
            assert lab.took(line.operation, sent) == expected(line), line.how


@pytest.mark.parametrize("line", LINES)
def test_without_the_file_nothing_is_filled(
    line: Submission, lab_with: Callable[[Path | None], Lab]
) -> None:
    lab = lab_with(None)
    filled, missed = lab.took(line.operation, SUBMIT[line.how](lab))
    assert (filled, missed) == (set(), {*line.filled, *line.missed()})


def test_for_v2_alone_transform_jobs_have_their_keys(
    aws: Embedded, lab_with: Callable[[Path | None], Lab], tmp_path: Path
) -> None:
    lab = lab_with(write(aws, tmp_path, "--sdk", "v2"))
    (line,) = [s for s in coverage("v2", transform=True) if s.operation == "CreateTransformJob"]
    assert lab.took("CreateTransformJob", transform(lab)) == expected(line)
    assert expected(line)[1] == set()


def test_isolation_is_left_out_unless_it_is_asked_for(
    aws: Embedded, lab_with: Callable[[Path | None], Lab], tmp_path: Path
) -> None:
    lab = lab_with(write(aws, tmp_path))
    assert lab.took("CreateTrainingJob", train(lab))[1] == {"isolation"}
    assert lab.took("CreateProcessingJob", process(lab))[1] == {"isolation"}


@pytest.mark.parametrize(
    ("lacking", "missed"),
    [
        ("subnets", {"vpc"}),
        ("security_groups", {"vpc"}),
        ("volume_kms_key", {"volume-kms"}),
        ("output_kms_key", {"output-kms"}),
    ],
)
def test_a_file_with_a_value_missing_still_fills_the_rest(
    lacking: str,
    missed: set[str],
    aws: Embedded,
    lab_with: Callable[[Path | None], Lab],
    tmp_path: Path,
) -> None:
    lab = lab_with(write(aws, tmp_path, "--isolation", **{lacking: None}))
    assert lab.took("CreateTrainingJob", train(lab))[1] == missed
    assert lab.took("CreateProcessingJob", process(lab))[1] == missed


def test_what_code_says_beats_the_file_but_for_traffic_encryption(
    aws: Embedded, lab_with: Callable[[Path | None], Lab], tmp_path: Path
) -> None:
    """As docs/sdk-defaults.md has it; an empty key is the way to local disks."""
    lab = lab_with(write(aws, tmp_path, "--isolation"))
    sent = train(
        lab,
        instance_type="ml.g5.xlarge",
        volume_kms_key="",
        enable_network_isolation=False,
        encrypt_inter_container_traffic=False,
        subnets=["subnet-1"],
        security_group_ids=["sg-1"],
    )
    assert sent["ResourceConfig"]["VolumeKmsKeyId"] == ""
    assert not sent.get("EnableNetworkIsolation")
    assert sent["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert sent["EnableInterContainerTrafficEncryption"] is True


def test_endpoints_on_local_disks_and_without_capture_stay_as_they_are(
    aws: Embedded, lab_with: Callable[[Path | None], Lab], tmp_path: Path
) -> None:
    lab = lab_with(write(aws, tmp_path))
    sent = deploy(lab, "ml.g5.xlarge", capture=False)
    assert not {"KmsKeyId", "DataCaptureConfig", "AsyncInferenceConfig"} & set(sent)


def test_the_users_file_is_the_one_that_the_sdk_reads(
    sdk_loaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sagemaker.config.config import _DEFAULT_USER_CONFIG_FILE_PATH

    monkeypatch.delenv("SAGEMAKER_USER_CONFIG_OVERRIDE", raising=False)
    assert user_file() == _DEFAULT_USER_CONFIG_FILE_PATH
