"""The codes that look beyond one condition: other statements, names, and instance types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.check.lint import CODES, LintFinding, lint_documents
from tests.check.lint.support import codes, document, lint, only, statement

SUBNETS, GROUPS = "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds"
ISOLATION = "sagemaker:NetworkIsolation"
VOLUME = "sagemaker:VolumeKmsKeyArn"
TYPES = "sagemaker:InstanceTypes"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def deny(actions: str | list[str], condition: Any, **more: Any) -> list[LintFinding]:
    return lint(statement("Deny", actions, condition, **more))


def allow(actions: str | list[str], condition: Any = None, **more: Any) -> list[LintFinding]:
    return lint(statement("Allow", actions, condition, **more))


# undone-by-allow


def undone(*statements: dict[str, Any]) -> list[tuple[int | None, list[str], list[str]]]:
    found = [f for f in lint(*statements) if f.code == "undone-by-allow"]
    return [(f.statement.index, f.actions, f.keys) for f in found]


def test_undone_by_allow() -> None:
    narrow = statement("Allow", "CreateTrainingJob", {"Null": {VOLUME: "false"}})
    broad = statement("Allow", "sagemaker:*", Sid="Admin")
    assert undone(narrow, broad) == [(0, ["CreateTrainingJob"], [VOLUME])]
    assert undone(broad, narrow) == [(1, ["CreateTrainingJob"], [VOLUME])]
    (found,) = (f for f in lint(narrow, broad) if f.code == "undone-by-allow")
    assert "statement 1 (Admin) allows CreateTrainingJob without the condition on" in found.message


@pytest.mark.parametrize(
    ("effect", "actions", "condition", "resource"),
    [
        ("Deny", "*", None, "*"),
        ("Allow", "Describe*", None, "*"),
        ("Allow", "*", None, "arn:aws:sagemaker:*:*:training-job/dev-*"),  # elsewhere it holds
        ("Allow", "*", {"Null": {VOLUME: "false"}}, "*"),  # the same demand
        ("Allow", "*", {"StringEquals": {SUBNETS: "subnet-1"}}, "*"),  # a demand of its own
        ("Allow", "*", {"StringEquals": {"aws:PrincipalTag/admin": "true"}}, "*"),  # others
        ("Allow", "*", {"Null": {SUBNETS: "true"}}, "*"),  # divides the requests
        ("Allow", "*", {"StringEquals": {"sagemaker:Nonsense": "x"}}, "*"),  # never applies
        ("Allow", "*", {"StringEquals": {"s3:prefix": "x"}}, "*"),  # never applies
    ],
)
def test_not_undone(effect: str, actions: str, condition: Any, resource: str) -> None:
    narrow = statement("Allow", "CreateTrainingJob", {"Null": {VOLUME: "false"}})
    assert undone(narrow, statement(effect, actions, condition, Resource=resource)) == []


def test_undone_where_the_broader_one_passes_by_omission() -> None:
    narrow = statement("Allow", "CreateTrainingJob", {"Null": {VOLUME: "false"}})
    network = {"ForAllValues:StringEquals": {SUBNETS: ["subnet-1"]}}
    assert undone(narrow, statement("Allow", "CreateTrainingJob", network)) != []
    # The reverse is no matter: whoever has a key may use any network, which statement 1 restricts
    # only for those without one.
    principal = {"StringEquals": {"aws:PrincipalTag/team": "ml"}}
    same = {**narrow, "Condition": {**narrow["Condition"], **principal}}
    assert undone(same, statement("Allow", "sagemaker:*", principal)) != []


def test_undone_is_kept_by_a_deny_on_the_key() -> None:
    narrow = statement("Allow", "CreateTrainingJob", {"Null": {VOLUME: "false"}})
    broad = statement("Allow", "sagemaker:*")
    closed = statement("Deny", "CreateTrainingJob", {"Null": {VOLUME: "true"}})
    assert undone(narrow, broad, closed) == []


def test_undone_across_the_documents_of_one_file_and_not_across_layers() -> None:
    narrow = document(statement("Allow", "CreateTrainingJob", {"Null": {VOLUME: "false"}}))
    broad = document(statement("Allow", "sagemaker:*"))

    def made(content: Any) -> list[str]:
        return [f.code for f in lint_documents([("bundle.json", content)])]

    assert made([narrow, broad]).count("undone-by-allow") == 1
    assert made({"identity": [narrow, broad]}).count("undone-by-allow") == 1
    assert "undone-by-allow" not in made({"identity": [narrow], "boundary": [broad]})
    assert "undone-by-allow" not in made({"identity": [narrow], "scps": [[broad]]})
    principals = {"arn:aws:iam::1:role/a": {"identity": [narrow]}}
    principals["arn:aws:iam::1:role/b"] = {"identity": [broad]}
    assert "undone-by-allow" not in made({"principals": principals})
    # The same name twice is one file; two names are two principals.
    assert [f.code for f in lint_documents([("a", narrow), ("a", broad)])].count(
        "undone-by-allow"
    ) == 1
    assert "undone-by-allow" not in [f.code for f in lint_documents([("a", narrow), ("b", broad)])]


def test_a_deny_of_another_layer_closes_what_is_open() -> None:
    network = {"ForAllValues:StringEquals": {SUBNETS: ["subnet-1"]}}
    identity = document(statement("Allow", "CreateModel", network))
    scp = document(statement("Deny", "CreateModel", {"Null": {SUBNETS: "true"}}))
    bundle = {"identity": [identity], "scps": [[scp]]}
    assert lint_documents([("bundle.json", bundle)]) == []
    assert codes(lint_documents([("bundle.json", {"identity": [identity]})])) == [
        ("vacuous-for-all-values", 0)
    ]


# deprecated-key, unknown-key, unknown-action


def test_deprecated_key_says_what_becomes_of_the_statement() -> None:
    said = {
        ("Deny", "Null", "true"): "this Deny refuses every request",
        ("Deny", "StringEquals", KEY): "this Deny never applies",
        ("Allow", "Null", "false"): "this Allow never applies",
        ("Allow", "StringNotEquals", KEY): "the condition always holds",
    }
    for (effect, operator, value), text in said.items():
        made = lint(
            statement(effect, "CreateAutoMLJob", {operator: {"sagemaker:volumekmskey": value}})
        )
        assert text in only(made, "deprecated-key").message


@pytest.mark.parametrize(
    ("operator", "value", "corrected"),
    [
        ("StringEquals", KEY, {"StringEquals": {VOLUME: KEY}}),
        ("Null", "true", {"Null": {VOLUME: "true"}}),
        # The new key holds an ARN: an id alone would never match again.
        (
            "StringNotEquals",
            ["1234abcd-12ab-34cd-56ef-1234567890ab", KEY],
            {
                "StringNotLike": {
                    VOLUME: ["arn:*:kms:*:*:key/1234abcd-12ab-34cd-56ef-1234567890ab", KEY]
                }
            },
        ),
        (
            "ForAnyValue:StringEqualsIfExists",
            "mrk-1234abcd12ab34cd56ef1234567890ab",
            {
                "ForAnyValue:StringLikeIfExists": {
                    VOLUME: "arn:*:kms:*:*:key/mrk-1234abcd12ab34cd56ef1234567890ab"
                }
            },
        ),
        ("StringEquals", "alias/ours", None),  # which key that is, the policy does not say
    ],
)
def test_deprecated_key_corrected(operator: str, value: Any, corrected: Any) -> None:
    made = deny("CreateAutoMLJob", {operator: {"sagemaker:VolumeKmsKey": value}})
    found = only(made, "deprecated-key")
    assert (found.corrected or {}).get("Condition") == corrected  # type: ignore[union-attr]


def test_both_names_of_a_key_are_right_for_a_time() -> None:
    both = {"Null": {"sagemaker:OutputKmsKey": "true", "sagemaker:OutputKmsKeyArn": "true"}}
    assert deny("CreateTrainingJob", both) == []


def test_the_key_of_a_domains_home_file_system() -> None:
    # Renamed to VolumeKmsKeyArn, but it always was of CreateDomain alone.
    old = {"Null": {"sagemaker:HomeEfsFileSystemKmsKey": "true"}}
    assert codes(deny("CreateDomain", old)) == [("deprecated-key", 0)]
    assert codes(deny("CreateTrainingJob", old)) == [("always-denied", 0), ("deprecated-key", 0)]


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("sagemaker:VpcSubnet", SUBNETS),
        ("sagemaker:EnableNetworkIsolation", ISOLATION),
        ("sagemaker:VolumeKmsKeyId", VOLUME),  # the old name is nearer; the new one is meant
        ("VpcSubnets", SUBNETS),
        ("aws:RequestRegion", "aws:RequestedRegion"),
        ("sagemaker:Nonsense", None),
    ],
)
def test_unknown_key(key: str, near: str | None) -> None:
    found = only(deny("CreateTrainingJob", {"StringLike": {key: "x*"}}), "unknown-key")
    assert found.keys == [key]
    if near is None:
        assert found.corrected is None
    else:
        assert found.corrected["Condition"]["StringLike"] == {near: "x*"}  # type: ignore[index,call-overload]


def test_keys_of_other_services_are_not_judged() -> None:
    assert lint(statement("Deny", "s3:PutObject", {"Null": {"s3:nonsense": "true"}})) != []
    assert codes(lint(statement("Deny", "s3:PutObject", {"Null": {"aws:nonsense": "true"}}))) == [
        ("no-effect", None)
    ]


def test_unknown_action() -> None:
    made = allow(
        [
            "sagemaker:CreateTraningJob",
            "CreateModel",
            "CreateModell",
            "*Environments",
            "s3:Nonsense",
        ]
    )
    found = only(made, "unknown-action")
    assert found.actions == [
        "sagemaker:CreateTraningJob",
        "sagemaker:CreateModell",
        "sagemaker:*Environments",
    ]
    assert found.corrected["Action"] == [  # type: ignore[index,call-overload]
        "sagemaker:CreateTrainingJob",
        "sagemaker:CreateModel",
        "s3:Nonsense",
    ]
    assert found.severity == "warning"


def test_an_operation_that_iam_data_lacks_is_a_note() -> None:
    # In the API, not in the Service Authorization Reference of the data.
    (found,) = deny("CreateInferenceRouter", None)
    assert (found.code, found.severity, found.corrected) == ("unknown-action", "info", None)


# unsatisfiable-local-disk


@pytest.mark.parametrize(
    ("effect", "condition", "found"),
    [
        ("Deny", {"Null": {VOLUME: "true"}}, "warning"),
        ("Deny", {"ArnNotEquals": {VOLUME: KEY}}, "warning"),
        ("Deny", {"ArnNotEqualsIfExists": {VOLUME: KEY}}, "warning"),
        ("Deny", {"ArnEquals": {VOLUME: KEY}}, None),  # forbids a key
        ("Deny", {"Null": {VOLUME: "true", SUBNETS: "true"}}, None),  # a network is enough
        ("Deny", {"Null": {VOLUME: "true", "aws:PrincipalTag/exempt": "true"}}, "warning"),
        ("Allow", {"Null": {VOLUME: "false"}}, "warning"),
        ("Allow", {"ArnLike": {VOLUME: KEY}}, "warning"),
        ("Allow", {"ArnLikeIfExists": {VOLUME: KEY}}, None),
        # Instance types without local disks only: m5d is another family than m5.
        ("Allow", {"Null": {VOLUME: "false"}, "StringLike": {TYPES: "ml.m5.*"}}, None),
        (
            "Allow",
            {"Null": {VOLUME: "false"}, "ForAnyValue:StringLike": {TYPES: "ml.g5.*"}},
            "warning",
        ),
        # An exemption of some families: whoever wrote it knows the matter.
        (
            "Deny",
            {"Null": {VOLUME: "true"}, "ForAllValues:StringNotLike": {TYPES: ["ml.g5.*", "ml.p*"]}},
            "info",
        ),
        # By size.
        (
            "Deny",
            {"Null": {VOLUME: "true"}, "ForAllValues:StringNotEquals": {TYPES: ["ml.g5.48xlarge"]}},
            "info",
        ),
    ],
)  # fmt: skip
def test_unsatisfiable_local_disk(effect: str, condition: Any, found: str | None) -> None:
    made = lint(statement(effect, "CreateTrainingJob", condition))
    severity = {f.code: f.severity for f in made}.get("unsatisfiable-local-disk")
    assert severity == found


def test_unsatisfiable_only_where_such_types_are_allowed_at_all() -> None:
    demand = statement("Deny", "CreateTrainingJob", {"Null": {VOLUME: "true"}})
    only_m5 = statement(
        "Deny", "Create*", {"ForAnyValue:StringNotLike": {TYPES: ["ml.m5.*", "ml.c5.*"]}}
    )
    assert lint(demand, only_m5) == []
    no_g = statement("Deny", "Create*", {"ForAnyValue:StringLike": {TYPES: ["ml.g*"]}})
    (found,) = lint(demand, no_g)
    assert "ml.g5" not in found.message
    patterns = found.corrected["Condition"]["ForAllValues:StringNotLike"][TYPES]  # type: ignore[index,call-overload]
    assert "ml.p4d.*" in patterns
    assert not [each for each in patterns if each.startswith("ml.g")]


# the whole


def test_every_code_has_a_case_here() -> None:
    here = Path(__file__)
    names = ("test_codes.py", "test_codes_beside.py", "test_sources.py")
    texts = [here.with_name(name).read_text("utf-8") for name in names]
    assert not [code for code in CODES if code not in "".join(texts)]


def test_a_policy_of_several_principals_speaks_once() -> None:
    policy = {
        "name": "isolation",
        "document": document(statement("Deny", "CreateModel", {"Bool": {ISOLATION: "false"}})),
    }
    roles = {f"arn:aws:iam::1:role/{name}": {"identity": [policy]} for name in "abc"}
    found = lint_documents([("bundle.json", {"principals": roles})])
    assert [(f.code, f.document) for f in found] == [("bool-by-omission", "isolation")]
