"""``jupyter secure-ml policies`` as a user runs it: exit codes, standard output and error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.demo.aws import Embedded

ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class Shell:
    """Runs the command in an empty home, with the credentials of the notebook's role."""

    def __init__(self, home: Path, aws: Embedded) -> None:
        self.home = home
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SECURE_ML", "XDG_"))}
        self.env = {**aws.environ(kept), "HOME": str(home), "COLUMNS": "100"}

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "secure_ml_ext.cli.main", "policies", *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.env,
            cwd=self.home,
        )


@pytest.fixture
def shell(tmp_path: Path, aws: Embedded) -> Shell:
    return Shell(tmp_path, aws)


def bundle(*statements: Any) -> str:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return json.dumps({"identity": [{"name": "own", "arn": None, "document": document}]})


def test_a_complete_export_exits_0_and_only_the_bundle_is_on_standard_output(
    shell: Shell,
) -> None:
    done = shell("export", "--role", ROLE)
    assert done.returncode == 0
    assert list(json.loads(done.stdout)["principals"]) == [ROLE]
    assert done.stderr.splitlines()[:2] == [
        f"{ROLE}: 2 identity policies, a boundary",
        "4 service control policies on 3 levels",
    ]
    assert "resource control policies" in done.stderr
    assert "bytes with --compact: a file or an S3 object holds it" in done.stderr


def test_without_a_role_the_callers_own_goes_into_the_file(shell: Shell) -> None:
    done = shell("export", "--output", "policies.json", "--compact")
    assert (done.returncode, done.stdout) == (0, "")
    text = (shell.home / "policies.json").read_text()
    assert "\n" not in text
    assert list(json.loads(text)["principals"]) == [ROLE]


def test_an_incomplete_export_exits_1_and_is_written_all_the_same(
    shell: Shell, aws: Embedded
) -> None:
    aws.fault("organizations", "ListParents", "AccessDeniedException", times=-1)
    aws.fault("iam", "GetRolePolicy", "AccessDenied", times=-1)
    done = shell("export", "--role", ROLE, "--output", "policies.json")
    assert done.returncode == 1
    written = json.loads((shell.home / "policies.json").read_text())
    assert written["unread"] == ["scps"]
    assert written["principals"][ROLE]["unread"] == ["identity"]
    assert f"not read: identity of {ROLE}: Access denied: " in done.stderr
    assert "allow iam:GetRolePolicy for this role" in done.stderr
    assert "not read: scps: Access denied: " in done.stderr
    assert "name an AWS profile that may read it with --organizations-profile." in done.stderr
    shown = shell("show", "policies.json")
    assert shown.returncode == 1
    assert "not read: scps" in shown.stdout
    assert f"not read: identity of {ROLE}" in shown.stdout


def test_another_address(shell: Shell, aws: Embedded) -> None:
    shell.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    done = shell("export", "--endpoint-url", aws.url, "--region", "eu-west-1")
    assert (done.returncode, list(json.loads(done.stdout)["principals"])) == (0, [ROLE])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "--role", "arn:aws:iam::1:user/ann"), "is no role|is a user"),
        (("export", "--output", "no/such/folder.json"), "cannot be written"),
        (("show", "nothing.json"), "No such file"),
        (("show", "s3://bucket"), "names no policy bundle"),
        (("show",), "BUNDLE"),
        ((), "export"),
        (("import",), "invalid choice"),
    ],
)
def test_bad_usage_exits_2(shell: Shell, words: tuple[str, ...], said: str) -> None:
    done = shell(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert any(each in done.stderr for each in said.split("|"))
    assert "Traceback" not in done.stderr


def test_show_counts_layers_documents_and_statements(shell: Shell) -> None:
    """The seeded bundle: a managed and an inline policy, a boundary, the organisation's."""
    done = shell("show", "s3://sm-mlops-dev-eu-west-1-data/secure-ml/policies.json")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:6] == [
        ROLE,
        "  identity  documents 2, statements 9",
        "    sm-mlops-dev-sagemaker-execution: statements 7, Deny 1",
        "    sagemaker: statements 2, Deny 0",
        "  boundary  documents 1, statements 1",
        "    sm-mlops-dev-boundary: statements 1, Deny 0",
    ]
    at = lines.index("Service control policies")
    assert lines[at + 3 : at + 6] == [
        "  scp:1     documents 2, statements 8",
        "    FullAWSAccess: statements 1, Deny 0",
        "    sm-mlops-dev-guardrails: statements 7, Deny 7",
    ]


def test_show_names_every_document_that_cannot_be_evaluated(shell: Shell) -> None:
    broken = json.loads(bundle(ALLOW, {**ALLOW, "Effect": "deny"}))
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}'
    broken["scps"] = [[{"name": "short", "document": text}]]
    done = shell("show", "--format", "json", "-", stdin=json.dumps(broken))
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert summary["schema"] == "secure-ml/policies-summary@1"
    assert [(e["document"], e["statement"]) for e in summary["errors"]] == [
        ("own", 1),
        ("short", 0),
    ]
    # The statement begins behind 40 characters of the text.
    assert summary["errors"][1]["character"] == 40
    plain = shell("show", "-", stdin=json.dumps(broken))
    assert "cannot be evaluated: own, statement 1, Effect: " in plain.stdout


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("{", 2, "line 1 column 2"),
        ("[]", 2, "a bundle is an object"),
        ('{"scp": []}', 1, "did you mean scps?"),
        ('{"principals": []}', 1, "principals is an object"),
        ('{"principals": {"arn": 1}}', 1, "principal arn"),
        ('{"scps": [1]}', 1, "a document is an object"),
        ("{}", 0, "empty"),
        ("[" * 100_000, 2, "nested too deeply"),
    ],
)
def test_show_of_what_is_no_bundle(shell: Shell, text: str, code: int, said: str) -> None:
    done = shell("show", "-", stdin=text)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True)
    assert "Traceback" not in done.stderr


def test_a_bundle_that_aws_does_not_give(shell: Shell) -> None:
    done = shell("show", "ssm:/secure-ml/no-such-parameter")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Check the name, the Region and the account" in done.stderr
