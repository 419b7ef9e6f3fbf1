"""The abalone pipeline with SageMaker Python SDK v3, in a kernel of its own environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from secure_ml_ext.demo import notebooks
from secure_ml_ext.demo.aws import Embedded, running
from tests.notebooks import abalone, lab4

NOTEBOOK = Path(next(iter(notebooks.__path__))) / "abalone-sdk-v3.ipynb"


@pytest.fixture(scope="module")
def own_aws() -> Iterator[Embedded]:
    """Jobs take half a second: an execution is followed to its end."""
    with running(seed="demo", job_seconds=0.5) as aws:
        yield aws


def test_the_notebook_runs_and_tells_the_story(own_aws: Embedded, tmp_path: Path) -> None:
    run = lab4.execute(NOTEBOOK, tmp_path, own_aws.environ())
    abalone.check_story(run, own_aws, registered="RegisterAbaloneModel")
    for cell in ("blocked", "empty-key", "local-disks"):
        assert run.errors(cell) == ["RequestBlocked"]
    assert abalone.notes(run, "blocked") == {}
    agents = {r["user_agent"] for r in own_aws.requests(operation="CreatePipeline")}
    assert all("sagemaker" in agent.lower() for agent in agents), agents
