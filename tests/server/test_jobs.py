"""The jobs of a kernel: its spool, merged with the state SageMaker tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from secure_ml_ext.aws.jobs import JobsBackend
from secure_ml_ext.aws.records import Job
from secure_ml_ext.demo.aws import ACCOUNT, Embedded
from secure_ml_ext.guard.records import ApiError
from secure_ml_ext.server import spool_jobs

from .spools import decision, submission, write, writer_for

Jobs = Callable[[], Awaitable[dict[str, Any]]]
PREFIX = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}"


@pytest.fixture
def jobs(jp_fetch: Any, kernel: str) -> Jobs:
    """Ask for the jobs of the kernel."""

    async def ask() -> dict[str, Any]:
        reply = await jp_fetch("secure-ml-ext", "jobs", params={"kernel": kernel})
        answer: dict[str, Any] = json.loads(reply.body)
        return answer

    return ask


@pytest.fixture
def no_sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask AWS each time."""
    monkeypatch.setattr(spool_jobs, "STATE_SECONDS", -1.0)


def train(aws: Embedded, name: str) -> str:
    """Start a training job and return its ARN."""
    reply = aws.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role",
        OutputDataConfig={"S3OutputPath": "s3://sm-mlops-dev-eu-west-1-models/out"},
        ResourceConfig={
            "InstanceType": "ml.m5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    return str(reply["TrainingJobArn"])


async def test_no_spool_means_that_the_guard_is_not_loaded(jobs: Jobs) -> None:
    answer = await jobs()
    assert answer["guard"] == {
        "state": "not-loaded",
        "mode": None,
        "locked": False,
        "version": None,
    }
    assert answer["jobs"] == []
    assert answer["problem"] is None


async def test_jobs_have_their_live_state(
    jobs: Jobs, aws: Embedded, jp_serverapp: Any, kernel: str, no_sharing: None
) -> None:
    arn = train(aws, "live-1")
    writer = writer_for(jp_serverapp.kernel_manager, kernel, mode="block")
    write(writer, submission("a", "live-1", arn=arn))
    answer = await jobs()
    assert answer["guard"] == {
        "state": "loaded",
        "mode": "block",
        "locked": False,
        "version": "0.1.0",
    }
    (job,) = answer["jobs"]
    assert job["status"] == "InProgress"
    assert job["kind"] == "training"
    assert job["final"] is False
    assert job["as_of"]
    assert job["guarded"] is True
    assert job["console_url"].startswith("https://eu-west-1.console.aws.amazon.com/sagemaker/")
    assert job["report"]["schema"] == "secure-ml/report@1"

    aws.advance(3600)
    (job,) = (await jobs())["jobs"]
    assert job["status"] == "Completed"
    assert job["final"] is True

    aws.reset_log()
    await jobs()
    assert aws.requests() == [], "a job that ended is not asked for again"


async def test_what_was_not_made_leaves_no_row(
    jobs: Jobs, aws: Embedded, jp_serverapp: Any, kernel: str
) -> None:
    arn = train(aws, "kept-1")
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    refusal = ApiError("AccessDeniedException", "no")
    write(
        writer,
        submission("a", "blocked", action="blocked", outcome="not-sent"),
        submission("b", "tried", action="dry-run", outcome="not-sent"),
        submission("c", "refused", outcome="pending"),
        submission("c", "refused", outcome="refused", error=refusal),
        submission("d", "failed", outcome="failed"),
        submission("e", "kept-1", outcome="pending"),
        submission("e", "kept-1", arn=arn),
        decision("kept-1"),
    )
    assert [job["name"] for job in (await jobs())["jobs"]] == ["kept-1"]


async def test_newest_first_and_the_newest_request_of_a_resource(
    jobs: Jobs, jp_serverapp: Any, kernel: str
) -> None:
    endpoint = f"{PREFIX}:endpoint/e"
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    write(
        writer,
        submission("a", "old", time="2026-11-22T10:00:00.000Z", arn=f"{PREFIX}:training-job/old"),
        submission("b", "e", "CreateEndpoint", time="2026-11-22T10:00:01.000Z", arn=endpoint),
        submission("c", "new", time="2026-11-22T10:00:02.000Z", arn=f"{PREFIX}:training-job/new"),
        submission("d", "e", "UpdateEndpoint", time="2026-11-22T10:00:03.000Z", arn=endpoint),
    )
    rows = [(job["id"], job["operation"]) for job in (await jobs())["jobs"]]
    assert rows == [("d", "UpdateEndpoint"), ("c", "CreateTrainingJob"), ("a", "CreateTrainingJob")]


async def test_a_request_on_its_way_is_not_asked_for(
    jobs: Jobs, aws: Embedded, jp_serverapp: Any, kernel: str
) -> None:
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    write(writer, submission("a", "soon", outcome="pending"))
    aws.reset_log()
    (job,) = (await jobs())["jobs"]
    assert job["status"] == "Submitting"
    assert job["problem"] is None
    assert aws.requests() == []


async def test_several_tabs_share_one_answer(
    jobs: Jobs, aws: Embedded, jp_serverapp: Any, kernel: str
) -> None:
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    write(writer, submission("a", "shared-1", arn=train(aws, "shared-1")))
    aws.reset_log()
    answers = await asyncio.gather(*(jobs() for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(aws.requests(operation="DescribeTrainingJob")) == 1
    write(writer, submission("b", "shared-2", arn=train(aws, "shared-2")))
    aws.reset_log()
    names = [job["name"] for job in (await jobs())["jobs"]]
    assert sorted(names) == ["shared-1", "shared-2"], "a new job appears at once"
    assert len(aws.requests(operation="DescribeTrainingJob")) == 1, "only the new one is asked for"


async def test_access_denied_keeps_the_last_state_and_names_the_action(
    jobs: Jobs, aws: Embedded, jp_serverapp: Any, kernel: str, no_sharing: None
) -> None:
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    write(writer, submission("a", "denied-1", arn=train(aws, "denied-1")))
    (before,) = (await jobs())["jobs"]
    aws.fault("sagemaker", "DescribeTrainingJob", "AccessDeniedException", times=-1)
    answer = await jobs()
    (job,) = answer["jobs"]
    assert job["status"] == before["status"] == "InProgress"
    assert job["as_of"] == before["as_of"]
    assert job["problem"]["code"] == "access-denied"
    assert job["problem"]["action"] == "sagemaker:DescribeTrainingJob"
    assert "sagemaker:DescribeTrainingJob" in job["problem"]["remedy"]
    assert answer["problem"] is None, "one missing action is no problem of the whole list"


async def test_expired_credentials_are_a_problem_of_the_list(
    jobs: Jobs, aws: Embedded, jp_serverapp: Any, kernel: str
) -> None:
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    for number in range(5):
        arn = f"{PREFIX}:training-job/x-{number}"
        write(writer, submission(str(number), f"x-{number}", arn=arn))
    aws.fault("*", "*", "ExpiredTokenException", times=-1)
    aws.reset_log()
    answer = await jobs()
    assert answer["problem"]["code"] == "expired-credentials"
    assert len(answer["jobs"]) == 5
    assert len(aws.requests()) == 1, "after the first refusal nobody else is asked"


async def test_a_job_of_another_account_is_not_mistaken_for_ours(
    jobs: Jobs, aws: Embedded, jp_serverapp: Any, kernel: str
) -> None:
    train(aws, "same-name")
    foreign = "arn:aws:sagemaker:eu-west-1:999999999999:training-job/same-name"
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    write(writer, submission("a", "same-name", arn=foreign, account="999999999999"))
    (job,) = (await jobs())["jobs"]
    assert job["status"] is None
    assert "999999999999" in job["problem"]["message"]


class Broken(JobsBackend):
    """A backend that breaks its promise."""

    def refresh(self, jobs: list[Job]) -> list[Job]:
        """Fail."""
        raise RuntimeError("secret detail")


async def test_a_backend_that_raises_costs_the_state_not_the_list(
    jobs: Jobs, app: Any, jp_serverapp: Any, kernel: str
) -> None:
    app.kernel_jobs = spool_jobs.KernelJobs(Broken(), app.executor)
    writer = writer_for(jp_serverapp.kernel_manager, kernel)
    write(writer, submission("a", "j", arn=f"{PREFIX}:training-job/j"))
    answer = await jobs()
    assert [job["name"] for job in answer["jobs"]] == ["j"]
    assert "Broken" in answer["problem"]["message"]
    assert "secret detail" not in json.dumps(answer)


@pytest.mark.parametrize("kernel_id", ["no-such-kernel", "../../etc/passwd", "%00", "a" * 3000])
async def test_an_unknown_kernel_is_a_404(jp_fetch: Any, kernel_id: str) -> None:
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch("secure-ml-ext", "jobs", params={"kernel": kernel_id})
    assert raised.value.code == 404
    assert json.loads(raised.value.response.body)["code"] == "not-found"


async def test_without_a_kernel_it_is_a_400(jp_fetch: Any) -> None:
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch("secure-ml-ext", "jobs")
    assert raised.value.code == 400
    assert "kernel" in json.loads(raised.value.response.body)["message"]


def test_a_remote_kernel_is_unknown() -> None:
    class Remote:
        connection_file = ""

    assert spool_jobs.kernel_spool(Remote()) is None
    assert spool_jobs.guard_of([], None).state == "unknown"
