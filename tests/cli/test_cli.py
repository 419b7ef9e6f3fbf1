"""``jupyter secure-ml`` as a user runs it: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import GROUPS, OUTPUT_KEY, SUBNETS, VOLUME_KEY, compliant_training, training


class Shell:
    """Runs the command in an empty home, with nothing of this machine's configuration."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SECURE_ML", "XDG_"))},
            "HOME": str(home),
            "COLUMNS": "100",
        }

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "secure_ml_ext.cli.main", *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.env,
            cwd=self.home,
        )

    def file(self, name: str, content: Any) -> str:
        path = self.home / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


PROFILE = {
    "subnets": SUBNETS,
    "security_groups": GROUPS,
    "volume_kms_key": VOLUME_KEY,
    "output_kms_key": OUTPUT_KEY,
}


def test_findings_exit_1_and_the_text_says_what_where_and_the_fix(shell: Shell) -> None:
    done = shell(
        "check", shell.file("train.json", training()), "--profile", shell.file("p.json", PROFILE)
    )
    assert done.returncode == 1
    for said in ("✕ VPC", "training-vpc at VpcConfig", "Fix ", SUBNETS[0], "4 errors, 1 warning"):
        assert said in done.stdout
    assert done.stderr == ""


def test_compliant_exits_0_with_one_line(shell: Shell) -> None:
    done = shell("check", shell.file("ok.json", compliant_training()))
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("✓ CreateTrainingJob abalone-1 compliant")


def test_json_is_the_report(shell: Shell) -> None:
    wrapped = {"operation": "CreateTrainingJob", "params": training()}
    done = shell("check", "--format", "json", shell.file("t.json", wrapped))
    report = json.loads(done.stdout)
    assert report["schema"] == "secure-ml/report@1"
    assert report["subjects"][0]["path"].endswith("t.json")
    assert report["summary"] == {"error": 4, "warning": 1, "info": 0}


@pytest.mark.parametrize(
    ("fail_on", "code"), [("never", 0), ("info", 1), ("warning", 1), ("error", 0)]
)
def test_fail_on(shell: Shell, fail_on: str, code: int) -> None:
    request = compliant_training(EnableNetworkIsolation=False)
    done = shell("check", "--fail-on", fail_on, shell.file("t.json", request))
    assert done.returncode == code, done.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"TrainingJobName": ', "line 1, column"),
        ("[1, 2]", "a request is a JSON object, this is a list"),
        ('{"hello": 1}', "--operation"),
        ('{"operation": "CreateTraningJob", "params": {}}', "Did you mean CreateTrainingJob"),
        ('{"operation": "CreateTrainingJob", "params": []}', "params must be an object"),
        ('{"operation": 4, "params": {}}', "operation must be a string"),
        ('{"TrainingJobName": "a", "TrainingJobName": "b"}', "stands twice"),
        ('{"TrainingJobName": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"TrainingJobName": ' + "9" * 6000 + "}", "out of range"),
        ('{"TrainingJobName": 1e999}', "out of range"),
    ],
)
def test_bad_input_exits_2_with_the_reason_and_the_place(
    shell: Shell, content: str, said: str
) -> None:
    done = shell("check", shell.file("bad.json", content))
    assert done.returncode == 2
    assert said in done.stderr
    assert "bad.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_file_does_not_hide_the_others(shell: Shell) -> None:
    done = shell("check", shell.file("t.json", training()), "missing.json", shell.file("b", "\xff"))
    assert done.returncode == 2
    assert "missing.json: cannot be read: No such file" in done.stderr
    assert "✕ VPC" in done.stdout


def test_not_utf8_is_named(shell: Shell) -> None:
    (shell.home / "latin.json").write_bytes(b'{"TrainingJobName": "\xe4"}')
    done = shell("check", "latin.json")
    assert done.returncode == 2
    assert "not UTF-8" in done.stderr


def test_standard_input_and_the_fixed_request(shell: Shell) -> None:
    done = shell(
        "check",
        "-",
        "--fixed",
        "-",
        "--profile",
        shell.file("p.json", PROFILE),
        stdin=json.dumps(training()),
    )
    fixed = json.loads(done.stdout)
    assert fixed["VpcConfig"]["Subnets"] == SUBNETS
    again = shell("check", "-", stdin=json.dumps(fixed))
    assert again.returncode == 0
    assert "1 warning" in again.stdout


def test_an_unreadable_profile_exits_2(shell: Shell) -> None:
    done = shell("check", shell.file("t.json", training()), "--profile", "nowhere.json")
    assert done.returncode == 2
    assert "nowhere.json: cannot be read" in done.stderr


def test_a_profile_named_in_the_environment_must_be_usable(shell: Shell) -> None:
    """Nothing would be compared with it, and a foreign network would pass."""
    shell.env["SECURE_ML_PROFILE"] = str(shell.home / "nowhere.json")
    done = shell("check", shell.file("ok.json", compliant_training()))
    assert done.returncode == 2
    assert "nowhere.json: cannot be read" in done.stderr
    shell.env["SECURE_ML_PROFILE"] = shell.file("broken.json", "{")
    assert shell("check", shell.file("ok.json", compliant_training())).returncode == 2


def test_a_wrong_mode_in_the_environment_names_the_choices(shell: Shell) -> None:
    shell.env["SECURE_ML_MODE"] = "loud"
    done = shell("check", shell.file("ok.json", compliant_training()))
    assert "observe, warn, block, fix" in done.stderr


def test_enable_writes_a_start_up_file_and_disable_removes_it(shell: Shell) -> None:
    target = shell.home / ".ipython/profile_default/startup/00-secure-ml-ext.py"
    shell.env.pop("IPYTHONDIR", None)
    assert shell("enable").returncode == 0
    assert "load_ext" in target.read_text()
    assert "already enabled" in shell("enable").stdout
    assert shell("disable").returncode == 0
    assert not target.exists()
    target.write_text("print('mine')\n")
    assert shell("disable").returncode == 1
    assert target.exists()


def test_permissions_print_a_policy_for_iam(shell: Shell) -> None:
    done = shell(
        "permissions", "--policy-only", "--region", "eu-west-1", "--account", "111122223333"
    )
    policy = json.loads(done.stdout)
    assert policy["Version"] == "2012-10-17"
    assert all(s["Effect"] == "Allow" for s in policy["Statement"])
    assert "*" not in [a for s in policy["Statement"] for a in s["Action"]]
    text = shell("permissions")
    assert "com.amazonaws.<region>.sagemaker.api" in text.stdout
    wrong = shell("permissions", "--part", "nonsense")
    assert wrong.returncode == 2
    assert "the parts are" in wrong.stderr


def test_without_a_command_the_help_says_what_there_is(shell: Shell) -> None:
    done = shell()
    assert done.returncode == 2
    assert "check" in done.stderr
    assert shell("--version").stdout.strip()


def test_as_a_jupyter_subcommand(shell: Shell) -> None:
    jupyter = Path(sys.executable).parent / "jupyter"
    done = subprocess.run(
        [str(jupyter), "secure-ml", "check", "-"],
        input=json.dumps(training()),
        capture_output=True,
        text=True,
        env=shell.env,
    )
    assert done.returncode == 1, done.stderr
    assert "✕ VPC" in done.stdout
