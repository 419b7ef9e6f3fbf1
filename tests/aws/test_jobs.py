"""Live state: every kind, what is final is asked once, and failures keep the last state."""

from __future__ import annotations

import threading
import time
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError

from secure_ml_ext.aws.describe import console_url, describe_of, describes, name_for
from secure_ml_ext.aws.jobs import SageMakerJobs, list_problem
from secure_ml_ext.aws.records import Job, JobKind
from secure_ml_ext.check import check_request
from secure_ml_ext.demo.aws import ACCOUNT, Embedded
from secure_ml_ext.inventory import operations

ROLE = f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role"


def job(operation: str, name: str, arn: str | None = None, **more: Any) -> Job:
    """Return a job as the spool tells of it."""
    kind: Any = operations()[operation].kind if operation in operations() else more.pop("kind")
    fields: dict[str, Any] = {
        "region": "eu-west-1",
        "account": ACCOUNT,
        "status": None,
        "final": False,
        "as_of": None,
        "problem": None,
        **more,
    }
    return Job(
        id=f"{operation}-{name}",
        kind=kind,
        operation=operation,
        name=name,
        arn=arn,
        created="2026-11-22T10:00:00Z",
        reason=None,
        guarded=True,
        action="passed",
        notebook=None,
        cell=None,
        console_url=None,
        report=check_request("CreateModel", {}),
        **fields,
    )


def test_every_describe_operation_is_one_of_botocores() -> None:
    import boto3

    client = boto3.client("sagemaker", region_name="eu-west-1")
    model = client.meta.service_model
    for how in describes():
        shape = model.operation_model(how.operation)
        assert client.meta.method_to_api_mapping[how.method] == how.operation
        assert how.parameter in shape.input_shape.members
        assert how.arn in shape.output_shape.members
        if how.status is not None:
            states = set(shape.output_shape.members[how.status].enum)
            assert how.final <= states, (how.operation, how.final - states)
            assert set(how.reasons) <= {*shape.output_shape.members, "FailureReason"}


def test_every_kind_has_its_describe() -> None:
    for kind in get_args(JobKind):
        found = describe_of(job("Other", "x", kind=kind))
        assert (found is None) == (kind == "other")


def test_the_demos_jobs_have_their_states(aws: Embedded) -> None:
    client = aws.client("sagemaker")
    listed: list[Job] = []
    expected: list[str] = []
    for operation, lister, key, name, arn, status in (
        ("CreateTrainingJob", "list_training_jobs", "TrainingJobSummaries", *_of("TrainingJob")),
        (
            "CreateProcessingJob",
            "list_processing_jobs",
            "ProcessingJobSummaries",
            *_of("ProcessingJob"),
        ),
        (
            "CreateNotebookInstance",
            "list_notebook_instances",
            "NotebookInstances",
            *_of("NotebookInstance"),
        ),
        ("CreateEndpoint", "list_endpoints", "Endpoints", *_of("Endpoint")),
    ):
        for entry in getattr(client, lister)()[key]:
            listed.append(job(operation, entry[name], entry[arn]))
            expected.append(entry[status])
    for entry in client.list_models()["Models"]:
        listed.append(job("CreateModel", entry["ModelName"], entry["ModelArn"]))
        expected.append("Ready")
    for entry in client.list_domains()["Domains"]:
        listed.append(job("CreateDomain", entry["DomainName"], entry["DomainArn"]))
        expected.append(entry["Status"])
    assert len(listed) >= 5
    refreshed = SageMakerJobs().refresh(listed)
    assert [one.status for one in refreshed] == expected
    assert [one.id for one in refreshed] == [one.id for one in listed]
    assert all(one.problem is None and one.as_of for one in refreshed)


def _of(noun: str) -> tuple[str, str, str]:
    return f"{noun}Name", f"{noun}Arn", f"{noun}Status"


def test_what_is_immutable_is_asked_once(aws: Embedded) -> None:
    client = aws.client("sagemaker")
    arn = client.create_model(ModelName="asked-once", ExecutionRoleArn=ROLE)["ModelArn"]
    backend = SageMakerJobs()
    aws.reset_log()
    for _ in range(3):
        (found,) = backend.refresh([job("CreateModel", "asked-once", arn)])
        assert found.status == "Ready"
        assert found.final
    assert len(aws.requests()) == 1


def test_a_stopped_job_tells_the_reason(aws: Embedded) -> None:
    backend = SageMakerJobs()
    (found,) = backend.refresh([job("CreateTrainingJob", "does-not-exist")])
    assert found.status is None
    assert found.problem is not None
    assert found.problem.code == "not-found"
    assert list_problem([found]) is None


def test_jobs_are_asked_for_in_parallel_within_a_bound() -> None:
    running = 0
    most = 0
    lock = threading.Lock()

    class Client:
        def describe_model(self, **params: str) -> dict[str, Any]:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return {
                "ModelArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model/{params['ModelName']}"
            }

    backend = SageMakerJobs(lambda service, region: Client())
    found = backend.refresh([job("CreateModel", f"m-{number}") for number in range(60)])
    assert [one.arn for one in found] == [
        f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model/m-{number}" for number in range(60)
    ]
    assert 2 <= most <= 8


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_one_refusal_is_enough_when_it_would_meet_everybody(code: str) -> None:
    asked = []

    class Client:
        def describe_model(self, **params: str) -> dict[str, Any]:
            asked.append(params)
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeModel")

    backend = SageMakerJobs(lambda service, region: Client())
    found = backend.refresh([job("CreateModel", f"m-{number}") for number in range(20)])
    assert len(asked) == 1
    assert all(one.problem == found[0].problem for one in found)
    assert list_problem(found) == found[0].problem


def test_each_region_is_asked_where_the_job_is() -> None:
    regions = []

    class Client:
        def describe_model(self, **params: str) -> dict[str, Any]:
            return {}

    def make(service: str, region: str | None) -> Client:
        regions.append(region)
        return Client()

    jobs = [job("CreateModel", "m", region=region) for region in ("eu-west-1", "us-east-1", None)]
    SageMakerJobs(make).refresh(jobs)
    assert regions == ["eu-west-1", "us-east-1", None]


def test_names_that_describe_wants() -> None:
    domain = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:domain/d-1"
    execution = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/p/execution/e"
    assert name_for(job("CreateDomain", "its name", domain)) == "d-1"
    assert name_for(job("CreateDomain", "its name")) is None
    assert name_for(job("Start", "p", execution, kind="pipeline-execution")) == execution


def test_console_addresses() -> None:
    assert console_url("training", "a/b c", "eu-west-1") == (
        "https://eu-west-1.console.aws.amazon.com/sagemaker/home?region=eu-west-1#/jobs/a%2Fb%20c"
    )
    china = console_url("model", "m", "cn-north-1")
    assert china is not None
    assert china.startswith("https://cn-north-1.console.amazonaws.cn/")
    gov = console_url(
        "endpoint", "e", "us-gov-west-1", "https://api.sagemaker.us-gov-west-1.amazonaws.com"
    )
    assert gov is not None
    assert gov.startswith("https://us-gov-west-1.console.amazonaws-us-gov.com/")
    assert console_url("automl", "a", "eu-west-1") is None
    assert console_url("training", None, "eu-west-1") is None
    assert console_url("training", "t", "us-iso-east-1") is None
    assert console_url("training", "t", "eu-west-1", "http://127.0.0.1:5000") is None
