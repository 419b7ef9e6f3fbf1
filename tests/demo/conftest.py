"""The embedded AWS of the tests of pipelines, and executions in it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from secure_ml_ext.demo.aws import Embedded, running
from tests.demo.definitions import ROLE, definition

_numbers = itertools.count()


@pytest.fixture(scope="module")
def world() -> Iterator[Embedded]:
    """An embedded AWS without a seed, whose jobs take 100 seconds."""
    with running(seed="none", job_seconds=100) as embedded:
        embedded.client("s3").create_bucket(
            Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield embedded


@pytest.fixture
def sm(world: Embedded) -> Any:
    return world.client("sagemaker")


@pytest.fixture
def started(sm: Any) -> Callable[..., str]:
    """Store a definition under a name of its own, start it, and return the execution's ARN."""

    def start(content: dict[str, Any] | None = None, **values: str) -> str:
        name = f"pipeline-{next(_numbers)}"
        text = json.dumps(content or definition())
        sm.create_pipeline(PipelineName=name, RoleArn=ROLE, PipelineDefinition=text)
        given = [{"Name": key, "Value": value} for key, value in values.items()]
        reply = sm.start_pipeline_execution(PipelineName=name, PipelineParameters=given)
        return str(reply["PipelineExecutionArn"])

    return start
