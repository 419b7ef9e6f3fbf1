"""Running a sample notebook as a user would without a browser, and what its story must be.

Used in three environments: boto3 here, both generations of the SageMaker SDK in their own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from secure_ml_ext.check import check_request
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.rules import Profile, profile_from_dict

CARD = "application/vnd.secure-ml.report.v1+json"
ENVIRONMENT = "sm-mlops-dev"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Run:
    """The saved outputs of an executed notebook."""

    def __init__(self, path: Path) -> None:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        self.outputs = {c["id"]: c["outputs"] for c in notebook["cells"] if "outputs" in c}

    def text(self, cell: str) -> str:
        """Everything a cell showed, as plain text."""
        parts = []
        for output in self.outputs[cell]:
            if output["output_type"] == "stream":
                parts.append("".join(output["text"]))
            elif output["output_type"] == "error":
                parts.append("\n".join(output["traceback"]))
            else:
                parts.append("".join(output["data"].get("text/plain", "")))
        return _COLOUR.sub("", "\n".join(parts))

    def displayed(self, cell: str) -> list[str]:
        """The plain text of the cards under a cell."""
        return ["".join(bundle["text/plain"]) for bundle in self.cards(cell)]

    def cards(self, cell: str) -> list[dict[str, Any]]:
        """The MIME bundles of the cards under a cell."""
        return [o["data"] for o in self.outputs[cell] if CARD in o.get("data", {})]

    def errors(self, cell: str) -> list[str]:
        """The names of the exceptions a cell ended with."""
        return [o["ename"] for o in self.outputs[cell] if o["output_type"] == "error"]


def execute(path: Path, folder: Path, environment: Mapping[str, str]) -> Run:
    """Run ``jupyter execute`` of this Python's own environment; fails with its messages."""
    made = folder / "executed.ipynb"
    home = folder / "home"
    home.mkdir(exist_ok=True)
    program = Path(sys.executable).with_name("jupyter-execute")
    result = subprocess.run(
        [program, f"--output={made}", "--timeout=300", path],
        env={**environment, "HOME": os.fspath(home), "XDG_CACHE_HOME": os.fspath(home / "cache")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-6000:]
    return Run(made)


def write(path: Path, *cells: str, may_raise: tuple[int, ...] = ()) -> Path:
    """Write a notebook with these code cells, whose ids are ``cell-0`` and so on."""
    made = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(cells)]
    for number in may_raise:
        made[number].metadata["tags"] = ["raises-exception"]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def profile_of(aws: Embedded) -> Profile:
    """The seeded environment's profile, read from Parameter Store without our own code."""
    ssm = aws.client("ssm")

    def value(name: str) -> str:
        found = ssm.get_parameter(Name=f"{ENVIRONMENT}-{name}")
        return str(found["Parameter"]["Value"])

    values = {
        "subnets": value("private-subnet-ids").split(","),
        "security_groups": value("sagemaker-sg-ids").split(","),
        "volume_kms_key": value("kms-ebs-key-arn"),
        "output_kms_key": value("kms-s3-key-arn"),
    }
    return profile_from_dict({"values": values}, "test")


def errors_of(aws: Embedded, operation: str, params: Mapping[str, Any]) -> list[str]:
    """The rules of severity error that a request, or a Describe reply, breaks."""
    report = check_request(operation, params, profile=profile_of(aws))
    return [f.rule for f in report.subjects[0].findings if f.severity == "error"]


def training_jobs(aws: Embedded) -> dict[str, dict[str, Any]]:
    """What the notebook's training jobs are, by the word in their name."""
    sagemaker = aws.client("sagemaker")
    jobs = {}
    for page in sagemaker.get_paginator("list_training_jobs").paginate():
        for summary in page["TrainingJobSummaries"]:
            name = summary["TrainingJobName"]
            word = re.match(r"credit-risk-(open|blocked|fixed|compliant|foreign|asked)-2", name)
            if word is not None:
                jobs[word.group(1)] = sagemaker.describe_training_job(TrainingJobName=name)
    return jobs


