"""CloudFormation templates: whole ones, intrinsic functions, and what is not a resource."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.items import Item, Reading
from secure_ml_ext.check.template import is_template, read_template
from tests.check.readers import DATA, Found, found, messages, states
from tests.worlds import GROUPS, OUTPUT_KEY, SUBNETS, VOLUME_KEY, profile

FOLDER = DATA / "templates"
OPEN = "its steps are in its definition; check the definition itself"


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def by_place(reading: Reading) -> dict[str, Item]:
    return {item.where or "": item for item in reading.items}


def open_controls(item: Item) -> set[str]:
    return {control for control, state in states(item).items() if state == "depends"}


# Derived by reading each resource against rules/baseline.yaml: place, operation, note, findings,
# and the controls that a stack decides (without a profile no network and no key is approved).
STUDIO: dict[str, tuple[str, str | None, Found, set[str]]] = {
    # VpcOnly is there; the key may be AWS::NoValue; SharingSettings has none; IAM sign-in.
    "resource StudioDomain (line 28)": (
        "CreateDomain",
        None,
        [
            ("warning", "other-output-kms", "/DefaultUserSettings/SharingSettings/S3KmsKeyId"),
            ("warning", "domain-sign-in", "/AuthMode"),
        ],
        {"approved-network", "volume-kms", "approved-key"},
    ),
    # It has security groups and nothing else that is asked for.
    "resource DataScientist (line 48)": ("CreateUserProfile", None, [], {"approved-network"}),
    # RootAccess Enabled; 2 is the number that YAML reads, "2" is meant.
    "resource Notebook (line 57)": (
        "CreateNotebookInstance",
        "only if condition IsProduction",
        [("error", "notebook-root-access", "/RootAccess")],
        {"approved-network", "volume-kms", "approved-key"},
    ),
}
ENDPOINT: dict[str, tuple[str, str | None, Found, set[str]]] = {
    # "true" is a flag; a list as a whole is a parameter: a network is given.
    "resource Model (line 15)": (
        "CreateModel",
        None,
        [("info", "private-image", "/Containers/0/ImageConfig/RepositoryAccessMode")],
        {"approved-network"},
    ),
    # No KmsKeyId. Captures only in production, so the missing key of the capture is open.
    "resource EndpointConfig (line 26)": (
        "CreateEndpointConfig",
        "ModelName is resource Model, checked on its own",
        [("error", "endpoint-config-kms", "/KmsKeyId")],
        {"vpc", "isolation", "redundancy", "capture-kms"},
    ),
    "resource Endpoint (line 40)": (
        "CreateEndpoint",
        "EndpointConfigName is resource EndpointConfig, checked on its own",
        [],
        {"vpc", "isolation", "volume-kms", "capture-kms"},
    ),
    # A key for the reports, none for the volume.
    "resource Quality (line 45)": (
        "CreateDataQualityJobDefinition",
        None,
        [
            (
                "error",
                "monitoring-volume-kms",
                "/JobResources/ClusterConfig/VolumeKmsKeyId",
            )
        ],
        {"approved-network", "output-kms", "approved-key"},
    ),
    "resource Hourly (line 62)": (
        "CreateMonitoringSchedule",
        "MonitoringJobDefinitionName is resource Quality, checked on its own",
        [],
        {
            "vpc",
            "approved-network",
            "volume-kms",
            "output-kms",
            "isolation",
            "traffic-encryption",
        },
    ),
}
SYNTHESISED: dict[str, tuple[str, str | None, Found, set[str]]] = {
    # Both branches of RootAccess are Disabled; the subnet may be AWS::NoValue.
    "resource Notebook9A1B2C3D (line 8)": (
        "CreateNotebookInstance",
        None,
        [
            (
                "warning",
                "notebook-imds-v2",
                "/InstanceMetadataServiceConfiguration/MinimumInstanceMetadataServiceVersion",
            ),
            ("warning", "notebook-platform", "/PlatformIdentifier"),
        ],
        {"vpc", "approved-network", "volume-kms", "approved-key"},
    ),
    # The offline store is there or not; the online store has no key: AWS::NoValue is no value.
    "resource Features (line 21)": (
        "CreateFeatureGroup",
        None,
        [("error", "feature-group-kms", "/OnlineStoreConfig/SecurityConfig/KmsKeyId")],
        {"approved-key"},
    ),
    "resource Registry (line 32)": ("CreateImage", None, [("info", "image-tags", "/Tags")], set()),
    "resource Tracking (line 36)": (
        "CreateMlflowApp",
        "CloudFormation has no property KmsKeyId for it",
        [("warning", "other-volume-kms", "/KmsKeyId")],
        set(),
    ),
    "resource Training (line 40)": ("CreatePipeline", None, [], set()),
}
WHOLE = {
    "studio.yaml": (
        STUDIO,
        [
            "a nested stack; check its template itself",
            "1 resource without a security setting: "
            "AWS::SageMaker::NotebookInstanceLifecycleConfig 1",
        ],
    ),
    "endpoint.yaml": (ENDPOINT, []),
    "synthesised.template.json": (SYNTHESISED, [f"training: {OPEN}"]),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_templates(name: str) -> None:
    expected, notes = WHOLE[name]
    reading = read_template(text(name))
    assert messages(reading) == notes
    items = by_place(reading)
    assert list(items) == list(expected)
    for where, (operation, note, findings, undecided) in expected.items():
        item = items[where]
        assert (item.kind, item.role) == ("template-resource", None)
        assert (item.operation, item.note) == (operation, note)
        assert sorted(found(item)) == sorted(findings), where
        assert open_controls(item) == undecided, where


def test_names_and_text_that_need_no_stack() -> None:
    items = by_place(read_template(text("studio.yaml")))
    profile_ = items["resource DataScientist (line 48)"].params
    assert profile_["UserProfileName"] == "data-scientist"
    features = by_place(read_template(text("synthesised.template.json")))
    assert features["resource Features (line 21)"].params["FeatureGroupName"] == "customers-v1"
    image = features["resource Registry (line 32)"].params
    assert image["RoleArn"] == {"Fn::GetAtt": ["Role1ABCC5F0", "Arn"]}


def test_a_template_that_is_parsed_already_and_json_as_yaml() -> None:
    content = json.loads(text("synthesised.template.json"))
    assert is_template(content)
    named = {where.partition(" (")[0] for where in SYNTHESISED}
    assert {item.where for item in read_template(content).items} == named
    flow = "{Resources: {M: {Type: AWS::SageMaker::Model, Properties: {ModelName: !Ref N}}}}"
    assert [item.where for item in read_template(flow).items] == ["resource M (line 1)"]


def model(**properties: Any) -> Item:
    """Return what is read of a template with one model."""
    resource = {"Type": "AWS::SageMaker::Model", "Properties": properties}
    (item,) = read_template({"Resources": {"M": resource}}).items
    return item


NO = {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Key"}, {"Ref": "Key"}),
        (NO, None),
        ({"Fn::If": ["C", "a", "a"]}, "a"),
        ({"Fn::If": ["C", {"Ref": "K"}, {"Ref": "K"}]}, {"Ref": "K"}),
        ({"Fn::If": ["C", "a", "b"]}, {"Fn::If": ["C", "a", "b"]}),
        ({"Fn::If": ["C", "a", NO]}, {"Fn::If": ["C", "a", NO]}),
        ({"Fn::If": ["C", NO, NO]}, None),
        ({"Fn::If": ["C", True, 1]}, {"Fn::If": ["C", True, 1]}),
        ({"Fn::If": ["C", {"Fn::If": ["D", "a", "a"]}, "a"]}, "a"),
        ({"Fn::If": "broken"}, {"Fn::If": "broken"}),
        ({"Fn::Sub": "plain"}, "plain"),
        ({"Fn::Sub": "a-${!Literal}"}, "a-${Literal}"),
        ({"Fn::Sub": "a-${AWS::Region}"}, {"Fn::Sub": "a-${AWS::Region}"}),
        ({"Fn::Sub": ["${A}-${ B }", {"A": "x", "B": "y"}]}, "x-y"),
        (
            {"Fn::Sub": ["${A}", {"A": {"Ref": "X"}}]},
            {"Fn::Sub": ["${A}", {"A": {"Ref": "X"}}]},
        ),
        ({"Fn::Join": [":", ["a", "b", NO]]}, "a:b"),
        ({"Fn::Join": [":", ["a", {"Fn::Sub": "b"}]]}, "a:b"),
        ({"Fn::Join": [":", ["a", {"Ref": "B"}]]}, {"Fn::Join": [":", ["a", {"Ref": "B"}]]}),
        ({"Fn::ImportValue": {"Fn::Sub": "x"}}, {"Fn::ImportValue": "x"}),
        (["a", NO, {"Ref": "B"}], ["a", {"Ref": "B"}]),
    ],
)
def test_intrinsic_functions(value: Any, expected: Any) -> None:
    assert model(ModelName=value).params.get("ModelName") == expected


def test_networks() -> None:
    """A parameter is a network that is given; only what is known is compared."""
    approved = profile()

    def state(**network: Any) -> tuple[str, str]:
        found = states(model(VpcConfig=network), profile=approved)
        return found["vpc"], found["approved-network"]

    assert state(Subnets=SUBNETS, SecurityGroupIds=GROUPS) == ("pass", "pass")
    assert state(Subnets={"Ref": "S"}, SecurityGroupIds={"Ref": "G"}) == ("pass", "depends")
    assert state(Subnets=[{"Ref": "A"}], SecurityGroupIds=[{"Ref": "G"}]) == ("pass", "depends")
    assert state(Subnets=["subnet-0bad", {"Ref": "A"}], SecurityGroupIds=GROUPS) == ("pass", "fail")
    assert state(Subnets={"Ref": "S"}) == ("fail", "depends")
    assert state(Subnets=[NO], SecurityGroupIds=[NO]) == ("fail", "na")
    whole = {"Fn::If": ["C", {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}, NO]}
    assert states(model(VpcConfig=whole))["vpc"] == "depends"
    assert states(model(VpcConfig=NO))["vpc"] == "fail"


def test_flags_and_numbers_as_text() -> None:
    for value, state in (("true", "pass"), ("True", "pass"), ("false", "warn"), (True, "pass")):
        assert states(model(EnableNetworkIsolation=value))["isolation"] == state
    assert states(model(EnableNetworkIsolation={"Ref": "X"}))["isolation"] == "depends"


def test_a_compliant_configuration() -> None:
    capture = {"EnableCapture": "true", "KmsKeyId": OUTPUT_KEY, "DestinationS3Uri": "s3://b"}
    properties = {
        "ProductionVariants": [{"ModelName": "m", "InitialInstanceCount": "2"}],
        "KmsKeyId": VOLUME_KEY,
        "DataCaptureConfig": capture,
    }
    resource = {"Type": "AWS::SageMaker::EndpointConfig", "Properties": properties}
    (item,) = read_template({"Resources": {"C": resource}}).items
    assert found(item, profile=profile()) == []


def test_what_is_included_from_elsewhere_is_open() -> None:
    include = {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/network.yaml"}}
    item = model(ModelName="m", **{"Fn::Transform": include})
    assert states(item)["vpc"] == states(item)["isolation"] == "depends"


def test_what_is_no_resource_of_ours_becomes_a_note() -> None:
    content = {
        "Transform": ["AWS::LanguageExtensions", {"Name": "Own"}],
        "Resources": {
            "Fn::ForEach::Models": ["X", ["a", "b"], {"M${X}": {"Type": "AWS::SageMaker::Model"}}],
            "Stack": {"Type": "AWS::CloudFormation::Stack"},
            "Module": {"Type": "Own::ML::Endpoint::MODULE"},
            "Team": {"Type": "AWS::SageMaker::Workteam"},
            "Repository": {"Type": "AWS::SageMaker::CodeRepository"},
            "Repository2": {"Type": "AWS::SageMaker::CodeRepository"},
            "Nothing": {"Properties": {}},
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Odd": {"Type": "AWS::SageMaker::Model", "Properties": []},
            "Text": {"Type": "AWS::SageMaker::Model", "Properties": "x"},
        },
    }
    reading = read_template(content)
    assert [item.where for item in reading.items] == ["resource Odd"]
    assert [(note.message, note.where) for note in reading.notes] == [
        ("what this loop or macro makes is not seen", "resource Fn::ForEach::Models"),
        ("a nested stack; check its template itself", "resource Stack"),
        ("what the module Own::ML::Endpoint::MODULE makes is not seen", "resource Module"),
        ("no resource: it has no Type", "resource Nothing"),
        ("its Properties are no object", "resource Text"),
        ("what the transform (AWS::LanguageExtensions, a macro) adds is not seen", None),
        (
            "3 resources without a security setting: AWS::SageMaker::CodeRepository 2, "
            "AWS::SageMaker::Workteam 1",
            None,
        ),
    ]
    plain = read_template({"Resources": {"B": {"Type": "AWS::S3::Bucket"}}})
    assert messages(plain) == ["no SageMaker resource in the template"]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"PipelineDefinitionBody": "{}"}, "read"),
        ({"PipelineDefinitionBody": {"Fn::Sub": "{}"}}, "read"),
        ("{}", "read"),
        (
            {"PipelineDefinitionBody": {"Fn::Sub": "${X}"}},
            "p: its definition has variables that are filled in later; check the definition itself",
        ),
        (
            {"PipelineDefinitionS3Location": {"Bucket": "b", "Key": "k.json"}},
            "p: its definition lies in s3://b/k.json; check that object",
        ),
        (
            {"PipelineDefinitionS3Location": {"Bucket": {"Ref": "B"}, "Key": "k.json"}},
            "p: its definition is not here; check the definition itself",
        ),
        (None, "p: its definition is not here; check the definition itself"),
    ],
)
def test_pipelines(definition: Any, expected: str) -> None:
    properties = {"PipelineName": "p", "PipelineDefinition": definition, "RoleArn": {"Ref": "R"}}
    resource = {"Type": "AWS::SageMaker::Pipeline", "Properties": properties}
    seen: list[str] = []

    def reader(body: str) -> Reading:
        seen.append(body)
        step = Item(operation="CreateModel", params={}, kind="pipeline-step", where="step M")
        return Reading(items=[step])

    reading = read_template({"Resources": {"P": resource}}, pipeline_reader=reader)
    if expected == "read":
        assert seen == ["{}"]
        assert [(item.where, item.role) for item in reading.items] == [
            ("resource P", None),
            ("resource P, step M", None),
        ]
    else:
        assert (seen, messages(reading)) == ([], [expected])


@pytest.mark.parametrize(
    "content",
    ["", "a: 1", "- 1", "Resources: []", "Resources: {A: 1}", "{}", "null", {"Steps": []}],
)
def test_other_documents_are_refused(content: Any) -> None:
    assert not is_template(content)
    with pytest.raises(InputError, match="no CloudFormation template"):
        read_template(content)
