"""Layers: every one must allow, a Deny in any wins, and the answer names statements and layers."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.iam import PolicyBundle, PolicyError, evaluate

from .support import ACTION, ALLOW, NOTHING, RESOURCE, decide, document, statement

DENY = document(statement("Deny", Sid="NoJobs", Action="sagemaker:Create*"))
ROLE = "arn:aws:iam::123456789012:role/team/red"
OTHER = "arn:aws:iam::123456789012:role/blue"


def test_an_allow_of_every_layer_allows() -> None:
    bundle = {"identity": [ALLOW], "boundary": [ALLOW], "session": [ALLOW]}
    decision = decide({**bundle, "scps": [[ALLOW], [ALLOW]]})
    assert decision.verdict == "allowed"
    layers = [each.layer for each in decision.statements]
    assert layers == ["identity", "boundary", "session", "scp:0", "scp:1"]


@pytest.mark.parametrize(
    ("bundle", "layer"),
    [
        ({"identity": [NOTHING], "scps": [[ALLOW]]}, "identity"),
        ({"scps": [[ALLOW]]}, "identity"),
        ({"identity": [ALLOW], "boundary": [NOTHING]}, "boundary"),
        ({"identity": [ALLOW], "session": [NOTHING]}, "session"),
        ({"identity": [ALLOW], "scps": [[NOTHING], [ALLOW]]}, "scp:0"),
        ({"identity": [ALLOW], "scps": [[ALLOW], []]}, "scp:1"),
    ],
)
def test_a_layer_without_an_allow_is_named(bundle: dict[str, Any], layer: str) -> None:
    decision = decide(bundle)
    assert decision.verdict == "implicitly-denied"
    (found,) = decision.statements
    assert (found.layer, found.index, found.sid) == (layer, -1, None)
    assert found.why == f"no statement of {layer} allows {ACTION}"


@pytest.mark.parametrize(
    ("bundle", "layer"),
    [
        ({"identity": [ALLOW, DENY]}, "identity"),
        ({"identity": [ALLOW], "boundary": [ALLOW, DENY]}, "boundary"),
        ({"identity": [ALLOW], "session": [ALLOW, DENY]}, "session"),
        ({"identity": [ALLOW], "scps": [[ALLOW], [ALLOW, DENY]]}, "scp:1"),
        ({"identity": [NOTHING], "scps": [[DENY]]}, "scp:0"),
    ],
)
def test_a_deny_of_any_layer_wins_and_is_named(bundle: dict[str, Any], layer: str) -> None:
    decision = decide(bundle)
    assert decision.verdict == "explicitly-denied"
    (found,) = decision.statements
    assert (found.layer, found.sid, found.index) == (layer, "NoJobs", 0)
    assert found.why == f"denies {ACTION}: it has no condition"


def test_every_deny_is_reported() -> None:
    second = document(statement(), statement("Deny", NotAction="iam:*"))
    decision = decide({"identity": [DENY, second], "scps": [[DENY]]})
    places = [(each.layer, each.policy, each.index) for each in decision.statements]
    assert places == [("identity", "identity[0]", 0), ("identity", "identity[1]", 1),
                      ("scp:0", "scp:0[0]", 0)]  # fmt: skip


def test_documents_of_a_layer_unite() -> None:
    jobs = document(statement(Action="sagemaker:*"))
    keys = document(statement(Action="kms:*"))
    assert decide({"identity": [keys, jobs], "scps": [[keys, jobs]]}).verdict == "allowed"
    assert decide({"identity": [jobs], "scps": [[jobs], [keys]]}).verdict == "implicitly-denied"


def test_no_boundary_and_no_session_are_no_layers() -> None:
    for none in (None, []):
        bundle = {"identity": [ALLOW], "boundary": none, "session": none, "scps": none}
        assert decide(bundle).verdict == "allowed"


def test_the_nearest_unmet_allow_says_what_is_missing() -> None:
    far = statement(Sid="Far", Condition={"Bool": {"a:b": "true"}, "Null": {"a:c": "false"}})
    near = statement(
        Sid="Near", Condition={"StringEquals": {"a:d": "x"}, "StringLike": {"a:e": ["y*", "z"]}}
    )
    elsewhere = statement(Sid="Elsewhere", Resource="arn:aws:s3:::b")
    decision = decide({"identity": [document(far, elsewhere, near)]}, {"A:D": "x", "a:e": "no"})
    (found,) = decision.statements
    assert (found.sid, found.index) == ("Near", 2)
    assert found.why == f"would allow {ACTION}, but a:e is no (StringLike y*, z)"
    (why,) = found.conditions
    assert (why.operator, why.key, why.wanted, why.found) == (
        "StringLike",
        "a:e",
        ["y*", "z"],
        "no",
    )


def test_an_allow_for_other_resources_says_so() -> None:
    bucket = document(statement(Resource="arn:aws:s3:::bucket/*"))
    (found,) = decide({"identity": [bucket]}).statements
    assert found.why == f"would allow {ACTION}, but {RESOURCE} is not among its resources"


def test_a_deny_says_what_it_found() -> None:
    deny = statement("Deny", Condition={"Null": {"sagemaker:VpcSubnets": "true"}})
    (found,) = decide({"identity": [ALLOW], "scps": [[ALLOW, document(deny)]]}).statements
    assert found.why == f"denies {ACTION}: sagemaker:VpcSubnets is absent (Null true)"


def test_values_of_tags_are_not_shown() -> None:
    deny = statement("Deny", Condition={"StringLike": {"aws:RequestTag/owner": "*"}})
    context = {"aws:RequestTag/owner": "s3cret-value"}
    decision = decide({"identity": [ALLOW, document(deny)]}, context)
    assert decision.verdict == "explicitly-denied"
    assert "s3cret-value" not in repr(decision.to_dict())


def test_a_decision_is_plain_json() -> None:
    made = decide({"identity": [DENY]}).to_dict()
    assert made["verdict"] == "explicitly-denied"
    assert made["statements"][0]["layer"] == "identity"
    assert made["question"] is None


# ---------------------------------------------------------------- the bundle


def several(context: dict[str, Any]) -> str:
    bundle = PolicyBundle.from_dict(
        {
            "schema": "secure-ml/policies@1",
            "principals": {ROLE: {"identity": [ALLOW], "boundary": None}, OTHER: {"identity": []}},
            "scps": [[ALLOW]],
        }
    )
    assert bundle.principals == [ROLE, OTHER]
    return evaluate(bundle, ACTION, RESOURCE, context).verdict


def test_the_principal_chooses() -> None:
    assert several({"aws:PrincipalArn": ROLE}) == "allowed"
    assert several({"AWS:principalarn": OTHER}) == "implicitly-denied"


def test_an_assumed_role_is_its_role() -> None:
    sts = "arn:aws:sts::{}:assumed-role/{}/session"
    assert several({"aws:PrincipalArn": sts.format("123456789012", "red")}) == "allowed"
    assert several({"aws:PrincipalArn": sts.format("123456789012", "blue")}) == "implicitly-denied"
    assert several({"aws:PrincipalArn": sts.format("210987654321", "red")}) == "depends"


def test_a_principal_that_is_not_in_the_bundle_is_unread() -> None:
    for context in ({"aws:PrincipalArn": ROLE + "der"}, {}):
        assert several(context) == "depends"


def test_scps_deny_whoever_asks() -> None:
    bundle = {"principals": {ROLE: {"identity": [ALLOW]}}, "scps": [[DENY]]}
    assert decide(bundle, {"aws:PrincipalArn": OTHER}).verdict == "explicitly-denied"


def test_a_single_principal_needs_no_name() -> None:
    assert decide({"principals": {ROLE: {"identity": [ALLOW]}}}).verdict == "allowed"


def test_for_principal_gives_the_bundle_of_one() -> None:
    bundle = PolicyBundle.from_dict(
        {"principals": {ROLE: {"identity": [ALLOW]}, OTHER: {"identity": []}}}
    )
    one = bundle.for_principal(OTHER)
    assert evaluate(one, ACTION, RESOURCE, {}).verdict == "implicitly-denied"
    assert evaluate(bundle.for_principal(ROLE), ACTION, RESOURCE, {}).verdict == "allowed"
    assert evaluate(bundle.for_principal("nobody"), ACTION, RESOURCE, {}).verdict == "depends"


@pytest.mark.parametrize(
    ("bundle", "message"),
    [
        ({"scp": [[DENY]]}, "the bundle has a key scp; did you mean scps?"),
        ({"identity": [], "principals": {}}, "principals or identity, not both"),
        ({"scps": [DENY]}, "a list of levels"),
        ({"scps": {}}, "a list of levels"),
        ({"schema": "secure-ml/policies@2"}, "schema is secure-ml/policies@2"),
        ({"principals": {ROLE: {"boundry": []}}}, "did you mean boundary?"),
        ({"principals": []}, "an object of role ARNs"),
        ({"unread": "scps"}, "unread is a list"),
        ({"identity": [3]}, "identity[0]: a document is an object, not a number"),
    ],
)
def test_a_bundle_that_is_none(bundle: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        PolicyBundle.from_dict(bundle)
    assert message in str(caught.value)
