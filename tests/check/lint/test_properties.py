"""Findings and corrections of random policies, held against the evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from secure_ml_ext.check.lint import LintFinding, lint_documents
from secure_ml_ext.check.lint.sources import read
from secure_ml_ext.inventory.authorization import action_named, authorization
from tests.check.lint.support import (
    EXAMPLES,
    allowed,
    corrected,
    document,
    example,
    lint,
    statement,
    verdict,
)

SUBNETS, GROUPS = "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds"
ISOLATION = "sagemaker:NetworkIsolation"
TRAFFIC = "sagemaker:InterContainerTrafficEncryption"
VOLUME, OUTPUT = "sagemaker:VolumeKmsKeyArn", "sagemaker:OutputKmsKeyArn"
TYPES = "sagemaker:InstanceTypes"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_ROUNDS = 40


def settle(policy: dict[str, Any]) -> list[str]:
    """Apply corrections one at a time until none is left; every one removes its own finding."""
    said = []
    for _ in range(_ROUNDS):
        todo = [f for f in lint_documents([("a", policy)]) if f.corrected is not None]
        if not todo:
            return said
        finding = todo[0]
        said.append(finding.code)
        policy = corrected(policy, finding)
        again = [f for f in lint_documents([("a", policy)]) if f.code == finding.code]
        first = min([each.index for each in finding.replaces] or [finding.statement.index or 0])
        new = finding.corrected if isinstance(finding.corrected, list) else [finding.corrected]
        places = range(first, first + len(new))
        assert not [f for f in again if f.statement.index in places and _same(f, finding)], said
    raise AssertionError(f"no end: {said}")


def _same(one: LintFinding, other: LintFinding) -> bool:
    # An undoing may have a second culprit, and mending one key's name may leave another's.
    return one.code != "undone-by-allow" or one.message == other.message


@pytest.mark.parametrize("name", EXAMPLES)
def test_corrected_examples_lint_clean(name: str) -> None:
    """Of every example nothing remains but what has no correction: here, nothing at all."""
    policy = dict(read(name, example(name)).groups[0].documents[0].value)
    settle(policy)


ACTIONS = [
    "CreateTrainingJob",
    "CreateProcessingJob",
    "CreateTransformJob",
    "CreateModel",
    "CreateUserProfile",
    "CreateNotebookInstance",
    "CreateCompilationJob",
    "CreateEndpointConfig",
    "CreateAutoMLJob",
    "DescribeModel",
]
VALUES: Mapping[str, list[str]] = {
    SUBNETS: ["subnet-1", "subnet-2"],
    GROUPS: ["sg-1", "sg-2"],
    VOLUME: [KEY, "arn:aws:kms:eu-west-1:111122223333:key/2"],
    "sagemaker:VolumeKmsKey": [KEY],
    OUTPUT: [KEY, "arn:aws:kms:eu-west-1:111122223333:key/2"],
    ISOLATION: ["true", "false"],
    TRAFFIC: ["true", "false"],
    TYPES: ["ml.m5.large", "ml.g5.xlarge", "ml.g5.*"],
    "aws:RequestTag/team": ["ml", "x"],
    "aws:PrincipalTag/team": ["ml", "x"],
}
_STRING = ["StringEquals", "StringNotEquals", "StringLike", "StringNotEqualsIfExists"]
_SETS = ["ForAllValues:StringLike", "ForAllValues:StringNotLike", "ForAnyValue:StringEquals"]


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(draw(st.integers(0, 3))):
        key = draw(st.sampled_from(sorted(VALUES)))
        operators = ["Null", "Null", *_STRING, *_SETS]
        if set(VALUES[key]) == {"true", "false"}:
            operators = ["Null", "Bool", "BoolIfExists"]
        operator = draw(st.sampled_from(operators))
        values = ["true", "false"] if operator in ("Null", "Bool", "BoolIfExists") else VALUES[key]
        made.setdefault(operator, {})[key] = draw(st.sampled_from(values))
    return made


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    names = [*ACTIONS, "Create*", "Create*Job", "*Model", "sagemaker:*", "CreateModell"]
    actions = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    effect = draw(st.sampled_from(["Allow", "Deny"]))
    more = draw(st.sampled_from([{}, {"Sid": "Own"}, {"Resource": "arn:aws:sagemaker:*:*:*"}]))
    return statement(effect, actions, draw(conditions()), **more)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    made = draw(st.lists(statements(), min_size=1, max_size=3))
    for number, each in enumerate(made):
        if "Sid" in each:
            each["Sid"] += str(number)
    return document(*made)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A call with some of the keys that its action carries."""
    action = draw(st.sampled_from(ACTIONS))
    context: dict[str, Any] = {}
    entry = action_named(action)
    assert entry is not None
    for key in sorted(VALUES):
        if "Principal" not in key and not entry.carries(key):
            continue
        value = draw(st.sampled_from([None, *(v for v in VALUES[key] if "*" not in v)]))
        if value is not None:
            context[key] = [value] if "Array" in authorization().keys.get(key, "") else value
    return action, context


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(policies())
def test_corrections_come_to_an_end(policy: dict[str, Any]) -> None:
    settle(policy)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(policies(), st.lists(requests(), min_size=8, max_size=8))
