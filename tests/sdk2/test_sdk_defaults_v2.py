"""SDK v2 with the file of ``sdk-defaults``: every line of the table, submitted and compared."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from secure_ml_ext.check.sdk_coverage import Submission, coverage
from secure_ml_ext.cli.defaults import user_file
from secure_ml_ext.demo.aws import Embedded
from tests.notebooks import sdk
from tests.notebooks.defaults import BUCKET, Lab, expected, write
from tests.sdk2.submit import SUBMIT, deploy, pipeline, process, train, transform

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
