"""Both answers in plain text: IAM's beside the baseline's, and where they differ."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from secure_ml_ext.check import Caller, check_request
from secure_ml_ext.check.records import Iam, Note, Report, Statement, Subject
from secure_ml_ext.check.text import (
    calm_line,
    difference,
    is_calm,
    note_lines,
    quiet_text,
    reason,
    report_text,
    statement_name,
    subject_lines,
)

from .requests import ACCOUNT, PROFILE, REGION, ROLE, bundle, deny, training

CALLER = Caller(account=ACCOUNT, region=REGION, role_arn=ROLE)
NO_VPC = deny("DenyNoVpc", {"Null": {"sagemaker:VpcSubnets": "true"}})


def checked(policies: dict[str, Any] | None, **changes: Any) -> Subject:
    report = check_request(
        "CreateTrainingJob",
        training(**changes),
        profile=PROFILE,
        bundle=policies,
        caller=CALLER,
        kind="pipeline-step",
        where="step Train",
    )
    return report.subjects[0]


def test_the_statement_stands_beside_the_verdict() -> None:
    # The request lacks a VPC: scp:1 denies it, and the baseline's training-vpc fails; the answers
    # agree, so no difference is named. The action is not repeated: the headline has it.
    lines = list(subject_lines(checked(bundle(NO_VPC), VpcConfig=None)))
    assert lines[:2] == [
        '✕ IAM would deny this    scp:1 "DenyNoVpc" · sagemaker:VpcSubnets is absent (Null true)',
        "✕ VPC                    no subnets or security groups  error",
    ]


@pytest.mark.parametrize(
    ("policies", "changes", "said"),
    [
        # All is in order, and a Deny without a condition stands against it.
        (bundle(deny("Never")), {}, "IAM denies it, the baseline has no objection"),
        (
            bundle(deny("Never")),
            {"EnableNetworkIsolation": None},  # a warning of the baseline
            "IAM denies it, the baseline only warns",
        ),
        (bundle(), {"VpcConfig": None}, "IAM allows it, the baseline does not"),
        (bundle(), {"EnableNetworkIsolation": None}, "IAM allows it, the baseline warns"),
        (bundle(), {}, None),
        (bundle(NO_VPC), {"VpcConfig": None}, None),
        (None, {"VpcConfig": None}, None),  # there is one answer only
    ],
)
def test_where_the_answers_differ_it_is_said(
    policies: dict[str, Any] | None, changes: dict[str, Any], said: str | None
) -> None:
    subject = checked(policies, **changes)
    assert difference(subject) == said
    if said is not None:
        assert said in "\n".join(subject_lines(subject))


def test_an_open_answer_differs_from_both() -> None:
    # Whether an omitted boolean is sent as "false" is not documented: the Deny may apply.
    plain = deny("DenyPlain", {"Bool": {"sagemaker:InterContainerTrafficEncryption": "false"}})
    subject = checked(bundle(plain), EnableInterContainerTrafficEncryption=None)
    assert subject.iam.verdict == "depends"
    assert difference(subject) == "IAM may allow it, the baseline does not"


def test_reasons_keep_what_the_headline_does_not_say() -> None:
    def why(text: str) -> str:
        return reason(Statement("scp:1", "p", "S", 0, text), "CreateTrainingJob")

    assert why("denies sagemaker:CreateTrainingJob: it has no condition") == "it has no condition"
    assert why("would deny sagemaker:CreateTrainingJob: k is absent") == "k is absent"
    for text in (
        "denies sagemaker:CreateTrainingJob on arn:aws:x: it has no condition",
        "denies iam:PassRole: it has no condition",
        "no statement of identity allows sagemaker:CreateTrainingJob",
    ):
        assert why(text) == text


@pytest.mark.parametrize(
    ("policy", "sid", "index", "name"),
    [
        ("guardrails", "DenyNoVpc", 0, 'identity "DenyNoVpc"'),
        ("guardrails", None, 2, "identity guardrails statement 2"),
        ("identity[0]", None, 2, "identity[0] statement 2"),
        ("identity[0]", None, -1, "identity[0]"),
        ("", None, -1, "identity"),
    ],
)
def test_how_a_statement_is_called(policy: str, sid: str | None, index: int, name: str) -> None:
    assert statement_name(Statement("identity", policy, sid, index, "")) == name


def test_calm_subjects_are_counted_in_one_line() -> None:
    allowed = checked(bundle())
    unasked = checked(None)
    assert calm_line([allowed]) == "✓ 1 step compliant, allowed by IAM: step Train"
    assert calm_line([allowed, unasked]) == "✓ 2 steps compliant: step Train; step Train"


def test_what_has_something_to_say_is_not_counted_among_the_calm() -> None:
    calm = checked(bundle())
    assert is_calm(calm)
    assert not is_calm(checked(bundle(), VpcConfig=None))
    assert not is_calm(checked(bundle(deny("Never"))))
    noted = replace(calm, note="The SDK added this step.")
    assert not is_calm(noted)
    assert quiet_text(noted) == (
        "✓ CreateTrainingJob abalone-1 compliant, allowed by IAM (step Train)"
        " · The SDK added this step."
    )


def test_notes_stand_below_with_their_place() -> None:
    report = Report.of(
        [checked(None)], [Note("nothing to check", "step Notify", "p.json"), Note("empty")]
    )
    assert list(note_lines(report)) == ["– p.json step Notify: nothing to check", "– empty"]
    assert report_text(report, width=96).splitlines()[1:3] == list(note_lines(report))


def test_iam_alone_is_no_reason_for_a_row_where_it_was_not_asked() -> None:
    subject = checked(None, VpcConfig=None)
    assert subject.iam == Iam()
    assert not any("IAM" in line for line in subject_lines(subject))
