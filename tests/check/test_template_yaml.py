"""The YAML of templates: short tags, errors with lines, and documents made to harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.check import check_request
from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.template import MAX_CHARACTERS, is_template, read_template
from secure_ml_ext.check.template_yaml import TemplateYaml
from tests.check.readers import DATA
from tests.worlds import profile


def load(text: str) -> Any:
    return TemplateYaml(text).content


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!Condition A", {"Condition": "A"}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub '${A}'", {"Fn::Sub": "${A}"}),
        ("!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}),
        ("!If [A, 1, !Ref B]", {"Fn::If": ["A", 1, {"Ref": "B"}]}),
        ("!FindInMap [A, !Ref B, C]", {"Fn::FindInMap": ["A", {"Ref": "B"}, "C"]}),
        ("!Join [',', [a, b]]", {"Fn::Join": [",", ["a", "b"]]}),
        ("!Select [0, !Split [',', x]]", {"Fn::Select": [0, {"Fn::Split": [",", "x"]}]}),
        ("!ImportValue\n  Fn::Sub: x", {"Fn::ImportValue": {"Fn::Sub": "x"}}),
        ("!Equals [a, b]", {"Fn::Equals": ["a", "b"]}),
        ("!Base64 x", {"Fn::Base64": "x"}),
        ("!Cidr [a, 1, 2]", {"Fn::Cidr": ["a", 1, 2]}),
        ("!Transform {Name: X}", {"Fn::Transform": {"Name": "X"}}),
        ("!Not [!Condition A]", {"Fn::Not": [{"Condition": "A"}]}),
        ("!Ref 2012", {"Ref": "2012"}),
        # A tag of a later CloudFormation is a function too; it stays open.
        ("!Length [a]", {"Fn::Length": ["a"]}),
    ],
)
def test_short_tags(text: str, value: Any) -> None:
    assert load(f"a: {text}") == {"a": value}


def test_without_libyaml_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DATA / "templates" / "studio.yaml").read_text(encoding="utf-8")
    fast = read_template(text)
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    assert read_template(text) == fast
    with pytest.raises(InputError, match="line 2: the member 'a' stands twice"):
        read_template("a: 1\na: 2")


def test_values_of_yaml() -> None:
    text = """
    date: 2012-10-17
    yes: on
    off: no
    2012: 0o7
    octal: 010
    float: 1.5
    infinite: .inf
    none: ~
    quoted: "true"
    forced: !!str true
    block: |
      text
    empty:
    """
    assert load(text) == {
        "date": "2012-10-17",
        "yes": True,
        "off": False,
        "2012": "0o7",
        "octal": 8,
        "float": 1.5,
        "infinite": ".inf",
        "none": None,
        "quoted": "true",
        "forced": "true",
        "block": "text\n",
        "empty": None,
    }


def test_anchors_and_merges() -> None:
    text = """
    base: &base {A: 1, B: {C: 2}}
    one: {<<: *base, A: 3}
    two: {<<: [*base, {D: 4}]}
    same: *base
    literal: {"<<": 5}
    """
    content = load(text)
    assert content["one"] == {"A": 3, "B": {"C": 2}}
    assert content["two"] == {"A": 1, "B": {"C": 2}, "D": 4}
    assert content["same"] == {"A": 1, "B": {"C": 2}}
    assert content["literal"] == {"<<": 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2", "line 4: the member 'c' stands twice in one object"),
        ("a: 1\na: 2", "line 2: the member 'a' stands twice"),
        ("a: [1, 2", "line [12], column .: not readable as YAML"),
        ("a: b: c", "line 1, column 5: not readable as YAML"),
        ("a: *b", "line 1: the alias \\*b stands for nothing yet"),
        ("a: &a [*a]", "line 1: the alias \\*a stands for nothing yet"),
        ("a: 1\n---\nb: 2", "line 2: a second document"),
        ("? [a]\n: 1", "line 1: a member's name must be text"),
        ("? !Ref a\n: 1", "line 1: a member's name must be text"),
        ("<<: 1", "line 1: only objects can be merged"),
        ("a:\n  - !!python/object/apply:os.system [echo]", "line 2: the tag .* none of CloudForm"),
        ("a: !!python/name:os.system x", "line 1: the tag .* is none of CloudFormation"),
        ("a: !<tag:example.com,2026:x> y", "line 1: the tag .* is none of CloudFormation"),
        ("a: !!set {x}", "line 1: the tag .* is none of CloudFormation"),
        ("a: \x00", "not readable as YAML"),
        ("a: \ud800", "not readable as YAML"),
        ("\tResources: 1", "line 1, column 1: not readable as YAML"),
    ],
)
def test_errors_name_the_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_template(text)


def test_errors_of_json_name_the_line() -> None:
    with pytest.raises(InputError, match="line 2, column 3: not readable as JSON"):
        read_template('{"a": 1,\n  ]}')
    with pytest.raises(InputError, match="stands twice"):
        read_template('{"a": 1, "a": 2}')


def test_a_billion_laughs() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 10):
        items = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{items}]")
    with pytest.raises(InputError, match="aliases expand to more than 100000 values"):
        read_template("\n".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "{" * 50_000,
        "[" * 5_000 + "]" * 5_000,
        "a: " + "!If [x, " * 2_000 + "y" + ", z]" * 2_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        "\n".join(" " * depth + "- a:" for depth in range(900)),
    ],
    ids=["lists", "objects", "closed", "functions", "json", "blocks"],
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_template(text)


def test_a_huge_text_is_refused() -> None:
    with pytest.raises(InputError, match="larger than 2 MB"):
        read_template("#" * (MAX_CHARACTERS + 1))
    with pytest.raises(InputError, match="no CloudFormation template"):
        read_template("a: " + "9" * 10_000)


KEYS = st.sampled_from(
    ["Fn::If", "Ref", "Fn::Sub", "Fn::Join", "Fn::Transform", "Fn::GetAtt", "VpcConfig", "Tags"]
)
MEMBERS = st.sampled_from(
    ["Subnets", "ProductionVariants", "ModelName", "PipelineDefinition", "PipelineDefinitionBody"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "AWS::NoValue", "${A}", "${", "true", "A.B", "M"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | MEMBERS, inner, max_size=3),
    max_leaves=15,
)
TYPES = ["Model", "EndpointConfig", "Pipeline", "Domain", "Image", "Workteam", "Cluster"]
RESOURCES = st.dictionaries(
    st.sampled_from(["M", "N", "Fn::ForEach::X"]),
    st.fixed_dictionaries(
        {"Type": st.sampled_from([f"AWS::SageMaker::{name}" for name in TYPES]) | VALUES},
        optional={"Properties": VALUES, "Condition": VALUES},
    )
    | VALUES,
    max_size=3,
)


@given(RESOURCES, VALUES)
@settings(max_examples=500, deadline=None)
def test_any_json_is_a_reading_or_an_input_error(resources: Any, transform: Any) -> None:
    content = {"Resources": resources, "Transform": transform}
    for form in (content, json.dumps(content), json.dumps(transform)):
        try:
            reading = read_template(form)
        except InputError:
            assert not is_template(form)
            continue
        assert content == {"Resources": resources, "Transform": transform}
        for item in reading.items:
            check_request(item.operation, item.params, profile=profile())


@given(st.text(max_size=60) | st.text(alphabet="a:-[]{}!&*<>|'\"#?% \n\tRef", max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_reading_or_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        read_template(text)
