"""Asynchronous clients are guarded like any other; this environment has aiobotocore."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import AioSession

from secure_ml_ext.aws import profile as aws_profile
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard import Guard, RequestBlocked, hook
from secure_ml_ext.guard.spool import latest, read_spool

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
PROFILE = {
    "subnets": ["subnet-0fc1aaaaaaaaaaaa1"],
    "security_groups": ["sg-0da8aaaaaaaaaaaa3"],
    "volume_kms_key": KEY,
    "output_kms_key": KEY,
}
BARE: dict[str, Any] = {
    "AlgorithmSpecification": {
        "TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1",
        "TrainingInputMode": "File",
    },
    "RoleArn": "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
    "OutputDataConfig": {"S3OutputPath": "s3://sm-mlops-dev-eu-west-1-models/abalone"},
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}
Install = Callable[[], Guard]


@pytest.fixture
def shown() -> list[Any]:
    return []


@pytest.fixture
def install(
    aws: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: list[Any]
) -> Iterator[Callable[[str], Guard]]:
    """Install a guard in a mode, with a profile by file."""
    (tmp_path / "profile.json").write_text(json.dumps(PROFILE))
    monkeypatch.setenv("SECURE_ML_PROFILE", str(tmp_path / "profile.json"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    aws_profile.forget()

    def make(mode: str) -> Guard:
        guard = Guard(presenter=shown.append, spool=tmp_path / "spool.jsonl")
        guard.set_mode(mode)
        hook.install(guard)
        return guard

    yield make
    hook.uninstall()


def request(name: str) -> dict[str, Any]:
    return {**copy.deepcopy(BARE), "TrainingJobName": f"aio-{name}"}


async def client_before(install: Install) -> Any:
    context = AioSession().create_client("sagemaker")
    client = await context.__aenter__()
    install()
    return context, client


async def old_session(install: Install) -> Any:
    session = AioSession()
    async with session.create_client("sagemaker"):
        pass
    install()
    context = session.create_client("sagemaker")
    return context, await context.__aenter__()


async def new_session(install: Install) -> Any:
    install()
    context = AioSession().create_client("sagemaker")
    return context, await context.__aenter__()


WAYS = [client_before, old_session, new_session]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_sent_when_blocked(
    way: Any, install: Callable[[str], Guard], aws: Embedded, shown: list[Any]
) -> None:
    async def main() -> None:
        context, client = await way(lambda: install("block"))
        try:
            with pytest.raises(RequestBlocked):
                await client.create_training_job(**request("blocked"))
        finally:
            await context.__aexit__(None, None, None)

    asyncio.run(main())
    assert aws.requests(operation="CreateTrainingJob") == []
    assert [card.action for card in shown] == ["blocked"]


@pytest.mark.parametrize("way", WAYS)
def test_fixed_and_recorded(
    way: Any, install: Callable[[str], Guard], aws: Embedded, shown: list[Any]
) -> None:
    guards: list[Guard] = []
    wanted = request(f"fixed-{way.__name__.replace('_', '-')}")
    before = copy.deepcopy(wanted)

    async def main() -> None:
        context, client = await way(lambda: guards.append(install("fix")))
        try:
            await client.create_training_job(**wanted)
        finally:
            await context.__aexit__(None, None, None)

    asyncio.run(main())
    assert wanted == before
    job = aws.client("sagemaker").describe_training_job(TrainingJobName=wanted["TrainingJobName"])
    assert job["VpcConfig"]["Subnets"] == PROFILE["subnets"]
    assert job["ResourceConfig"]["VolumeKmsKeyId"] == KEY
    assert [card.action for card in shown] == ["fixed"]
    spool = guards[0].journal.spool
    assert spool is not None
    (made,) = latest(read_spool(spool.path))
    assert (made.outcome, made.arn) == ("created", job["TrainingJobArn"])


def test_dry_run(install: Callable[[str], Guard], aws: Embedded) -> None:
    async def main() -> Any:
        guard = install("warn")
        async with AioSession().create_client("sagemaker") as client:
            with guard.dry_run():
                return await client.create_training_job(**request("dry"))

    reply = asyncio.run(main())
    assert reply["TrainingJobArn"].endswith(":000000000000:training-job/aio-dry")
    assert aws.requests() == []


def test_send_with_fix_answers_when_the_call_has_ended(
    install: Callable[[str], Guard], aws: Embedded, shown: list[Any]
) -> None:
    async def main() -> dict[str, Any]:
        guard = install("block")
        async with AioSession().create_client("sagemaker") as client:
            with pytest.raises(RequestBlocked):
                await client.create_training_job(**request("resent"))
            answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
            guard.send_held(shown[0].held, answer.set_result)
            assert not answer.done()
            return await asyncio.wait_for(answer, 20)

    reply = asyncio.run(main())
    assert reply["ok"] is True, reply
    assert reply["submission"]["action"] == "resent"
    assert len(aws.requests(operation="CreateTrainingJob")) == 1


def test_send_with_fix_without_a_loop_says_so(
    install: Callable[[str], Guard], aws: Embedded, shown: list[Any]
) -> None:
    guards: list[Guard] = []

    async def main() -> None:
        guards.append(install("block"))
        async with AioSession().create_client("sagemaker") as client:
            with pytest.raises(RequestBlocked):
                await client.create_training_job(**request("late"))

    asyncio.run(main())
    replies: list[dict[str, Any]] = []
    guards[0].send_held(shown[0].held, replies.append)
    assert replies[0]["ok"] is False
    assert "no event loop" in replies[0]["message"]
    assert aws.requests(operation="CreateTrainingJob") == []


def test_concurrent_calls_keep_their_own_records(
    install: Callable[[str], Guard], aws: Embedded
) -> None:
    guards: list[Guard] = []

    async def main() -> None:
        guards.append(install("observe"))
        async with AioSession().create_client("sagemaker") as client:
            jobs = [client.create_training_job(**request(f"many-{n}")) for n in range(10)]
            await asyncio.gather(*jobs)

    asyncio.run(main())
    spool = guards[0].journal.spool
    assert spool is not None
    made = latest(read_spool(spool.path))
    assert len(made) == 10
    assert all(m.arn is not None and m.arn.endswith(f"/{m.name}") for m in made)
