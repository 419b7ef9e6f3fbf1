"""SageMaker Python SDK v2 under the guard, in a kernel of its own environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from secure_ml_ext.demo import notebooks
from secure_ml_ext.demo.aws import Embedded, running
from tests.notebooks import lab4

NOTEBOOK = Path(next(iter(notebooks.__path__))) / "lab4-sdk-v2.ipynb"
BEFORE = """\
import os
os.environ["SECURE_ML_ENVIRONMENT"] = "sm-mlops-dev"
from sagemaker.estimator import Estimator
from sagemaker.session import Session
session = Session(default_bucket="sm-mlops-dev-eu-west-1-data")
estimator = Estimator(
    image_uri="123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4",
    role="arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
    instance_count=1,
    instance_type="ml.m5.xlarge",
    output_path="s3://sm-mlops-dev-eu-west-1-models/early",
    sagemaker_session=session,
)
session.sagemaker_client.list_models(MaxResults=1)
"""
BLOCKED = 'estimator.fit(job_name="credit-risk-blocked-2026", wait=False)'
FIXED = 'estimator.fit(job_name="credit-risk-fixed-2026", wait=False)'


@pytest.fixture(scope="module")
def own_aws() -> Iterator[Embedded]:
    with running(seed="demo") as aws:
        yield aws


def test_the_notebook_runs_and_tells_the_story(own_aws: Embedded, tmp_path: Path) -> None:
    run = lab4.execute(NOTEBOOK, tmp_path, own_aws.environ())
    lab4.check_story(run, own_aws)
    agents = {r["user_agent"] for r in own_aws.requests(operation="CreateTrainingJob")}
    assert all("AWS-SageMaker-Python-SDK#2." in agent for agent in agents), agents


def test_a_session_made_before_the_extension_is_guarded(aws: Embedded, tmp_path: Path) -> None:
    notebook = lab4.write(
        tmp_path / "late.ipynb",
        BEFORE,
        "%load_ext secure_ml_ext",
        "%secure_ml profile\n%secure_ml mode block",
        BLOCKED,
        "%secure_ml mode fix",
        FIXED,
        "import sys; print(sys.prefix)",
        may_raise=(3,),
    )
    run = lab4.execute(notebook, tmp_path, aws.environ())
    assert "RequestBlocked" in run.text("cell-3")
    assert "sent with the fix" in run.displayed("cell-5")[0]
    jobs = lab4.training_jobs(aws)
    assert set(jobs) == {"fixed"}
    assert lab4.errors_of(aws, "CreateTrainingJob", jobs["fixed"]) == []
    assert len(aws.requests(operation="CreateTrainingJob")) == 1
    assert run.text("cell-6").strip() == sys.prefix
