"""The guard with a policy bundle: IAM's answer decides with the baseline's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.aws import policies as aws_policies
from secure_ml_ext.guard import RequestBlocked
from secure_ml_ext.guard.inline import html, text
from secure_ml_ext.rules import Config

from .conftest import Shown, compliant, training

MakeGuard = Callable[..., Any]
Created = Callable[[], list[dict[str, Any]]]
ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def deny(sid: str, condition: Any) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Action": "sagemaker:CreateTrainingJob",
        "Resource": "*",
        "Condition": condition,
    }


@pytest.fixture
def policies(tmp_path: Path) -> Callable[..., Config]:
    """Write a bundle whose organisation denies by these statements; return the configuration."""

    def write(*statements: dict[str, Any], **config: Any) -> Config:
        scp = {"Version": "2012-10-17", "Statement": [ALL["Statement"], *statements]}
        place = tmp_path / "bundle.json"
        place.write_text(json.dumps({"identity": [ALL], "scps": [[ALL], [scp]]}))
        aws_policies.forget()
        return Config(policies=str(place), **config)

    return write


ISOLATE = deny("Isolate", {"BoolIfExists": {"sagemaker:NetworkIsolation": "false"}})


def test_an_explicit_deny_blocks_what_the_baseline_lets_pass(
    policies: Callable[..., Config],
    make_guard: MakeGuard,
    sagemaker: Any,
    created: Created,
    shown: Shown,
) -> None:
    """Isolation is a warning of the baseline, and a Deny here."""
    make_guard("block", config=policies(ISOLATE))
    request = compliant()
    request["EnableNetworkIsolation"] = False
    with pytest.raises(RequestBlocked) as blocked:
        sagemaker.create_training_job(**request)
    assert created() == []
    assert 'IAM would deny this  scp:1 "Isolate"' in str(blocked.value)
    (card,) = shown.cards
    assert card.report.subjects[0].iam.verdict == "explicitly-denied"
    assert card.held is not None  # the fix satisfies both
    for said in (text(card), html(card)):
        assert "Isolate" in said
        assert "IAM would deny this" in said


def test_fix_mode_satisfies_iam_too(
    policies: Callable[..., Config], make_guard: MakeGuard, sagemaker: Any, bodies: Any
) -> None:
    make_guard("fix", config=policies(ISOLATE))
    sagemaker.create_training_job(**training())
    assert bodies[0]["EnableNetworkIsolation"] is True
    assert "VpcConfig" in bodies[0]


def test_what_no_fix_can_mend_is_not_sent_and_says_so(
    policies: Callable[..., Config],
    make_guard: MakeGuard,
    sagemaker: Any,
    created: Created,
    shown: Shown,
) -> None:
    key = deny("DemandsKey", {"Null": {"sagemaker:VolumeKmsKeyArn": "true"}})
    make_guard("fix", config=policies(key))
    request = compliant()
    request["ResourceConfig"] = {
        "InstanceType": "ml.g5.xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 10,
    }
    with pytest.raises(RequestBlocked):
        sagemaker.create_training_job(**request)
    assert created() == []
    (card,) = shown.cards
    assert card.report.subjects[0].iam.unsatisfiable == ['scp:1 "DemandsKey"']
    assert "No request like this one can pass" in " ".join(text(card).split())


def test_depends_warns_and_sends(
    policies: Callable[..., Config],
    make_guard: MakeGuard,
    sagemaker: Any,
    created: Created,
    shown: Shown,
) -> None:
    old = deny("OldKey", {"Null": {"sagemaker:VolumeKmsKey": "true"}})
    make_guard("block", config=policies(old))
    sagemaker.create_training_job(**compliant())
    assert len(created()) == 1
    assert shown.cards[0].report.subjects[0].iam.verdict == "depends"


def test_an_allowed_request_passes_in_one_quiet_line(
    policies: Callable[..., Config], make_guard: MakeGuard, sagemaker: Any, shown: Shown
) -> None:
    make_guard("warn", config=policies(ISOLATE))
    sagemaker.create_training_job(**compliant("quiet-job"))
    assert text(shown.cards[0]) == "✓ CreateTrainingJob quiet-job compliant, allowed by IAM"


def test_a_bundle_that_cannot_be_used_is_said_once_and_nothing_is_stopped(
    policies: Callable[..., Config],
    make_guard: MakeGuard,
    sagemaker: Any,
    created: Created,
    shown: Shown,
    tmp_path: Path,
) -> None:
    config = policies()
    (tmp_path / "bundle.json").write_text('{"identity": [{"Statement": [{"Effect": "deny"}]}]}')
    make_guard("block", config=config)
    for _ in range(2):
        sagemaker.create_training_job(**compliant())
    assert len(created()) == 2
    said = [line for line in shown.lines if "cannot be used" in line]
    assert len(said) == 1
    assert "Effect is Allow or Deny" in said[0]
    assert shown.cards[0].report.subjects[0].iam.verdict == "not-evaluated"
