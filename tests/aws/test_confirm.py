"""A second opinion: what IAM's simulator is asked, what it answers, and where it differs.

The embedded simulator is our own evaluator behind IAM's wire format: agreement here proves the
format. A fault with a ``decision`` makes it disagree.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_ml_ext.aws import simulate
from secure_ml_ext.aws.confirm import confirm
from secure_ml_ext.aws.policies_export import export
from secure_ml_ext.aws.simulate import Matched
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.iam import PolicyError, Undetermined

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role"
JOB = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:training-job/abalone"
TRAIN = "sagemaker:CreateTrainingJob"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-aaaa-4aaa-8aaa-111111111111"
COMPLIANT: dict[str, Any] = {
    "aws:PrincipalArn": ROLE,
    "sagemaker:VpcSubnets": ["subnet-1", "subnet-2"],
    "sagemaker:VpcSecurityGroupIds": ["sg-1"],
    "sagemaker:VolumeKmsKeyArn": KEY,
    "sagemaker:OutputKmsKeyArn": KEY,
    "sagemaker:InterContainerTrafficEncryption": True,
    "sagemaker:MaxRuntimeInSeconds": 3600,
}
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(name: str, *statements: Any) -> dict[str, Any]:
    return {"name": name, "document": {"Version": "2012-10-17", "Statement": list(statements)}}


@pytest.fixture
def bundle(aws: Embedded) -> dict[str, Any]:
    """The demo's own bundle, exported."""
    exported = export([ROLE]).bundle
    aws.reset_log()
    return exported


def test_both_allow(aws: Embedded, bundle: dict[str, Any]) -> None:
    found = confirm(bundle, ROLE, TRAIN, JOB, COMPLIANT)
    assert (found.verdict, found.ours, found.disagreement) == ("allowed", "allowed", None)
    # What allows: the second document's first statement, and the boundary's only one.
    assert found.matched == [
        Matched("identity", "sagemaker", None, 0),
        Matched("boundary", "sm-mlops-dev-boundary", "Workloads", 0),
    ]
    assert (found.error, found.skipped, found.notes, found.calls) == (None, None, [], 1)
    assert len(aws.requests(operation="SimulateCustomPolicy")) == 1


def test_a_denial_by_the_organisation(aws: Embedded, bundle: dict[str, Any]) -> None:
    """The simulator names no statement of a service control policy, only that they deny."""
    context = {**COMPLIANT, "sagemaker:VpcSubnets": None}
    found = confirm(bundle, ROLE, TRAIN, JOB, context)
    assert (found.verdict, found.ours) == ("explicitly-denied", "explicitly-denied")
    assert (found.matched, found.disagreement) == ([], None)


def test_the_statement_is_found_by_its_place(aws: Embedded) -> None:
    """Letters beyond Latin-1, colons and brackets before the statement move nothing."""
    first = {**ALLOW, "Sid": "Ωmega", "Resource": "arn:aws:s3:::{[}]"}
    deny = {"Sid": "NoModels", "Effect": "Deny", "Action": "sagemaker:CreateModel",
            "Resource": "*"}  # fmt: skip
    bundle = {"identity": [document("a", ALLOW), document("b", first, deny, ALLOW)]}
    found = confirm(bundle, None, "sagemaker:CreateModel", "*", {})
    assert found.matched == [Matched("identity", "b", "NoModels", 1)]
    assert found.verdict == "explicitly-denied"
    as_text = json.dumps(bundle["identity"][1]["document"])
    found = confirm({"identity": [ALLOWED, as_text]}, None, "sagemaker:CreateModel", "*", {})
    assert found.matched == [Matched("identity", "identity[1]", "NoModels", 1)]


ALLOWED = document("allowed", ALLOW)


@pytest.mark.parametrize("shift", [(0, 0), (-1, 1), (1, 0), (-2, -1)])
def test_a_place_that_is_counted_otherwise_names_the_same_statement(
    shift: tuple[int, int],
) -> None:
    """AWS does not say whether columns begin at 0 or 1, or whether the end belongs to it."""
    text = simulate.text_of(document("d", ALLOW, {**ALLOW, "Sid": "Two"}, ALLOW), "d")
    # The second statement has a line of its own, the third: {"Effect" … to its last brace.
    line = text.text.split("\n")[2]
    told = {
        "SourcePolicyId": "PolicyInputList.1",
        "StartPosition": {"Line": 3, "Column": 1 + shift[0]},
        "EndPosition": {"Line": 3, "Column": len(line) + shift[1]},
    }
    result = {"EvalDecision": "allowed", "MatchedStatements": [told]}
    answer = simulate.answer(result, "*", {simulate.IDENTITY: [text]})
    assert answer.matched == [Matched("identity", "d", "Two", 1)]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"SourcePolicyId": "Elsewhere"},
        {"SourcePolicyId": "PolicyInputList.3"},
        {"SourcePolicyId": "PolicyInputList.x"},
    ],
)
def test_a_reference_that_leads_nowhere_is_kept_as_it_is(told: dict[str, Any]) -> None:
    text = simulate.text_of(ALLOWED, "d")
    result = {"EvalDecision": "allowed", "MatchedStatements": [told]}
    (matched,) = simulate.answer(result, "*", {simulate.IDENTITY: [text]}).matched
    assert matched == Matched(None, told.get("SourcePolicyId", ""), None, None)


