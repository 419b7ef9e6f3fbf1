"""The extension in a real ipykernel: cells, cards, magics, panel line, restart."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard.records import CARD_MIME, Hello
from secure_ml_ext.guard.spool import latest, read_spool

from .conftest import BARE, SECRET, compliant
from .kernels import Kernel

REQUEST = f"""
import boto3, os
name = os.environ["TEST_NAME"]  # the embedded AWS is one for all tests, and names are unique
request = {{**{BARE!r}, "TrainingJobName": name}}
fine = {{**{compliant()!r}, "TrainingJobName": name + "-fine"}}
sagemaker = boto3.Session().client("sagemaker")
"""
LOAD = "%load_ext secure_ml_ext"


def until(check: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


@pytest.fixture
def kernel(aws: Embedded, tmp_path: Path) -> Iterator[Kernel]:
    environment = aws.environ()
    environment["JPY_SESSION_NAME"] = "RTC:work/lab4.ipynb"
    environment["IPYTHONDIR"] = str(tmp_path / "ipython")
    environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    running = Kernel(tmp_path, environment)
    yield running
    running.stop()


def test_loading_imports_neither_botocore_nor_msgspec(kernel: Kernel) -> None:
    said = kernel.says(f"""
import sys
before = set(sys.modules)
{LOAD}
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(sorted(new & {{"botocore", "boto3", "msgspec", "yaml", "urllib3", "secure_ml_ext"}}))
""")
    assert said.strip() == "['secure_ml_ext']"


def test_hello_is_spooled_a_moment_after_loading_and_goes_with_the_kernel(kernel: Kernel) -> None:
    kernel.says(LOAD)
    (hello,) = until(lambda: read_spool(kernel.spool))
    assert isinstance(hello, Hello)
    assert (hello.kernel, hello.mode, hello.locked) == ("k1", "warn", False)
    assert str(hello.pid) == kernel.says("import os; print(os.getpid())").strip()
    assert os.stat(kernel.spool).st_mode & 0o777 == 0o600
    kernel.stop()
    assert not kernel.spool.exists()


def test_a_client_built_before_loading_is_guarded_and_the_card_knows_its_cell(
    kernel: Kernel, aws: Embedded
) -> None:
    kernel.says(REQUEST)
    kernel.says(LOAD)
    (card,) = kernel.cards("arn = sagemaker.create_training_job(**request)", "cell-42")
    payload = card[CARD_MIME]
    assert (payload["action"], payload["mode"], payload["kernel"]) == ("warned", "warn", "k1")
    assert payload["report"]["summary"]["error"] >= 3
    assert card["text/plain"].startswith(f"Secure ML: CreateTrainingJob {kernel.name}, sent")
    assert "<section" in card["text/html"]
    assert SECRET not in json.dumps(card)
    (made,) = latest(read_spool(kernel.spool))
    assert (made.cell, made.notebook, made.outcome) == ("cell-42", "work/lab4.ipynb", "created")
    assert len(aws.requests(operation="CreateTrainingJob")) == 1


def test_block_shows_a_short_traceback_and_sends_nothing(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(LOAD + REQUEST)
    assert kernel.says("%secure_ml mode block").strip() == "Guard: block"
    *_, error = kernel.run("sagemaker.create_training_job(**request)")
    assert error["ename"] == "RequestBlocked"
    shown = "\n".join(error["traceback"])
    assert shown.count("\n") < 12
    assert "botocore" not in shown
    assert f"{kernel.name} was not sent" in shown
    assert aws.requests(operation="CreateTrainingJob") == []


def test_block_stays_short_under_somebody_elses_tracebacks(kernel: Kernel) -> None:
    """SDK v2 installs rich's, which replace the shell's method as this cell does."""
    kernel.says(LOAD + REQUEST + "%secure_ml mode block\n")
    kernel.says("get_ipython()._showtraceback = lambda *frames: print('a long traceback')")
    *_, error = kernel.run("sagemaker.create_training_job(**request)")
    assert error["ename"] == "RequestBlocked"
    assert error["traceback"][0].startswith(f"RequestBlocked: CreateTrainingJob {kernel.name}")


def test_a_compliant_call_adds_one_quiet_line(kernel: Kernel) -> None:
    kernel.says(LOAD + REQUEST)
    (card,) = kernel.cards("response = sagemaker.create_training_job(**fine)")
    assert card["text/plain"] == f"✓ CreateTrainingJob {kernel.name}-fine compliant"
    assert kernel.cards("response = sagemaker.list_training_jobs()") == []


def test_magics(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(LOAD)
    assert "Guard: warn" in kernel.says("%secure_ml")
    assert "Requests seen: 0" in kernel.says("%secure_ml status")
    for wrong in ("%secure_ml mode loud", "%secure_ml profil", "%%secure_ml wet-run\n1"):
        (error,) = kernel.run(wrong)
        assert error["ename"] == "UsageProblem"
        assert len("\n".join(error["traceback"])) < 600
    (output,) = kernel.run("%secure_ml profile refresh")
    for form in ("text/plain", "text/html"):
        assert "private subnets" in output["data"][form]
        assert "ssm:" in output["data"][form]
        assert "issing" in output["data"][form]
    assert aws.requests(service="ssm")


def test_dry_run_cell(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(LOAD + REQUEST)
    outputs = kernel.run(
        """%%secure_ml dry-run
