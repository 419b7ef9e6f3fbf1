"""The SDK's configuration file tried with the real SDK: writing it, and what a request took."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secure_ml_ext.check import check_request
from secure_ml_ext.check.sdk_coverage import CONTROLS, Submission
from secure_ml_ext.cli.main import main
from secure_ml_ext.demo.aws import Embedded
from tests.notebooks import lab4, sdk

ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4"
BUCKET = "sm-mlops-dev-eu-west-1-data"
DATA = f"s3://{BUCKET}/credit-risk"
MACHINE: dict[str, Any] = {"instance_count": 1, "instance_type": "ml.m5.xlarge"}


class Lab:
    """What the submissions of either generation need; ``session`` has read the file."""

    def __init__(self, aws: Embedded, session: Any, recorder: sdk.Recorder, folder: Path) -> None:
        self.aws, self.session, self.recorder, self.folder = aws, session, recorder, folder

    def model(self) -> str:
        """Return the name of a model that exists."""
        name = unique("model")
        self.aws.client("sagemaker").create_model(
            ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
        )
        return name

    def step(self, kind: str, word: str) -> dict[str, Any]:
        """Return the arguments of a step of the pipeline that was sent last."""
        definition = json.loads(self.recorder.last("CreatePipeline")["PipelineDefinition"])
        (found,) = [s for s in definition["Steps"] if s["Type"] == kind and word in s["Name"]]
        arguments: dict[str, Any] = found["Arguments"]
        return arguments

    def took(self, operation: str, params: Mapping[str, Any]) -> tuple[set[str], set[str]]:
        """Return the controls that a request fills from the profile, and those it does not."""
        profile = lab4.profile_of(self.aws)
        subject = check_request(operation, params, profile=profile).subjects[0]
        states: dict[str, set[str]] = {}
        for each in subject.controls:
            states.setdefault(each.control, set()).add(each.state)
        # What is there is the profile's own: no foreign key, no foreign network.
        for approved in ("approved-key", "approved-network"):
            assert states.pop(approved, {"pass"}) <= {"pass", "na", "depends"}, approved
        filled = {name for name in CONTROLS if "pass" in states.get(name, ())}
        missed = {name for name in CONTROLS if states.get(name, set()) & {"fail", "warn"}}
        assert not filled & missed
        return filled, missed


def write(aws: Embedded, folder: Path, *options: str, **changes: Any) -> Path:
    """Write the file with the command, from the demo environment's profile, all isolated."""
    values = {name: found.value for name, found in lab4.profile_of(aws).values.items()}
    values = {name: value for name, value in {**values, **changes}.items() if value is not None}
    profile = folder / "profile.json"
    profile.write_text(json.dumps(values), encoding="utf-8")
    target = folder / "sagemaker.yaml"
    code = main(
        ["sdk-defaults", "--profile", str(profile), "--output", str(target), *options, "--force"]
    )
    assert code == (1 if None in changes.values() else 0)
    return target


def expected(line: Submission) -> tuple[set[str], set[str]]:
    """Return what the table says of a submission."""
    return set(line.filled), set(line.missed())


def unique(word: str) -> str:
    """Return a name that no other request has."""
    return f"{word}-{time.time_ns()}"
