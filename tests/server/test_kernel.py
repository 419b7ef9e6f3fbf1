"""The whole way: a real kernel with the guard, its jobs over REST, its events."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from secure_ml_ext.demo.aws import ACCOUNT, Embedded
from secure_ml_ext.server.event_schemas import SUBMISSION

SUBMIT = f"""
import boto3
boto3.client("sagemaker").create_training_job(
    TrainingJobName="from-a-kernel",
    AlgorithmSpecification={{"TrainingImage": "image", "TrainingInputMode": "File"}},
    RoleArn="arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role",
    OutputDataConfig={{"S3OutputPath": "s3://sm-mlops-dev-eu-west-1-models/out"}},
    ResourceConfig={{"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}},
    StoppingCondition={{"MaxRuntimeInSeconds": 60}},
    Environment={{"PASSWORD": "planted-secret"}},
)
"""


async def run(client: Any, code: str) -> None:
    """Run a cell and wait for its end."""
    reply = await client.execute(code, reply=True, timeout=60)
    assert reply["content"]["status"] == "ok", reply["content"]


async def test_a_submitted_job_shows_at_once(
    jp_serverapp: Any, jp_fetch: Any, kernel: str, aws: Embedded
) -> None:
    events: list[dict[str, Any]] = []

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        events.append(data)

    jp_serverapp.event_logger.add_listener(schema_id=SUBMISSION, listener=listener)

    async def jobs() -> dict[str, Any]:
        reply = await jp_fetch("secure-ml-ext", "jobs", params={"kernel": kernel})
        answer: dict[str, Any] = json.loads(reply.body)
        return answer

    client = jp_serverapp.kernel_manager.get_kernel(kernel).client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        assert (await jobs())["guard"]["state"] == "not-loaded"
        await run(client, "%load_ext secure_ml_ext")
        deadline = time.monotonic() + 10
        while (await jobs())["guard"]["state"] != "loaded":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert (await jobs())["guard"]["mode"] == "warn"
        await run(client, SUBMIT)
        answer = await jobs()
        (job,) = answer["jobs"]
        assert job["name"] == "from-a-kernel"
        assert job["status"] == "InProgress"
        assert job["arn"].endswith(":training-job/from-a-kernel")
        assert job["console_url"] is None, "the embedded AWS has no console"
        failing = [c for c in job["report"]["subjects"][0]["controls"] if c["state"] == "fail"]
        assert failing
        deadline = time.monotonic() + 10
        while not any(event["record"]["outcome"] == "created" for event in events):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert all(event["kernel"] == kernel for event in events)
        assert "planted-secret" not in json.dumps([answer, events])
        await run(client, "%unload_ext secure_ml_ext")
        assert (await jobs())["guard"]["state"] == "not-loaded"
    finally:
        client.stop_channels()
