"""Describe gives back what Create was given: every member, for every kind, over HTTP."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import botocore.session
import pytest

from secure_ml_ext.demo.aws import Embedded, running
from secure_ml_ext.demo.aws.kinds import Kind, kinds
from secure_ml_ext.inventory import operations

MODEL = botocore.session.get_session().get_service_model("sagemaker")
# Strings of the shapes SageMaker's patterns ask for; the first that fits is taken.
CANDIDATES = (
    "aaa",
    "aaaaaaaaaaaaaaa",
    "1",
    "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555",
    "arn:aws:iam::123456789012:role/demo-execution-role",
    "s3://bucket/prefix",
    "https://bucket.s3.eu-west-1.amazonaws.com/prefix",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/image:1",
    "123456789012",
    "/opt/ml/data",
    "d-aaaaaaaaaaaa",
    "a.b@example.org",
    "notebook-al2023-v1",
    "cron(0 * ? * * *)",
    "P1D",
    "-P1D",
    "2026-01-01",
    "#aaaaaa",
    "arn:aws:sns:eu-west-1:123456789012:topic",
    "arn:aws:states:eu-west-1:123456789012:stateMachine:aaa",
    "arn:aws:lambda:eu-west-1:123456789012:function:aaa",
    "arn:aws:sagemaker:eu-west-1:123456789012:workteam/private-crowd/aaa",
    "arn:aws:sagemaker:eu-west-1:123456789012:training-plan/aaa",
    "arn:aws:sagemaker:eu-west-1:123456789012:image/aaa",
    "arn:aws:sagemaker:eu-west-1:123456789012:app/d-aaaaaaaaaaaa/u/jupyterlab/aaa",
    "arn:aws:sagemaker:eu-west-1:123456789012:aaa/aaa",
    "arn:aws:ec2:eu-west-1:123456789012:aaa/aaa",
    "arn:aws:sso::123456789012:application/ssoins-1/apl-1",
    "arn:aws:sso:::instance/ssoins-1234567890123456",
)
# Members of Create for which Describe has no place (botocore's model), by kind.
NO_PLACE = {
    "Endpoint": {"DeploymentConfig"},
    "InferenceRecommendationsJob": {"OutputConfig"},
    "ModelPackage": {"ClientToken"},
    "Pipeline": {"ClientRequestToken"},
    "Project": {"TemplateProviders"},
    "TrainingJob": {"SessionChainingConfig"},
}
# Of two members that exclude each other, the one that is left out.
LEFT_OUT = {
    "App": "SpaceName",
    "ModelPackage": "ModelPackageGroupName",
    "Pipeline": "PipelineDefinitionS3Location",
}
RENAMED = {
    "SecurityGroupIds": "SecurityGroups",
    "LifecycleConfigName": "NotebookInstanceLifecycleConfigName",
}


def fits(shape: Any, text: str) -> bool:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10**6)
    return low <= len(text) <= high and matches(shape.metadata.get("pattern"), text)


def matches(pattern: str | None, text: str) -> bool:
    """The patterns are Java's; those that Python does not read are taken as met."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return not pattern or re.fullmatch(pattern, text) is not None
    except re.error:
        return True


def full(shape: Any, depth: int = 0) -> Any:
    """A value with every member filled in that a candidate can be found for, else None."""
    kind = shape.type_name
    if kind == "structure":
        given = {name: full(member, depth + 1) for name, member in shape.members.items()}
        if shape.is_tagged_union:
            return dict([next(pair for pair in given.items() if pair[1] is not None)])
        missing = [name for name in shape.required_members if given[name] is None]
        if missing or depth > 12:
            return None
        return {name: value for name, value in given.items() if value is not None}
    if kind == "list":
        item = full(shape.member, depth + 1)
        return None if item is None else [item] * max(1, shape.metadata.get("min", 1))
    if kind == "map":
        key, value = full(shape.key, depth + 1), full(shape.value, depth + 1)
        return None if key is None or value is None else {key: value}
    if kind == "string":
        if getattr(shape, "enum", None):
            return shape.enum[0]
        return next((text for text in CANDIDATES if fits(shape, text)), None)
    if kind == "boolean":
        return True
    if kind in ("integer", "long"):
        return max(1, shape.metadata.get("min", 1))
    if kind in ("float", "double"):
        return float(max(0.5, shape.metadata.get("min", 0.5)))
    return datetime(2026, 1, 1, tzinfo=timezone.utc) if kind == "timestamp" else None


