"""What is recorded when the answer comes, and what is never recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config as ClientConfig

from secure_ml_ext.check.records import Iam, Statement
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard.records import Decision, Submission
from secure_ml_ext.guard.spool import latest, read_spool

from .conftest import SECRET, Shown, compliant, training

MakeGuard = Callable[..., Any]


def spooled(guard: Any) -> list[Any]:
    return read_spool(guard.journal.spool.path)


def test_a_refusal_is_recorded_and_leaves_no_pending_row(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded
) -> None:
    guard = make_guard()
    aws.fault("sagemaker", "CreateTrainingJob", "AccessDeniedException", message="no sagemaker:x")
    with pytest.raises(botocore.exceptions.ClientError):
        sagemaker.create_training_job(**compliant())
    records = [r for r in spooled(guard) if isinstance(r, Submission)]
    assert [r.outcome for r in records] == ["pending", "refused"]
    assert len({r.id for r in records}) == 1
    (made,) = latest(spooled(guard))
    assert made.error is not None
    assert (made.error.code, made.arn) == ("AccessDeniedException", None)
    assert "no sagemaker:x" in made.error.message


def test_a_request_that_botocore_refuses_leaves_nothing(
    make_guard: MakeGuard, sagemaker: Any
) -> None:
    guard = make_guard()
    with pytest.raises(botocore.exceptions.ParamValidationError):
        sagemaker.create_training_job(TrainingJobName="ghost")
    assert latest(spooled(guard)) == []


def test_an_endpoint_out_of_reach_is_recorded_as_failed(make_guard: MakeGuard) -> None:
    guard = make_guard()
    client = boto3.Session().client(
        "sagemaker",
        endpoint_url="http://user:password@127.0.0.1:9",
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=ClientConfig(retries={"max_attempts": 0}),
    )
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        client.create_training_job(**compliant())
    (made,) = latest(spooled(guard))
    assert made.outcome == "failed"
    assert made.error is not None
    assert made.error.code == "EndpointConnectionError"
    assert made.endpoint == "http://127.0.0.1:9"
    assert "password" not in guard.journal.spool.path.read_text()


def test_what_aws_quotes_of_the_request_is_masked(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded
) -> None:
    guard = make_guard()
    quoted = f"Value '{SECRET}' at 'environment.API_TOKEN' failed to satisfy constraint"
    aws.fault("sagemaker", "CreateTrainingJob", "ValidationException", message=quoted)
    with pytest.raises(botocore.exceptions.ClientError, match=SECRET):
        sagemaker.create_training_job(**training())
    (made,) = latest(spooled(guard))
    assert made.error is not None
    assert "failed to satisfy constraint" in made.error.message
    assert SECRET not in made.error.message
    assert "API_TOKEN" not in made.error.message


@pytest.mark.parametrize(
    ("verdict", "status", "wrong"),
    [
        ("allowed", 403, True),
        ("allowed", 200, False),
        ("explicitly-denied", 200, True),
        ("explicitly-denied", 403, False),
        ("not-evaluated", 403, False),
        ("depends", 403, False),
    ],
)
def test_a_wrong_prediction_is_recorded_as_such(
    verdict: Any,
    status: int,
    wrong: bool,
    make_guard: MakeGuard,
    sagemaker: Any,
    aws: Embedded,
    shown: Shown,
) -> None:
    """The verdict is put into the report as a policy bundle will; the answer is AWS's own."""
    import msgspec

    guard = make_guard("observe")
    engine = guard.engine()
    check = engine.check

    def with_verdict(*request: Any) -> Any:
        checked = check(*request)
        report = checked.report
        statements = [Statement("scp:1", "network", "DenyNoVpc", 0, "no VpcSubnets")]
        iam = Iam(verdict, statements=statements if "denied" in verdict else [])
        subject = msgspec.structs.replace(report.subjects[0], iam=iam)
        return checked._replace(report=type(report).of([subject]))

    engine.check = with_verdict
    if status == 403:
        aws.fault("sagemaker", "CreateTrainingJob", "AccessDeniedException")
        with pytest.raises(botocore.exceptions.ClientError):
            sagemaker.create_training_job(**compliant())
    else:
        sagemaker.create_training_job(**compliant())
    found = [r for r in spooled(guard) if isinstance(r, Decision)]
    predictions = [r for r in found if r.decision == "wrong-prediction"]
    assert bool(predictions) is wrong
    if wrong:
        assert predictions[0].report is not None
        assert predictions[0].submission == latest(spooled(guard))[0].id
    if verdict == "explicitly-denied" and status == 403:
        assert 'scp:1 "DenyNoVpc"' in shown.lines[0]


def test_a_waiver_that_was_used_is_recorded(make_guard: MakeGuard, sagemaker: Any) -> None:
    from secure_ml_ext.rules import Config, Waiver

    waiver = Waiver("training-vpc", "*", "migration until spring", expires="2999-01-01")
    guard = make_guard("warn", config=Config(waivers=(waiver,)))
    sagemaker.create_training_job(**training())
    (used,) = [r for r in spooled(guard) if getattr(r, "decision", "") == "waiver-used"]
    assert used.detail == "training-vpc: migration until spring (until 2999-01-01)"
