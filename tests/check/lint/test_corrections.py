"""Corrections, held against the evaluator: they do what was meant, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
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
    only,
    statement,
    verdict,
)

SUBNETS, GROUPS = "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds"
ISOLATION = "sagemaker:NetworkIsolation"
TRAFFIC = "sagemaker:InterContainerTrafficEncryption"
VOLUME, OUTPUT = "sagemaker:VolumeKmsKeyArn", "sagemaker:OutputKmsKeyArn"
TYPES = "sagemaker:InstanceTypes"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NETWORK = {SUBNETS: ["subnet-1"], GROUPS: ["sg-1"]}


def fixed(policy: dict[str, Any], code: str) -> dict[str, Any]:
    return corrected(policy, only(lint_documents([("a", policy)]), code))


def test_anded_null_denies_a_request_that_lacks_one_key() -> None:
    policy = document(
        statement(
            "Deny", ["CreateTrainingJob", "CreateModel"], {"Null": dict.fromkeys(NETWORK, "true")}
        )
    )
    after = fixed(policy, "anded-null")
    for action in ("CreateTrainingJob", "CreateModel"):
        for lacking in NETWORK:
            context = {key: value for key, value in NETWORK.items() if key != lacking}
            assert verdict(policy, action, context) == "allowed"  # the defect
            assert verdict(after, action, context) == "explicitly-denied"
        assert verdict(after, action, {}) == "explicitly-denied"
        assert verdict(after, action, NETWORK) == "allowed"


def test_anded_null_of_the_example() -> None:
    policy = dict(read("a", example("secure-mlops-execution-policy")).groups[0].documents[0].value)
    after = fixed(policy, "anded-null")
    job = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/a"
    for action in ("CreateNotebookInstance", "CreateProcessingJob", "CreateModel"):
        for lacking in NETWORK:
            context = {key: value for key, value in NETWORK.items() if key != lacking}
            assert verdict(after, action, context, job) == "explicitly-denied"
        assert verdict(after, action, NETWORK, job) == "allowed"
    # CreateCompilationJob carries neither key: no policy can ask it for a network.
    assert verdict(after, "CreateCompilationJob", {}, job) == "allowed"


@pytest.mark.parametrize("code", ["always-denied", "if-exists-on-missing"])
def test_actions_without_the_key_are_let_go(code: str) -> None:
    operator = "StringNotEquals" if code == "always-denied" else "StringNotEqualsIfExists"
    policy = document(statement("Deny", "Create*", {operator: {ISOLATION: "true"}}))
    after = fixed(policy, code)
    for action in ("CreatePipeline", "CreateEndpoint", "CreateTransformJob"):
        assert verdict(policy, action, {}) == "explicitly-denied"  # the defect
        assert verdict(after, action, {}) == "allowed"
    for action in ("CreateTrainingJob", "CreateModel", "CreateEndpointConfig"):
        assert verdict(after, action, {ISOLATION: "false"}) == "explicitly-denied"
        assert verdict(after, action, {}) == "explicitly-denied"
        assert verdict(after, action, {ISOLATION: "true"}) == "allowed"


def test_bool_by_omission_denies_an_omitted_field() -> None:
    policy = document(
        statement("Deny", ["CreateTrainingJob", "CreateApp"], {"Bool": {ISOLATION: "false"}})
    )
    after = fixed(policy, "bool-by-omission")
    assert verdict(policy, "CreateTrainingJob", {}) == "allowed"  # the defect, if it is absent
    assert verdict(after, "CreateTrainingJob", {}) == "explicitly-denied"
    assert verdict(after, "CreateTrainingJob", {ISOLATION: "false"}) == "explicitly-denied"
    assert verdict(after, "CreateTrainingJob", {ISOLATION: "true"}) == "allowed"
    assert verdict(after, "CreateApp", {}) == "allowed"  # it has no such field


def test_vacuous_for_all_values_demands_the_key() -> None:
    condition = {"ForAllValues:StringEquals": {SUBNETS: ["subnet-1"], GROUPS: ["sg-1"]}}
    names = ["CreateTrainingJob", "CreateUserProfile", "DeleteModel"]
    policy = document(statement("Allow", names, condition, Sid="Network"))
    after = fixed(policy, "vacuous-for-all-values")
    assert [each["Sid"] for each in after["Statement"]] == [
        "Network",
        "NetworkVpcSecurityGroupIdsVpcSubnets",
        "NetworkOthers",
    ]
    assert allowed(policy, "CreateTrainingJob", {})  # the defect
    assert not allowed(after, "CreateTrainingJob", {})
    assert not allowed(after, "CreateTrainingJob", {SUBNETS: ["subnet-1"]})
    assert allowed(after, "CreateTrainingJob", NETWORK)
    assert not allowed(after, "CreateTrainingJob", {**NETWORK, SUBNETS: ["subnet-1", "other"]})
    # Of the two keys a user profile has the groups alone, and DeleteModel none.
    assert allowed(after, "CreateUserProfile", {GROUPS: ["sg-1"]})
    assert not allowed(after, "CreateUserProfile", {})
    assert allowed(after, "DeleteModel", {})


def test_vacuous_for_all_values_over_everything() -> None:
    condition = {
        "ForAllValues:StringEquals": {SUBNETS: ["subnet-1"]},
        "StringEquals": {"aws:PrincipalTag/team": "ml"},
    }
    policy = document(statement("Allow", "sagemaker:*", condition))
    after = fixed(policy, "vacuous-for-all-values")
    team = {"aws:PrincipalTag/team": "ml"}
    assert allowed(after, "DeleteModel", team)
    assert allowed(after, "CreateModel", {**team, SUBNETS: ["subnet-1"]})
    assert not allowed(after, "CreateModel", team)
    # The Deny is for those whom the statement allows; others' policies stay as they are.
    assert verdict(document(after["Statement"][1]), "CreateModel", team) == "explicitly-denied"
    assert verdict(document(after["Statement"][1]), "CreateModel", {}) == "allowed"


def test_undone_by_allow_merges_the_conditions() -> None:
    policy = document(
        statement(
            "Allow", ["CreateTrainingJob", "CreateTransformJob"], {"Null": {VOLUME: "false"}}
        ),
        statement(
            "Allow",
            ["CreateTrainingJob", "CreateModel"],
            {"ForAllValues:StringEqualsIfExists": {SUBNETS: ["subnet-1"]}},
        ),
    )
    after = fixed(policy, "undone-by-allow")
    assert allowed(policy, "CreateTrainingJob", {})  # the defect
    assert not allowed(after, "CreateTrainingJob", {})
    assert allowed(after, "CreateTrainingJob", {VOLUME: KEY, SUBNETS: ["subnet-1"]})
    assert not allowed(after, "CreateTrainingJob", {VOLUME: KEY, SUBNETS: ["other"]})
    assert allowed(after, "CreateTransformJob", {VOLUME: KEY})
    assert not allowed(after, "CreateTransformJob", {})
    assert allowed(after, "CreateModel", {})


@pytest.mark.parametrize(
    ("condition", "passes", "fails"),
    [
        ({"Null": {VOLUME: "false"}}, {VOLUME: KEY}, {}),
        ({"Bool": {TRAFFIC: "true"}}, {TRAFFIC: "true"}, {}),
        ({"Bool": {TRAFFIC: "true"}}, {TRAFFIC: "true"}, {TRAFFIC: "false"}),
        ({"BoolIfExists": {TRAFFIC: "true"}}, {}, {TRAFFIC: "false"}),
        ({"StringEquals": {VOLUME: KEY}}, {VOLUME: KEY}, {}),
        ({"ArnLikeIfExists": {VOLUME: "arn:aws:kms:*:*:key/*"}}, {}, {VOLUME: "arn:x:y:z:1:k"}),
        ({"StringNotEquals": {VOLUME: KEY}}, {}, {VOLUME: KEY}),
        ({"ForAnyValue:StringLike": {TYPES: "ml.m5.*"}}, {TYPES: ["ml.m5.large"]}, {}),
        ({"ForAllValues:StringLike": {TYPES: "ml.m5.*"}}, {}, {TYPES: ["ml.m5.large", "x"]}),
        (
            {"NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": "3600"}},
            {"sagemaker:MaxRuntimeInSeconds": "3600"},
            {"sagemaker:MaxRuntimeInSeconds": "3601"},
        ),
        (
            {"NumericLessThan": {"sagemaker:MaxRuntimeInSeconds": 3600}},
            {"sagemaker:MaxRuntimeInSeconds": "3599"},
            {},
        ),
        (
            {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
            {"aws:SourceIp": "10.1.1.1"},
            {"aws:SourceIp": "192.168.1.1"},
        ),
    ],
)
def test_undone_by_an_allow_of_everything_is_kept_by_a_deny(
    condition: Any, passes: Any, fails: Any
) -> None:
    policy = document(
        statement("Allow", "CreateTrainingJob", condition, Sid="Narrow"),
        statement("Allow", "sagemaker:*"),
    )
    after = fixed(policy, "undone-by-allow")
    assert allowed(policy, "CreateTrainingJob", fails)  # the defect
    assert allowed(after, "CreateTrainingJob", passes)
    assert not allowed(after, "CreateTrainingJob", fails)
    assert allowed(after, "CreateModel", {})
    assert len({each.get("Sid") for each in after["Statement"]}) == len(after["Statement"])


def test_deprecated_key_reads_the_new_name() -> None:
    policy = document(
        statement("Deny", "CreateTrainingJob", {"Null": {"sagemaker:VolumeKmsKey": "true"}})
    )
    after = fixed(policy, "deprecated-key")
    assert verdict(policy, "CreateTrainingJob", {VOLUME: KEY}) == "explicitly-denied"  # the defect
    assert verdict(after, "CreateTrainingJob", {VOLUME: KEY}) == "allowed"
    assert verdict(after, "CreateTrainingJob", {}) == "explicitly-denied"


def test_deprecated_key_with_an_id() -> None:
    policy = document(
        statement(
            "Deny",
            "CreateTrainingJob",
            {"StringNotEquals": {"sagemaker:VolumeKmsKey": KEY.rpartition("/")[2]}},
        )
    )
    after = fixed(policy, "deprecated-key")
    assert verdict(after, "CreateTrainingJob", {VOLUME: KEY}) == "allowed"
    assert verdict(after, "CreateTrainingJob", {VOLUME: KEY[:-1] + "0"}) == "explicitly-denied"


def test_unsatisfiable_local_disk_exempts_those_types_and_no_others() -> None:
    policy = document(
        statement(
            "Deny", ["CreateTrainingJob", "CreateNotebookInstance"], {"Null": {VOLUME: "true"}}
        )
    )
    after = fixed(policy, "unsatisfiable-local-disk")
    for types in (["ml.g5.xlarge"], ["ml.p4d.24xlarge"], ["ml.g5.xlarge", "ml.m5.large"]):
        # SageMaker refuses a key for these, and the policy refused them without one.
        assert verdict(policy, "CreateTrainingJob", {TYPES: types}) == "explicitly-denied"
        assert verdict(after, "CreateTrainingJob", {TYPES: types}) == "allowed"
    for types in (["ml.m5.large"], ["ml.g5x.large"], None):
        context = {TYPES: types} if types else {}
        assert verdict(after, "CreateTrainingJob", context) == "explicitly-denied"
        assert verdict(after, "CreateTrainingJob", {**context, VOLUME: KEY}) == "allowed"
    # A notebook instance takes a key on every type.
    notebook = {TYPES: ["ml.g5.xlarge"]}
    assert verdict(after, "CreateNotebookInstance", notebook) == "explicitly-denied"


def test_unsatisfiable_local_disk_in_an_allow() -> None:
    policy = document(
        statement(
            "Allow", "CreateTrainingJob", {"Null": {VOLUME: "false"}, "Bool": {ISOLATION: "true"}}
        )
    )
    after = fixed(policy, "unsatisfiable-local-disk")
    isolated = {ISOLATION: "true"}
    assert allowed(after, "CreateTrainingJob", {**isolated, TYPES: ["ml.g5.xlarge"]})
    assert not allowed(after, "CreateTrainingJob", {TYPES: ["ml.g5.xlarge"]})
    assert not allowed(after, "CreateTrainingJob", {**isolated, TYPES: ["ml.m5.large"]})
    assert not allowed(after, "CreateTrainingJob", isolated)
    assert allowed(after, "CreateTrainingJob", {**isolated, VOLUME: KEY})


def test_unknown_action_grants_what_was_meant() -> None:
    policy = document(statement("Allow", ["CreateTraningJob", "*Environments"]))
    after = fixed(policy, "unknown-action")
    assert not allowed(policy, "CreateTrainingJob", {})
    assert allowed(after, "CreateTrainingJob", {})


# Round trips

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
