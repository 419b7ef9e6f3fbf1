"""Describe replies against botocore's model of the API: nothing is lost, nothing misread."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.validate import ParamValidator

from secure_ml_ext.check import check_request
from secure_ml_ext.check.describe import is_describe, read_describe, request_of_describe
from secure_ml_ext.check.describe_table import told_of
from secure_ml_ext.check.items import Reading
from secure_ml_ext.inventory.paths import expand, get, parse
from secure_ml_ext.inventory.table import operations
from tests.check.shapes import full, member, sagemaker

MODEL = sagemaker()
CREATES = [name for name in operations() if name.startswith("Create")]


def describe_of(operation: str) -> Any:
    return MODEL.operation_model(f"Describe{operation[6:]}")


@pytest.mark.parametrize("operation", CREATES)
def test_every_security_field_is_told_or_known_not_to_be(operation: str) -> None:
    """A field that Describe calls otherwise, or does not return, has to be in the table."""
    told, entry = told_of(operation), operations()[operation]
    request = request_of_describe(operation, full(describe_of(operation).output_shape))
    for field in entry.fields:
        pointers = [field.pointer, *field.instances, *([field.also] if field.also else [])]
        if field.kind == "subnet":
            pointers.append("/SecurityGroupIds")
        for pointer in pointers:
            places = list(expand(request, parse(pointer)))
            known = bool(places) and all(get(request, place) is not None for place in places)
            assert known != (pointer in told.untold), pointer
    for reference in entry.references:
        assert member(describe_of(operation), parse(reference.pointer))


@pytest.mark.parametrize("operation", CREATES)
def test_untold_fields_are_really_not_told(operation: str) -> None:
    for pointer in told_of(operation).untold:
        assert not member(describe_of(operation), parse(pointer))
        item = read_describe(full(describe_of(operation).output_shape)).items[0]
        assert "does not return" in (item.note or "")
        controls = check_request(item.operation, item.params).subjects[0].controls
        mine = [c for c in controls if c.pointer == pointer]
        assert [c.state for c in mine if c.control not in ("approved-key",)] == ["depends"]
        assert all("does not return" in (c.note or "") for c in mine)


# What AWS demands and Describe does not tell: a token of the call, a secret.
MISSING = {
    "CreatePipeline": 'Missing required parameter in input: "ClientRequestToken"',
    "CreateWorkforce": 'Missing required parameter in OidcConfig: "ClientSecret"',
}


@pytest.mark.parametrize("operation", CREATES)
def test_the_request_is_one_that_botocore_takes(operation: str) -> None:
    """From a reply with every member: nothing unknown, nothing of another type, nothing missing."""
    request = request_of_describe(operation, full(describe_of(operation).output_shape))
    shape = MODEL.operation_model(operation).input_shape
    assert ParamValidator().validate(request, shape).generate_report() == MISSING.get(operation, "")


@pytest.mark.parametrize("name", [n for n in MODEL.operation_names if n.startswith("Describe")])
def test_the_kind_is_told_from_the_members(name: str) -> None:
    reply = full(MODEL.operation_model(name).output_shape)
    operation = f"Create{name[8:]}"
    reading = read_describe(reply) if is_describe(reply) else Reading()
    items = [item.operation for item in reading.items]
    if operation in operations():
        assert items == [operation]
    else:
        assert items == [], "no reply of this kind has a security setting"


@pytest.mark.parametrize("name", [n for n in MODEL.operation_names if n.startswith("List")])
def test_no_list_reply_is_taken_for_settings(name: str) -> None:
    reply = full(MODEL.operation_model(name).output_shape)
    items = read_describe(reply).items if is_describe(reply) else []
    # A list of workforces repeats them whole; the others have nothing but tags, or no field.
    whole = {"CreateWorkforce", "CreateAppImageConfig"}
    assert {item.operation for item in items} <= whole


def test_search_tells_every_security_field() -> None:
    record = MODEL.shape_for("SearchRecord")
    for kind in ("TrainingJob", "Endpoint", "ModelPackage", "FeatureGroup", "ModelCard"):
        reading = read_describe({"Results": [{kind: full(record.members[kind])}]})
        (item,) = reading.items
        assert (item.operation, item.where) == (f"Create{kind}", "result 1")
        for field in operations()[item.operation].fields:
            places = list(expand(item.params, parse(field.pointer)))
            assert places
            assert all(get(item.params, place) is not None for place in places), field.pointer


@pytest.mark.parametrize("operation", operations())
def test_no_request_is_taken_for_a_reply(operation: str) -> None:
    request = full(MODEL.operation_model(operation).input_shape)
    assert not is_describe(request)
    for name in request:
        if name.endswith("Arn"):
            request[name] = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/p/1"
    assert not is_describe(request)
