"""Policies built to be slow are answered; the run's timeout is the only clock here."""

from __future__ import annotations

import json

import pytest

from secure_ml_ext.iam import ContextError, PolicyBundle, Undetermined, evaluate
from secure_ml_ext.iam.context import MAX_CHARACTERS, MAX_VALUES
from secure_ml_ext.iam.glob import matcher, pieces_of

from .support import ACTION, ALLOW, RESOURCE, decide, denies, document, statement

pytestmark = pytest.mark.timeout(60)
LONG = "a" * MAX_CHARACTERS


@pytest.mark.parametrize(
    "pattern",
    [
        "a*" * 4000 + "b",
        "*a" * 4000 + "?b",
        "?*" * 4000 + "b",
        "*?a" * 3000 + "*b*",
        "*" * 8000 + "b",
    ],
)
def test_nested_wildcards(pattern: str) -> None:
    assert not denies({"StringLike": {"a:b": pattern}}, {"a:b": LONG})
    assert denies({"StringNotLike": {"a:b": pattern}}, {"a:b": LONG})
    assert denies({"StringLike": {"a:b": pattern.replace("b", "a")}}, {"a:b": LONG})


def test_nested_wildcards_in_actions_and_resources() -> None:
    pattern = "?*" * 4000
    action = f"sagemaker:{pattern}x"
    resource = f"arn:aws:sagemaker:*?*:*?*:{pattern}x"
    deny = document(statement("Deny", Action=action), statement("Deny", Resource=resource))
    bundle = PolicyBundle.from_dict({"identity": [ALLOW, deny]})
    found = evaluate(bundle, "sagemaker:" + LONG[:8000], RESOURCE + LONG[:8000], {})
    assert found.verdict == "allowed"
    with pytest.raises(ContextError):
        evaluate(bundle, ACTION, RESOURCE + LONG, {})


def test_ten_thousand_values() -> None:
    values = [f"subnet-{number}-?-*" for number in range(10_000)]
    condition = {"ForAllValues:StringNotLike": {"a:b": values}}
    context = {"a:b": [f"subnet-{number}" for number in range(MAX_VALUES)]}
    assert denies(condition, context)
    actions = [f"sagemaker:*{number}" for number in range(10_000)]
    assert decide({"identity": [document(statement(Action=actions))]}).verdict == (
        "implicitly-denied"
    )
    arns = [f"arn:aws:kms:*:{number}:key/?*" for number in range(10_000)]
    assert denies({"ArnNotLike": {"a:b": arns}}, {"a:b": "arn:aws:kms:r:10001:key/x"})
    networks = [f"10.{n // 250}.{n % 250}.0/24" for n in range(10_000)]
    assert denies({"NotIpAddress": {"a:b": networks}}, {"a:b": "11.0.0.1"})


def test_six_megabytes_of_text() -> None:
    values = ["*".join("abcdefgh") + f"?{number}" for number in range(250_000)]
    text = json.dumps(document(statement("Deny", Condition={"StringLike": {"a:b": values}})))
    assert len(text) > 6_000_000
    bundle = PolicyBundle.from_dict({"identity": [ALLOW, text]})
    assert evaluate(bundle, ACTION, RESOURCE, {"a:b": "no"}).verdict == "allowed"
    assert evaluate(bundle, ACTION, RESOURCE, {"a:b": "abcdefghx7"}).verdict == (
        "explicitly-denied"
    )


def test_one_pattern_of_six_megabytes() -> None:
    pattern = "a?*" * 2_000_000 + "b"
    text = json.dumps(document(statement("Deny", Condition={"StringLike": {"a:b": pattern}})))
    bundle = PolicyBundle.from_dict({"identity": [ALLOW, text]})
    assert evaluate(bundle, ACTION, RESOURCE, {"a:b": LONG}).verdict == "allowed"


def test_patterns_of_many_different_characters() -> None:
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 8000)))
    patterns = [f"{letters[n:]}?{letters[:n]}*" for n in range(250)]
    assert not denies({"StringLike": {"a:b": patterns}}, {"a:b": letters[3:] + "xab"})
    assert denies({"StringLike": {"a:b": patterns}}, {"a:b": letters[3:] + "x" + letters[:3]})


def test_many_statements() -> None:
    many = [
        statement("Deny", Condition={"StringEquals": {f"a:k{number}": "x"}})
        for number in range(20_000)
    ]
    bundle = {"identity": [ALLOW, document(*many)]}
    assert decide(bundle, {"a:k19999": "x"}).verdict == "explicitly-denied"


def test_many_unknown_keys() -> None:
    keys = [f"a:k{number}" for number in range(300)]
    many = [statement("Deny", Condition={"StringLike": {key: "*x"}}) for key in keys]
    context = {key: Undetermined((None, "x", "y")) for key in keys}
    decision = decide({"identity": [ALLOW, document(*many)]}, context)
    assert decision.verdict == "depends"
    assert decision.question


def test_many_variables() -> None:
    pattern = "${a:b}*" * 5000
    assert not denies({"StringLike": {"a:c": pattern + "z"}}, {"a:b": "x", "a:c": LONG})


@pytest.mark.parametrize("pattern", ["a?*b*?c", "*ab*ab*", "a*a", "??", "*?*", "", "*", "a?"])
def test_steps_of_a_pattern_with_question_marks(pattern: str) -> None:
    """The number of steps is the length of the value: no step looks back."""

    class Counted(str):
        steps = 0

        def __getitem__(self, key: object) -> Counted:
            return Counted(super().__getitem__(key))  # type: ignore[index]

        def __iter__(self) -> object:  # type: ignore[override]
            for character in super().__iter__():
                Counted.steps += 1
                yield character

    value = Counted("ab" * 50)
    matcher(pieces_of(pattern))(value)
    assert Counted.steps <= len(value)