def renamed(name: str, request: dict[str, Any]) -> dict[str, Any]:
    """A request with the names that Describe has for its members."""
    given = {
        RENAMED.get(member, member) if name == "NotebookInstance" else member: value
        for member, value in request.items()
        if member not in NO_PLACE.get(name, set())
    }
    if name == "InferenceComponent":
        for specification in (given["Specification"], *given["Specifications"]):
            container = specification["Container"]
            container["DeployedImage"] = {"SpecifiedImage": container.pop("Image")}
        given["RuntimeConfig"] = {"DesiredCopyCount": given["RuntimeConfig"]["CopyCount"]}
    return given


def lost(given: Any, told: Any, where: str = "") -> Iterator[str]:
    """Where a reply lacks, or changes, what was given. What it adds is its own affair."""
    if isinstance(given, dict):
        for name, value in given.items():
            if not isinstance(told, dict) or name not in told:
                yield f"{where}/{name} is missing"
            else:
                yield from lost(value, told[name], f"{where}/{name}")
    elif isinstance(given, list):
        if not isinstance(told, list) or len(told) != len(given):
            yield f"{where} is not the same list"
            return
        for index, value in enumerate(given):
            yield from lost(value, told[index], f"{where}/{index}")
    elif given != told:
        yield f"{where}: {given!r} became {told!r}"


def has(request: Any, pointer: str) -> bool:
    """Whether a request has a value at a field-table pointer (`*` is any list entry)."""
    value = request
    for part in pointer.strip("/").split("/"):
        if part == "*":
            value = value[0] if isinstance(value, list) and value else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            return False
    return True


@pytest.fixture(scope="module")
def world() -> Iterator[Embedded]:
    """An empty embedded AWS: names do not clash with the seed's."""
    with running(seed="none", job_seconds=100) as embedded:
        yield embedded


def create(client: Any, kind: Kind, request: dict[str, Any]) -> dict[str, Any]:
    """Create by API name."""
    reply: dict[str, Any] = client._make_api_call(kind.create, request)
    return reply


@pytest.fixture(scope="module")
def domain_id(world: Embedded) -> str:
    """What user profiles, spaces, endpoints and transform jobs refer to must be there."""
    client = world.client("sagemaker")
    known: dict[str, str] = {}
    for name in ("Model", "EndpointConfig", "Endpoint", "Domain"):
        request = full(MODEL.operation_model(f"Create{name}").input_shape)
        key = {"Domain": "DomainName"}.get(name, f"{name}Name")
        if name == "Domain":
            request[key] = "for-the-others"
        known[name] = str(create(client, kinds()[name], request).get("DomainId", ""))
        if name != "Domain":
            assert request[key] == "aaa"
    return known["Domain"]


ALREADY_THERE = {"Model", "EndpointConfig", "Endpoint"}


@pytest.mark.parametrize("name", sorted(kinds()))
def test_describe_gives_back_what_create_got(world: Embedded, domain_id: str, name: str) -> None:
    kind = kinds()[name]
    client = world.client("sagemaker")
    request = full(MODEL.operation_model(kind.create).input_shape)
    assert request is not None, "no candidate fits a required member"
    table = operations().get(kind.create)
    for field in table.fields if table else ():
        assert has(request, field.pointer), f"the test does not fill {field.pointer}"
    if "DomainId" in request:
        request["DomainId"] = domain_id
    if name == "AutoMLJobV2":
        request["AutoMLJobName"] = "second"
    if name == "Pipeline":
        request["PipelineDefinition"] = '{"Steps": []}'
    if name in LEFT_OUT:
        request.pop(LEFT_OUT[name])
    if name not in ALREADY_THERE:
        reply = create(client, kind, request)
    else:
        reply = client._make_api_call(kind.describe, {kind.name_member: request[kind.name_member]})
    keys = {key: reply.get(key) or request.get(key) for key in kind.keys}
    told = client._make_api_call(
        kind.describe, {key: value for key, value in keys.items() if value is not None}
    )
    tags = request.pop("Tags", None)
    assert list(lost(renamed(name, request), told)) == []
    if tags:
        arn = told[kind.arn_member]
        assert client.list_tags(ResourceArn=arn)["Tags"] == tags
    if kind.listing:
        listed = client._make_api_call(kind.listing, {})[kind.list_member]
        assert any(told[kind.name_member] in row.values() for row in listed)


def test_the_kinds_cover_what_the_demo_creates() -> None:
    wanted = {"TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob"}
    wanted |= {"Model", "EndpointConfig", "Endpoint", "NotebookInstance", "Domain", "Project"}
    assert wanted <= set(kinds())


def test_a_member_that_is_lost_is_noticed() -> None:
    given = {"VpcConfig": {"Subnets": ["subnet-1"]}, "Name": "a"}
    assert list(lost(given, {"Name": "b"})) == ["/VpcConfig is missing", "/Name: 'a' became 'b'"]
