"""SDK v3 with the file of ``sdk-defaults``: every line of the table, submitted and compared."""

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
    pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning"),
]
MODULES = (
    "core.model_monitor",
    "core.remote_function.job",
    "core.transformer",
    "core.workflow.pipeline_context",
    "mlops.workflow.pipeline",
    "mlops.workflow.steps",
    "serve.model_builder",
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
        from sagemaker.core.config.config_manager import SageMakerConfig
        from sagemaker.core.helper.session_helper import Session

        if settings is not None:
            monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(settings))
        # The resources read the file once per process.
        SageMakerConfig.load_default_configs_for_resource_name.cache_clear()
        boto3.setup_default_session()
        return Lab(aws, Session(default_bucket=BUCKET), recorder, tmp_path)

    return make


def trainer(lab: Lab, **changes: Any) -> Any:
    from sagemaker.train import ModelTrainer

    arguments: Params = {
        "training_image": IMAGE,
        "role": ROLE,
        "sagemaker_session": lab.session,
        "base_job_name": unique("train"),
    }
    return ModelTrainer(**{**arguments, **changes})


def train(lab: Lab, **changes: Any) -> Params:
    trainer(lab, **changes).train(wait=False)
    return lab.recorder.last("CreateTrainingJob")


def remote(lab: Lab) -> Params:
    # The decorator waits for the end of the job; this is what it submits with.
    from sagemaker.core.remote_function.job import _Job, _JobSettings

    settings = {"image_uri": IMAGE, "role": ROLE, "instance_type": "ml.m5.xlarge"}
    _Job.start(_JobSettings(sagemaker_session=lab.session, **settings), abs, (-1,), {})
    return lab.recorder.last("CreateTrainingJob")


def process(lab: Lab) -> Params:
    from sagemaker.core.processing import Processor
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output

    target = ProcessingS3Output(
        s3_uri=f"{DATA}/x", local_path="/opt/ml/processing/x", s3_upload_mode="EndOfJob"
    )
    outputs = [ProcessingOutput(output_name="x", s3_output=target)]
    Processor(role=ROLE, image_uri=IMAGE, sagemaker_session=lab.session, **MACHINE).run(
        outputs=outputs, wait=False, logs=False, job_name=unique("process")
    )
    return lab.recorder.last("CreateProcessingJob")


def transform(lab: Lab) -> Params:
    from sagemaker.core.shapes import BatchDataCaptureConfig
    from sagemaker.core.transformer import Transformer

    transformer = Transformer(
        model_name=lab.model(),
        output_path=f"{DATA}/scores",
        sagemaker_session=lab.session,
        base_transform_job_name=unique("score"),
        **MACHINE,
    )
    transformer.transform(
        data=DATA,
        wait=False,
        logs=False,
        batch_data_capture_config=BatchDataCaptureConfig(destination_s3_uri=f"{DATA}/capture"),
    )
    return lab.recorder.last("CreateTransformJob")