def test_corrections_change_decisions_one_way_only(
    policy: dict[str, Any], calls: list[tuple[str, dict[str, Any]]]
) -> None:
    """What closes a hole denies more; what lets go denies less; nothing moves the other way."""
    closing = {"anded-null", "bool-by-omission", "vacuous-for-all-values", "undone-by-allow"}
    opening = {"if-exists-on-missing", "unsatisfiable-local-disk"}
    for finding in lint_documents([("a", policy)]):
        if finding.corrected is None or finding.code not in closing | opening | {"always-denied"}:
            continue
        after = corrected(policy, finding)
        for action, context in calls:
            effect = policy["Statement"][finding.statement.index or 0]["Effect"]
            was, now = (
                (allowed(each, action, context), verdict(each, action, context) == "allowed")
                for each in (policy, after)
            )
            passed = 0 if effect == "Allow" else 1
            if finding.code in closing and not _always_denied(policy, finding, action, context):
                assert was[passed] >= now[passed], (finding.code, action, context)
            elif finding.code in opening or (finding.code == "always-denied" and effect == "Deny"):
                assert was[passed] <= now[passed], (finding.code, action, context)
            elif finding.code == "always-denied":
                assert was == now, (action, context)


def _always_denied(
    policy: dict[str, Any], finding: LintFinding, action: str, context: Mapping[str, Any]
) -> bool:
    """Tell whether a call was denied by the AND of keys that its action never carries at all.

    Parting the keys of a Null block lets go of those actions, as ``always-denied`` does.
    """
    number = finding.statement.index or 0
    alone = lint(policy["Statement"][number])
    lets_go = [f for f in alone if f.code in ("always-denied", "if-exists-on-missing")]
    if not lets_go:
        return False
    after = (
        corrected(document(policy["Statement"][number]), lets_go[0])
        if lets_go[0].corrected
        else document()
    )
    return verdict(document(policy["Statement"][number]), action, context) != verdict(
        after, action, context
    )


def every_call(action: str, policy: dict[str, Any]) -> list[dict[str, Any]]:
    """All calls of an action, as far as a policy can tell them apart."""
    read_keys = {key for each in policy["Statement"] for keys in each.get("Condition", {}).values()
                 for key in keys}  # fmt: skip
    choices = []
    entry = action_named(action)
    assert entry is not None
    for key in sorted(read_keys):
        if "Principal" in key or entry.carries(key):
            values = [[v] if "Array" in authorization().keys.get(key, "") else v
                      for v in VALUES[key] if "*" not in v]  # fmt: skip
            choices.append([(key, value) for value in (None, *values)])
    return [{k: v for k, v in each if v is not None} for each in product(*choices)]


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(conditions(), st.lists(st.sampled_from(ACTIONS), min_size=1, unique=True))
def test_always_denied_is_said_exactly_where_it_is_so(condition: Any, actions: list[str]) -> None:
    """Such a Deny hits every call of the action that there can be; where none is said, not all."""
    made = statement("Deny", actions, condition)
    policy = document(made)
    said = {a for f in lint(made) if f.code == "always-denied" for a in f.actions}
    team = "aws:PrincipalTag/team"
    # Two demands on the caller may contradict each other: the lint does not weigh them.
    assume(sum(team in keys for keys in condition.values()) < 2)
    for action in actions:
        calls = every_call(action, policy)
        about_caller = [call for call in calls if set(call) <= {team}]
        denied = [verdict(policy, action, call) == "explicitly-denied" for call in calls]
        # What the principal's tag decides, the request does not.
        by_caller = {
            call.get(team): all(
                d for d, c in zip(denied, calls, strict=True) if c.get(team) == call.get(team)
            )
            for call in about_caller
        }
        reads = [key for keys in condition.values() for key in keys if key != team]
        old = {"sagemaker:VolumeKmsKey"} & set(reads)  # may be sent under its new name
        if not reads or old:
            continue
        assert (action in said) == any(by_caller.values()), action


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(conditions(), st.lists(st.sampled_from(ACTIONS), min_size=1, unique=True))
def test_anded_null_is_said_only_where_a_call_slips_through(
    condition: Any, actions: list[str]
) -> None:
    """There is a call that lacks some of the keys, passes, and would not if it lacked all."""
    made = statement("Deny", actions, condition)
    policy = document(made)
    for finding in lint(made):
        if finding.code != "anded-null" or "sagemaker:VolumeKmsKey" in finding.keys:
            continue
        for action in finding.actions:
            calls = every_call(action, policy)
            keys = set(finding.keys)
            partly = [call for call in calls if keys & set(call) and not keys <= set(call)]
            assert "allowed" in {verdict(policy, action, call) for call in partly}
