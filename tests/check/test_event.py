"""Events: the recorded ones, what CloudTrail does to a call, logs of any size, anything at all."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.check import check_request
from secure_ml_ext.check.event import is_event, read_event
from secure_ml_ext.check.files import InputError
from tests.check.readers import DATA, Found, camel, found, load, messages, record, state, states
from tests.worlds import GROUPS, OUTPUT_KEY, SUBNETS, VOLUME_KEY, compliant_training, profile

INTERN = "arn:aws:iam::123456789012:user/intern"

# Derived by reading each file against rules/baseline.yaml: place, role, name, findings, and what
# stays open.
RECORDED: dict[str, tuple[str, str | None, str, Found, set[str]]] = {
    # Everything comes from the configuration that is named.
    "cloudtrail-createendpoint.json": (
        "2018-01-02T13:39:06Z by intern in us-west-2",
        INTERN,
        "CreateEndpoint ExampleEndpoint",
        [],
        {"vpc", "volume-kms", "capture-kms", "isolation"},
    ),
    # No vpcConfig, no enableNetworkIsolation, an image without imageConfig.
    "cloudtrail-createmodel.json": (
        "2018-01-02T15:23:46Z by intern in us-west-2",
        INTERN,
        "CreateModel ExampleModel",
        [
            ("error", "model-vpc", "/VpcConfig"),
            ("warning", "model-isolation", "/EnableNetworkIsolation"),
            ("info", "private-image", "/PrimaryContainer/ImageConfig/RepositoryAccessMode"),
        ],
        set(),
    ),
    # VpcConfig is {}: no network. Both keys are there; of the flags the event says nothing.
    "eventbridge-01-sagemaker-training-job-state-change.json": (
        "2018-10-06T12:26:13Z in us-east-1, Training Job",
        None,
        "CreateTrainingJob 89c96cc8-dded-4739-afcc-6f1dc936701d",
        [("error", "training-vpc", "/VpcConfig")],
        {"isolation", "traffic-encryption", "approved-key"},
    ),
    # An output key, no volume key; DataCaptureConfig is not in it; the network is the model's.
    "eventbridge-03-sagemaker-transform-job-state-change.json": (
        "2018-10-06T12:26:13Z in us-east-1, Transform Job",
        None,
        "CreateTransformJob 4b52bd8f-e034-4345-818d-884bdd7c9724",
        [("error", "transform-volume-kms", "/TransformResources/VolumeKmsKeyId")],
        {"vpc", "isolation", "capture-kms", "approved-key"},
    ),
    # Both stores are there, each without a key.
    "eventbridge-05-sagemaker-feature-group-state-change.json": (
        "2021-01-26T01:22:01Z in us-east-1, Feature Group",
        None,
        "CreateFeatureGroup sample-feature-group",
        [
            ("error", "feature-group-kms", "/OnlineStoreConfig/SecurityConfig/KmsKeyId"),
            ("error", "feature-group-kms", "/OfflineStoreConfig/S3StorageConfig/KmsKeyId"),
        ],
        set(),
    ),
    # Tags is {}.
    "eventbridge-09-sagemaker-image-state-change.json": (
        "2021-04-29T01:29:59Z in us-east-1, Image",
        None,
        "CreateImage cee033a3-17d8-49f8-865f-b9ebf485d9ee",
        [("info", "image-tags", "/Tags")],
        set(),
    ),
    # SecurityConfig is {}.
    "eventbridge-11-sagemaker-model-card-state-change.json": (
        "2022-11-30T00:00:00Z in us-east-1, Model Card",
        None,
        "CreateModelCard example-card",
        [("info", "model-card-kms", "/SecurityConfig/KmsKeyId")],
        set(),
    ),
}
EXECUTION = "eventbridge-07-sagemaker-model-building-pipeline-execution-status-change.json"


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_events(name: str) -> None:
    content = load("events", name)
    where, role, named, findings, unknown = RECORDED[name]
    assert is_event(content)
    reading = read_event(content)
    assert reading.notes == []
    (item,) = reading.items
    assert (item.kind, item.where, item.role) == ("event", where, role)
    subject = check_request(item.operation, item.params).subjects[0]
    assert f"{item.operation} {subject.name}" == named
    assert sorted(found(item)) == sorted(findings)
    assert {control for control, state in states(item).items() if state == "depends"} == unknown


def test_every_recorded_file_is_used() -> None:
    assert {path.name for path in (DATA / "events").iterdir()} == {*RECORDED, EXECUTION}


def test_the_state_of_an_execution_has_no_settings() -> None:
    reading = read_event(load("events", EXECUTION))
    assert reading.items == []
    assert messages(reading) == [
        "1 event (SageMaker Model Building Pipeline Execution Status Change 1) without settings"
    ]


# -- what CloudTrail does to a call --------------------------------------------------------------


def test_a_compliant_job_as_cloudtrail_writes_it() -> None:
    """With the members that the service adds, as a record of August 2026 has them."""
    parameters = camel(compliant_training())
    parameters["disableEFA"] = False
    parameters["withWarmPoolValidationError"] = False
    parameters["trainingJobArn"] = "arn:aws:sagemaker:eu-west-1:111122223333:training-job/abalone-1"
    parameters["resourceConfig"]["useReservedCapacity"] = False
    parameters["environment"] = {"someName": "kept as it is"}
    before = copy.deepcopy(parameters)
    (item,) = read_event(record("CreateTrainingJob", parameters)).items
    assert parameters == before
    assert item.where == "2026-08-01T10:00:00Z by alice in eu-west-1"
    assert item.role == "arn:aws:iam::111122223333:role/ds-role"
    assert found(item, profile=profile()) == []
    assert set(states(item, profile=profile()).values()) <= {"pass", "na"}
    assert item.params["VpcConfig"] == {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}
    assert item.params["ResourceConfig"]["VolumeKmsKeyId"] == VOLUME_KEY
    assert item.params["ResourceConfig"]["UseReservedCapacity"] is False
    assert item.params["OutputDataConfig"]["KmsKeyId"] == OUTPUT_KEY
    assert item.params["Environment"] == {"someName": "kept as it is"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"vpcConfig": None}, [("error", "training-vpc", "/VpcConfig")]),
        # Half of it: the enforcer of the workshop lets that pass.
        (
            {"vpcConfig": {"subnets": SUBNETS}},
            [("error", "training-vpc", "/VpcConfig/SecurityGroupIds")],
        ),
        (
            {"vpcConfig": {"subnets": ["subnet-0bad"], "securityGroupIds": GROUPS}},
            [("error", "approved-network", "/VpcConfig/Subnets")],
        ),
        ({"enableNetworkIsolation": "true"}, []),
        (
            {"enableNetworkIsolation": "false"},
            [("warning", "job-isolation", "/EnableNetworkIsolation")],
        ),
        (
            {"outputDataConfig": {"kmsKeyId": "", "s3OutputPath": "s3://b"}},
            [("error", "training-output-kms", "/OutputDataConfig/KmsKeyId")],
        ),
        ({"enableinterContainerTrafficEncryption": True}, []),
    ],
)
def test_values_of_a_record(change: dict[str, Any], expected: Found) -> None:
    parameters = {**camel(compliant_training()), **change}
    (item,) = read_event(record("CreateTrainingJob", parameters)).items
    assert found(item, profile=profile()) == expected


def test_other_operations_have_their_names_too() -> None:
    parameters = {
        "autoMLJobName": "a",
        "securityConfig": {"volumeKmsKeyId": VOLUME_KEY},
        "outputDataConfig": {"kmsKeyId": OUTPUT_KEY},
    }
    (item,) = read_event(record("CreateAutoMLJobV2", parameters)).items
    assert item.params == {
        "AutoMLJobName": "a",
        "SecurityConfig": {"VolumeKmsKeyId": VOLUME_KEY},
        "OutputDataConfig": {"KmsKeyId": OUTPUT_KEY},
    }
    variants = [{"variantName": "v", "initialInstanceCount": "2", "modelName": "m"}]
    parameters = {"endpointConfigName": "c", "productionVariants": variants}
    (item,) = read_event(record("CreateEndpointConfig", parameters)).items
    assert states(item)["redundancy"] == "pass"
    assert found(item) == [("error", "endpoint-config-kms", "/KmsKeyId")]
    imds = {"minimumInstanceMetadataServiceVersion": 2}
    parameters = {"notebookInstanceName": "n", "instanceMetadataServiceConfiguration": imds}
    (item,) = read_event(record("UpdateNotebookInstance", parameters)).items
    assert states(item)["imds-v2"] == "pass"


def test_hidden_and_omitted_values_are_not_known() -> None:
    parameters = camel(compliant_training())
    parameters["resourceConfig"]["volumeKmsKeyId"] = "HIDDEN_DUE_TO_SECURITY_REASONS"
    parameters["vpcConfig"]["subnets"] = ["HIDDEN_DUE_TO_SECURITY_REASONS"]
    (item,) = read_event(record("CreateTrainingJob", parameters)).items
    assert found(item, profile=profile()) == []
    assert states(item, profile=profile())["volume-kms"] == "depends"
    assert states(item, profile=profile())["approved-network"] == "depends"
    omitted = {"omitted": True, "originalSize": 123456, "reason": "requestParameters too large"}
    reading = read_event(record("CreateTrainingJob", omitted))
    assert reading.items == []
    assert messages(reading) == [
        "CreateTrainingJob: CloudTrail left the parameters out, they were too large"
    ]


def test_refused_calls_made_nothing() -> None:
    records = [
        record("CreateTrainingJob", None, errorCode="AccessDenied", errorMessage="no"),
        record("CreateModel", {"modelName": "m"}, errorCode="ValidationException"),
        record("CreateModel", None),
    ]
    reading = read_event({"Records": records})
    assert reading.items == []
    assert messages(reading) == [
        "CreateTrainingJob was refused (AccessDenied): nothing was created",
        "CreateModel m was refused (ValidationException): nothing was created",
        "CreateModel: the record holds no parameters",
    ]
    assert {note.where for note in reading.notes} == {"2026-08-01T10:00:00Z by alice in eu-west-1"}


@pytest.mark.parametrize(
    ("identity", "who", "role"),
    [
        ({"type": "Root", "arn": "arn:aws:iam::1:root"}, "root", "arn:aws:iam::1:root"),
        (
            {"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"},
            "sagemaker.amazonaws.com",
            None,
        ),
        ({"type": "Unknown"}, "Unknown", None),
        (None, "unknown", None),
    ],
)
def test_who_called(identity: Any, who: str, role: str | None) -> None:
    content = record("CreateModel", {"modelName": "m"}, userIdentity=identity)
    (item,) = read_event(content).items
    assert item.where == f"2026-08-01T10:00:00Z by {who} in eu-west-1"
    assert item.role == role


# -- what is no event ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        None,
        "text",
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]},
        {"detail-type": "x", "detail": None},
        {"eventName": "CreateModel"},
        {"Events": [{"CloudTrailEvent": "{"}]},
    ],
)
def test_other_json_is_refused(content: Any) -> None:
    assert not is_event(content)
    with pytest.raises(InputError, match="no event"):
        read_event(content)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "x", "true", "HIDDEN_DUE_TO_SECURITY_REASONS", "CreateModel"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["vpcConfig", "subnets", "modelName", "Records", "detail", "arn", "tags", "omitted"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
OPERATIONS = [
    "CreateModel",
    "CreateTrainingJob",
    "CreatePipeline",
    "UpdateDomain",
    "StopTrainingJob",
]


@given(
    st.sampled_from(OPERATIONS),
    VALUES,
    st.dictionaries(st.sampled_from(sorted(record("CreateModel", None))), VALUES, max_size=3),
    st.sampled_from(["Training Job", "Model", "Image", "Cluster", "?"]),
)
@settings(max_examples=400, deadline=None)
def test_any_event_is_a_reading_or_an_input_error(
    operation: str, parameters: Any, changes: dict[str, Any], kind: str
) -> None:
    detail = parameters if isinstance(parameters, dict) else {}
    content = [record(operation, parameters, **changes), state(kind, detail), parameters]
    before = json.dumps(content)
    try:
        reading = read_event(content)
    except InputError:
        return
    assert json.dumps(content) == before
    for item in reading.items:
        check_request(item.operation, item.params, profile=profile())
