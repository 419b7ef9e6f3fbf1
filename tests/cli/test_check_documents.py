"""``jupyter secure-ml check`` on every kind of document, with policies, rules and formats."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.demo.aws import Embedded
from tests.worlds import ROLE, compliant_training, training

from .test_cli import PROFILE, Shell

DATA = Path(__file__).parents[1] / "data"
ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
NO_VPC = {
    "Sid": "DenyNoVpc",
    "Effect": "Deny",
    "Action": "sagemaker:Create*Job",
    "Resource": "*",
    "Condition": {"Null": {"sagemaker:VpcSubnets": "true"}},
}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def policies(shell: Shell, *statements: dict[str, Any]) -> str:
    scp = {"Version": "2012-10-17", "Statement": [ALL["Statement"], *statements]}
    return shell.file("policies.json", {"identity": [ALL], "scps": [[ALL], [scp]]})


def report(done: Any) -> Any:
    return json.loads(done.stdout)


def test_policies_add_what_iam_would_decide(shell: Shell) -> None:
    words = ["--profile", shell.file("p.json", PROFILE), "--policies", policies(shell, NO_VPC)]
    done = shell("check", shell.file("train.json", training()), *words)
    assert done.returncode == 1
    assert 'IAM would deny this    scp:1 "DenyNoVpc"' in done.stdout
    done = shell("check", shell.file("good.json", compliant_training()), *words)
    assert done.returncode == 0
    assert "compliant, allowed by IAM (" in done.stdout


def test_the_role_chooses_among_principals(shell: Shell) -> None:
    other = "arn:aws:iam::111122223333:role/other"
    bundle = {"principals": {ROLE: {"identity": [ALL]}, other: {"identity": []}}}
    place = shell.file("policies.json", bundle)
    job = shell.file("good.json", compliant_training())
    for role, verdict in ((ROLE, "allowed"), (other, "implicitly-denied")):
        done = shell("check", job, "--policies", place, "--role", role, "--format", "json")
        assert report(done)["subjects"][0]["iam"]["verdict"] == verdict
    done = shell("check", job, "--policies", place, "--role", "analyst")
    assert done.returncode == 2
    assert "not an ARN" in done.stderr


def test_a_bundle_that_cannot_be_used_is_bad_input(shell: Shell) -> None:
    job = shell.file("good.json", compliant_training())
    for content, words in (
        ({"identity": [{"Statement": [{"Effect": "deny"}]}]}, "Effect is Allow or Deny"),
        ("{", "not JSON"),
    ):
        done = shell("check", job, "--policies", shell.file("policies.json", content))
        assert done.returncode == 2
        assert words in done.stderr
    done = shell("check", job, "--policies", "nowhere.json")
    assert done.returncode == 2
    assert "nowhere.json: cannot be read" in done.stderr


def test_a_pipeline_is_checked_step_by_step(shell: Shell) -> None:
    file = DATA / "pipelines" / "secure-mlops-abalone.json"
    done = shell("check", str(file), "--format", "json")
    found = report(done)
    assert [subject["where"] for subject in found["subjects"]] == [
        "step PreprocessAbaloneData",
        "step TrainAbaloneModel",
        "step EvaluateAbaloneModel",
        "step RegisterAbaloneModel-RegisterModel, in CheckMSEAbaloneEvaluation (if)",
    ]
    assert found["summary"]["error"] == 0
    assert done.returncode == 0
    local = "ProcessingInstanceType=ml.g5.xlarge"  # local disks refuse the key that is set
    done = shell("check", str(file), "--parameter", local, "--format", "json")
    assert report(done)["summary"]["error"] == 2
    assert done.returncode == 1
    done = shell("check", str(file), "--parameter", "ProcessingInstanceType")
    assert done.returncode == 2
    assert "NAME=VALUE" in done.stderr


@pytest.mark.parametrize("folder", ["describe", "events", "pipelines"])
def test_every_recorded_file_gets_an_answer(shell: Shell, folder: str) -> None:
    files = sorted(str(file) for file in (DATA / folder).glob("*.json"))
    done = shell("check", *files, "--format", "json", "--fail-on", "never")
    assert done.returncode == 0, done.stderr
    found = report(done)
    named = {part["path"] for part in (*found["subjects"], *found["notes"])}
    assert named == set(files)


def test_a_folder_is_searched_and_other_files_are_noted(shell: Shell, tmp_path: Path) -> None:
    below = tmp_path / "jobs" / "deep"
    below.mkdir(parents=True)
    (below / "train.json").write_text(json.dumps(training()))
    (below / "package.json").write_text('{"name": "x"}')
    (below / "model.yaml").write_text(
        "Resources:\n  M:\n    Type: AWS::SageMaker::Model\n    Properties: {}\n"
    )
    (tmp_path / "jobs" / ".hidden").mkdir()
    (tmp_path / "jobs" / ".hidden" / "bad.json").write_text("{")
    done = shell("check", str(tmp_path / "jobs"), "--format", "json")
    found = report(done)
    kinds = [Path(subject["path"]).name for subject in found["subjects"]]
    assert kinds == ["model.yaml", "train.json"]
    (note,) = found["notes"]
    assert note["path"].endswith("package.json")
    assert done.returncode == 1


def test_a_packed_cloudtrail_log(shell: Shell, tmp_path: Path) -> None:
    record = json.loads((DATA / "events" / "cloudtrail-createmodel.json").read_text())
    place = tmp_path / "log.json.gz"
    place.write_bytes(gzip.compress(json.dumps({"Records": [record]}).encode()))
    done = shell("check", str(place), "--format", "json")
    (subject,) = report(done)["subjects"]
    assert (subject["kind"], subject["operation"]) == ("event", "CreateModel")
    place.write_bytes(gzip.compress(b"{}")[:-6])
    done = shell("check", str(place))
    assert done.returncode == 2
    assert "not readable as gzip" in done.stderr


def test_rules_of_a_file(shell: Shell) -> None:
    job = shell.file("train.json", training())
    changed = {"schema": "secure-ml/config@1", "rules": {"training-vpc": {"severity": "off"}}}
    done = shell("check", job, "--rules", shell.file("r.json", changed), "--format", "json")
    rules = {f["rule"] for f in report(done)["subjects"][0]["findings"]}
    assert "training-vpc" not in rules
    assert "training-volume-kms" in rules
    own = {
        "schema": "secure-ml/rules@1",
        "rules": [
            {
                "id": "team-tags",
                "control": "tags",
                "operations": ["CreateTrainingJob"],
                "severity": "error",
                "why": "Every job has an owner.",
            }
        ],
    }
    done = shell("check", job, "--rules", shell.file("own.json", own), "--format", "json")
    rules = {f["rule"] for f in report(done)["subjects"][0]["findings"]}
    assert {"team-tags", "training-vpc"} <= rules
    for content, words in (
        ({"rules": {}}, "no schema"),
        ({"schema": "secure-ml/config@1", "rules": {"trainin-vpc": {}}}, "there is no rule"),
        ({"schema": "secure-ml/rules@1", "rules": [{"id": "x"}]}, "control"),
    ):
        done = shell("check", job, "--rules", shell.file("bad.json", content))
        assert done.returncode == 2
        assert words in done.stderr


def test_sarif(shell: Shell) -> None:
    job = shell.file("train.json", training())
    done = shell("check", job, "--policies", policies(shell, NO_VPC), "--format", "sarif")
    (run,) = report(done)["runs"]
    found = {result["ruleId"] for result in run["results"]}
    assert {"training-vpc", "iam/explicitly-denied"} <= found
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == (
        "train.json"
    )


def test_a_policy_given_as_a_request_is_told_where_it_belongs(shell: Shell) -> None:
    done = shell("check", shell.file("policy.json", ALL))
    assert done.returncode == 2
    assert "lint-policy" in done.stderr


def test_fixed_is_for_one_request(shell: Shell) -> None:
    file = DATA / "pipelines" / "secure-mlops-abalone.json"
    done = shell("check", str(file), "--fixed", "-")
    assert done.returncode == 2
    assert "one request" in done.stderr


def test_confirm_asks_the_simulator_and_says_where_it_disagrees(
    tmp_path: Path, aws: Embedded
) -> None:
    shell = Shell(tmp_path)  # made now: the fixture has set the endpoint and fake keys
    job = shell.file("good.json", compliant_training())
    words = ["--policies", policies(shell, NO_VPC), "--role", ROLE, "--region", "eu-west-1"]
    done = shell("check", job, *words, "--confirm", "--format", "json")
    notes = [note["message"] for note in report(done)["notes"]]
    assert [note.split(":")[1] for note in notes] == ["CreateTrainingJob", "PassRole"]
    assert all("simulator agrees: allowed" in note for note in notes), notes
    aws.fault("iam", "SimulateCustomPolicy", decision="implicitDeny")
    done = shell("check", job, *words, "--confirm", "--format", "json")
    assert "simulator disagrees" in report(done)["notes"][0]["message"]
    done = shell("check", job, "--confirm")
    assert done.returncode == 2
    assert "--policies" in done.stderr


def test_documents_in_s3_and_what_they_refer_to(tmp_path: Path, aws: Embedded) -> None:
    shell = Shell(tmp_path)
    bucket = "sm-mlops-dev-eu-west-1-data"
    content = (DATA / "pipelines" / "secure-mlops-abalone.json").read_bytes()
    aws.client("s3").put_object(Bucket=bucket, Key="d/abalone.json", Body=content)
    done = shell("check", f"s3://{bucket}/d/abalone.json", "--format", "json")
    assert len(report(done)["subjects"]) == 4
    done = shell("check", f"s3://{bucket}/d/nowhere.json")
    assert done.returncode == 2
    assert f"s3://{bucket}/d/nowhere.json" in done.stderr
    aws.client("sagemaker").create_model(
        ModelName="looked-up-by-check",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:1"},
    )
    job = shell.file(
        "t.json",
        {
            "operation": "CreateTransformJob",
            "params": {"TransformJobName": "t", "ModelName": "looked-up-by-check"},
        },
    )
    for more, state in (([], "depends"), (["--look-up", "--region", "eu-west-1"], "fail")):
        done = shell("check", job, *more, "--format", "json")
        (subject,) = report(done)["subjects"]
        assert {c["control"]: c["state"] for c in subject["controls"]}["vpc"] == state
