"""A guard over real botocore, with a profile file and nothing of the user's configuration."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from secure_ml_ext.aws import profile as aws_profile
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard import Guard, hook
from secure_ml_ext.guard.records import Card

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
PROFILE = {
    "subnets": ["subnet-0fc1aaaaaaaaaaaa1", "subnet-0f39aaaaaaaaaaaa2"],
    "security_groups": ["sg-0da8aaaaaaaaaaaa3"],
    "volume_kms_key": KEY,
    "output_kms_key": KEY,
}
SECRET = "hunter2-planted-secret"
BARE: dict[str, Any] = {
    "TrainingJobName": "abalone",
    "AlgorithmSpecification": {
        "TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1",
        "TrainingInputMode": "File",
        "ContainerArguments": ["--password", SECRET],
    },
    "RoleArn": "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
    "OutputDataConfig": {"S3OutputPath": "s3://sm-mlops-dev-eu-west-1-models/abalone"},
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "Environment": {"API_TOKEN": SECRET},
    "HyperParameters": {"password": SECRET},
    "Tags": [{"Key": "owner", "Value": SECRET}],
}
_made = 0


def training(name: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return a request that breaks four rules, under a name of its own."""
    global _made
    _made += 1
    return {**copy.deepcopy(BARE), "TrainingJobName": name or f"abalone-{_made}", **changes}


def compliant(name: str | None = None) -> dict[str, Any]:
    """Return a request that the baseline accepts."""
    request = training(name, EnableNetworkIsolation=True)
    request["EnableInterContainerTrafficEncryption"] = True
    request["VpcConfig"] = {
        "Subnets": PROFILE["subnets"],
        "SecurityGroupIds": PROFILE["security_groups"],
    }
    request["ResourceConfig"]["VolumeKmsKeyId"] = KEY
    request["OutputDataConfig"]["KmsKeyId"] = KEY
    return request


class Shown(list[Any]):
    """Everything the guard showed."""

    @property
    def cards(self) -> list[Card]:
        return [one for one in self if isinstance(one, Card)]

    @property
    def lines(self) -> list[str]:
        return [one for one in self if isinstance(one, str)]


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's files out, and give the profile of these tests by file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SECURE_ML_MODE", raising=False)
    place = tmp_path / "profile.json"
    place.write_text(json.dumps(PROFILE))
    monkeypatch.setenv("SECURE_ML_PROFILE", str(place))
    aws_profile.forget()
    return place


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def make_guard(shown: Shown, tmp_path: Path) -> Iterator[Callable[..., Guard]]:
    """Make a guard and install it; everything is taken off at the end."""
    made: list[Guard] = []

    def make(mode: str = "warn", **options: Any) -> Guard:
        options.setdefault("spool", tmp_path / "secure-ml-test.jsonl")
        guard = Guard(presenter=shown.append, **options)
        guard.start()
        guard.set_mode(mode)
        hook.install(guard)
        made.append(guard)
        return guard

    yield make
    hook.uninstall()
    for guard in made:
        guard.journal.close()


@pytest.fixture
def sagemaker(aws: Embedded) -> Any:
    """A client in a session of its own, made before the guard."""
    return boto3.Session().client("sagemaker")


@pytest.fixture
def bodies(sagemaker: Any) -> list[dict[str, Any]]:
    """What the client of these tests put on the wire, parameters and all."""
    sent: list[dict[str, Any]] = []

    def keep(request: Any, **_: Any) -> None:
        sent.append(json.loads(request.body))

    sagemaker.meta.events.register("before-send.sagemaker", keep)
    return sent


@pytest.fixture
def created(aws: Embedded) -> Callable[[], list[dict[str, Any]]]:
    """What reached the embedded AWS."""
    return lambda: aws.requests(operation="CreateTrainingJob")