def check_story(run: Run, aws: Embedded) -> None:
    """Check what every generation's notebook must have said and done."""
    assert "Profile: sm-mlops-dev" in run.text("profile")
    assert "ssm:sm-mlops-dev-private-subnet-ids" in run.text("profile")
    _check_cards(run)
    _check_what_was_sent(run, aws)
    _check_the_others(run, aws)


def _check_cards(run: Run) -> None:
    for cell, status in (
        ("open", "sent as it was"),
        ("blocked", "not sent"),
        ("fixed", "sent with the fix"),
        ("dry-run", "dry run, not sent"),
    ):
        said = run.displayed(cell)[0]
        assert said.startswith("Secure ML: CreateTrainingJob credit-risk-")
        assert status in said.splitlines()[0]
        for rule in (
            "training-vpc",
            "training-volume-kms",
            "training-output-kms",
            "job-traffic-encryption",
        ):
            assert rule in said
        assert "  Fix " in said
        assert "+ EnableInterContainerTrafficEncryption  true" in said
        assert "+ VpcConfig  Subnets: subnet-" in said
        assert "(from ssm:sm-mlops-dev-kms-ebs-key-arn)" in said
        (bundle, *_) = run.cards(cell)
        assert {"text/plain", "text/html", CARD} <= set(bundle)
        code = bundle[CARD]["code"]
        assert "networking=Networking(" in code["v3"]
        assert "encrypt_inter_container_traffic=True" in code["v2"]
        assert "sagemaker.create_training_job(**request)" in code["boto3"]
    for cell in ("blocked", "foreign"):
        assert "RequestBlocked: CreateTrainingJob credit-risk-" in run.text(cell)
    (foreign,) = run.displayed("foreign")
    assert "approved-network at VpcConfig.Subnets" in foreign
    (quiet,) = run.displayed("compliant")
    line = r"✓ CreateTrainingJob credit-risk-compliant-\S+ compliant, allowed by IAM"
    assert re.fullmatch(line, quiet)


def _check_what_was_sent(run: Run, aws: Embedded) -> None:
    jobs = training_jobs(aws)
    assert set(jobs) == {"open", "fixed", "compliant"}
    assert len(aws.requests(operation="CreateTrainingJob")) == 3
    assert not aws.requests(operation="CreateTransformJob")
    assert "training-vpc" in errors_of(aws, "CreateTrainingJob", jobs["open"])
    for word in ("fixed", "compliant"):
        assert errors_of(aws, "CreateTrainingJob", jobs[word]) == []
    subnets = profile_of(aws).get("subnets")
    assert jobs["fixed"]["VpcConfig"]["Subnets"] == subnets
    assert jobs["compliant"]["EnableNetworkIsolation"] is True
    for word, job in jobs.items():
        assert f"{job['TrainingJobName']}  in " in run.text("running"), word


def _check_the_others(run: Run, aws: Embedded) -> None:
    sagemaker = aws.client("sagemaker")
    processing = sagemaker.list_processing_jobs(NameContains="credit-risk-prepare-2")
    (name,) = [job["ProcessingJobName"] for job in processing["ProcessingJobSummaries"]]
    reply = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert errors_of(aws, "CreateProcessingJob", reply) == []
    (name,) = re.findall(r"credit-risk-\d{4}-\d{6}", run.text("running"))
    reply = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert errors_of(aws, "CreateHyperParameterTuningJob", reply) == []
    for cell, operation, rule in (
        ("processing", "CreateProcessingJob", "processing-vpc"),
        ("model", "CreateModel", "model-vpc"),
        ("endpoint-config", "CreateEndpointConfig", "endpoint-config-kms"),
        ("tuning", "CreateHyperParameterTuningJob", "tuning-vpc"),
    ):
        (said,) = run.displayed(cell)
        assert said.startswith(f"Secure ML: {operation} credit-risk-")
        assert "sent with the fix" in said.splitlines()[0]
        assert rule in said
        assert [r["status"] for r in aws.requests(operation=operation)] == [200]
    # The notebook tidies up what would go on costing.
    assert [r["status"] for r in aws.requests(operation="DeleteModel")] == [200]
    assert [r["status"] for r in aws.requests(operation="DeleteEndpointConfig")] == [200]