@pytest.mark.parametrize(
    ("change", "forced", "said"),
    [
        (
            {},
            "implicitDeny",
            "IAM's simulator says implicitly denied, this product says allowed.",
        ),
        (
            {"sagemaker:VolumeKmsKeyArn": None},
            "allowed",
            "IAM's simulator says allowed, this product says explicitly denied by scp:1 "
            "sm-mlops-dev-guardrails DenyNoVolumeKey.",
        ),
    ],
)
def test_a_disagreement_is_one_sentence(
    aws: Embedded, bundle: dict[str, Any], change: dict[str, Any], forced: str, said: str
) -> None:
    aws.fault("iam", "SimulateCustomPolicy", decision=forced)
    found = confirm(bundle, ROLE, TRAIN, JOB, {**COMPLIANT, **change})
    assert found.disagreement == said
    assert found.verdict != found.ours


def test_every_candidate_is_asked(aws: Embedded, bundle: dict[str, Any]) -> None:
    encryption = Undetermined((None, "false"))
    context = {
        **COMPLIANT,
        "sagemaker:InterContainerTrafficEncryption": encryption,
        # No statement reads this one: it is not asked for.
        "sagemaker:NetworkIsolation": Undetermined((None, "false")),
        "sagemaker:RootAccess": Undetermined(),
    }
    found = confirm(bundle, ROLE, TRAIN, JOB, context)
    assert (found.verdict, found.ours, found.calls) == ("depends", "depends", 2)
    assert found.disagreement is None
    aws.fault("iam", "SimulateCustomPolicy", decision="explicitDeny")
    found = confirm(bundle, ROLE, TRAIN, JOB, context)
    assert found.disagreement == (
        "IAM's simulator says explicitly denied, this product says allowed if "
        "sagemaker:InterContainerTrafficEncryption is absent."
    )


def test_what_cannot_be_asked_is_skipped_with_the_reason(
    aws: Embedded, bundle: dict[str, Any]
) -> None:
    nine = {f"sagemaker:{key}": Undetermined((None, "a", "b")) for key in
            ("VpcSubnets", "VpcSecurityGroupIds")}  # fmt: skip
    found = confirm(bundle, ROLE, TRAIN, JOB, {**COMPLIANT, **nine})
    assert found.skipped == (
        "sagemaker:VpcSubnets, sagemaker:VpcSecurityGroupIds may have 9 combinations of values; "
        "the simulator is asked 8 times at most."
    )
    unknown = {**COMPLIANT, "sagemaker:VpcSubnets": Undetermined()}
    found = confirm(bundle, ROLE, TRAIN, JOB, unknown)
    assert found.skipped == "sagemaker:VpcSubnets may have any value, and the simulator needs one."
    other = f"arn:aws:iam::{ACCOUNT}:role/other"
    found = confirm(bundle, other, TRAIN, JOB, COMPLIANT)
    assert found.skipped == f"The bundle has no policies of {other}."
    assert "no identity policy" in (confirm({"scps": []}, None, TRAIN, JOB, {}).skipped or "")
    several = {"identity": [ALLOWED], "boundary": [ALLOWED, ALLOWED]}
    assert "several boundary" in (confirm(several, None, TRAIN, JOB, {}).skipped or "")
    deep = {"identity": [ALLOWED], "scps": [[ALLOWED]] * 8}
    assert "8 levels" in (confirm(deep, None, TRAIN, JOB, {}).skipped or "")
    assert not aws.requests(operation="SimulateCustomPolicy")


def test_what_is_left_out_is_said(aws: Embedded) -> None:
    """A session policy denies, a layer was not read: neither is part of the comparison."""
    deny = document("session", {**ALLOW, "Effect": "Deny"})
    bundle = {"identity": [ALLOWED], "session": [deny], "unread": ["scps"]}
    found = confirm(bundle, None, TRAIN, JOB, {})
    assert (found.verdict, found.ours, found.disagreement) == ("allowed", "allowed", None)
    assert found.notes == [
        "Not read, and left out of the comparison: scps.",
        "The session policy is left out: the simulator takes none.",
    ]


