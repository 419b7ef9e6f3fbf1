"""``jupyter secure-ml lint-policy`` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

DATA = Path(__file__).parents[1] / "data"
POLICIES = DATA / "policies"


class Shell:
    """Runs the command in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {**os.environ, "HOME": str(home), "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}

    def __call__(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "secure_ml_ext.cli.main", "lint-policy", *words],
            input=stdin,
            capture_output=True,
            env=self.env,
            cwd=self.home,
        )
        out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def file(self, name: str, content: Any) -> str:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return name


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def policy(effect: str, action: str, condition: Any = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect, "Action": action, "Resource": "*", **more}
    if condition:
        made["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [made]}


CLEAN = policy("Deny", "sagemaker:CreateModel", {"Null": {"sagemaker:VpcSubnets": "true"}})
WARNING = policy("Deny", "sagemaker:CreateModel", {"Bool": {"sagemaker:NetworkIsolation": "false"}})
NOTE = policy("Allow", "s3:GetObject")
ERROR = (POLICIES / "secure-mlops-execution-policy.json").read_text(encoding="utf-8")


def test_text_says_what_where_why_and_the_correction(shell: Shell) -> None:
    done = shell(shell.file("role.json", ERROR), shell.file("clean.json", CLEAN))
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "Secure ML: role.json"
    assert lines[1] == "  ✕ anded-null                 statement 1, line 12  error"
    assert lines[2].startswith("    The keys of one Null block are ANDed: a request that lacks")
    assert "    Corrected" in lines
    assert '            "Null": {"sagemaker:VpcSubnets": "true"}' in lines
    assert lines[-2:] == ["✓ clean.json nothing to object to", "2 errors, 0 warnings, 0 notes"]
    assert max(map(len, lines)) <= 100


def test_json_has_the_agreed_shape(shell: Shell) -> None:
    done = shell("--format", "json", shell.file("role.json", ERROR))
    report = json.loads(done.stdout)
    assert report["schema"] == "secure-ml/lint@1"
    assert report["summary"] == {"error": 2, "warning": 0, "info": 0}
    first = report["findings"][0]
    assert first["file"] == "role.json"
    assert first["code"] == "anded-null"
    assert first["statement"] == {"index": 1, "sid": None}
    assert first["message"].endswith(".")
    assert [each["Effect"] for each in first["corrected"]] == ["Deny", "Deny"]


def test_sarif_is_valid(shell: Shell) -> None:
    schema = json.loads((DATA / "sarif" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    done = shell("--format", "sarif", shell.file("roles/a b.json", ERROR), "missing.json")
    log = json.loads(done.stdout)
    jsonschema.validate(log, schema)
    (run,) = log["runs"]
    uris = {
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for each in run["results"]
    }
    assert uris == {"roles/a%20b.json"}
    assert "missing.json" in json.dumps(run["invocations"])
    assert str(shell.home) not in done.stdout


@pytest.mark.parametrize(
    ("content", "fail_on", "code"),
    [
        (CLEAN, "info", 0),
        (NOTE, "warning", 0),
        (NOTE, "info", 1),
        (WARNING, "error", 0),
        (WARNING, "warning", 1),
        (ERROR, "error", 1),
        (ERROR, "never", 0),
    ],
)
def test_fail_on(shell: Shell, content: Any, fail_on: str, code: int) -> None:
    done = shell("--fail-on", fail_on, shell.file("a.json", content))
    assert done.returncode == code, done.stdout


def test_errors_fail_by_default(shell: Shell) -> None:
    assert shell(shell.file("a.json", WARNING)).returncode == 0
    assert shell(shell.file("a.json", ERROR)).returncode == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "line 1 column 2"),
        ("{}", "holds no policy document"),
        (b"\xff\x00", "not UTF-8 text"),
        (policy("Forbid", "sagemaker:*"), "line 1: statement 0, Effect: Effect is Allow or Deny"),
        (policy("Deny", "CreateModel"), "an action is written service:action, or *"),
        (policy("Deny", "sagemaker:*", {"Isnt": {"a": "b"}}), "there is no condition operator"),
        ("[" * 100_000, "nested too deeply"),
        (b" " * (8 * 1024 * 1024 + 1), "larger than 8 MB"),
    ],
)
def test_a_bad_file_exits_2_and_does_not_hide_the_others(
    shell: Shell, content: Any, said: str
) -> None:
    done = shell(shell.file("bad.json", content), shell.file("role.json", ERROR))
    assert done.returncode == 2
    assert said in done.stderr
    assert "bad.json" in done.stderr
    assert "Traceback" not in done.stderr
    assert "anded-null" in done.stdout


def test_a_missing_file(shell: Shell) -> None:
    done = shell("nowhere.json")
    assert done.returncode == 2
    assert "nowhere.json: cannot be read: No such file or directory" in done.stderr


def test_standard_input(shell: Shell) -> None:
    done = shell("-", stdin=ERROR.encode())
    assert done.returncode == 1
    assert done.stdout.startswith("Secure ML: standard input\n")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_with_a_byte_order_mark(shell: Shell, encoding: str) -> None:
    done = shell(shell.file("a.json", json.dumps(CLEAN).encode(encoding)))
    assert done.returncode == 0
    assert "a byte order mark in line 1" in done.stdout


def test_a_folder_is_searched_for_policies(shell: Shell) -> None:
    shell.file("infra/b/role.json", ERROR)
    shell.file("infra/a.json", WARNING)
    shell.file("infra/package.json", {"name": "x", "version": "1"})
    shell.file("infra/readme.txt", "no policy")
    shell.file("infra/.git/c.json", ERROR)
    done = shell("--format", "json", "infra", "infra/a.json")
    files = [each["file"] for each in json.loads(done.stdout)["findings"]]
    assert list(dict.fromkeys(files)) == ["infra/a.json", "infra/b/role.json"]
    assert files.count("infra/a.json") == 1  # named twice, linted once
    assert done.returncode == 1
    # What was found by searching and is no policy is said, and does no harm.
    assert "skipped: infra/package.json: holds no policy document" in done.stderr
    # What is a policy that IAM would refuse does.
    shell.file("infra/broken.json", '{"Statement": [')
    assert shell("infra").returncode == 2


def test_an_empty_folder_is_no_success(shell: Shell) -> None:
    (shell.home / "empty").mkdir()
    done = shell("empty")
    assert done.returncode == 2
    assert "there is no policy to lint" in done.stderr


def test_half_a_surrogate_pair_is_printed(shell: Shell) -> None:
    odd = policy("Deny", "sagemaker:CreateModl", Sid="\ud800")
    for form in ("text", "json", "sarif"):
        done = shell("--format", form, shell.file("a.json", odd))
        assert done.returncode == 0, done.stderr
        assert "\\ud800" in done.stdout
    json.loads(shell("--format", "json", "a.json").stdout)


def test_usage(shell: Shell) -> None:
    assert shell().returncode == 2
    assert shell("--format", "xml", "a.json").returncode == 2
    help_ = shell("--help")
    assert help_.returncode == 0
    assert "Exit code" in help_.stdout
