"""``jupyter secure-ml backup`` as a user runs it: exit codes, standard output and error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.demo.aws import REGION, Embedded


class Shell:
    """Runs the command in an empty home, with the credentials of the notebook's role."""

    def __init__(self, home: Path, aws: Embedded, bucket: str) -> None:
        self.home, self.bucket = home, bucket
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SECURE_ML", "XDG_"))}
        self.env = {**aws.environ(kept), "HOME": str(home), "COLUMNS": "100",
                    "SECURE_ML_RESOURCE_METADATA": str(home / "metadata.json")}  # fmt: skip

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "secure_ml_ext.cli.main", "backup", *words],
            capture_output=True, text=True, env=self.env, cwd=self.home,
        )  # fmt: skip

    def json(self, *words: str, status: int = 0) -> Any:
        done = self(*words, "--bucket", self.bucket, "--format", "json")
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path: Path, aws: Embedded) -> Shell:
    bucket = f"cli-{uuid.uuid4().hex[:10]}"
    where = {"LocationConstraint": REGION}
    aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    (tmp_path / "volume" / "work").mkdir(parents=True)
    (tmp_path / "volume" / "work" / "a.ipynb").write_text("{}")
    return Shell(tmp_path, aws, bucket)


def test_a_whole_life(shell: Shell, aws: Embedded) -> None:
    making = ("create", "--root", "volume", "--name", "nb")
    planned = shell.json(*making, "--dry-run")
    assert (planned["schema"], planned["new"]) == ("secure-ml/backup-plan@1", ["work/a.ipynb"])
    first = shell.json(*making)
    assert first["schema"] == "secure-ml/backup-created@1"
    assert (first["files"], first["bytes"], first["sent"], first["skipped"]) == (1, 2, 1, [])
    assert [each["check"] for each in first["bucket_findings"]] == [
        "encryption", "public-access", "versioning",
    ]  # fmt: skip
    name = first["snapshot"]
    # The demo's profile has a key for outputs: it encrypts the snapshot too.
    head = aws.client("s3").head_object(Bucket=shell.bucket, Key=f"{name}/work/a.ipynb")
    assert head["ServerSideEncryption"] == "aws:kms"

    (listed,) = shell.json("list")["snapshots"]
    assert (listed["snapshot"], listed["state"]) == (name, "complete")
    shown = shell.json("show", f"s3://{shell.bucket}/{name}/")
    assert [entry["path"] for entry in shown["entries"]] == ["work", "work/a.ipynb"]
    verified = shell.json("verify", name, "--sample", "100")
    assert (verified["read"], verified["faults"]) == (1, [])
    restored = shell.json("restore", name, "--to", "back")
    assert (restored["written"], restored["announced"]) == (["work", "work/a.ipynb"], True)
    assert (shell.home / "back" / "work" / "a.ipynb").read_text() == "{}"
    assert shell.json("diff", name, "--root", "back")["changed"] == []
    assert shell.json("prune", "--name", "nb", "--keep-last", "1")["kept"] == [name]

    aws.client("s3").delete_object(Bucket=shell.bucket, Key=f"{name}/work/a.ipynb")
    assert shell.json("verify", name, status=1)["faults"][0]["problem"] == "missing"
    refused = shell("restore", name, "--to", "third", "--bucket", shell.bucket)
    assert refused.returncode == 1
    assert "nothing was written" in refused.stderr


def test_skipped_files_are_exit_code_3(shell: Shell) -> None:
    os.mkfifo(shell.home / "volume" / "pipe\x1b[31m")
    done = shell("create", "--root", "volume", "--name", "nb", "--bucket", shell.bucket)
    assert done.returncode == 3
    assert r"skipped: pipe\x1b[31m: is a named pipe" in done.stdout.splitlines()
    progress = [json.loads(line) for line in done.stderr.splitlines()]
    assert (progress[-1]["files"], progress[-1]["files_total"]) == (1, 1)


def test_kept_files_are_exit_code_3(shell: Shell) -> None:
    made = shell.json("create", "--root", "volume", "--name", "nb")
    (shell.home / "volume" / "work" / "a.ipynb").write_text("mine")
    kept = shell.json("restore", made["snapshot"], "--to", "volume", status=3)
    assert kept["kept"] == [{"path": "work/a.ipynb", "reason": "differs"}]


