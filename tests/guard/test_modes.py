"""What each mode does with a request, over real HTTP."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.aws import profile as aws_profile
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard import RequestBlocked
from secure_ml_ext.guard.errors import ModeLocked
from secure_ml_ext.guard.inline import text
from secure_ml_ext.guard.records import Decision, ModeChange, Submission
from secure_ml_ext.guard.spool import latest, read_spool
from secure_ml_ext.rules import Config

from .conftest import KEY, PROFILE, Shown, compliant, training

Created = Callable[[], list[dict[str, Any]]]
MakeGuard = Callable[..., Any]
Bodies = list[dict[str, Any]]


def records(guard: Any, kind: type) -> list[Any]:
    return [r for r in read_spool(guard.journal.spool.path) if isinstance(r, kind)]


def decisions(guard: Any) -> list[str]:
    return [r.decision for r in records(guard, Decision) if r.decision != "mode-changed"]


def test_warn_shows_and_sends_unchanged(
    make_guard: MakeGuard, sagemaker: Any, bodies: Bodies, created: Created, shown: Shown
) -> None:
    guard = make_guard("warn")
    request = training()
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    assert bodies == [request]
    assert len(created()) == 1
    (card,) = shown.cards
    assert (card.action, card.held) == ("warned", None)
    assert {f.rule for f in card.report.subjects[0].findings} >= {
        "training-vpc",
        "training-volume-kms",
        "training-output-kms",
    }
    (made,) = latest(read_spool(guard.journal.spool.path))
    assert (made.action, made.outcome, made.arn) == ("warned", "created", arn)
    assert (made.account, made.region) == ("123456789012", "eu-west-1")
    assert made.endpoint is not None
    assert made.endpoint.startswith("http://127.0.0.1:")
    assert decisions(guard) == ["sent-anyway"]


def test_observe_records_and_shows_nothing(
    make_guard: MakeGuard, sagemaker: Any, created: Created, shown: Shown
) -> None:
    guard = make_guard("observe")
    sagemaker.create_training_job(**training())
    sagemaker.create_training_job(**compliant())
    assert shown == []
    made = latest(read_spool(guard.journal.spool.path))
    assert [m.action for m in made] == ["observed", "passed"]
    assert len(created()) == 2


@pytest.mark.parametrize("mode", ["warn", "block", "fix"])
def test_a_compliant_request_passes_with_one_quiet_line(
    mode: str, make_guard: MakeGuard, sagemaker: Any, bodies: Bodies, shown: Shown
) -> None:
    make_guard(mode)
    request = compliant("abalone-quiet-" + mode)
    sagemaker.create_training_job(**request)
    assert bodies == [request]
    (card,) = shown.cards
    assert card.action == "passed"
    assert text(card) == f"✓ CreateTrainingJob abalone-quiet-{mode} compliant"


def test_block_names_the_findings_and_holds_the_request(
    make_guard: MakeGuard, sagemaker: Any, created: Created, shown: Shown
) -> None:
    guard = make_guard("block")
    request = training()
    with pytest.raises(RequestBlocked) as caught:
        sagemaker.create_training_job(**request)
    assert created() == []
    message = str(caught.value)
    assert message.startswith(f"CreateTrainingJob {request['TrainingJobName']} was not sent: ")
    assert "VPC: no subnets or security groups" in message
    assert caught.value.report is not None
    assert caught.value.report["summary"]["error"] >= 3
    assert caught.value._render_traceback_() == [f"RequestBlocked: {message}"]
    assert str(pickle.loads(pickle.dumps(caught.value))) == message
    assert shown.cards[0].action == "blocked"
    assert shown.cards[0].held is not None
    (made,) = records(guard, Submission)
    assert (made.action, made.outcome, made.arn) == ("blocked", "not-sent", None)
    assert decisions(guard) == ["blocked"]


def test_fix_sends_the_patched_request_and_leaves_the_callers_objects_alone(
    make_guard: MakeGuard, sagemaker: Any, bodies: Bodies, shown: Shown
) -> None:
    guard = make_guard("fix")
    request = training()
    resources, output = request["ResourceConfig"], request["OutputDataConfig"]
    before = copy.deepcopy(request)
    sagemaker.create_training_job(**request)
    assert request == before
    assert request["ResourceConfig"] is resources
    assert "VolumeKmsKeyId" not in resources
    assert "KmsKeyId" not in output
    (sent,) = bodies
    assert sent["VpcConfig"] == {
        "Subnets": PROFILE["subnets"],
        "SecurityGroupIds": PROFILE["security_groups"],
    }
    assert sent["ResourceConfig"]["VolumeKmsKeyId"] == KEY
    assert sent["Environment"] == before["Environment"]
    (card,) = shown.cards
    assert card.action == "fixed"
    assert {c.path for c in card.changes} >= {"/VpcConfig", "/ResourceConfig/VolumeKmsKeyId"}
    assert all(c.before is None for c in card.changes)
    vpc = next(c for c in card.changes if c.path == "/VpcConfig")
    assert vpc.source is not None
    assert "profile.json" in vpc.source
    (made,) = latest(read_spool(guard.journal.spool.path))
    assert (made.action, made.outcome) == ("fixed", "created")
    assert made.report.summary.error == 0
    assert decisions(guard) == ["fixed"]


def test_fix_does_not_send_what_it_cannot_mend_and_names_what_is_missing(
    make_guard: MakeGuard,
    sagemaker: Any,
    created: Created,
    own_places: Path,
) -> None:
    own_places.write_text(json.dumps({k: PROFILE[k] for k in ("subnets", "security_groups")}))
    aws_profile.forget()
    make_guard("fix")
    with pytest.raises(RequestBlocked) as caught:
        sagemaker.create_training_job(**training())
    assert created() == []
    assert "volume_kms_key" in str(caught.value)
    assert "output_kms_key" in str(caught.value)
    assert "%secure_ml profile refresh" in str(caught.value)


def test_foreign_subnets_are_caught(
    make_guard: MakeGuard, sagemaker: Any, created: Created, shown: Shown
) -> None:
    make_guard("block")
    request = compliant()
    request["VpcConfig"] = {**request["VpcConfig"], "Subnets": ["subnet-0badbadbadbadbad0"]}
    with pytest.raises(RequestBlocked, match="subnet"):
        sagemaker.create_training_job(**request)
    assert created() == []


def test_block_on_is_configurable(
    make_guard: MakeGuard, sagemaker: Any, created: Created, shown: Shown
) -> None:
    relaxed = compliant()
    del relaxed["EnableNetworkIsolation"]  # isolation is a warning by default
    make_guard("block")
    sagemaker.create_training_job(**relaxed)
    assert shown.cards[-1].action == "warned"
    make_guard("block", config=Config(block_on=("error", "warning")))
    with pytest.raises(RequestBlocked):
        sagemaker.create_training_job(**{**relaxed, "TrainingJobName": "abalone-strict"})
    assert len(created()) == 1


def test_other_operations(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded, shown: Shown
) -> None:
    make_guard("block")
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1"
    role = "arn:aws:iam::123456789012:role/r"
    calls: list[tuple[str, dict[str, Any]]] = [
        ("create_model", {"ModelName": "m", "PrimaryContainer": {"Image": image},
                          "ExecutionRoleArn": role}),
        ("create_endpoint_config", {"EndpointConfigName": "e", "ProductionVariants": [
            {"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large",
             "InitialInstanceCount": 1}]}),
        ("create_processing_job", {"ProcessingJobName": "p", "RoleArn": role,
            "AppSpecification": {"ImageUri": image},
            "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1,
                "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}}}),
    ]  # fmt: skip
    for method, request in calls:
        with pytest.raises(RequestBlocked):
            getattr(sagemaker, method)(**request)
    # The endpoint configuration's model is looked up; nothing is created.
    assert [r["operation"] for r in aws.requests()] == ["DescribeModel"]
    assert [card.action for card in shown.cards] == ["blocked"] * 3


def test_an_endpoint_configuration_takes_its_network_from_the_model_made_here(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded, shown: Shown
) -> None:
    guard = make_guard("observe")
    sagemaker.create_model(
        ModelName="made-here",
        PrimaryContainer={"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1"},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
        EnableNetworkIsolation=True,
    )
    variant = {
        "VariantName": "a",
        "ModelName": "made-here",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="e", ProductionVariants=[variant])
    report = next(
        record["report"]
        for record in guard.journal.remembered()
        if record.get("operation") == "CreateEndpointConfig"
    )
    states = {c["control"]: c["state"] for c in report["subjects"][0]["controls"]}
    assert (states["vpc"], states["isolation"]) == ("fail", "pass")
    assert "DescribeModel" not in [r["operation"] for r in aws.requests()]


def test_the_mode_can_be_locked(make_guard: MakeGuard, sagemaker: Any) -> None:
    guard = make_guard("block", config=Config(mode="block", locked=frozenset({"mode"})))
    with pytest.raises(ModeLocked, match="Your organisation fixes"):
        guard.set_mode("observe")
    assert guard.mode == "block"
    guard.set_mode("block")
    with pytest.raises(ValueError, match="no mode 'off'"):
        guard.set_mode("off")


def test_mode_changes_are_recorded(make_guard: MakeGuard, aws: Embedded) -> None:
    guard = make_guard("fix")
    assert [(r.mode, r.locked) for r in records(guard, ModeChange)] == [("fix", False)]
    assert [r.detail for r in records(guard, Decision)] == ["from warn to fix"]


# -- failures inside --------------------------------------------------------------------------


class Broken:
    """A baseline that cannot work."""

    def evaluate(self, *_: Any) -> None:
        raise RuntimeError("hunter2-planted-secret")


def broken(guard: Any) -> Any:
    guard.engine().check = lambda *_: Broken().evaluate()
    return guard


@pytest.mark.parametrize("mode", ["observe", "warn", "fix", "block"])
def test_a_failing_guard_shows_itself_once_and_lets_the_job_go(
    mode: str, make_guard: MakeGuard, sagemaker: Any, created: Created, shown: Shown
) -> None:
    guard = broken(make_guard(mode))
    for _ in range(3):
        sagemaker.create_training_job(**training())
    assert len(created()) == 3
    (line,) = shown.lines
    assert "the guard failed (RuntimeError at test_modes.py" in line
    assert "hunter2" not in line
    assert decisions(guard) == ["guard-error"] * 3


def test_the_administrator_may_choose_that_a_failing_guard_blocks(
    make_guard: MakeGuard, sagemaker: Any, created: Created
) -> None:
    broken(make_guard("block", config=Config(on_guard_error="block")))
    with pytest.raises(RequestBlocked, match="the guard failed"):
        sagemaker.create_training_job(**training())
    assert created() == []
    broken(make_guard("warn", config=Config(on_guard_error="block")))
    sagemaker.create_training_job(**training())
    assert len(created()) == 1


def test_a_display_that_fails_does_not_open_the_gate(
    make_guard: MakeGuard, sagemaker: Any, created: Created, caplog: pytest.LogCaptureFixture
) -> None:
    guard = make_guard("block")

    def closed(_: Any) -> None:
        raise OSError("the socket is closed")

    guard.presenter = closed
    with pytest.raises(RequestBlocked):
        sagemaker.create_training_job(**training())
    assert created() == []
    assert "cannot be shown: OSError" in caplog.text


def test_wrong_types_reach_botocore_which_says_so(
    make_guard: MakeGuard, sagemaker: Any, created: Created
) -> None:
    import botocore.exceptions

    guard = make_guard("warn")
    request = training(VpcConfig="none", ResourceConfig=[1, 2], Environment=7)
    with pytest.raises(botocore.exceptions.ParamValidationError):
        sagemaker.create_training_job(**request)
    assert created() == []
    assert "guard-error" not in decisions(guard)


def test_a_broken_configuration_is_said_and_stops_nothing(
    make_guard: MakeGuard,
    sagemaker: Any,
    created: Created,
    shown: Shown,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "config" / "secure-ml"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"mode": "shout"}')
    make_guard("warn")
    sagemaker.create_training_job(**compliant())
    assert len(created()) == 1
    (line,) = shown.lines
    assert str(folder / "config.json") in line
