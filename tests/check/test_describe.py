"""Describe replies: recorded ones, those that differ, and anything at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.check import UnknownOperation, check_request
from secure_ml_ext.check.describe import is_describe, read_describe
from secure_ml_ext.check.describe_table import told_of
from secure_ml_ext.check.files import InputError
from secure_ml_ext.inventory.table import operations
from tests.check.readers import DATA, Found, found, load, states
from tests.worlds import profile

CREATES = [name for name in operations() if name.startswith("Create")]


# Derived by reading each reply against rules/baseline.yaml.
RECORDED: dict[str, tuple[str, str, Found]] = {
    # PublicInternetOnly; IAM sign-in; a key for the volume; SharingSettings and Canvas'
    # WorkspaceSettings are there without a key.
    "domain-public.json": (
        "CreateDomain",
        "example-domain",
        [
            ("error", "domain-vpc-only", "/AppNetworkAccessType"),
            ("warning", "other-output-kms", "/DefaultUserSettings/SharingSettings/S3KmsKeyId"),
            (
                "warning",
                "other-output-kms",
                "/DefaultUserSettings/CanvasAppSettings/WorkspaceSettings/S3KmsKeyId",
            ),
            ("warning", "domain-sign-in", "/AuthMode"),
        ],
    ),
    # No KmsKeyId, ml.m4 has no local disk; one instance; no capture. Network: the model's.
    "endpoint-config-no-kms.json": (
        "CreateEndpointConfig",
        "kmeans-2018-01-18-19-25-36-887",
        [
            ("error", "endpoint-config-kms", "/KmsKeyId"),
            ("info", "endpoint-redundancy", "/ProductionVariants/0/InitialInstanceCount"),
        ],
    ),
    # One definition in the list form: a network, no keys, both flags false.
    "hpo-vpc.json": (
        "CreateHyperParameterTuningJob",
        "c7n-test",
        [
            (
                "error",
                "tuning-volume-kms",
                "/TrainingJobDefinitions/0/ResourceConfig/VolumeKmsKeyId",
            ),
            ("error", "job-output-kms", "/TrainingJobDefinitions/0/OutputDataConfig/KmsKeyId"),
            (
                "error",
                "job-traffic-encryption",
                "/TrainingJobDefinitions/0/EnableInterContainerTrafficEncryption",
            ),
            ("warning", "job-isolation", "/TrainingJobDefinitions/0/EnableNetworkIsolation"),
        ],
    ),
    # No VpcConfig, EnableNetworkIsolation false, a public image.
    "model-open.json": (
        "CreateModel",
        "sagemaker-model",
        [
            ("error", "model-vpc", "/VpcConfig"),
            ("warning", "model-isolation", "/EnableNetworkIsolation"),
            ("info", "private-image", "/PrimaryContainer/ImageConfig/RepositoryAccessMode"),
        ],
    ),
    # No SubnetId; internet and root Enabled; of 2020, so neither platform nor IMDS version; a key.
    "notebook-open.json": (
        "CreateNotebookInstance",
        "test-kms",
        [
            ("error", "notebook-vpc", "/SubnetId"),
            ("error", "notebook-direct-internet", "/DirectInternetAccess"),
            ("error", "notebook-root-access", "/RootAccess"),
            (
                "warning",
                "notebook-imds-v2",
                "/InstanceMetadataServiceConfiguration/MinimumInstanceMetadataServiceVersion",
            ),
            ("warning", "notebook-platform", "/PlatformIdentifier"),
        ],
    ),
    # NetworkConfig with two flags, both false; no VpcConfig, no keys; one output.
    "processing-failed.json": (
        "CreateProcessingJob",
        "c7n-test",
        [
            ("error", "processing-vpc", "/NetworkConfig/VpcConfig"),
            (
                "error",
                "processing-volume-kms",
                "/ProcessingResources/ClusterConfig/VolumeKmsKeyId",
            ),
            ("error", "job-output-kms", "/ProcessingOutputConfig/KmsKeyId"),
            (
                "error",
                "job-traffic-encryption",
                "/NetworkConfig/EnableInterContainerTrafficEncryption",
            ),
            ("warning", "job-isolation", "/NetworkConfig/EnableNetworkIsolation"),
        ],
    ),
    # Nothing set at all, and "" for the output key.
    "training-kmeans-failed.json": (
        "CreateTrainingJob",
        "c7n-job-2018-01-12-18-23-33",
        [
            ("error", "training-vpc", "/VpcConfig"),
            ("error", "training-volume-kms", "/ResourceConfig/VolumeKmsKeyId"),
            ("error", "training-output-kms", "/OutputDataConfig/KmsKeyId"),
            ("error", "job-traffic-encryption", "/EnableInterContainerTrafficEncryption"),
            ("warning", "job-isolation", "/EnableNetworkIsolation"),
        ],
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_replies(name: str) -> None:
    content = load("describe", name)
    assert is_describe(content)
    # As recorded, as boto3 gives it, and as the command line prints it.
    bare = content["data"]
    printed = {k: v for k, v in bare.items() if k != "ResponseMetadata"}
    operation, resource, findings = RECORDED[name]
    for form in (content, bare, printed):
        reading = read_describe(form)
        assert reading.notes == []
        (item,) = reading.items
        subject = check_request(item.operation, item.params).subjects[0]
        assert (item.kind, item.where, item.note) == ("describe", None, None)
        assert (item.operation, subject.name) == (operation, resource)
        assert sorted(found(item)) == sorted(findings)
    assert read_describe(content, operation=operation) == read_describe(content)
    describe = f"Describe{operation[6:]}"
    assert read_describe(bare, operation=describe) == read_describe(bare)


def test_every_recorded_file_is_used() -> None:
    others = {"list-tags.json", "list-training-jobs.json"}
    assert {path.name for path in (DATA / "describe").iterdir()} == {*RECORDED, *others}


def test_replies_without_settings() -> None:
    for content in (
        load("describe", "list-training-jobs.json"),
        load("describe", "list-training-jobs.json")["data"],
    ):
        assert is_describe(content)
        reading = read_describe(content)
        assert reading.items == []
        assert [note.message for note in reading.notes] == [
            "1 × TrainingJob without settings (c7n-job-2018-01-12-18-23-33): a summary does not "
            "hold them; give the reply of DescribeTrainingJob"
        ]
    reading = read_describe(load("describe", "list-tags.json"))
    assert (reading.items, len(reading.notes)) == ([], 1)
    # A summary alone is no reply either: reading it would say that the job has no network.
    summary = load("describe", "list-training-jobs.json")["data"]["TrainingJobSummaries"][0]
    assert read_describe(summary).items == []
    assert read_describe(summary, operation="DescribeTrainingJob").items == []


# -- what differs, by name ---------------------------------------------------------------------

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/11111111-aaaa-4aaa-8aaa-111111111111"


def test_a_notebook_instance_has_other_names() -> None:
    reply = {
        "NotebookInstanceArn": f"{ARN}notebook-instance/n",
        "NotebookInstanceName": "n",
        "NotebookInstanceStatus": "InService",
        "InstanceType": "ml.t3.medium",
        "SubnetId": "subnet-1",
        "SecurityGroups": ["sg-1"],
        "RoleArn": "arn:aws:iam::111122223333:role/r",
        "KmsKeyId": KEY,
        "NetworkInterfaceId": "eni-1",
        "NotebookInstanceLifecycleConfigName": "idle",
        "DirectInternetAccess": "Disabled",
        "RootAccess": "Disabled",
        "PlatformIdentifier": "notebook-al2023-v1",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
    }
    (item,) = read_describe(reply).items
    assert item.params["SecurityGroupIds"] == ["sg-1"]
    assert item.params["LifecycleConfigName"] == "idle"
    assert not {"SecurityGroups", "Url", "NetworkInterfaceId"} & item.params.keys()
    assert found(item) == []
    assert states(item)["vpc"] == "pass"
    assert "SecurityGroups" in reply, "the reply is not changed"


def test_a_cluster_tells_counts_and_images_twice() -> None:
    group = {
        "InstanceGroupName": "g",
        "InstanceType": "ml.c5.xlarge",
        "CurrentCount": 1,
        "TargetCount": 2,
        "Status": "InService",
        "CurrentImageId": "ami-old",
        "DesiredImageId": "ami-new",
        "InstanceStorageConfigs": [{"EbsVolumeConfig": {"VolumeSizeInGB": 100}}],
    }
    reply = {
        "ClusterArn": f"{ARN}cluster/c",
        "ClusterName": "c",
        "ClusterStatus": "InService",
        "InstanceGroups": [group],
    }
    (item,) = read_describe(reply).items
    assert item.params["InstanceGroups"] == [
        {
            "InstanceGroupName": "g",
            "InstanceType": "ml.c5.xlarge",
            "InstanceCount": 2,
            "ImageId": "ami-new",
            "InstanceStorageConfigs": [{"EbsVolumeConfig": {"VolumeSizeInGB": 100}}],
        }
    ]
    # No network of the cluster, and the volume of its group without a key.
    volume = "/InstanceGroups/0/InstanceStorageConfigs/0/EbsVolumeConfig/VolumeKmsKeyId"
    assert found(item) == [
        ("error", "cluster-vpc", "/VpcConfig"),
        ("warning", "cluster-volume-kms", volume),
    ]


def test_both_versions_of_automl() -> None:
    base = {
        "AutoMLJobName": "a",
        "AutoMLJobArn": f"{ARN}automl-job/a",
        "RoleArn": "arn:aws:iam::111122223333:role/r",
        "OutputDataConfig": {"KmsKeyId": KEY, "S3OutputPath": "s3://b"},
    }
    first = {**base, "InputDataConfig": [], "AutoMLJobConfig": {"SecurityConfig": {}}}
    second = {
        **base,
        "AutoMLJobInputDataConfig": [],
        "SecurityConfig": {"EnableInterContainerTrafficEncryption": True},
        "AutoMLProblemTypeConfigName": "Tabular",
    }
    one, two = read_describe([first, second]).items
    assert (one.operation, one.where) == ("CreateAutoMLJob", "reply 1")
    assert (two.operation, two.where) == ("CreateAutoMLJobV2", "reply 2")
    assert states(one)["traffic-encryption"] == "fail"
    assert states(two)["traffic-encryption"] == "pass"


def test_an_inference_experiment_names_its_endpoint_elsewhere() -> None:
    reply = {
        "Arn": f"{ARN}inference-experiment/e",
        "Name": "e",
        "Type": "ShadowMode",
        "EndpointMetadata": {"EndpointName": "live", "EndpointStatus": "InService"},
        "ModelVariants": [{"ModelName": "m", "VariantName": "v", "Status": "InService"}],
        "DataStorageConfig": {"Destination": "s3://b", "KmsKey": ""},
    }
    (item,) = read_describe(reply).items
    assert item.params["EndpointName"] == "live"
    assert item.params["ModelVariants"] == [{"ModelName": "m", "VariantName": "v"}]
    assert item.params["DataStorageConfig"] == {"Destination": "s3://b"}, '"" is absent'


def test_search_finds_jobs_inside_trial_components_and_models() -> None:
    training = load("describe", "training-kmeans-failed.json")["data"]
    model = load("describe", "model-open.json")["data"]
    content = {
        "Results": [
            {"TrialComponent": {"SourceDetail": {"SourceArn": "x", "TrainingJob": training}}},
            {"Model": {"Model": model, "Endpoints": [], "MonitoringSchedules": []}},
            {"Experiment": {"ExperimentName": "e", "ExperimentArn": f"{ARN}experiment/e"}},
        ],
        "TotalHits": {"Value": 3},
    }
    reading = read_describe(content)
    assert [(item.operation, item.where) for item in reading.items] == [
        ("CreateTrainingJob", "result 1"),
        ("CreateModel", "result 2"),
    ]


def test_replies_of_kinds_without_a_setting() -> None:
    made = {"TrainingJobArn": f"{ARN}training-job/t"}
    execution = {
        "PipelineArn": f"{ARN}pipeline/p",
        "PipelineExecutionArn": f"{ARN}pipeline/p/execution/abcdefghijkl",
        "PipelineExecutionStatus": "Succeeded",
        "CreationTime": 1786000000.0,
    }
    for content in (made, execution, {"Tags": [], "ResponseMetadata": {}}, {"Results": []}):
        assert is_describe(content)
        reading = read_describe(content)
        assert reading.items == []
        assert [note.message for note in reading.notes] == [
            "a reply without settings: no Describe reply of a kind that has any"
        ]


# -- what is no reply --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [{}, [], {"a": 1}, "text", None, 3, [[[]]], {"TrainingJobName": "t"}, [{"x": {}}]],
)
def test_other_json_is_refused(content: Any) -> None:
    assert not is_describe(content)
    with pytest.raises(InputError, match="no Describe reply"):
        read_describe(content)


def test_events_are_not_replies() -> None:
    body = load("describe", "training-kmeans-failed.json")["data"]
    assert not is_describe({"detail-type": "SageMaker Training Job State Change", "detail": body})


def test_the_operation_has_to_fit() -> None:
    reply = load("describe", "model-open.json")
    with pytest.raises(InputError, match="the reply tells of Model, not of TrainingJob"):
        read_describe(reply, operation="DescribeTrainingJob")
    with pytest.raises(InputError, match="no member of DescribeModel"):
        read_describe({"a": 1}, operation="DescribeModel")
    with pytest.raises(InputError, match="reply 1 is no JSON object"):
        read_describe([1], operation="DescribeModel")
    with pytest.raises(UnknownOperation, match="Did you mean"):
        read_describe(reply, operation="DescribeModell")


def test_deep_nesting_is_refused() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InputError, match="nested more than 100 levels"):
        read_describe(deep)


NAMES = sorted(
    {entry.name for entry in operations().values() if entry.name}
    | {entry.arn for entry in operations().values() if entry.arn}
    | {"RoleArn", "VpcConfig", "Tags", "data", "status_code", "Results", "ResponseMetadata"}
    | {name for operation in CREATES for name in told_of(operation).evidence}
    | {name.split("/")[1] for operation in CREATES for name in told_of(operation).inside}
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=8)
    ),
    max_leaves=30,
)


@given(JSON, st.none() | st.sampled_from(CREATES))
@settings(max_examples=500, deadline=None)
def test_any_json_is_a_reading_or_an_input_error(content: Any, operation: str | None) -> None:
    before = json.dumps(content)
    try:
        reading = read_describe(content, operation=operation)
    except InputError:
        return
    finally:
        assert json.dumps(content) == before
    for item in reading.items:
        check_request(item.operation, item.params, profile=profile())