def test_an_old_botocore_cannot_send_service_control_policies(
    aws: Embedded, bundle: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """IAM's model as it was before the member was added, found before the installed one."""
    loader = botocore.session.get_session().get_component("data_loader")
    model = loader.load_service_model("iam", "service-2")
    del model["shapes"]["SimulateCustomPolicyRequest"]["members"][simulate.SCPS]
    old = tmp_path / "models" / "iam" / "2010-05-08" / "service-2.json"
    old.parent.mkdir(parents=True)
    old.write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
    found = confirm(bundle, ROLE, TRAIN, JOB, {**COMPLIANT, "sagemaker:VpcSubnets": None})
    # Without service control policies nothing denies it, here and there.
    assert (found.verdict, found.ours, found.disagreement) == ("allowed", "allowed", None)
    assert "Update botocore" in found.notes[0]


def test_a_session_of_the_role_is_asked_as_the_role(aws: Embedded, bundle: dict[str, Any]) -> None:
    """The simulator takes no session as caller (the embedded one refuses it as IAM does)."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/sm-mlops-dev-execution-role/SageMaker"
    assert confirm(bundle, session, TRAIN, JOB, COMPLIANT).verdict == "allowed"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("AccessDenied", "access-denied"),
        ("Throttling", "throttled"),
        ("InvalidInput", "bad-input"),
        ("PolicyEvaluation", "aws-error"),
    ],
)
def test_a_failure_is_typed(aws: Embedded, bundle: dict[str, Any], code: str, problem: str) -> None:
    aws.fault("iam", "SimulateCustomPolicy", code, times=-1)
    found = confirm(bundle, ROLE, TRAIN, JOB, COMPLIANT)
    assert found.error is not None
    assert found.error.code == problem
    assert (found.verdict, found.disagreement, found.ours) == (None, None, "allowed")
    if code == "AccessDenied":
        assert found.error.action == "iam:SimulateCustomPolicy"
        assert "--part policy-confirm" in found.error.remedy


def test_without_a_way_to_aws() -> None:
    found = confirm({"identity": [ALLOWED]}, None, TRAIN, JOB, {})
    assert found.error is not None
    assert found.error.code == "endpoint-unreachable"


def test_a_bundle_that_cannot_be_evaluated_is_refused_as_everywhere(aws: Embedded) -> None:
    wrong = {"identity": [document("odd", {**ALLOW, "Effect": "deny"})]}
    with pytest.raises(PolicyError, match="odd, statement 0, Effect"):
        confirm(wrong, None, TRAIN, JOB, {})


def test_the_context_goes_with_its_types() -> None:
    entries = simulate.entries(
        {
            "sagemaker:VpcSubnets": ["a", "b"],
            "sagemaker:InstanceTypes": "ml.m5.large",
            "sagemaker:NetworkIsolation": False,
            "sagemaker:MaxRuntimeInSeconds": 3600,
            "sagemaker:VolumeKmsKeyArn": KEY,
            "SageMaker:ROOTACCESS": "Enabled",
            "aws:RequestTag/Team": "fsi",
            "aws:TagKeys": ["Team"],
            "aws:SourceIp": "10.0.0.1",
            "iam:PassedToService": "sagemaker.amazonaws.com",
            "sagemaker:OutputKmsKeyArn": None,
            "sagemaker:VpcSecurityGroupIds": [],
        }
    )
    sent = {e["ContextKeyName"]: (e["ContextKeyType"], e["ContextKeyValues"]) for e in entries}
    assert sent == {
        "sagemaker:VpcSubnets": ("stringList", ["a", "b"]),
        "sagemaker:InstanceTypes": ("stringList", ["ml.m5.large"]),
        "sagemaker:NetworkIsolation": ("boolean", ["false"]),
        "sagemaker:MaxRuntimeInSeconds": ("numeric", ["3600"]),
        "sagemaker:VolumeKmsKeyArn": ("string", [KEY]),
        "SageMaker:ROOTACCESS": ("string", ["Enabled"]),
        "aws:RequestTag/Team": ("string", ["fsi"]),
        "aws:TagKeys": ("stringList", ["Team"]),
        "aws:SourceIp": ("ip", ["10.0.0.1"]),
        "iam:PassedToService": ("string", ["sagemaker.amazonaws.com"]),
    }


SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=12)


OTHERS = st.dictionaries(st.text(max_size=6), st.lists(SCALAR, max_size=3), max_size=4)
STATEMENT = st.dictionaries(st.text(max_size=6), SCALAR, max_size=4)


@given(OTHERS, st.lists(STATEMENT, min_size=1, max_size=5))
def test_the_text_of_a_document_says_the_same_and_where(
    others: dict[str, Any], statements: list[Any]
) -> None:
    written = {**others, "Statement": statements}
    text = simulate.text_of(written, "d")
    assert json.loads(text.text) == written
    assert all(ord(letter) < 127 for letter in text.text)
    for (start, end), statement in zip(text.spans, statements, strict=True):
        assert json.loads(text.text[start:end]) == statement
