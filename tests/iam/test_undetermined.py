"""Keys and layers that are not known: every possibility is tried, and the question asked."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.iam import Decision, PolicyBundle, Undetermined, evaluate

from .support import ACTION, ALLOW, NOTHING, RESOURCE, decide, document, statement

ISOLATION = "sagemaker:NetworkIsolation"
OMITTED = Undetermined((None, "false"))


def with_deny(condition: dict[str, Any], context: dict[str, Any], **more: Any) -> Decision:
    deny = document(statement("Deny", Sid="Guard", Condition=condition))
    return decide({"identity": [ALLOW], "scps": [[ALLOW, deny]], **more}, context)


def test_a_boolean_omitted_or_false() -> None:
    decision = with_deny({"Bool": {ISOLATION: "false"}}, {ISOLATION: OMITTED})
    assert decision.verdict == "depends"
    assert decision.question == f'Is {ISOLATION} absent or "false" in this request?'
    allowed, denied = decision.outcomes
    assert (allowed.verdict, allowed.when) == ("allowed", f"{ISOLATION} is absent")
    assert (denied.verdict, denied.when) == ("explicitly-denied", f'{ISOLATION} is "false"')
    assert str(denied) == f'explicitly-denied if {ISOLATION} is "false"'
    (found,) = decision.statements
    assert (found.layer, found.sid, found.index) == ("scp:0", "Guard", 0)


def test_what_changes_nothing_is_not_asked() -> None:
    closed = with_deny({"BoolIfExists": {ISOLATION: "false"}}, {ISOLATION: OMITTED})
    assert closed.verdict == "explicitly-denied"
    assert closed.question is None
    assert with_deny({"Bool": {ISOLATION: "true"}}, {ISOLATION: OMITTED}).verdict == "allowed"
    assert with_deny({"Bool": {"a:b": "true"}}, {ISOLATION: Undetermined()}).verdict == "allowed"


def test_a_single_candidate_is_known() -> None:
    for candidates, verdict in ((("false",), "explicitly-denied"), ((None, None), "allowed")):
        context = {ISOLATION: Undetermined(candidates)}
        assert with_deny({"Bool": {ISOLATION: "false"}}, context).verdict == verdict


def test_the_callers_question_is_asked() -> None:
    question = "Does SageMaker send NetworkIsolation when the field is omitted?"
    context = {ISOLATION: Undetermined((None, "false"), question)}
    assert with_deny({"Bool": {ISOLATION: "false"}}, context).question == question


def test_a_request_denied_either_way_is_denied() -> None:
    deny = document(statement("Deny", Condition={"Bool": {ISOLATION: "false"}}))
    decision = decide({"identity": [deny]}, {ISOLATION: OMITTED})
    assert decision.verdict == "implicitly-denied"
    assert [each.verdict for each in decision.outcomes] == [
        "implicitly-denied",
        "explicitly-denied",
    ]


def test_only_the_deciding_key_is_asked_about() -> None:
    condition = {"Bool": {ISOLATION: "false"}, "StringEquals": {"a:b": ["x", "y"]}}
    context = {"a:b": Undetermined(("x", "y")), ISOLATION: OMITTED}
    decision = with_deny(condition, context)
    assert decision.verdict == "depends"
    assert decision.question == f'Is {ISOLATION} absent or "false" in this request?'


def test_several_keys_and_candidates() -> None:
    condition = {"Bool": {ISOLATION: "false"}, "Null": {"a:subnets": "true"}}
    context = {ISOLATION: OMITTED, "a:Subnets": Undetermined((None, ["s-1", "s-2"]))}
    decision = with_deny(condition, context)
    assert decision.verdict == "depends"
    assert decision.question == (
        f'Is {ISOLATION} absent or "false" in this request, '
        "and is a:Subnets absent or [s-1, s-2] in this request?"
    )


def test_anything_may_be_absent_too() -> None:
    key = "aws:SourceVpce"
    assert with_deny({"StringNotEquals": {key: "vpce-1"}}, {key: Undetermined()}).verdict == (
        "depends"
    )
    decision = with_deny({"Null": {key: "true"}}, {key: Undetermined()})
    assert decision.verdict == "depends"
    assert decision.question == "What is aws:SourceVpce, if this request has it?"
    both = document(
        statement("Deny", Condition={"Null": {key: "true"}}),
        statement("Deny", Condition={"Null": {key: "false"}}),
    )
    bundle = {"identity": [ALLOW, both]}
    assert decide(bundle, {key: Undetermined()}).verdict == "explicitly-denied"


def test_an_unknown_value_leaves_false_false() -> None:
    condition = {"StringEquals": {"a:b": "x", "a:c": "y"}}
    assert with_deny(condition, {"a:b": "z", "a:c": Undetermined()}).verdict == "allowed"
    sure = {"identity": [ALLOW, document(statement("Deny"))]}
    assert decide(sure, {"a:c": Undetermined()}).verdict == "explicitly-denied"


def test_an_unknown_variable() -> None:
    mine = statement(Resource=f"{RESOURCE[:-1]}${{aws:PrincipalTag/team}}")
    tag = "aws:PrincipalTag/team"
    bundle = {"identity": [document(mine)]}
    assert decide(bundle, {tag: Undetermined(("a", "b"))}).verdict == "depends"
    assert decide(bundle, {tag: Undetermined(("c", "b"))}).verdict == "implicitly-denied"
    decision = decide(bundle, {tag: Undetermined()})
    assert decision.verdict == "depends"
    assert decision.question == f"What is {tag}, if this request has it?"


def test_more_combinations_than_are_tried() -> None:
    keys = [f"a:k{number}" for number in range(40)]
    deny = {"StringEquals": dict.fromkeys(keys, "x")}
    context = {key: Undetermined(("x", "y")) for key in keys}
    assert with_deny(deny, context).verdict == "depends"
    assert with_deny(deny, {**context, "a:k7": "z"}).verdict == "allowed"
    assert with_deny({"Null": {keys[3]: "false"}}, context).verdict == "explicitly-denied"
    many = {keys[0]: Undetermined([str(number) for number in range(1000)])}
    assert with_deny(deny | {"StringEquals": {keys[0]: "999"}}, many).verdict == "depends"


# ---------------------------------------------------------------- unread layers


@pytest.mark.parametrize("layer", ["scps", "boundary", "session", "scp:1", "rcps"])
def test_an_unread_layer_makes_an_allow_depend(layer: str) -> None:
    decision = decide({"identity": [ALLOW], "unread": [layer]})
    assert decision.verdict == "depends"
    assert decision.question is not None
    assert "which could not be read, allow this request?" in decision.question
    assert [each.verdict for each in decision.outcomes] == ["allowed", "explicitly-denied"]


def test_an_unread_layer_leaves_denials() -> None:
    assert decide({"identity": [NOTHING], "unread": ["scps"]}).verdict == "implicitly-denied"
    deny = document(statement("Deny"))
    for layer in ("scps", "identity"):
        bundle = {"identity": [ALLOW, deny], "unread": [layer]}
        assert decide(bundle).verdict == "explicitly-denied"


def test_unread_identity_policies_may_allow() -> None:
    decision = decide({"unread": ["identity"]})
    assert decision.verdict == "depends"
    assert decision.question == (
        "Do the identity policies, which could not be read, allow this request?"
    )
    refused = {"unread": ["identity"], "scps": [[NOTHING]]}
    assert decide(refused).verdict == "implicitly-denied"


def test_a_principal_may_have_unread_layers_of_its_own() -> None:
    bundle = PolicyBundle.from_dict(
        {"principals": {"arn:r": {"identity": [ALLOW], "unread": ["boundary"]}}}
    )
    assert evaluate(bundle, ACTION, RESOURCE, {}).verdict == "depends"
