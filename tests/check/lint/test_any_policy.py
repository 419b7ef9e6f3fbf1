"""Whatever stands in a file: findings or an InputError, in bounded time, and nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.lint import LintFinding, LintReport, lint_documents
from secure_ml_ext.check.lint.text import lint_text
from secure_ml_ext.check.sarif import lint_sarif, sarif_json
from tests.check.lint.support import EXAMPLES, document, example, statement

_WORDS = [
    *("Statement", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"),
    *("Principal", "Sid", "Version", "Null", "Bool", "ForAllValues:StringLike", "document"),
    *("PolicyDocument", "identity", "scps", "principals", "sagemaker:VpcSubnets", "${x}"),
]
_TEXTS = [
    *("Allow", "Deny", "*", "sagemaker:*", "sagemaker:CreateTrainingJob", "sagemaker:Nonsense"),
    *("2012-10-17", "true", "false", "arn:aws:sagemaker:*:*:*", "", "\ud800", "${", "alias/x"),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.sampled_from(_TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)


def answer(content: Any) -> list[LintFinding] | None:
    try:
        return lint_documents([("any.json", content)])
    except InputError as error:
        said = str(error)
    assert said.startswith("any.json: ")
    return None


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_any_json(value: Any) -> None:
    for content in (value, json.dumps(value), json.dumps({"Statement": value})):
        if isinstance(content, (str, list, dict)):
            answer(content)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """An example with something cut out and something put in."""
    text = example(draw(st.sampled_from(EXAMPLES)))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 40)))
    put = draw(
        st.sampled_from(["", "//", "/*", ",", "}", '"', "\\", "\N{ZERO WIDTH NO-BREAK SPACE}", "#"])
    )
    return text[:start] + put + text[end:]


@settings(max_examples=300, deadline=None)
@given(damaged() | st.text(max_size=60))
def test_any_text(text: str) -> None:
    findings = answer(text) or []
    lint_text(LintReport.of(findings), ["any.json"])
    sarif_json(lint_sarif(findings))


CONDITIONS = st.dictionaries(
    st.sampled_from(["Null", "Bool", "StringLike", "NumericLessThan"]), ANYTHING
)


@settings(max_examples=200, deadline=None)
@given(
    CONDITIONS,
    st.lists(st.sampled_from(_TEXTS), max_size=3),
    st.sampled_from(["Allow", "Deny"]),
)
def test_any_condition(condition: Any, actions: list[str], effect: str) -> None:
    made = {"Effect": effect, "Action": actions, "Resource": "*", "Condition": condition}
    answer(document(made))
    answer(document(made, {**made, "Effect": "Allow", "Condition": {}}))


def _null(number: int) -> dict[str, Any]:
    keys = ["sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds", f"aws:PrincipalTag/{number}"]
    return {"Null": dict.fromkeys(keys, "true")}


def _vacuous(number: int) -> dict[str, Any]:
    return {"ForAllValues:StringEquals": {f"aws:RequestTag/{number}": "x"}}


ALL = "sagemaker:*"
NETWORK = {"Null": {"sagemaker:VpcSubnets": "false"}}
HOSTILE: dict[str, Any] = {
    "an unended string": '"' + '\\"' * 2_000_000,
    "unended comments": "/*" * 2_000_000,
    "quotes": '"' * 2_000_000,
    "commas": "[" + "," * 2_000_000,
    "depth": "[" * 200_000,
    "many Null blocks": document(*[statement("Deny", ALL, _null(n)) for n in range(1000)]),
    "Allows that undo Allows": document(
        *[statement("Allow", ALL, NETWORK)] * 500,
        *[statement("Allow", ALL, _vacuous(n)) for n in range(500)],
    ),
    "misspelt actions": document(
        *[
            statement("Deny", [f"sagemaker:CreateTraningJob{m}x{n}" for n in range(100)])
            for m in range(100)
        ]
    ),
    "patterns": document(
        *[statement("Deny", [f"sagemaker:*a*b*{m}*{n}*" for n in range(20)]) for m in range(100)]
    ),
    "resources": document(
        *[
            statement("Deny", ALL, Resource=f"arn:aws:sagemaker:*:*:*{n}" + "*?" * 900)
            for n in range(200)
        ]
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_answered_in_time(name: str) -> None:
    """Each of these takes minutes, or never ends, with the obvious algorithm."""
    before = time.process_time()
    answer(HOSTILE[name])
    assert time.process_time() - before < 30


def test_a_principal_nested_too_deeply() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = [deep]
    made = {**statement("Deny", "CreateModel"), "Principal": {"AWS": deep}}
    with pytest.raises(InputError, match="a principal is"):
        lint_documents([("any.json", document(made))])
