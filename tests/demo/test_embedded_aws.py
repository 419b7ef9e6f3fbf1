"""The embedded AWS over HTTP with real boto3: states, pages, refusals, faults, log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import botocore.exceptions
import pytest

from secure_ml_ext.demo.aws import Embedded, EmbeddedAwsFailed, running
from secure_ml_ext.demo.aws.shapes import input_shape, misfits, output_shape, refusals

ROLE = "arn:aws:iam::123456789012:role/demo-execution-role"


def training(name: str, **more: Any) -> dict[str, Any]:
    """A training request, as small as SageMaker takes it."""
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "image:1", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 5,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }


@pytest.fixture(scope="module")
def empty() -> Iterator[Embedded]:
    """An embedded AWS without a seed, whose jobs take 100 seconds."""
    with running(seed="none", job_seconds=100) as embedded:
        yield embedded


@pytest.fixture
def server(empty: Embedded) -> Embedded:
    """The same with an empty log and no faults."""
    empty.clear_faults()
    empty.reset_log()
    return empty


def refused(call: Callable[..., Any], **params: Any) -> dict[str, Any]:
    """The error reply of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    return dict(caught.value.response)


def test_a_job_goes_through_its_states(server: Embedded) -> None:
    sm = server.client("sagemaker")
    sm.create_training_job(**training("states"))

    def now() -> tuple[str, str]:
        told = sm.describe_training_job(TrainingJobName="states")
        return told["TrainingJobStatus"], told["SecondaryStatus"]

    assert now() == ("InProgress", "Starting")
    server.advance(50)
    assert now() == ("InProgress", "Training")
    server.advance(60)
    assert now() == ("Completed", "Completed")
    told = sm.describe_training_job(TrainingJobName="states")
    seen = [step["Status"] for step in told["SecondaryStatusTransitions"]]
    assert seen == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert (told["TrainingEndTime"] - told["TrainingStartTime"]).total_seconds() == 100
    assert told["BillableTimeInSeconds"] == 100


def test_a_stopped_job_stops_once(server: Embedded) -> None:
    sm = server.client("sagemaker")
    sm.create_training_job(**training("stopped"))
    sm.stop_training_job(TrainingJobName="stopped")
    assert sm.describe_training_job(TrainingJobName="stopped")["TrainingJobStatus"] == "Stopping"
    server.advance(10)
    told = sm.describe_training_job(TrainingJobName="stopped")
    assert (told["TrainingJobStatus"], told["SecondaryStatus"]) == ("Stopped", "Stopped")
    error = refused(sm.stop_training_job, TrainingJobName="stopped")["Error"]
    assert error["Code"] == "ValidationException"
    assert "status Stopped" in error["Message"]


def test_omitted_switches_and_keys_read_as_aws_tells_them(server: Embedded) -> None:
    sm = server.client("sagemaker")
    sm.create_training_job(**training("defaults"))
    told = sm.describe_training_job(TrainingJobName="defaults")
    assert told["EnableNetworkIsolation"] is False
    assert told["EnableInterContainerTrafficEncryption"] is False
    assert told["OutputDataConfig"]["KmsKeyId"] == ""
    assert "VpcConfig" not in told


def test_names_are_taken_once_and_missing_ones_are_refused(server: Embedded) -> None:
    sm = server.client("sagemaker")
    sm.create_training_job(**training("once"))
    assert refused(sm.create_training_job, **training("once"))["Error"]["Code"] == "ResourceInUse"
    error = refused(sm.describe_training_job, TrainingJobName="never")["Error"]
    assert error == {"Code": "ValidationException", "Message": "Requested resource not found."}
    error = refused(sm.describe_processing_job, ProcessingJobName="never")["Error"]
    assert error["Code"] == "ResourceNotFound"
    error = refused(sm.create_endpoint, EndpointName="end", EndpointConfigName="never")["Error"]
    assert error["Code"] == "ValidationException"


