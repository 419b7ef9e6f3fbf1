"""A planted secret is found nowhere but on the wire."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import msgspec
import pytest

from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard import RequestBlocked
from secure_ml_ext.guard.inline import bundle

from .conftest import KEY, SECRET, training

MakeGuard = Callable[..., Any]


@pytest.mark.parametrize("mode", ["observe", "warn", "block", "fix", "dry-run"])
def test_a_secret_reaches_neither_spool_nor_card_nor_panel_nor_log(
    mode: str,
    make_guard: MakeGuard,
    sagemaker: Any,
    bodies: list[dict[str, Any]],
    aws: Embedded,
    shown: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    guard = make_guard("warn" if mode == "dry-run" else mode)
    pushed: list[Any] = []
    guard.journal.listen(pushed.extend)
    blocked = ""
    with caplog.at_level(logging.DEBUG, "secure_ml_ext"):
        try:
            if mode == "dry-run":
                with guard.dry_run():
                    sagemaker.create_training_job(**training())
            else:
                sagemaker.create_training_job(**training())
        except RequestBlocked as error:
            blocked = f"{error} {error.report} {error._render_traceback_()}"
        aws.fault(
            "sagemaker", "CreateTrainingJob", "ValidationException", message=f"{SECRET} is bad"
        )
        request = training()
        request["VpcConfig"] = {"Subnets": ["subnet-0badbadbadbadbad0"], "Password": SECRET}
        with pytest.raises((botocore.exceptions.ParamValidationError, RequestBlocked)):
            sagemaker.create_training_job(**request)
        if mode in ("observe", "warn"):
            with pytest.raises(botocore.exceptions.ClientError):
                sagemaker.create_training_job(**training())
    out, err = capfd.readouterr()
    places = {
        "spool": guard.journal.spool.path.read_text(),
        "comm": json.dumps(pushed),
        "remembered": json.dumps(guard.journal.remembered()),
        "cards": json.dumps([bundle(one) for one in shown]),
        "records": str(msgspec.to_builtins(list(shown.cards))),
        "error": blocked,
        "log": caplog.text,
        "output": out + err,
    }
    assert len(places["spool"]) > 500
    for place, content in places.items():
        assert SECRET not in content, place
        assert "API_TOKEN" not in content, place
    if mode in ("observe", "warn", "fix"):
        assert SECRET in json.dumps(bodies)


def test_the_card_keeps_what_the_field_table_knows(
    make_guard: MakeGuard, sagemaker: Any, shown: Any
) -> None:
    make_guard("block")
    request = training()
    request["OutputDataConfig"]["KmsKeyId"] = KEY
    with pytest.raises(RequestBlocked):
        sagemaker.create_training_job(**request)
    (card,) = shown.cards
    assert card.request["TrainingJobName"] == request["TrainingJobName"]
    assert card.request["OutputDataConfig"]["KmsKeyId"] == KEY
    assert card.request["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"
    assert card.request["Environment"] == "…"
    assert card.request["Tags"] == "…"


def test_what_a_request_says_is_escaped(make_guard: MakeGuard, sagemaker: Any, shown: Any) -> None:
    make_guard("block")
    evil = "<img src=x onerror=alert(1)>"
    request = training(evil)
    request["ResourceConfig"]["VolumeKmsKeyId"] = f"alias/{evil}"
    request["VpcConfig"] = {"Subnets": [evil], "SecurityGroupIds": [evil]}
    with pytest.raises(RequestBlocked):
        sagemaker.create_training_job(**request)
    page = bundle(shown.cards[0])["text/html"]
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<script" not in page
    assert "<style" not in page
    assert "http" not in page.replace("https://docs", "")
