"""Pipeline definitions that are wrong, no definition at all, or beyond all size."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.pipeline import definition_of, is_pipeline, read_pipeline
from tests.check.definitions import ROLE, condition, definition, said, step

# -- documents that are wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "where", "message"),
    [
        ("x", "step 1", "not checked: a step must be an object; AWS refuses this"),
        (None, "step 1", "not checked: a step must be an object; AWS refuses this"),
        ({"Name": "A"}, "step A", "not checked: the step has no Type; AWS refuses it"),
        ({"Name": "A", "Type": 7}, "step A", "not checked: the step has no Type; AWS refuses it"),
        (
            {"Name": "A", "Type": "Training"},
            "step A",
            "not checked: Arguments must be an object; AWS refuses this",
        ),
        (
            {"Name": "A", "Type": "RegisterModel", "Arguments": [{}]},
            "step A",
            "not checked: Arguments must be an object; AWS refuses this",
        ),
        (
            {"Name": "A", "Type": "Training", "Arguments": {"Get": "Steps.B.X"}},
            "step A",
            "not checked: all Arguments are decided while it runs",
        ),
        (
            {"Name": "A", "Type": "Condition"},
            "step A",
            "not checked: Arguments must be an object; AWS refuses this",
        ),
        (
            {"Name": "A", "Type": "Condition", "Arguments": {"IfSteps": {"Name": "B"}}},
            "step A",
            "not checked: IfSteps must be a list; AWS refuses this",
        ),
        (
            {"Name": "T", "Type": "Fail"},
            "step T",
            "nothing to check here: the step ends the execution and starts nothing",
        ),
        (
            {"Type": "Fail"},
            "step 1",
            "the step has no name; AWS refuses it",
        ),
    ],
)
def test_one_wrong_step_is_said_and_costs_nothing_of_the_rest(
    wrong: Any, where: str, message: str
) -> None:
    reading = read_pipeline(definition(wrong, step("Training", "T2")))
    assert [item.where for item in reading.items] == ["step T2"]
    assert (where, message) in said(reading)


def test_a_step_without_a_name_is_checked_by_its_place() -> None:
    reading = read_pipeline(definition(condition("C", {"Type": "Training", "Arguments": {}})))
    assert [item.where for item in reading.items] == ["step 1, in C (if)"]


def test_a_name_that_stands_twice_is_said_wherever_it_stands() -> None:
    reading = read_pipeline(
        definition(step("Training", "T"), condition("C", step("Training", "T")))
    )
    assert len(reading.items) == 2
    assert said(reading) == [
        ("step T, in C (if)", "another step has this name; AWS refuses the definition")
    ]


def test_a_name_is_shown_printable_and_short() -> None:
    reading = read_pipeline(definition(step("Training", "a\n✕ IAM" + "x" * 200)))
    assert reading.items[0].where == "step a?✕ IAM" + "x" * 92 + "…"


def test_no_steps_are_said() -> None:
    assert said(read_pipeline(definition())) == [(None, "the pipeline has no steps")]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("{", "pipeline definition: line 1, column 2: not readable as JSON"),
        ("[]", "a pipeline definition is a JSON object"),
        ('{"Steps": [], "Steps": []}', "the member 'Steps' stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ("{}", 'it has no list of "Steps"'),
        ({"Steps": {}}, 'it has no list of "Steps"'),
        ({"Steps": [], "Parameters": {}}, '"Parameters" of a pipeline definition must be a list'),
        ({"PipelineDefinitionS3Location": {}}, "it lies in Amazon S3"),
        ({"PipelineDefinition": {}}, "PipelineDefinition must be the definition's text"),
        ({"PipelineDefinition": "x"}, "not readable as JSON"),
        (7, "a pipeline definition is a JSON object"),
        (b"{}", "a pipeline definition is a JSON object"),
    ],
)
def test_what_is_no_definition_is_refused_with_the_place(wrong: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_pipeline(wrong)
    assert message in str(caught.value)


def test_a_request_or_a_reply_that_holds_a_definition_is_read() -> None:
    inner = definition(
        step("Training", Environment={"P": {"Get": "Execution.PipelineName"}}),
    )
    outer = {"PipelineName": "abalone", "RoleArn": ROLE, "PipelineDefinition": json.dumps(inner)}
    assert is_pipeline(outer)
    item = read_pipeline(outer).items[0]
    assert (item.role, item.params) == (ROLE, {"Environment": {"P": "abalone"}})
    assert item.pointer is None
    assert read_pipeline(outer, role="other", name="n").items[0].role == "other"


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ({"Version": "2020-12-01", "Steps": []}, True),
        ({"Metadata": {}, "Steps": [{}]}, True),
        ({"Parameters": [], "Steps": []}, True),
        ({"Steps": []}, False),
        ({"Version": "2012-10-17", "Statement": []}, False),
        ({"Version": "2020-12-01", "Steps": {}}, False),
        ({"TrainingJobName": "x"}, False),
        ([{"Steps": []}], False),
        ("{}", False),
        (None, False),
    ],
)
def test_definitions_are_told_from_other_documents(content: Any, answer: bool) -> None:
    assert is_pipeline(content) is answer


# -- objects of the SDK ----------------------------------------------------------------------------


class Made:
    def __init__(self, made: Any) -> None:
        self._made = made

    def definition(self) -> Any:
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


def test_the_definition_of_an_object_is_what_the_sdk_makes() -> None:
    assert definition_of(Made("{}")) == "{}"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (object(), "object is no SageMaker pipeline: it has no definition()"),
        (Made({}), "definition() of Made gives no text"),
        (Made(ValueError("no role")), "the SDK cannot make the definition of this Made: no role"),
        (Made, "the SDK cannot make the definition of this type"),
    ],
)
def test_what_is_no_pipeline_object_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        definition_of(wrong)
    assert message in str(caught.value)


# -- bounds ----------------------------------------------------------------------------------------


def nested(levels: int) -> dict[str, Any]:
    inner = step("Training", "T")
    for level in range(levels):
        inner = condition(f"C{level}", inner)
    return definition(inner)


def test_conditions_are_read_to_fifty_levels_and_refused_beyond() -> None:
    item = read_pipeline(nested(50)).items[0]
    assert item.where is not None
    assert item.where.startswith("step T, in C0 (if), in C1 (if)")
    assert item.where.endswith(", in C49 (if)")
    with pytest.raises(InputError, match="more than 50 levels deep"):
        read_pipeline(nested(51))


def test_an_argument_that_is_nested_without_end_is_cut_and_the_step_checked() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    reading = read_pipeline(definition(step("Training", "T", Environment=deep, RoleArn="r")))
    assert reading.items[0].params["RoleArn"] == "r"
    assert '{"Unknown": "nested too deeply"}' in json.dumps(reading.items[0].params)
    assert said(reading) == [
        ("step T", "what is nested more than 50 levels deep is not read"),
    ]


def test_a_definition_beyond_all_size_is_refused() -> None:
    shared: Any = {}
    for _ in range(40):  # 2^40 objects, of which 41 exist
        shared = {"a": shared, "b": shared}
    with pytest.raises(InputError, match="500,000 objects and lists"):
        read_pipeline(definition(step("Training", A=shared)))
    ring: list[Any] = []
    ring += [condition("A"), condition("B")]
    for each in ring:
        each["Arguments"]["IfSteps"] = ring
    with pytest.raises(InputError):
        read_pipeline(definition(*ring))


def test_a_reading_shares_nothing_with_another() -> None:
    content = definition(step("Training", "T", Tags=[{"Key": "k", "Value": {"Get": "Steps.A.B"}}]))
    before = copy.deepcopy(content)
    read_pipeline(content).items[0].params["Tags"][0]["Value"]["Get"] = "spoilt"
    assert content == before
