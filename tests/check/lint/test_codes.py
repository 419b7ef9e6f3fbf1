"""What each code finds, and what it leaves alone: the cases at its edges, each with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.check.lint import LintFinding
from tests.check.lint.support import codes, lint, only, statement

SUBNETS, GROUPS = "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds"
ISOLATION = "sagemaker:NetworkIsolation"
VOLUME = "sagemaker:VolumeKmsKeyArn"
TYPES = "sagemaker:InstanceTypes"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def deny(actions: str | list[str], condition: Any, **more: Any) -> list[LintFinding]:
    return lint(statement("Deny", actions, condition, **more))


def allow(actions: str | list[str], condition: Any = None, **more: Any) -> list[LintFinding]:
    return lint(statement("Allow", actions, condition, **more))


# anded-null


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"Null": {SUBNETS: "true", GROUPS: "true"}}, True),
        ({"null": {"sagemaker:VPCSubnets": True, GROUPS: ["TRUE"]}}, True),  # in any case
        ({"Null": {SUBNETS: "true", GROUPS: "false"}}, False),  # groups without subnets
        ({"Null": {SUBNETS: "false", GROUPS: "false"}}, False),  # refuses whoever has both
        ({"Null": {SUBNETS: "true"}}, False),
        # An exemption by the principal is an AND that is meant.
        ({"Null": {SUBNETS: "true", "aws:PrincipalTag/exempt": "true"}}, False),
        ({"Null": {SUBNETS: "true", "aws:SourceVpce": "true"}}, False),
        # Both names of one key: missing under either, in a time when it is not known which is sent.
        ({"Null": {"sagemaker:VolumeKmsKey": "true", VOLUME: "true"}}, False),
        # Two tags are two keys.
        ({"Null": {"aws:RequestTag/Team": "true", "aws:RequestTag/Cost": "true"}}, True),
    ],
)
def test_anded_null(condition: Any, found: bool) -> None:
    assert ("anded-null" in [f.code for f in deny("CreateTrainingJob", condition)]) is found


def test_anded_null_needs_an_action_with_two_of_the_keys() -> None:
    # CreateUserProfile carries the groups only: for it the block asks for the groups alone.
    keys = {"Null": {SUBNETS: "true", GROUPS: "true"}}
    assert deny("CreateUserProfile", keys) == []
    found = only(deny(["CreateUserProfile", "CreateModel"], keys), "anded-null")
    assert found.actions == ["CreateModel"]
    # The part about subnets leaves CreateUserProfile out: it would always be denied.
    by_key = {next(iter(part["Condition"]["Null"])): part["Action"] for part in found.corrected}  # type: ignore[union-attr,index,call-overload]
    assert by_key == {
        SUBNETS: ["sagemaker:CreateModel"],
        GROUPS: ["sagemaker:CreateUserProfile", "sagemaker:CreateModel"],
    }


def test_anded_null_is_redundant_beside_a_statement_for_each_key() -> None:
    both = statement("Deny", "CreateModel", {"Null": {SUBNETS: "true", GROUPS: "true"}})
    one = statement("Deny", "CreateM?del", {"Null": {SUBNETS: "true"}})
    other = statement("Deny", ["CreateModel"], {"Null": {GROUPS: "true"}})
    assert lint(both, one, other) == []
    elsewhere = {**other, "Resource": "arn:aws:sagemaker:*:*:model/prod-*"}
    assert codes(lint(both, one, elsewhere)) == [("anded-null", 0)]
    for_some = {**other, "Condition": {**other["Condition"], "Bool": {"aws:ViaAWSService": "true"}}}
    assert codes(lint(both, one, for_some)) == [("anded-null", 0)]


# always-denied, if-exists-on-missing


@pytest.mark.parametrize(
    "condition",
    [
        {"Null": {SUBNETS: "true"}},
        {"StringNotEquals": {SUBNETS: "subnet-1"}},
        {"StringNotLike": {ISOLATION: "true"}},
        {"ArnNotLike": {VOLUME: "arn:aws:kms:*:*:key/*"}},
        {"ForAllValues:StringNotLike": {SUBNETS: "subnet-1"}},
        {"BoolIfExists": {ISOLATION: "false"}},
        {"Null": {SUBNETS: "true"}, "StringNotEquals": {ISOLATION: "true"}},
    ],
)
def test_always_denied(condition: Any) -> None:
    found = deny(["CreateCompilationJob", "DescribeModel"], condition)
    assert codes(found) == [("always-denied", 0)]
    assert found[0].actions == ["CreateCompilationJob", "DescribeModel"]
    assert found[0].corrected is None  # nothing is left of the statement


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {ISOLATION: "false"}},  # false for a missing key: never denied
        {"ForAnyValue:StringNotEquals": {SUBNETS: "subnet-1"}},  # false too
        {"Null": {SUBNETS: "false"}},
        {"Null": {SUBNETS: "true"}, "Bool": {ISOLATION: "false"}},  # both have to hold
        {"StringNotEquals": {"aws:PrincipalTag/team": "ml"}},  # any call may carry it
        {"StringNotEquals": {"aws:ResourceTag/team": "ml"}},
        {"StringNotEquals": {"saml:sub": "x"}},  # of the session
        {"StringNotEquals": {"token.actions.githubusercontent.com:sub": "x"}},
        {"StringNotEquals": {"sagemaker:DomainId": "d-1"}},  # defined; no action lists it
        {"StringNotEquals": {"sagemaker:ResourceTag/team": "ml"}},
    ],
)
def test_not_always_denied(condition: Any) -> None:
    assert deny(["CreateCompilationJob", "DescribeModel"], condition) == []


def test_a_condition_that_the_caller_can_meet_is_an_escape() -> None:
    # CreateUserProfile carries the groups: a request with groups passes.
    keys = {"Null": {SUBNETS: "true", GROUPS: "true"}}
    assert deny("CreateUserProfile", keys) == []
    # The principal's tag is no matter of the request.
    tag = {"Null": {SUBNETS: "true"}, "StringNotEquals": {"aws:PrincipalTag/exempt": "true"}}
    (found,) = deny("CreateApp", tag)
    assert found.code == "always-denied"
    assert found.message.endswith("for which the conditions on aws:PrincipalTag/exempt hold.")


def test_names_and_wildcards_with_if_exists() -> None:
    # By wildcard it is the trap of IfExists; in full it is a key that the action never carries.
    condition = {"StringNotEqualsIfExists": {ISOLATION: "true"}}
    found = deny(["CreateApp", "CreateM*", "CreateTrainingJob"], condition)
    assert [(f.code, f.actions[:2]) for f in found] == [
        ("always-denied", ["CreateApp"]),
        ("if-exists-on-missing", ["CreateMlflowApp", "CreateMlflowTrackingServer"]),
    ]
    # Without IfExists the operator is true for a missing key just the same.
    assert codes(deny("CreateM*", {"StringNotEquals": {ISOLATION: "true"}})) == [
        ("always-denied", 0)
    ]


def test_a_resource_limits_what_a_wildcard_reaches() -> None:
    # Of Create* only CreateTrainingJob has a training job as its resource, and it carries the key.
    condition = {"Null": {SUBNETS: "true"}}
    jobs = "arn:aws:sagemaker:*:*:training-job/*"
    assert deny("Create*", condition, Resource=jobs) == []
    assert deny("Create*", condition, Resource="arn:aws:sagemaker:*:training-job/*") == []
    # CreateApp has an app; a short ARN reaches everything.
    apps = "arn:aws:sagemaker:eu-west-1:123456789012:app/d-1/${aws:username}/*"
    (found,) = deny("Create*", condition, Resource=apps)
    assert found.actions == ["CreateApp"]
    (found,) = deny("Create*", condition, Resource="arn:aws:sagemaker:*")
    assert "CreateAction" in found.actions
    for resource in ("arn:aws:s3:::bucket/*", "arn:aws:iam::*:user/*"):
        assert codes(deny("*", condition, Resource=resource)) == [("no-effect", None)]
    assert deny("*", condition, Resource="arn:aws:iam::*:role/ml-*") == []  # roles to pass


def test_not_action_and_star() -> None:
    condition = {"Null": {SUBNETS: "true"}}
    made = {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": condition}
    for found in (lint(made), deny("*", condition)):
        assert codes(found) == [("always-denied", 0)]
        corrected = found[0].corrected
        assert isinstance(corrected, dict)
        assert "NotAction" not in corrected
        # The twenty actions that carry VpcSubnets.
        assert len(corrected["Action"]) == 20
        assert "sagemaker:CreateTrainingJob" in corrected["Action"]
    # A region lock asks nothing of the request's members.
    region = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
    assert lint({**made, "Condition": region}) == []


def test_an_allow_that_never_applies() -> None:
    # iam:PassedToService belongs to iam:PassRole alone.
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    (found,) = allow(["iam:PassRole", "CreateTrainingJob"], passed)
    assert (found.code, found.severity) == ("always-denied", "warning")
    assert "so this Allow never applies to it" in found.message
    assert found.corrected["Action"] == ["iam:PassRole"]  # type: ignore[index,call-overload]
    # Where another Allow serves the action, and under wildcards, no harm is done.
    both = ["CreateTrainingJob", "DescribeTrainingJob"]
    network = {"Null": {SUBNETS: "false"}}
    assert codes(allow(both, network)) == [("always-denied", 0)]
    assert lint(statement("Allow", both, network), statement("Allow", "Describe*")) == []
    assert allow("*TrainingJob", network) == []
    # … unless nothing is left of the statement.
    assert codes(allow("Describe*", network)) == [("always-denied", 0)]


# bool-by-omission


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"Bool": {ISOLATION: "false"}}, True),
        ({"bool": {ISOLATION.upper(): False}}, True),
        ({"StringEquals": {ISOLATION: "false"}}, True),
        ({"ForAnyValue:Bool": {ISOLATION: "false"}}, True),
        ({"Bool": {ISOLATION: "true"}}, False),  # omitted is not true either way
        ({"Bool": {ISOLATION: ["true", "false"]}}, False),  # wants presence, and says so
        ({"BoolIfExists": {ISOLATION: "false"}}, False),
        ({"StringNotEquals": {ISOLATION: "true"}}, False),  # true for a missing key
        ({"Bool": {ISOLATION: "false"}, "Null": {ISOLATION: "false"}}, False),  # omission is meant
        ({"Bool": {"aws:SecureTransport": "false"}}, False),  # always there
        ({"StringEquals": {"sagemaker:RootAccess": "Enabled"}}, False),  # a word, no flag
    ],
)
def test_bool_by_omission(condition: Any, found: bool) -> None:
    actions = ["CreateTrainingJob", "CreateNotebookInstance"]
    made = [f.code for f in deny(actions, condition)]
    assert ("bool-by-omission" in made) is found


def test_bool_by_omission_is_closed_by_a_statement_on_absence() -> None:
    flag = statement("Deny", "CreateModel", {"Bool": {ISOLATION: "false"}})
    absent = statement("Deny", ["CreateModel"], {"Null": {ISOLATION: "true"}})
    assert lint(flag, absent) == []
    assert lint(flag, statement("Deny", "Create*", {"Bool": {ISOLATION: "false"}})) != []


def test_bool_by_omission_narrows_a_wildcard_to_the_carriers() -> None:
    # BoolIfExists over Create* would be the trap of if-exists-on-missing.
    (found,) = deny(
        ["s3:PutObject", "Create*JobDefinition", "CreateApp"], {"Bool": {ISOLATION: "false"}}
    )
    assert found.corrected["Action"] == ["sagemaker:Create*JobDefinition"]  # type: ignore[index,call-overload]
    assert found.corrected["Condition"] == {"BoolIfExists": {ISOLATION: "false"}}  # type: ignore[index,call-overload]


# vacuous-for-all-values


@pytest.mark.parametrize(
    ("effect", "condition", "found"),
    [
        ("Allow", {"ForAllValues:StringEquals": {SUBNETS: ["subnet-1"]}}, True),
        ("Allow", {"ForAllValues:StringEqualsIfExists": {SUBNETS: ["subnet-1"]}}, True),
        ("Deny", {"ForAllValues:StringEquals": {SUBNETS: ["subnet-1"]}}, False),
        ("Allow", {"ForAnyValue:StringEquals": {SUBNETS: ["subnet-1"]}}, False),
        (
            "Allow",
            {"ForAllValues:StringEquals": {SUBNETS: ["s"]}, "Null": {SUBNETS: "false"}},
            False,
        ),
        (  # something else asks for presence
            "Allow",
            {
                "ForAllValues:StringEquals": {SUBNETS: ["s", "t"]},
                "ForAnyValue:StringEquals": {SUBNETS: ["s"]},
            },
            False,
        ),
        (  # with a set operator Null is constant
            "Allow",
            {
                "ForAllValues:StringEquals": {SUBNETS: ["s"]},
                "ForAllValues:Null": {SUBNETS: "false"},
            },
            True,
        ),
        ("Allow", {"ForAllValues:StringEquals": {SUBNETS: ["s"]}, "Null": {GROUPS: "false"}}, True),
    ],
)
def test_vacuous_for_all_values(effect: str, condition: Any, found: bool) -> None:
    made = [f.code for f in lint(statement(effect, "CreateTrainingJob", condition))]
    assert ("vacuous-for-all-values" in made) is found


def test_for_all_values_where_it_does_no_harm() -> None:
    network = {"ForAllValues:StringEquals": {SUBNETS: ["subnet-1"]}}
    # A Deny on absence stands beside it.
    absent = statement("Deny", "CreateModel", {"Null": {SUBNETS: "true"}})
    assert lint(statement("Allow", "CreateModel", network), absent) == []
    # The action has no network.
    assert allow("DeleteModel", network) == []
    # AddTags has tags by definition; CreateModel may have none.
    tags = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    assert allow("AddTags", tags) == []
    assert codes(allow("CreateModel", tags)) == [("vacuous-for-all-values", 0)]