first = sagemaker.create_training_job(**request)
second = sagemaker.create_training_job(**{**request, "TrainingJobName": name + "-2"})
print(first["TrainingJobArn"])
sagemaker.describe_training_job(TrainingJobName=name)
print("never")
""",
        "cell-7",
    )
    assert [o["kind"] for o in outputs].count("display_data") == 2
    said = "".join(o["text"] for o in outputs if o["kind"] == "stream")
    assert f"arn:aws:sagemaker:eu-west-1:000000000000:training-job/{kernel.name}\n" in said
    assert "exists only in this dry run" in said
    assert "never" not in said
    assert not [o for o in outputs if o["kind"] == "error"]
    assert [r["service"] for r in aws.requests()] == []
    assert {made.cell for made in latest(read_spool(kernel.spool))} == {"cell-7"}
    *_, error = kernel.run("%%secure_ml dry-run\n1/0")
    assert error["ename"] == "DryRunFailed"
    (error,) = kernel.run("%%secure_ml dry-run\nimport asyncio\nawait asyncio.sleep(0)")
    assert error["ename"] == "UsageProblem"
    kernel.run("sagemaker.create_training_job(**request)")
    assert len(aws.requests(operation="CreateTrainingJob")) == 1


def test_loading_twice_unloading_and_reloading(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(REQUEST + LOAD)
    kernel.says("from secure_ml_ext import load_ipython_extension as load\nload(get_ipython())")
    kernel.says(LOAD)
    send = """
n = globals().get("n", 0) + 1
r = sagemaker.create_training_job(**{**request, "TrainingJobName": f"{name}-{n}"})
"""
    assert len(kernel.cards(send)) == 1
    kernel.says("%unload_ext secure_ml_ext")
    assert kernel.cards(send) == []
    assert "not found" in "".join(o.get("text", "") for o in kernel.run("%secure_ml status"))
    assert getattr(read_spool(kernel.spool)[-1], "decision", None) == "unloaded"
    kernel.says(LOAD)
    assert isinstance(read_spool(kernel.spool)[-1], Hello)
    assert len(kernel.cards(send)) == 1
    kernel.says("%reload_ext secure_ml_ext")
    assert len(kernel.cards(send)) == 1
    kernel.says("""