def test_snapshots_of_the_aws_scripts(shell: Shell, aws: Embedded) -> None:
    name, s3 = "old_2024-03-01-08-00-00", aws.client("s3")
    s3.put_object(Bucket=shell.bucket, Key=f"{name}/work/a.ipynb", Body=b"{}")
    assert shell.json("list")["snapshots"][0]["state"] == "running"
    refused = shell("verify", name, "--bucket", shell.bucket)
    assert (refused.returncode, "is running" in refused.stderr) == (1, True)
    marker = f"Created s3://{shell.bucket}/{name}/\nCompleted at Fri Mar  1 08:04:11 UTC 2024\n"
    s3.put_object(Bucket=shell.bucket, Key=f"{name}/BACKUP_COMPLETE", Body=marker.encode())
    shown = shell.json("show", name)
    assert shown["summary"]["state"] == "complete-unverified"
    assert [(e["type"], e["path"]) for e in shown["entries"]] == [
        ("directory", "work"), ("file", "work/a.ipynb"), ("excluded", "BACKUP_COMPLETE"),
    ]  # fmt: skip
    assert shell.json("verify", name)["read"] == 1
    assert shell.json("adopt", name)["files"] == 1
    assert shell.json("list")["snapshots"][0]["state"] == "complete"
    assert shell.json("restore", name, "--to", "back")["announced"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "--name", "nb", "--bucket", "b-1-x"), "Which folder?"),
        (("create", "--root", "volume", "--bucket", "b-1-x"), "Under which name?"),
        (("create", "--root", "volume", "--name", "nb"), "Which bucket?"),
        (("create", "--root", "no", "--name", "nb", "--bucket", "{}"), "no such folder"),
        (("show", "nb", "--bucket", "{}"), "is no snapshot"),
        (("verify", "nb_2026-01-01-00-00-00", "--bucket", "{}"), "There is no snapshot"),
        (("verify", "nb_2026-01-01-00-00-00", "--sample", "101"), "from 0 to 100"),
        (("restore",), "which snapshot?"),
        (("prune", "--name", "nb", "--bucket", "{}"), "what to keep"),
    ],
)  # fmt: skip
def test_bad_usage_is_exit_code_2(shell: Shell, words: tuple[str, ...], said: str) -> None:
    done = shell(*(word.format(shell.bucket) for word in words))
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_bucket_that_is_not_there_is_made_only_when_asked(shell: Shell, aws: Embedded) -> None:
    making = ("create", "--root", "volume", "--name", "nb", "--bucket", f"{shell.bucket}-new")
    done = shell(*making)
    assert done.returncode == 1
    assert "--create-bucket" in done.stderr
    names = [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]]
    assert f"{shell.bucket}-new" not in names
    done = shell(*making, "--create-bucket")
    # The embedded AWS speaks HTTP, and the policy of the new bucket refuses what is not TLS.
    assert (done.returncode, "Access denied" in done.stderr) == (1, True)
    aws.client("s3").delete_bucket_policy(Bucket=f"{shell.bucket}-new")
    done = shell(*making, "--create-bucket", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["bucket_findings"] == []


def test_a_notebook_instance_knows_bucket_name_and_snapshot(shell: Shell, aws: Embedded) -> None:
    sagemaker = aws.client("sagemaker")
    arn = sagemaker.describe_notebook_instance(NotebookInstanceName="governed-notebook")[
        "NotebookInstanceArn"
    ]
    (shell.home / "metadata.json").write_text(
        json.dumps({"ResourceArn": arn, "ResourceName": "governed-notebook"})
    )
    tags = [{"Key": "ebs-backup-bucket", "Value": shell.bucket}]
    sagemaker.add_tags(ResourceArn=arn, Tags=tags)
    try:
        done = shell("create", "--root", "volume", "--format", "json")
        assert done.returncode == 0, done.stderr
        name = json.loads(done.stdout)["snapshot"]
        assert name.startswith("governed-notebook_")
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "backup-snapshot", "Value": name}])
        done = shell("restore", "--to", "back")
        assert done.returncode == 0, done.stderr
        assert (shell.home / "back" / "work" / "a.ipynb").read_text() == "{}"
    finally:
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=["ebs-backup-bucket", "backup-snapshot"])