def test_requests_sagemaker_refuses_are_refused(server: Embedded) -> None:
    sm = server.client("sagemaker")
    request = training("bad name!")
    request["ResourceConfig"]["InstanceType"] = "ml.unheard.of"
    error = refused(sm.create_training_job, **request)["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith("2 validation errors detected: ")
    assert "'trainingJobName'" in error["Message"]
    assert "'resourceConfig.instanceType'" in error["Message"]


def test_a_notebook_instance_is_updated_only_when_stopped(server: Embedded) -> None:
    sm = server.client("sagemaker")
    name = {"NotebookInstanceName": "nb"}
    sm.create_notebook_instance(**name, InstanceType="ml.t3.medium", RoleArn=ROLE)
    server.advance(100)
    assert refused(sm.update_notebook_instance, **name, RootAccess="Disabled")
    sm.stop_notebook_instance(**name)
    server.advance(100)
    sm.update_notebook_instance(**name, RootAccess="Disabled", VolumeSizeInGB=50)
    server.advance(100)
    told = sm.describe_notebook_instance(**name)
    assert (told["RootAccess"], told["VolumeSizeInGB"]) == ("Disabled", 50)
    assert told["NotebookInstanceStatus"] == "Stopped"
    sm.start_notebook_instance(**name)
    server.advance(100)
    assert sm.describe_notebook_instance(**name)["NotebookInstanceStatus"] == "InService"


@pytest.fixture(scope="module")
def many(empty: Embedded) -> Embedded:
    """205 training jobs of one prefix, the last five tagged."""
    sm = empty.client("sagemaker")
    for number in range(205):
        tags = [{"Key": "team", "Value": "risk"}] if number >= 200 else []
        sm.create_training_job(**training(f"many-{number:03}", Tags=tags))
    return empty


def named(prefix: str) -> dict[str, Any]:
    return {"Filters": [{"Name": "TrainingJobName", "Operator": "Contains", "Value": prefix}]}


def test_search_tells_every_record_once(many: Embedded) -> None:
    sm = many.client("sagemaker")
    pages = list(
        sm.get_paginator("search").paginate(
            Resource="TrainingJob",
            SearchExpression=named("many-"),
            SortBy="CreationTime",
            MaxResults=100,
        )
    )
    assert [len(page["Results"]) for page in pages] == [100, 100, 5]
    names = [row["TrainingJob"]["TrainingJobName"] for page in pages for row in page["Results"]]
    assert names == [f"many-{number:03}" for number in reversed(range(205))]
    assert pages[0]["TotalHits"] == {"Value": 205, "Relation": "EqualTo"}


def test_a_new_job_between_two_pages_shifts_nothing(many: Embedded) -> None:
    sm = many.client("sagemaker")
    query = {
        "Resource": "TrainingJob",
        "SearchExpression": named("-00"),
        "SortBy": "CreationTime",
        "MaxResults": 5,
    }
    first = sm.search(**query)
    sm.create_training_job(**training("new-00"))
    second = sm.search(**query, NextToken=first["NextToken"])
    names = [row["TrainingJob"]["TrainingJobName"] for row in first["Results"] + second["Results"]]
    assert names == [f"many-00{number}" for number in reversed(range(10))]
    error = refused(
        sm.search, **{**query, "SearchExpression": named("-01")}, NextToken=first["NextToken"]
    )["Error"]
    assert error["Code"] == "ValidationException"


def test_search_asks_at_most_a_hundred(many: Embedded) -> None:
    error = refused(many.client("sagemaker").search, Resource="TrainingJob", MaxResults=101)
    assert "less than or equal to 100" in error["Error"]["Message"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([{"Name": "Tags.team", "Operator": "Equals", "Value": "risk"}], 5),
        ([{"Name": "Tags.team", "Operator": "Exists"}], 5),
        ([{"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "Failed"}], 0),
        ([{"Name": "CreationTime", "Operator": "GreaterThan", "Value": "2000-01-01T00:00:00Z"}], 5),
        ([{"Name": "CreationTime", "Operator": "LessThan", "Value": "2000-01-01T00:00:00Z"}], 0),
        ([{"Name": "TrainingJobName", "Operator": "In", "Value": "many-200,many-201"}], 2),
        ([{"Name": "VpcConfig.Subnets", "Operator": "NotExists"}], 5),
    ],
)
def test_search_filters(many: Embedded, filters: list[dict[str, str]], expected: int) -> None:
    tail = [{"Name": "TrainingJobName", "Operator": "Contains", "Value": "many-20"}]
    reply = many.client("sagemaker").search(
        Resource="TrainingJob", SearchExpression={"Filters": tail + filters}, MaxResults=100
    )
    assert len(reply["Results"]) == expected


def test_lists_filter_and_page(many: Embedded) -> None:
    sm = many.client("sagemaker")
    query = {"NameContains": "MANY-1", "SortBy": "Name", "SortOrder": "Ascending"}
    rows = [
        row["TrainingJobName"]
        for page in sm.get_paginator("list_training_jobs").paginate(**query)
        for row in page["TrainingJobSummaries"]
    ]
    assert rows == [f"many-{number}" for number in range(100, 200)]
    later = datetime.now(timezone.utc) + timedelta(days=1)
    assert sm.list_training_jobs(CreationTimeAfter=later)["TrainingJobSummaries"] == []


def test_every_search_record_fits_the_shape_aws_declares() -> None:
    reply = {"Results": [{"TrainingJob": {"TrainingJobStatus": "Dancing", "Nonsense": 1}}]}
    found = list(misfits(output_shape("Search"), reply))
    assert [text.split(":")[0] for text in found] == [
        "/Results/0/TrainingJob/TrainingJobStatus",
        "/Results/0/TrainingJob/Nonsense",
    ]
    assert list(misfits(output_shape("DescribeTrainingJob"), {}))
    assert list(refusals(input_shape("DescribeTrainingJob"), {"TrainingJobName": "fine"})) == []


@pytest.mark.parametrize(
    ("service", "method", "params", "name"),
    [
        ("sagemaker", "list_workteams", {}, "sagemaker:ListWorkteams"),
        ("ec2", "describe_mac_hosts", {}, "ec2:DescribeMacHosts"),
        ("iam", "list_service_specific_credentials", {}, "iam:ListServiceSpecificCredentials"),
        ("accessanalyzer", "list_analyzers", {}, "access-analyzer:ListAnalyzers"),
    ],
)
def test_what_is_missing_is_refused_once_and_by_name(
    server: Embedded, service: str, method: str, params: dict[str, Any], name: str
) -> None:
    response = refused(getattr(server.client(service), method), **params)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    assert response["Error"]["Code"] == "NotImplementedByEmbeddedAws"
    assert name in response["Error"]["Message"]
    assert len(server.requests()) == 1


@pytest.mark.parametrize(
    ("service", "method", "params", "operation"),
    [
        ("sagemaker", "list_models", {}, "ListModels"),
        ("ssm", "describe_parameters", {}, "DescribeParameters"),
        ("ec2", "describe_subnets", {}, "DescribeSubnets"),
        ("iam", "list_roles", {}, "ListRoles"),
        ("sts", "get_caller_identity", {}, "GetCallerIdentity"),
        ("s3", "list_buckets", {}, "ListBuckets"),
    ],
)
def test_a_fault_strikes_in_every_protocol(
    server: Embedded, service: str, method: str, params: dict[str, Any], operation: str
) -> None:
    server.fault(service, operation, "AccessDenied")
    call = getattr(server.client(service), method)
    response = refused(call, **params)
    assert response["Error"]["Code"] == "AccessDenied"
    assert f"not authorized to perform: {service}:{operation}" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert call(**params)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_nobody_may_simulate_policies(server: Embedded) -> None:
    iam = server.client("iam")
    error = refused(
        iam.simulate_principal_policy, PolicySourceArn=ROLE, ActionNames=["sagemaker:AddTags"]
    )["Error"]
    assert error["Code"] == "AccessDenied"


def test_throttling_is_retried_by_botocore(server: Embedded) -> None:
    server.fault("sagemaker", "ListModels", "ThrottlingException", times=1)
    reply = server.client("sagemaker").list_models()
    assert reply["ResponseMetadata"]["RetryAttempts"] == 1
    assert [entry["error"] for entry in server.requests()] == ["ThrottlingException", None]


def test_a_fault_may_hold_for_every_operation_until_cleared(server: Embedded) -> None:
    server.fault("*", "*", "ExpiredTokenException", status=400, times=-1)
    for _ in range(2):
        error = refused(server.client("sagemaker").list_models)["Error"]
        assert error["Code"] == "ExpiredTokenException"
        assert "expired" in error["Message"]
    server.clear_faults()
    assert server.client("sagemaker").list_models()["Models"] == []


def test_a_late_reply(server: Embedded) -> None:
    server.fault("sagemaker", "ListModels", delay=0.4)
    began = time.monotonic()
    server.client("sagemaker").list_models()
    assert time.monotonic() - began >= 0.4


def test_a_fault_with_unknown_members_is_refused(server: Embedded) -> None:
    with pytest.raises(EmbeddedAwsFailed, match="unexpected"):
        server.fault("sagemaker", "ListModels", "AccessDenied", tims=3)


def test_pipelines_keep_their_definition(server: Embedded) -> None:
    sm = server.client("sagemaker")
    sm.create_pipeline(
        PipelineName="pipe",
        ClientRequestToken="a" * 32,
        RoleArn=ROLE,
        PipelineDefinition='{"Version": "2020-12-01", "Steps": []}',
    )
    told = sm.describe_pipeline(PipelineName="pipe")
    assert told["PipelineDefinition"] == '{"Version": "2020-12-01", "Steps": []}'
    arn = sm.start_pipeline_execution(PipelineName="pipe", ClientRequestToken="b" * 32)
    execution = sm.describe_pipeline_execution(PipelineExecutionArn=arn["PipelineExecutionArn"])
    assert execution["PipelineArn"] == told["PipelineArn"]


def test_tags_are_added_and_removed(server: Embedded) -> None:
    sm = server.client("sagemaker")
    arn = sm.create_training_job(**training("tagged"))["TrainingJobArn"]
    sm.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sm.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
