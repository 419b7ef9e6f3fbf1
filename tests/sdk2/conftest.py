"""What the tests with SageMaker Python SDK v2 share."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.demo.aws import Embedded
from tests.notebooks import sdk

MODULES = (
    "async_inference",
    "automl.automl",
    "automl.automlv2",
    "feature_store.feature_group",
    "model_monitor",
    "transformer",
    "tuner",
    "clarify",
    "pytorch",
    "workflow.automl_step",
    "workflow.callback_step",
    "workflow.clarify_check_step",
    "workflow.condition_step",
    "workflow.emr_step",
    "workflow.endpoint_step",
    "workflow.fail_step",
    "workflow.function_step",
    "workflow.lambda_step",
    "workflow.model_step",
    "workflow.notebook_job_step",
    "workflow.pipeline",
    "workflow.quality_check_step",
    "workflow.step_collections",
)


@pytest.fixture(scope="session")
def sdk_loaded(no_real_aws: None) -> Iterator[None]:
    """The SDK's modules, loaded once: their own old spellings are no concern of these tests.

    SDK v2 also says with every object that it is old, unless it is told not to.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in MODULES:
                importlib.import_module(f"sagemaker.{name}")
        yield


@pytest.fixture
def recorder() -> Iterator[sdk.Recorder]:
    yield from sdk.recording()


@pytest.fixture
def session(sdk_loaded: None, aws: Embedded) -> Any:
    """The SDK's session, against the embedded AWS."""
    import boto3
    from sagemaker.session import Session

    boto3.setup_default_session()
    bucket = "sm-mlops-dev-eu-west-1-data"
    return Session(boto_session=boto3.Session(), default_bucket=bucket)


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
