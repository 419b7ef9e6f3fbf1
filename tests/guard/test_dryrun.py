"""The dry run: checked, answered, not sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
import pytest

from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard import dryrun
from secure_ml_ext.guard.errors import DryRunStop
from secure_ml_ext.guard.inline import text
from secure_ml_ext.guard.spool import latest, read_spool

from .conftest import Shown, compliant, training

MakeGuard = Callable[..., Any]


@pytest.mark.parametrize("mode", ["observe", "warn", "block", "fix"])
def test_several_creates_are_checked_and_none_is_sent(
    mode: str, make_guard: MakeGuard, sagemaker: Any, aws: Embedded, shown: Shown
) -> None:
    guard = make_guard(mode)
    bare, fine = training(), compliant()
    with guard.dry_run():
        arn = sagemaker.create_training_job(**bare)["TrainingJobArn"]
        sagemaker.create_training_job(**fine)
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
        sagemaker.delete_model(ModelName="any")
        sagemaker.list_training_jobs()
    assert [r["operation"] for r in aws.requests()] == ["ListTrainingJobs"]
    name = bare["TrainingJobName"]
    assert arn == f"arn:aws:sagemaker:eu-west-1:000000000000:training-job/{name}"
    assert [card.action for card in shown.cards] == ["dry-run", "dry-run"]
    assert shown.lines == [
        "Secure ML: AddTags, not sent (dry run)",
        "Secure ML: DeleteModel, not sent (dry run)",
    ]
    assert shown.cards[0].held is not None
    assert text(shown.cards[1]).endswith("compliant, dry run, not sent")
    made = latest(read_spool(guard.journal.spool.path))
    assert [(m.action, m.outcome, m.arn) for m in made] == [("dry-run", "not-sent", None)] * 2
    guard.set_mode("observe")
    sagemaker.create_training_job(**training())
    assert len(aws.requests(operation="CreateTrainingJob")) == 1


def test_reading_what_was_pretended_ends_the_cell(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded
) -> None:
    guard = make_guard()
    request = compliant()
    with guard.dry_run():
        sagemaker.create_training_job(**request)
        with pytest.raises(DryRunStop, match="exists only in this dry run"):
            sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
    assert aws.requests() == []


def test_a_guard_that_fails_still_sends_nothing(
    make_guard: MakeGuard, sagemaker: Any, aws: Embedded
) -> None:
    guard = make_guard()
    guard.engine().check = None
    with guard.dry_run():
        sagemaker.create_training_job(**compliant())
    assert aws.requests() == []


def test_every_operation_gets_an_answer_of_its_own_shape() -> None:
    """The SDKs validate what they get: ARNs must match the patterns of the service model."""
    session = botocore.session.get_session()
    model = session.get_service_model("sagemaker")
    meta = boto3.Session().client("sagemaker", region_name="eu-west-1").meta
    checked = 0
    for operation in model.operation_names:
        # The pattern of one operation knows no digits in a Region: no real ARN matches it.
        if dryrun.reads(operation) or operation == "CreateEdgeDeploymentPlan":
            continue
        shape = model.operation_model(operation)
        reply, parsed = dryrun.answer(shape, meta, "abalone-1")
        assert reply.status_code == 200
        members = shape.output_shape.members if shape.output_shape is not None else {}
        assert set(parsed) - {"ResponseMetadata"} <= set(members)
        for member, target in members.items():
            if member.endswith("Arn") and target.type_name == "string":
                pattern = target.metadata.get("pattern", ".*")
                assert re.fullmatch(pattern, parsed[member]), (operation, member, parsed[member])
                checked += 1
    assert checked > 80


def test_every_operation_that_changes_something_is_stopped() -> None:
    """A new verb in the service model must be looked at: a dry run promises to change nothing."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    reading = {name for name in model.operation_names if dryrun.reads(name)}
    verbs = {re.match(r"[A-Z][a-z]+", name).group() for name in reading}  # type: ignore[union-attr]
    assert verbs == {"Batch", "Describe", "Get", "List", "Query", "Render", "Search"}