import secure_ml_ext.guard.hook, secure_ml_ext.guard.state, secure_ml_ext.guard.extension
%load_ext autoreload
%autoreload 2
import importlib, os
for name in ("hook", "state", "extension"):
    os.utime(getattr(secure_ml_ext.guard, name).__file__.replace(".pyc", ".py"))
""")
    assert len(kernel.cards(send)) == 1
    kernel.says("load(get_ipython())")
    assert len(kernel.cards(send)) == 1
    assert len(aws.requests(operation="CreateTrainingJob")) == 6


def test_the_panel_is_greeted_pushed_to_and_answered(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(LOAD + REQUEST)
    kernel.says("import threading\n%secure_ml mode observe")
    kernel.run("r = sagemaker.create_training_job(**fine)")
    kernel.open_comm()
    (greeting,) = kernel.comm_messages
    hello, submission = greeting["records"]
    assert (hello["type"], hello["mode"]) == ("hello", "observe")
    assert (submission["type"], submission["outcome"]) == ("submission", "created")
    pushed = kernel.ask({"type": "set-mode", "mode": "block"})
    assert [r["type"] for m in pushed for r in m["records"]] == ["mode", "decision"]
    (problem,) = kernel.ask({"type": "set-mode", "mode": "loud"})
    assert problem["error"]["code"] == "bad-mode"
    assert set(problem["error"]) == {"code", "message", "remedy"}
    for nonsense in ({}, {"type": "x"}, {"type": "send-with-fix", "held": 7}, [], {"type": None}):
        (problem,) = kernel.ask(nonsense)  # type: ignore[arg-type]
        assert problem["error"]["code"] == "bad-message"
    kernel.comm_messages.clear()
    kernel.says("""
