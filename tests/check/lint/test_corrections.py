"""Corrections, held against the evaluator: they do what was meant, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.check.lint import lint_documents
from secure_ml_ext.check.lint.sources import read
from tests.check.lint.support import (
    allowed,
    corrected,
    document,
    example,
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