def tune(lab: Lab, made: Any = None) -> Params:
    from sagemaker.core.parameter import IntegerParameter
    from sagemaker.train.tuner import HyperparameterTuner

    tuner = HyperparameterTuner(
        made or trainer(lab),
        objective_metric_name="auc",
        hyperparameter_ranges={"max_depth": IntegerParameter(3, 9)},
        metric_definitions=[{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
    )
    tuner.tune(job_name=unique("tune"), wait=False)
    return lab.recorder.last("CreateHyperParameterTuningJob")


def builder(lab: Lab) -> Any:
    from sagemaker.serve import ModelBuilder

    made = ModelBuilder(
        image_uri=IMAGE,
        role_arn=ROLE,
        sagemaker_session=lab.session,
        s3_model_data_url=f"{DATA}/model.tar.gz",
        instance_type="ml.m5.xlarge",
        env_vars={},
    )
    made.build(model_name=unique("model"))
    return made


def build(lab: Lab) -> Params:
    builder(lab)
    return lab.recorder.last("CreateModel")


def deploy(lab: Lab) -> Params:
    """Deploy with capture, and deploy with answers in S3; return what both say together."""
    from sagemaker.core.inference_config import AsyncInferenceConfig
    from sagemaker.core.model_monitor import DataCaptureConfig

    capture = DataCaptureConfig(
        enable_capture=True, destination_s3_uri=f"{DATA}/capture", sagemaker_session=lab.session
    )
    answers = AsyncInferenceConfig(output_path=f"{DATA}/answers")
    both: Params = {}
    for more in ({"data_capture_config": capture}, {"inference_config": answers}):
        builder(lab).deploy(
            endpoint_name=unique("endpoint"),
            instance_type="ml.m5.xlarge",
            initial_instance_count=1,
            wait=False,
            **more,
        )
        both |= lab.recorder.last("CreateEndpointConfig")
    return both


def training_step(lab: Lab) -> Params:
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.steps import TrainingStep

    session = PipelineSession(default_bucket=BUCKET)
    step = TrainingStep(name="Train", step_args=trainer(lab, sagemaker_session=session).train())
    Pipeline(name=unique("pipeline"), steps=[step], sagemaker_session=session).create(role_arn=ROLE)
    return lab.step("Training", "Train")


def monitor(lab: Lab) -> Params:
    from sagemaker.core.model_monitor import (
        CronExpressionGenerator,
        ModelMonitor,
        MonitoringOutput,
    )

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


def create_training_job(lab: Lab) -> Params:
    from sagemaker.core import shapes
    from sagemaker.core.resources import TrainingJob

    TrainingJob.create(
        training_job_name=unique("train"),
        algorithm_specification=shapes.AlgorithmSpecification(
            training_image=IMAGE, training_input_mode="File"
        ),
        role_arn=ROLE,
        output_data_config=shapes.OutputDataConfig(s3_output_path=DATA),
        resource_config=shapes.ResourceConfig(**MACHINE, volume_size_in_gb=10),
        stopping_condition=shapes.StoppingCondition(max_runtime_in_seconds=3600),
    )
    return lab.recorder.last("CreateTrainingJob")


def create_model(lab: Lab) -> Params:
    from sagemaker.core.resources import Model
    from sagemaker.core.shapes import ContainerDefinition

    Model.create(
        model_name=unique("model"),
        primary_container=ContainerDefinition(image=IMAGE),
        execution_role_arn=ROLE,
    )
    return lab.recorder.last("CreateModel")


def create_endpoint_config(lab: Lab) -> Params:
    from sagemaker.core import shapes
    from sagemaker.core.resources import EndpointConfig

    EndpointConfig.create(
        endpoint_config_name=unique("config"),
        production_variants=[
            shapes.ProductionVariant(
                variant_name="All",
                model_name=lab.model(),
                initial_instance_count=1,
                instance_type="ml.m5.xlarge",
            )
        ],
        data_capture_config=shapes.DataCaptureConfig(
            initial_sampling_percentage=20,
            destination_s3_uri=f"{DATA}/capture",
            capture_options=[shapes.CaptureOption(capture_mode="Input")],
        ),
    )
    return lab.recorder.last("CreateEndpointConfig")


SUBMIT: dict[str, Callable[[Lab], Params]] = {
    "ModelTrainer.train()": train,
    "@remote": remote,
    "Processor.run()": process,
    "Transformer.transform()": transform,
    "HyperparameterTuner.tune()": tune,
    "ModelBuilder.build()": build,
    "ModelBuilder.deploy()": deploy,
    "pipeline TrainingStep": training_step,
    "ModelMonitor.create_monitoring_schedule()": monitor,
    "resources.TrainingJob.create()": create_training_job,
    "resources.Model.create()": create_model,
    "resources.EndpointConfig.create()": create_endpoint_config,
}
LINES = [pytest.param(line, id=line.how) for line in coverage("v3")]


def test_every_line_of_the_table_is_tried() -> None:
    assert [line.how for line in coverage("v3")] == list(SUBMIT)


@pytest.mark.parametrize("line", LINES)
def test_what_the_file_fills_is_what_the_table_says(
    line: Submission,
    aws: Embedded,
    lab_with: Callable[[Path | None], Lab],
    tmp_path: Path,
) -> None:
    lab = lab_with(write(aws, tmp_path, "--isolation"))
    assert lab.took(line.operation, SUBMIT[line.how](lab)) == expected(line)


@pytest.mark.parametrize("line", [p for p in LINES if p.values[0].filled])
def test_without_the_file_nothing_is_filled(
    line: Submission, lab_with: Callable[[Path | None], Lab]
) -> None:
    lab = lab_with(None)
    filled, missed = lab.took(line.operation, SUBMIT[line.how](lab))
    assert (filled, missed) == (set(), {*line.filled, *line.missed()})


def test_the_keys_of_transform_jobs_are_what_v3_fails_on(
    aws: Embedded, lab_with: Callable[[Path | None], Lab], tmp_path: Path
) -> None:
    """When this fails the SDK was mended, and the file for both can have the keys."""
    lab = lab_with(write(aws, tmp_path, "--sdk", "v2"))
    with pytest.raises(ValueError, match="KmsKeyId\n  Extra inputs are not permitted"):
        transform(lab)


def test_isolation_is_left_out_unless_it_is_asked_for(
    aws: Embedded, lab_with: Callable[[Path | None], Lab], tmp_path: Path
) -> None:
    lab = lab_with(write(aws, tmp_path))
    assert lab.took("CreateTrainingJob", train(lab))[0] == {"vpc", "traffic-encryption"}
    assert lab.took("CreateProcessingJob", process(lab))[1] == {"isolation"}


@pytest.mark.parametrize(
    ("lacking", "network"),
    [
        ("subnets", False),
        ("security_groups", False),
        ("volume_kms_key", True),
        ("output_kms_key", True),
    ],
)
def test_a_file_with_a_value_missing_still_fills_the_rest(
    lacking: str,
    network: bool,
    aws: Embedded,
    lab_with: Callable[[Path | None], Lab],
    tmp_path: Path,
) -> None:
    lab = lab_with(write(aws, tmp_path, "--isolation", **{lacking: None}))
    filled, _ = lab.took("CreateTrainingJob", train(lab))
    assert filled == {"isolation", "traffic-encryption"} | ({"vpc"} if network else set())
    _, missed = lab.took("CreateProcessingJob", process(lab))
    lost = {"volume_kms_key": "volume-kms", "output_kms_key": "output-kms"}
    assert missed == {lost.get(lacking, "vpc")}


@pytest.mark.parametrize(("isolation", "left"), [(False, set()), (None, {"isolation"})])
def test_a_networking_of_ones_own_replaces_the_one_of_the_file(
    isolation: bool | None,
    left: set[str],
    aws: Embedded,
    lab_with: Callable[[Path | None], Lab],
    tmp_path: Path,
) -> None:
    """As docs/sdk-defaults.md has it."""
    from sagemaker.core.training.configs import Networking

    lab = lab_with(write(aws, tmp_path, "--isolation"))
    sent = train(lab, networking=Networking(enable_network_isolation=isolation))
    assert lab.took("CreateTrainingJob", sent)[0] == left


def test_a_tuner_takes_the_network_of_a_trainer_that_has_trained(
    aws: Embedded, lab_with: Callable[[Path | None], Lab], tmp_path: Path
) -> None:
    """Why the table says that the tuner reads it too early."""
    lab = lab_with(write(aws, tmp_path, "--isolation"))
    made = trainer(lab)
    made.train(wait=False)
    assert lab.took("CreateHyperParameterTuningJob", tune(lab, made))[0] == {"vpc"}


def test_the_users_file_is_the_one_that_the_sdk_reads(
    sdk_loaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sagemaker.core.config.config_manager import SageMakerConfig

    monkeypatch.delenv("SAGEMAKER_USER_CONFIG_OVERRIDE", raising=False)
    assert user_file() == SageMakerConfig._DEFAULT_USER_CONFIG_FILE_PATH
