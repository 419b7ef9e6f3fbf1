"""SageMaker Python SDK v3 under the guard, in a kernel of its own environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from secure_ml_ext.demo import notebooks
from secure_ml_ext.demo.aws import Embedded, running
from tests.notebooks import lab4

NOTEBOOK = Path(next(iter(notebooks.__path__))) / "lab4-sdk-v3.ipynb"
BEFORE = """\
import os
os.environ["SECURE_ML_ENVIRONMENT"] = "sm-mlops-dev"
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import TrainingJob
from sagemaker.core.training.configs import Compute, OutputDataConfig
from sagemaker.train import ModelTrainer
session = Session(default_bucket="sm-mlops-dev-eu-west-1-data")
def trainer(name):
    return ModelTrainer(
        training_image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4",
        role="arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path="s3://sm-mlops-dev-eu-west-1-models/x"),
        base_job_name=name,
        sagemaker_session=session,
    )
early = trainer("credit-risk-blocked")
print(len(list(TrainingJob.get_all(name_contains="nothing-is-called-so"))))
"""


@pytest.fixture(scope="module")
def own_aws() -> Iterator[Embedded]:
    with running(seed="demo") as aws:
        yield aws


def test_the_notebook_runs_and_tells_the_story(own_aws: Embedded, tmp_path: Path) -> None:
    run = lab4.execute(NOTEBOOK, tmp_path, own_aws.environ())
    lab4.check_story(run, own_aws)
    assert run.errors("blocked") == run.errors("foreign") == ["RequestBlocked"]
    agents = {r["user_agent"] for r in own_aws.requests(operation="CreateTrainingJob")}
    assert all("sagemaker" in agent.lower() for agent in agents), agents


def test_clients_made_before_the_extension_are_guarded(aws: Embedded, tmp_path: Path) -> None:
    """SDK v3 keeps one client for all its resources; it is there before the guard is."""
    notebook = lab4.write(
        tmp_path / "late.ipynb",
        BEFORE,
        "%load_ext secure_ml_ext",
        "%secure_ml profile\n%secure_ml mode block",
        "early.train(wait=False)",
        "%secure_ml mode fix",
        'trainer("credit-risk-fixed").train(wait=False)',
        "import sys; print(sys.prefix)",
        may_raise=(3,),
    )
    run = lab4.execute(notebook, tmp_path, aws.environ())
    assert run.text("cell-0").strip() == "0"
    assert run.errors("cell-3") == ["RequestBlocked"]
    assert "sent with the fix" in run.displayed("cell-5")[0]
    jobs = lab4.training_jobs(aws)
    assert set(jobs) == {"fixed"}
    assert lab4.errors_of(aws, "CreateTrainingJob", jobs["fixed"]) == []
    assert len(aws.requests(operation="CreateTrainingJob")) == 1
    assert run.text("cell-6").strip() == sys.prefix
