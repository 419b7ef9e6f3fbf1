"""``assert_compliant``: a pipeline's test in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.testing import assert_compliant
from secure_ml_ext.iam import PolicyBundle, PolicyError
from secure_ml_ext.rules import Rule, builtin_rules
from tests.worlds import compliant_training, profile, training

DATA = Path(__file__).resolve().parents[1] / "data" / "pipelines"
GOOD = DATA / "secure-mlops-abalone.json"
BAD = DATA / "lambda-step.json"
ROLE = "arn:aws:iam::111122223333:role/pipeline"


def pipeline(arguments: dict[str, Any], **members: Any) -> dict[str, Any]:
    step = {"Name": "Train", "Type": "Training", "Arguments": arguments}
    return {"Version": "2020-12-01", "Steps": [step], **members}


class Pipeline:
    """An object as the SDKs have it."""

    def definition(self) -> str:
        return BAD.read_text()


@pytest.mark.parametrize("given", [GOOD, str(GOOD), GOOD.read_text(), json.loads(GOOD.read_text())])
def test_a_compliant_pipeline_passes_in_every_form(given: Any) -> None:
    report = assert_compliant(given)
    # Isolation is off in three jobs (warnings); the model package has no card key (info).
    assert (report.summary.error, report.summary.warning, report.summary.info) == (0, 3, 1)
    paths = {subject.path for subject in report.subjects}
    assert paths == ({str(GOOD)} if given in (GOOD, str(GOOD)) else {None})


@pytest.mark.parametrize("given", [BAD, Pipeline(), "\ufeff \n" + BAD.read_text()])
def test_one_that_is_not_fails_with_the_report(given: Any) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_compliant(given)
    text = str(caught.value)
    assert text.startswith("the pipeline is not compliant\nSecure ML: CreateProcessingJob (")
    assert "training-vpc at VpcConfig" in text
    assert "step CreateModel-CreateModel, in CheckMSEAbaloneEvaluation (if)" in text
    # 3 jobs × 4 and the model's VPC.
    assert "\n13 errors, 4 warnings, 1 note" in text


def test_a_note_stands_in_the_failure() -> None:
    hidden = {
        "inference_script": '"inference.py"',
        "model_archive": "s3://m",
        "sagemaker_program": '"_repack_script_launcher.sh"',
    }
    with pytest.raises(AssertionError, match="added by the SageMaker SDK") as caught:
        assert_compliant(pipeline(training(HyperParameters=hidden)))
    assert "inference.py" not in str(caught.value)


@pytest.mark.parametrize(
    ("fail_on", "fails"), [("error", False), ("warning", True), ("info", True)]
)
def test_how_grave_a_finding_may_be_is_the_callers_to_say(fail_on: Any, fails: bool) -> None:
    request = compliant_training()
    del request["EnableNetworkIsolation"]
    if fails:
        with pytest.raises(AssertionError, match="job-isolation"):
            assert_compliant(pipeline(request), fail_on=fail_on)
    else:
        assert_compliant(pipeline(request), fail_on=fail_on)


def test_the_words_for_it_are_checked() -> None:
    with pytest.raises(ValueError, match="fail_on is one of error, warning, info, not 'never'"):
        assert_compliant(GOOD, fail_on="never")  # type: ignore[arg-type]


def test_parameters_decide() -> None:
    request = compliant_training()
    request["ResourceConfig"]["VolumeKmsKeyId"] = {"Get": "Parameters.Key"}
    declared = [{"Name": "Key", "Type": "String", "DefaultValue": "alias/x"}]
    definition = pipeline(request, Parameters=declared)
    assert_compliant(definition)
    with pytest.raises(AssertionError, match="training-volume-kms"):
        assert_compliant(definition, parameters={"Key": ""})


def test_the_profile_decides_and_gives_the_fix() -> None:
    assert_compliant(pipeline(compliant_training()), profile=profile())
    foreign = profile(subnets=["subnet-other"])
    with pytest.raises(AssertionError, match="approved-network") as caught:
        assert_compliant(pipeline(compliant_training()), profile=foreign)
    assert "Fix ~ VpcConfig.Subnets  subnet-other" in str(caught.value)


def test_rules_decide() -> None:
    only: list[Rule] = [rule for rule in builtin_rules() if rule.id == "training-vpc"]
    assert_compliant(pipeline({"VpcConfig": compliant_training()["VpcConfig"]}), rules=only)
    with pytest.raises(AssertionError, match="1 error, 0 warnings, 0 notes"):
        assert_compliant(pipeline(training()), rules=only)


def bundle(*statements: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    everything = {"Version": "2012-10-17", "Statement": [allow]}
    own = {"identity": [everything, document], "boundary": None, "session": None}
    return {"principals": {ROLE: own}, "scps": []}


def test_each_step_is_asked_as_the_pipelines_role() -> None:
    deny = {
        "Sid": "NoTraining",
        "Effect": "Deny",
        "Action": "sagemaker:CreateTrainingJob",
        "Resource": "*",
    }
    definition = pipeline(compliant_training())
    report = assert_compliant(definition, bundle=bundle(), role=ROLE)
    assert report.subjects[0].iam.verdict == "allowed"
    compiled = PolicyBundle.from_dict(bundle(deny))
    with pytest.raises(AssertionError, match="NoTraining"):
        assert_compliant(definition, bundle=compiled, role=ROLE)
    # The role of a DescribePipeline reply counts, where none is given.
    reply = {"PipelineDefinition": json.dumps(definition), "RoleArn": ROLE}
    with pytest.raises(AssertionError, match="NoTraining"):
        assert_compliant(reply, bundle=compiled)
    with pytest.raises(PolicyError):
        assert_compliant(definition, bundle={"identity": 7}, role=ROLE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("no-such-file.json", "no-such-file.json: cannot be read"),
        (Path("no-such-file.json"), "no-such-file.json: cannot be read"),
        ({"Steps": 1}, 'no list of "Steps"'),
        ("[]", "a pipeline definition is a JSON object"),
        (7, "int is no SageMaker pipeline"),
        (None, "NoneType is no SageMaker pipeline"),
    ],
)
def test_what_is_no_pipeline_is_no_failure_but_an_error(wrong: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        assert_compliant(wrong)
    assert message in str(caught.value)


def test_it_is_there_by_name_and_costs_nothing_before() -> None:
    code = (
        "import sys, secure_ml_ext.check as check\n"
        "assert 'secure_ml_ext.check.testing' not in sys.modules\n"
        "assert 'secure_ml_ext.check.pipeline' not in sys.modules\n"
        "check.testing.assert_compliant\n"
        "assert not {'pytest', 'boto3', 'botocore', 'sagemaker'} & set(sys.modules)\n"
        "try:\n    check.nothing\nexcept AttributeError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "module 'secure_ml_ext.check' has no attribute 'nothing'\n"


def test_pytest_shows_the_callers_line(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from secure_ml_ext.check.testing import assert_compliant\n"
        "def test_it():\n"
        f"    assert_compliant({str(BAD)!r})\n"
    )
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir=.", "test_it.py"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert ">       assert_compliant('" in done.stdout
    assert "13 errors, 4 warnings, 1 note" in done.stdout
    assert "raise AssertionError" not in done.stdout
