"""Action, NotAction, Resource, NotResource and policy variables."""

from __future__ import annotations

from typing import Any

import pytest

from .support import ALLOW, RESOURCE, decide, denies, document, statement

ACCOUNT = "arn:aws:sagemaker:eu-west-1:123456789012:"
LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:x"


def matches(resource: str = RESOURCE, context: Any = None, **elements: Any) -> bool:
    deny = document(statement("Deny", **elements))
    found = decide({"identity": [ALLOW, deny]}, context, resource=resource)
    return found.verdict == "explicitly-denied"


@pytest.mark.parametrize(
    ("action", "named"),
    [
        ("sagemaker:CreateTrainingJob", True),
        ("SageMaker:CREATEtrainingjob", True),
        ("sagemaker:Create*", True),
        ("sagemaker:*Job", True),
        ("sagemaker:Create?rainingJob", True),
        ("*", True),
        ("*:*", True),
        ("sagemaker:*Model", False),
        ("sagemaker:CreateTraining", False),
        ("s3:*", False),
        ([], False),
        (["s3:*", "sagemaker:C*"], True),
        ("sagemaker:${aws:username}", False),
    ],
)
def test_actions(action: Any, named: bool) -> None:
    context = {"aws:username": "CreateTrainingJob"}
    assert matches(context=context, Action=action) is named
    assert matches(context=context, NotAction=action) is not named


@pytest.mark.parametrize(
    ("pattern", "resource", "named"),
    [
        ("*", RESOURCE, True),
        (RESOURCE, RESOURCE, True),
        (RESOURCE.upper(), RESOURCE, False),
        (RESOURCE[:-1] + "A", RESOURCE, False),
        (f"{ACCOUNT}training-job/*", RESOURCE, True),
        (f"{ACCOUNT}*/a", RESOURCE, True),
        (f"{ACCOUNT}*/a", f"{ACCOUNT}training-job/team/a", True),
        (f"{ACCOUNT}t*g-job/?", RESOURCE, True),
        (f"{ACCOUNT}model/*", RESOURCE, False),
        ("arn:aws:sagemaker:*:*:training-job/*", RESOURCE, True),
        ("arn:aws:sagemaker:eu-*-1:*:*", RESOURCE, True),
        ("arn:aws:sagemaker:eu-west-?:*:*", RESOURCE, True),
        ("arn:*:sagemaker:*:*:*", RESOURCE, True),
        ("arn:aws:sagemaker:us-*:*:*", RESOURCE, False),
        ("arn:aws:SageMaker:*:*:*", RESOURCE, True),
        # A short ARN is completed.
        ("arn:aws:sagemaker", RESOURCE, True),
        ("arn:aws:sagemaker:*", RESOURCE, True),
        ("arn:aws:s3", RESOURCE, False),
        # A * at the end of a segment goes beyond colons, one within it does not.
        ("arn:aws:sagemaker:*:training-job/a", RESOURCE, True),
        ("arn:aws:sagemaker:e*t-1:training-job/a", RESOURCE, False),
        ("arn:aws:sagemaker:eu-west-1?123456789012:training-job/a", RESOURCE, False),
        ("arn:aws:lambda:*:*:*:x", LAMBDA, True),
        ("arn:aws:lambda:*:*:f*x", LAMBDA, True),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b/c", True),
        # AWS's examples of what * stands for within a segment.
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test/3/object.jpg", True),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1///test///object.jpg", True),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/test/", True),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/object.jpg", False),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/test/object.jpg", False),
        ("arn:aws:sagemaker:*:*:*", "*", False),
        ([], RESOURCE, False),
        (["arn:aws:s3:::*", RESOURCE], RESOURCE, True),
    ],
)
def test_resources(pattern: Any, resource: str, named: bool) -> None:
    assert matches(resource, Resource=pattern) is named
    assert matches(resource, NotResource=pattern) is not named


