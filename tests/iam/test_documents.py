"""Documents: every form IAM accepts, and errors that name document, statement and character."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from secure_ml_ext.iam import ContextError, PolicyBundle, PolicyError, Undetermined
from secure_ml_ext.iam.context import MAX_CHARACTERS, MAX_VALUES

from .support import ALLOW, decide, document, statement

TEXT = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {"Effect": "Deny", "Action": "sagemaker:*", "Resource": "*",
     "Condition": {"StringEqualz": {"aws:username": "x"}}}
  ]
}"""


def error(value: Any) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        PolicyBundle.from_dict({"identity": [{"name": "base", "document": value}]})
    return caught.value


@pytest.mark.parametrize(
    "form",
    [
        ALLOW,
        {"Version": "2012-10-17", "Id": "x", "Statement": statement()},
        {"Statement": [statement(Sid="One", Action=["s3:*", "sagemaker:*"], Resource=["*"])]},
        json.dumps(ALLOW),
        " \n" + json.dumps(ALLOW, indent=2),
        quote(json.dumps(ALLOW)),
        {"name": "n", "arn": "arn:p", "document": ALLOW},
        {"arn": "arn:p", "document": json.dumps(ALLOW)},
    ],
)
def test_forms(form: Any) -> None:
    assert decide({"identity": [form]}).verdict == "allowed"
    assert decide({"identity": form}).verdict == "allowed"


def test_names() -> None:
    layers = [{"name": "n", "arn": "arn:p", "document": ALLOW}]
    assert decide({"identity": layers}).statements[0].policy == "n"
    assert decide({"identity": [{"arn": "arn:p", "document": ALLOW}]}).statements[0].policy == (
        "arn:p"
    )
    assert decide({"identity": [ALLOW]}).statements[0].policy == "identity[0]"


def test_not_json() -> None:
    found = error(TEXT.replace('"Deny",', '"Deny"'))
    assert (found.document, found.line) == ("base", (5, 23))
    assert str(found).startswith("base, line 5 column 23, character ")
    assert TEXT[found.character or 0 :].lstrip().startswith('"Action"')


def test_a_wrong_operator_in_text() -> None:
    found = error(TEXT)
    assert (found.document, found.statement, found.line) == ("base", 1, (6, 20))
    assert found.character == TEXT.index('"StringEqualz"')
    assert str(found) == (
        "base, statement 1, Condition StringEqualz, line 6 column 20, "
        f"character {found.character}: there is no condition operator StringEqualz; "
        "did you mean StringEquals?"
    )


def test_a_wrong_operator_in_a_dict() -> None:
    found = error(json.loads(TEXT))
    assert (found.document, found.statement) == ("base", 1)
    assert str(found).startswith("base, statement 1, Condition StringEqualz: ")


def test_a_key_given_twice() -> None:
    text = TEXT.replace('"Action": "*"', '"Action": "*", "Effect": "Deny"')
    found = error(text)
    assert found.problem == "Effect is given twice"
    assert found.statement == 0
    assert found.character == text.index('"Effect": "Deny"')


@pytest.mark.parametrize(
    ("variable", "problem", "character"),
    [
        ("arn:aws:s3:::b/${aws:username", "the policy variable has no closing brace", 15),
        ("arn:aws:s3:::b/${}", "the policy variable is empty", 15),
        ("arn:aws:s3:::b/x${ }", "the policy variable is empty", 16),
        ("arn:aws:s3:::b/${a:b, x}", "must be in single quotes", 15),
        ("arn:aws:s3:::b/${a:b, 'x}", "in single quotes", 15),
        ("arn:aws:s3:::b/${'x'}", "a default is written ${key, 'default'}", 15),
    ],
)
def test_variables_that_are_none(variable: str, problem: str, character: int) -> None:
    found = error(document(statement(), statement(Resource=["*", variable])))
    assert problem in found.problem
    assert (found.statement, found.path[-2:], found.character) == (1, ("Resource", 1), character)
    condition = {"StringLike": {"a:b": variable}}
    found = error(document(statement(Condition=condition)))
    assert problem in found.problem
    assert (found.statement, found.character) == (0, character)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "base: a document is an object, not null"),
        ([], "base: a document is an object, not a list"),
        ("[1]", "base: a document is an object, not a list"),
        ("", "base, line 1 column 1, character 0: not JSON: Expecting value"),
        ("NaN", "NaN is no value"),
        ({"Version": "2012-10-17"}, "base: there is no Statement"),
        ({"Version": "2012", "Statement": []}, "base, Version: the version is 2012"),
        ({"Statement": "x"}, "Statement is an object or a list, not a string"),
        ({"Statement": [3]}, "base, statement 0: a statement is an object, not a number"),
        ({"Statement": [], "statement": []}, "there is no element statement; IAM writes Statement"),
        (document({}), "statement 0: Effect is Allow or Deny, not None"),
        (document(statement("deny")), "statement 0, Effect: Effect is Allow or Deny, not deny"),
        (document({"Effect": "Allow", "Resource": "*"}), "neither Action nor NotAction"),
        (document({"Effect": "Allow", "Action": "*"}), "neither Resource nor NotResource"),
        (document(statement(Action="*", NotAction="s3:*")), "exclude each other"),
        (document(statement(action="*")), "no element action; IAM writes Action"),
        (document(statement(Principal="*")), "have no principal"),
        (document(statement(Sid=3)), "Sid is a string, not a number"),
        (document(statement(Action=3)), "statement 0, Action: a string is wanted, not a number"),
        (document(statement(Action=["s3:*", None])), "statement 0, Action 1: a string is wanted"),
        (document(statement(Action="CreateModel")), "an action is written service:action, or *"),
        (document(statement(Resource="bucket")), "Resource: a resource must be an ARN or *"),
        (document(statement(Resource="${a:b}")), "Resource: a resource must be an ARN or *"),
        (document(statement(Condition=[])), "Condition is an object, not a list"),
        (document(statement(Condition={"Bool": "x"})), "an operator holds an object of keys"),
        (document(statement(Condition={"Bool": {"a:b": None}})), "boolean is wanted, not null"),
        (document(statement(Condition={"Bool": {"a:b": [{}]}})), "boolean is wanted, not an obj"),
    ],
)
def test_what_iam_refuses(value: Any, message: str) -> None:
    assert message in str(error(value))


def test_nesting_without_end() -> None:
    found = error('{"Statement":' + "[" * 200_000 + "]" * 200_000 + "}")
    assert found.document == "base"
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    assert "a statement is an object, not a list" in str(error({"Statement": [nested]}))


def test_more_text_than_any_policy() -> None:
    assert "more than" in str(error(" " * (8 * 1024 * 1024 + 1)))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": 1}, "a:Key is dict, not a string or a list of strings"),
        ([b"x"], "a:Key is bytes"),
        (Undetermined((object(),)), "a:Key is object"),  # type: ignore[arg-type]
        ("x" * (MAX_CHARACTERS + 1), "a:Key has 8193 characters"),
        (["x" * (MAX_CHARACTERS + 1)], "a:Key has 8193 characters"),
        (["x"] * (MAX_VALUES + 1), "a:Key has 1001 values"),
    ],
)
def test_contexts_that_are_none(value: Any, message: str) -> None:
    with pytest.raises(ContextError) as caught:
        decide({"identity": [ALLOW]}, {"a:Key": value})
    assert message in str(caught.value)
