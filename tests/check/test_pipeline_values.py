"""The values of a definition: parameters, what an execution gives, and what is joined."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.check import check_request
from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.items import Reading
from secure_ml_ext.check.pipeline import read_pipeline


def parameter(name: str, kind: str | None = "String", **members: Any) -> dict[str, Any]:
    return {"Name": name, **({"Type": kind} if kind else {}), **members}


def read(
    value: Any, *declared: Any, parameters: Any = None, name: str | None = None
) -> tuple[Any, list[str]]:
    """Return what a value becomes in a step, and the notes."""
    content = {
        "Version": "2020-12-01",
        "Parameters": list(declared),
        "Steps": [{"Name": "T", "Type": "Training", "Arguments": {"X": value}}],
    }
    reading: Reading = read_pipeline(content, parameters=parameters, name=name)
    return reading.items[0].params["X"], [note.message for note in reading.notes]


def get(name: str) -> dict[str, str]:
    return {"Get": f"Parameters.{name}"}


def join(*values: Any, on: Any = "/") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


# -- parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "default", "value"),
    [
        ("String", "a", "a"),
        ("String", "", ""),
        (None, "a", "a"),  # the schema lets a String leave its type out
        ("Integer", 3, 3),
        ("Integer", 0, 0),
        ("Float", 0.5, 0.5),
        ("Float", 1, 1.0),
        ("Boolean", True, True),
        ("Boolean", False, False),
    ],
)
def test_a_default_keeps_its_type(kind: str | None, default: Any, value: Any) -> None:
    found, notes = read(get("P"), parameter("P", kind, DefaultValue=default))
    assert (found, type(found), notes) == (value, type(value), [])


@pytest.mark.parametrize(
    ("kind", "given_", "value"),
    [
        ("String", "b", "b"),
        ("String", "", ""),
        ("String", "7", "7"),
        ("String", 7, "7"),  # the SDKs send str(value)
        ("Integer", "7", 7),
        ("Integer", "-7", -7),
        ("Integer", 7, 7),
        ("Integer", 7.0, 7),
        ("Float", "0.25", 0.25),
        ("Float", "1e-3", 0.001),
        ("Float", 2, 2.0),
        ("Boolean", "True", True),  # str(True), as the SDKs send it
        ("Boolean", "false", False),
        ("Boolean", False, False),
    ],
)
def test_an_execution_gives_text_that_is_read_by_the_declared_type(
    kind: str, given_: Any, value: Any
) -> None:
    for parameters in ({"P": given_}, [{"Name": "P", "Value": given_}]):
        found, notes = read(get("P"), parameter("P", kind), parameters=parameters)
        assert (found, type(found), notes) == (value, type(value), [])


@pytest.mark.parametrize(
    ("kind", "given_"),
    [
        ("Integer", "many"),
        ("Integer", "1.5"),
        ("Integer", 1.5),
        ("Integer", True),
        ("Integer", "٣"),  # a digit, but not one that AWS reads
        ("Integer", "9" * 30),
        ("Float", "nan"),
        ("Float", "1e999"),
        ("Boolean", "yes"),
        ("Boolean", 1),
        ("Duration", "1"),
    ],
)
def test_a_value_of_a_wrong_form_stays_and_is_said(kind: str, given_: Any) -> None:
    found, notes = read(get("P"), parameter("P", kind), parameters={"P": given_})
    assert (found, notes) == (
        given_,
        [f"parameter P: the value given is no {kind}: AWS refuses it"],
    )


@pytest.mark.parametrize(
    "value", [{"Get": "Parameters.P"}, ["a"], {}, "x" * 4097, 10**30, float("nan"), float("inf")]
)
def test_what_can_be_no_value_counts_as_not_known(value: Any) -> None:
    found, notes = read(get("P"), parameter("P", DefaultValue=value))
    assert found == get("P")
    assert notes == [
        "parameter P: its default is no text, number or flag that AWS takes; "
        "it counts as not known",
        "parameter P has no value yet, so what it decides is not determined; give it a value",
    ]


def test_an_empty_value_means_absent() -> None:
    key = {"OutputDataConfig": {"S3OutputPath": "s3://b", "KmsKeyId": get("Key")}}
    content = {
        "Parameters": [parameter("Key", DefaultValue="")],
        "Steps": [{"Name": "T", "Type": "Training", "Arguments": key}],
    }
    states = {}
    for given_ in (None, {"Key": "alias/mine"}):
        item = read_pipeline(content, parameters=given_).items[0]
        subject = check_request(item.operation, item.params).subjects[0]
        states[str(given_)] = {c.control: c.state for c in subject.controls}["output-kms"]
    assert list(states.values()) == ["fail", "pass"]


def test_a_parameter_without_a_value_is_left_and_said_once_where_it_is_used() -> None:
    content = {
        "Parameters": [parameter("Key"), parameter("Unused"), parameter("Null", DefaultValue=None)],
        "Steps": [
            {
                "Name": name,
                "Type": "Training",
                "Arguments": {"A": get("Key"), "B": {"Std:Join": {"Values": ["x", get("Null")]}}},
            }
            for name in ("One", "Two")
        ],
    }
    reading = read_pipeline(content)
    assert [item.params["A"] for item in reading.items] == [get("Key")] * 2
    assert [(note.where, note.message) for note in reading.notes] == [
        (
            "step One",
            f"parameter {name} has no value yet, so what it decides is not determined; "
            "give it a value",
        )
        for name in ("Key", "Null")
    ]


def test_what_aws_would_refuse_is_said_and_no_value_is_repeated() -> None:
    secret = "hunter2"
    found, notes = read(
        [get("Enum"), get("Twice"), get("Nowhere"), get("Two")],
        parameter("Enum", EnumValues=["a", "b"]),
        parameter("Twice", DefaultValue="first"),
        parameter("Twice", DefaultValue="second"),
        parameter("Two"),
        {"Type": "String"},
        "x",
        parameters=[
            {"Name": "Enum", "Value": secret},
            {"Name": "Foreign", "Value": secret},
            {"Name": "Two", "Value": "1"},
            {"Name": "Two", "Value": "2"},
        ],
    )
    assert found == [secret, "first", get("Nowhere"), "2"]
    assert notes == [
        "parameter Two is given twice: the last value is taken",
        "parameter Enum: the value given is none of its EnumValues: AWS refuses it",
        "parameter Twice is declared twice: the first is taken",
        "parameter 5 has no name: AWS refuses the definition",
        "parameter 6 has no name: AWS refuses the definition",
        "parameter Foreign is given, but not declared: AWS refuses it",
        "parameter Nowhere is used, but not declared: AWS refuses the definition",
    ]
    assert secret not in json.dumps(notes)


@pytest.mark.parametrize("wrong", ["Key=1", 7, [7], ["Key"], [{"Value": "1"}], [{"Name": 1}]])
def test_parameters_of_another_form_are_refused(wrong: Any) -> None:
    with pytest.raises(InputError, match=r"^parameters: "):
        read("x", parameters=wrong)


# -- functions -------------------------------------------------------------------------------------


def test_text_and_whole_numbers_are_joined() -> None:
    declared = (
        parameter("Bucket", DefaultValue="b"),
        parameter("Count", "Integer", DefaultValue=3),
    )
    value = join("s3:/", get("Bucket"), join("v", get("Count"), on=""), {"Get": "Execution.X"})
    assert read(value, *declared)[0] == value
    value = join("s3:/", get("Bucket"), join("v", get("Count"), on=""))
    assert read(value, *declared) == ("s3://b/v3", [])
    assert read({"Std:Join": {"Values": ["a", "b"]}})[0] == "ab"
    assert read(join())[0] == ""


@pytest.mark.parametrize(
    "value",
    [
        {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"},
        {"Get": "Execution.PipelineExecutionArn"},
        {"Get": "Execution.PipelineName"},
        {"Get": 7},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.R"}, "Path": "a.b"}},
        {"Std:JsonGet": {"S3Uri": join("a", {"Get": "Steps.E.X"}), "Path": "Return[0]"}},
        join("a", True),
        join("a", 0.5),
        join("a", None),
        join("a", ["b"]),
        join("a", 10**30),
        join("a", on=7),
        {"Std:Join": "a"},
        {"Std:Join": {"On": "/", "Values": "ab"}},
        {"Std:Join": {"On": "/"}},
        join({"Std:JsonGet": {}}, {"Get": "Steps.A.B"}),
    ],
)
def test_what_is_not_known_stays_as_it_is(value: Any) -> None:
    assert read(value) == (value, [])


def test_the_name_of_the_pipeline_is_known_where_it_is_given() -> None:
    assert read(join("p", {"Get": "Execution.PipelineName"}), name="abalone")[0] == "p/abalone"


def test_a_map_that_only_has_a_key_like_a_function_is_no_function() -> None:
    value = {"Get": "Parameters.P", "Put": "x"}
    assert read(value, parameter("P", DefaultValue="v")) == (value, [])


def test_joins_that_double_stay_small() -> None:
    value: Any = "x" * 100
    for _ in range(45):
        value = join(value, value)
    # 2^45 × 100 characters in truth; the objects share their parts, so this is no JSON text.
    with pytest.raises(InputError, match="500,000"):
        read(value)
    value = get("P")
    for _ in range(6):
        value = join(value, value, on="")
    # 64 × 64 characters are just what is read; one more level is not.
    declared = parameter("P", DefaultValue="x" * 64)
    assert read(value, declared)[0] == "x" * 4096
    assert read(join(value, "x", on=""), declared)[0] == join(value, "x", on="")


def test_many_long_joins_are_bounded_together() -> None:
    many = [join(get("P"), on="")] * 3000
    found, _ = read(many, parameter("P", DefaultValue="x" * 4000))
    # 8,000,000 characters are joined in one definition: 2000 times 4000.
    assert [len(text) for text in found if isinstance(text, str)] == [4000] * 2000


def test_joins_are_read_to_fifty_levels() -> None:
    value: Any = "x"
    for _ in range(200):
        value = join(value)
    found, notes = read(value)
    assert '{"Unknown": "nested too deeply"}' in json.dumps(found)
    assert notes == ["what is nested more than 50 levels deep is not read"]


# -- any JSON --------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "Steps", "Parameters", "Version", "Name", "Type", "Arguments", "IfSteps", "ElseSteps",
        "ForEachBody", "Get", "Std:Join", "Std:JsonGet", "On", "Values", "DefaultValue",
        "EnumValues", "Value", "HyperParameters", "model_archive", "inference_script",
        "sagemaker_program", "ModelName", "ProductionVariants", "PipelineDefinition",
        "AlgorithmSpecification", "TrainingImage", "VpcConfig", "Subnets",
    ]
)  # fmt: skip
TEXTS = st.text(max_size=4) | st.sampled_from(
    [
        "Training", "Condition", "ForEach", "Model", "Transform", "Endpoint", "Lambda", "T", "P",
        "Parameters.P", "Steps.T.ModelName", "Integer", "Boolean", "String", "Float", "\ud800",
        "TCreateModelStep", "TTransformStep", "_repack_model.py", "{", '{"Steps": []}',
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | TEXTS, inner, max_size=5),
    max_leaves=30,
)
STEPS = st.recursive(
    st.fixed_dictionaries({"Name": TEXTS, "Type": TEXTS, "Arguments": JSON}),
    lambda inner: st.fixed_dictionaries(
        {
            "Name": TEXTS,
            "Type": st.sampled_from(["Condition", "ForEach"]),
            "Arguments": st.dictionaries(
                st.sampled_from(["IfSteps", "ElseSteps", "ForEachBody"]),
                st.lists(inner | JSON, max_size=3),
            ),
        }
    ),
    max_leaves=8,
)
DEFINITIONS = st.fixed_dictionaries(
    {
        "Steps": st.lists(STEPS | JSON, max_size=4),
        "Parameters": st.lists(
            st.fixed_dictionaries({"Name": TEXTS, "Type": TEXTS, "DefaultValue": JSON}) | JSON,
            max_size=3,
        )
        | JSON,
    }
)


@given(DEFINITIONS | JSON, JSON)
@settings(max_examples=400, deadline=None)
def test_any_json_gives_a_reading_or_an_input_error(content: Any, parameters: Any) -> None:
    before = repr(content)
    try:
        reading = read_pipeline(content, parameters=parameters)
    except InputError:
        return
    assert repr(content) == before
    for item in reading.items:
        assert item.where
        check_request(item.operation, item.params, where=item.where)


@given(DEFINITIONS | JSON)
@settings(max_examples=200, deadline=None)
def test_text_and_parsed_json_are_read_alike(content: Any) -> None:
    def outcome(definition: Any) -> Any:
        try:
            return repr(read_pipeline(definition))
        except InputError:
            return InputError

    try:
        text = json.dumps(content, allow_nan=False)
    except ValueError:
        return
    # A text that holds a definition is itself read; a parsed text is no definition.
    if not isinstance(content, str):
        assert outcome(text) == outcome(json.loads(text))