@pytest.mark.parametrize(
    ("tail", "context", "named"),
    [
        ("${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "a"}, True),
        ("${AWS:principaltag/TEAM}", {"aws:PrincipalTag/team": "a"}, True),
        ("${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "b"}, False),
        ("${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "*"}, False),
        ("${aws:PrincipalTag/team}*", {"aws:PrincipalTag/team": ""}, False),
        ("${aws:PrincipalTag/team}", {}, False),
        ("${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": ["a"]}, False),
        ("${aws:PrincipalTag/team, 'a'}", {}, True),
        ("${aws:PrincipalTag/team, 'a'}", {"aws:PrincipalTag/team": "b"}, False),
        ("${*}", {}, False),
        ("?", {}, True),
        ("${?}", {}, False),
    ],
)
def test_variables_of_resources(tail: str, context: Any, named: bool) -> None:
    pattern = f"{ACCOUNT}training-job/{tail}"
    assert matches(context=context, Resource=pattern) is named
    # A variable without a value matches no resource: all others are "not" it.
    assert matches(context=context, NotResource=pattern) is not named


def test_variables_stand_behind_the_fifth_colon_only() -> None:
    context = {"a:region": "eu-west-1"}
    pattern = "arn:aws:sagemaker:${a:region}:123456789012:training-job/a"
    assert not matches(context=context, Resource=pattern)


@pytest.mark.parametrize(
    ("operator", "wanted", "context", "holds"),
    [
        ("StringEquals", "${a:b}", {"a:k": "x", "a:b": "x"}, True),
        ("StringEquals", "p-${a:b}-${a:c}", {"a:k": "p-x-y", "a:b": "x", "a:c": "y"}, True),
        ("StringEquals", "${a:b, 'x'}", {"a:k": "x"}, True),
        ("StringEquals", "${a:b, 'it's} here'}", {"a:k": "it's} here"}, True),
        ("StringEquals", "${a:b}", {"a:k": "${a:c}", "a:b": "${a:c}", "a:c": "z"}, True),
        ("StringEquals", "${*}${?}${$}", {"a:k": "*?$"}, True),
        ("StringEquals", "${$}{a:b}", {"a:k": "${a:b}", "a:b": "x"}, True),
        ("StringLike", "${*}*", {"a:k": "*abc"}, True),
        ("StringLike", "${*}*", {"a:k": "abc"}, False),
        ("StringLike", "${a:b}", {"a:k": "anything", "a:b": "*"}, False),
        ("StringLike", "${a:b}*", {"a:k": "x-1", "a:b": "x"}, True),
        ("StringEqualsIgnoreCase", "${a:b}", {"a:k": "x", "a:b": "X"}, True),
        ("ArnLike", "arn:aws:iam::1:role/${a:b}", {"a:k": "arn:aws:iam::1:role/x", "a:b": "x"},
         True),
        ("ArnLike", "${a:b}", {"a:k": "arn:aws:iam::1:role/x", "a:b": "arn:aws:iam::1:role/x"},
         True),
        ("Bool", "${a:b}", {"a:k": "true", "a:b": "True"}, True),
        # Without a value: nothing is equal, everything is different.
        ("StringEquals", "${a:b}", {"a:k": "x"}, False),
        ("StringNotEquals", "${a:b}", {"a:k": "x"}, True),
        ("StringNotLike", "${a:b}", {"a:k": "x"}, True),
        ("ArnNotLike", "arn:aws:iam::1:role/${a:b}", {"a:k": "arn:aws:iam::1:role/x"}, True),
        ("StringNotEquals", "${a:b}", {"a:k": "x", "a:b": "x"}, False),
        # No other operator has variables.
        ("NumericEquals", "${a:b}", {"a:k": "1", "a:b": "1"}, False),
        ("IpAddress", "${a:b}", {"a:k": "10.0.0.1", "a:b": "10.0.0.1"}, False),
        ("DateEquals", "${a:b}", {"a:k": "2026", "a:b": "2026"}, False),
        ("BinaryEquals", "${a:b}", {"a:k": "YQ==", "a:b": "YQ=="}, False),
    ],
)  # fmt: skip
def test_variables_of_conditions(operator: str, wanted: str, context: Any, holds: bool) -> None:
    assert denies({operator: {"a:k": wanted}}, context) is holds


@pytest.mark.parametrize("version", [{"Version": "2008-10-17"}, {}])
def test_older_documents_have_no_variables(version: dict[str, str]) -> None:
    deny = statement("Deny", Condition={"StringEquals": {"a:k": "${a:b}"}})
    bundle = {"identity": [ALLOW, {**version, "Statement": deny}]}
    assert decide(bundle, {"a:k": "x", "a:b": "x"}).verdict == "allowed"
    assert decide(bundle, {"a:k": "${a:b}", "a:b": "x"}).verdict == "explicitly-denied"
