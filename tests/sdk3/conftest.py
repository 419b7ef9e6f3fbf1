"""What the tests with SageMaker Python SDK v3 share."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from secure_ml_ext.demo.aws import Embedded
from tests.notebooks import sdk

MODULES = (
    "core.resources",
    "core.processing",
    "train.model_trainer",
    "train.tuner",
    "core.parameter",
    "core.workflow.pipeline_context",
    "mlops.workflow.condition_step",
    "mlops.workflow.fail_step",
    "mlops.workflow.for_each_step",
    "mlops.workflow.model_step",
    "mlops.workflow.pipeline",
    "serve.model_builder",
)


@pytest.fixture(scope="session")
def sdk_loaded(no_real_aws: None) -> None:
    """The SDK's modules, loaded once: their own old spellings are no concern of these tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODULES:
            importlib.import_module(f"sagemaker.{name}")


@pytest.fixture
def session(sdk_loaded: None, aws: Embedded) -> Any:
    """The SDK's session, against the embedded AWS."""
    import boto3
    from sagemaker.core.helper.session_helper import Session

    boto3.setup_default_session()
    return Session(default_bucket="sm-mlops-dev-eu-west-1-data")


@pytest.fixture
def recorder() -> Iterator[sdk.Recorder]:
    yield from sdk.recording()