def work():
    try: sagemaker.create_training_job(**request)
    except Exception as error: print(type(error).__name__)
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]; None
""")
    records = [r for m in kernel.comm_messages for r in m["records"]]
    assert [r["outcome"] for r in records if r["type"] == "submission"] == ["not-sent"] * 4
    (greeting,) = kernel.ask({"type": "sync"})
    assert len(greeting["records"]) == 6
    kernel.comm("comm_close", {"data": {}})
    kernel.comm_messages.clear()
    kernel.run("sagemaker.create_training_job(**request)")
    assert kernel.comm_messages == []


def test_send_with_fix(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(LOAD + REQUEST)
    kernel.run("%secure_ml profile refresh")
    kernel.says("%secure_ml mode block")
    kernel.open_comm()
    (card,) = kernel.cards("sagemaker.create_training_job(**request)", "cell-9")
    held = card[CARD_MIME]["held"]
    assert held
    # A page that was reloaded learns what can still be sent.
    assert kernel.ask({"type": "sync"})[0]["held"] == [held]
    kernel.says("request['ResourceConfig']['InstanceCount'] = 99")  # the copy must not follow
    messages = kernel.ask({"type": "send-with-fix", "held": held})
    (reply,) = [m["reply"] for m in messages if "reply" in m]
    assert reply["ok"] is True, reply
    assert reply["held"] == held
    made = reply["submission"]
    assert (made["action"], made["outcome"], made["cell"]) == ("resent", "created", "cell-9")
    assert made["arn"].endswith(f":training-job/{kernel.name}")
    assert made["report"]["summary"]["error"] == 0
    job = aws.client("sagemaker").describe_training_job(TrainingJobName=kernel.name)
    assert job["ResourceConfig"]["InstanceCount"] == 1
    assert job["ResourceConfig"]["VolumeKmsKeyId"]
    assert job["VpcConfig"]["Subnets"]
    assert kernel.ask({"type": "sync"})[0]["held"] == []
    (again,) = [m["reply"] for m in kernel.ask({"type": "send-with-fix", "held": held})]
    assert (again["ok"], again["submission"]) == (False, None)
    assert "no longer holds" in again["message"]
    (other,) = [m["reply"] for m in kernel.ask({"type": "send-with-fix", "held": "f" * 32})]
    assert other["ok"] is False
    assert kernel.says("print('request' in dir(), request['Environment'])").startswith("True")


def test_send_with_fix_reports_a_refusal(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(LOAD + REQUEST)
    kernel.run("%secure_ml profile refresh")
    kernel.says("%secure_ml mode block")
    kernel.open_comm()
    (card,) = kernel.cards("sagemaker.create_training_job(**request)")
    aws.fault("sagemaker", "CreateTrainingJob", "AccessDeniedException", message="not allowed")
    messages = kernel.ask({"type": "send-with-fix", "held": card[CARD_MIME]["held"]})
    (reply,) = [m["reply"] for m in messages if "reply" in m]
    assert reply["ok"] is False
    assert reply["submission"]["outcome"] == "refused"
    assert "AccessDeniedException: not allowed" in reply["message"]


def test_after_a_restart_nothing_is_held(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(LOAD + REQUEST)
    kernel.run("%secure_ml profile refresh")
    kernel.says("%secure_ml mode block")
    (card,) = kernel.cards("sagemaker.create_training_job(**request)")
    kernel.restart()
    assert not kernel.spool.exists()
    kernel.says(LOAD)
    kernel.open_comm()
    messages = kernel.ask({"type": "send-with-fix", "held": card[CARD_MIME]["held"]})
    (reply,) = [m["reply"] for m in messages if "reply" in m]
    assert reply["ok"] is False
    assert "restarted" in reply["message"]
    assert aws.requests(operation="CreateTrainingJob") == []


def test_a_mode_fixed_by_the_organisation(aws: Embedded, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "secure-ml"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"mode": "block", "locked": ["mode"]}')
    environment = {**aws.environ(), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    kernel = Kernel(tmp_path, environment)
    try:
        kernel.says(LOAD)
        (error,) = kernel.run("%secure_ml mode observe")
        assert "Your organisation fixes the guard's mode to block" in error["traceback"][0]
        assert "fixed by your organisation" in kernel.says("%secure_ml status")
        kernel.open_comm()
        assert kernel.comm_messages[0]["records"][0]["locked"] is True
        (problem,) = kernel.ask({"type": "set-mode", "mode": "observe"})
        assert problem["error"]["code"] == "mode-locked"
    finally:
        kernel.stop()


def test_load_order_extension_first_from_the_startup_configuration(
    aws: Embedded, tmp_path: Path
) -> None:
    """What `jupyter secure-ml enable` writes: the extension is loaded before any cell."""
    folder = tmp_path / "ipython" / "profile_default"
    folder.mkdir(parents=True)
    (folder / "ipython_config.json").write_text(
        json.dumps({"InteractiveShellApp": {"extensions": ["secure_ml_ext"]}})
    )
    kernel = Kernel(tmp_path, {**aws.environ(), "IPYTHONDIR": str(tmp_path / "ipython")})
    try:
        until(lambda: read_spool(kernel.spool))
        kernel.open_comm()
        assert kernel.comm_messages[0]["records"][0]["kernel"] == "k1"
        assert len(kernel.cards(REQUEST + "r = sagemaker.create_training_job(**request)")) == 1
    finally:
        kernel.stop()


def test_a_forked_child_prints_what_it_cannot_show(kernel: Kernel, aws: Embedded) -> None:
    kernel.says(LOAD + REQUEST)
    said = kernel.says("""
import multiprocessing, sys
def work(number):
    import boto3
    client = boto3.Session().client("sagemaker")
    client.create_training_job(**{**request, "TrainingJobName": f"{name}-{number}"})
    return number
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(sorted(pool.map(work, range(4))))
""")
    assert "[0, 1, 2, 3]" in said
    names = {made.name for made in latest(read_spool(kernel.spool))}
    assert names == {f"{kernel.name}-{number}" for number in range(4)}
    assert kernel.spool.exists()
    assert len(kernel.cards("r = sagemaker.create_training_job(**request)")) == 1
