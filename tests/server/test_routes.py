"""Each route answers what it promises, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from secure_ml_ext.demo.aws import Embedded

BARE = {"TrainingJobName": "t-1", "ResourceConfig": {"InstanceType": "ml.m5.xlarge"}}


async def test_validate_reports_the_findings_with_the_fix(jp_fetch: Any) -> None:
    body = json.dumps({"operation": "CreateTrainingJob", "params": BARE})
    reply = await jp_fetch("secure-ml-ext", "validate", method="POST", body=body)
    report = json.loads(reply.body)
    assert report["schema"] == "secure-ml/report@1"
    (subject,) = report["subjects"]
    assert subject["name"] == "t-1"
    states = {state["control"]: state["state"] for state in subject["controls"]}
    assert states["vpc"] == "fail"
    assert any(op["path"].startswith("/VpcConfig") for op in subject["fix"])


async def test_validate_takes_another_profile(jp_fetch: Any) -> None:
    given = {"subnets": ["subnet-1"], "security_groups": "sg-1"}
    body = {"operation": "CreateTrainingJob", "params": BARE, "profile": given}
    reply = await jp_fetch("secure-ml-ext", "validate", method="POST", body=json.dumps(body))
    (subject,) = json.loads(reply.body)["subjects"]
    values = json.dumps(subject["fix"])
    assert "subnet-1" in values
    assert "sg-1" in values


async def test_lint_answers_with_the_corrected_statement(jp_fetch: Any) -> None:
    both = {"sagemaker:VpcSubnets": "true", "sagemaker:VpcSecurityGroupIds": "true"}
    statement = {**NO_VPC, "Condition": {"Null": both}}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    body = {"documents": [{"file": "p.json", "content": policy}]}
    reply = await jp_fetch("secure-ml-ext", "lint", method="POST", body=json.dumps(body))
    found = json.loads(reply.body)["findings"]
    (finding,) = [each for each in found if each["code"] == "anded-null"]
    assert (finding["file"], finding["statement"]) == ("p.json", {"index": 0, "sid": "DenyNoVpc"})
    assert len(finding["corrected"]) == 2
    body = {"documents": [{"content": '{"Statement": [{"Effect": "deny"}]}'}]}
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch("secure-ml-ext", "lint", method="POST", body=json.dumps(body))
    assert raised.value.code == 400
    assert "Effect" in json.loads(raised.value.response.body)["message"]


ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
NO_VPC = {
    "Sid": "DenyNoVpc",
    "Effect": "Deny",
    "Action": "sagemaker:CreateTrainingJob",
    "Resource": "*",
    "Condition": {"Null": {"sagemaker:VpcSubnets": "true"}},
}


async def validated(jp_fetch: Any, body: dict[str, Any]) -> Any:
    reply = await jp_fetch("secure-ml-ext", "validate", method="POST", body=json.dumps(body))
    return json.loads(reply.body)


async def test_validate_asks_the_policies_that_were_sent(jp_fetch: Any) -> None:
    scp = {"Version": "2012-10-17", "Statement": [NO_VPC, ALL["Statement"]]}
    policies = {"identity": [ALL], "scps": [[ALL], [scp]]}
    body = {"operation": "CreateTrainingJob", "params": BARE, "policies": policies}
    (subject,) = (await validated(jp_fetch, body))["subjects"]
    assert subject["iam"]["verdict"] == "explicitly-denied"
    (statement,) = subject["iam"]["statements"]
    assert (statement["layer"], statement["sid"]) == ("scp:1", "DenyNoVpc")


async def test_validate_takes_any_document(jp_fetch: Any) -> None:
    steps = [
        {"Name": "Train", "Type": "Training", "Arguments": BARE},
        {"Name": "Call", "Type": "Lambda", "Arguments": {}},
    ]
    definition = {"Version": "2020-12-01", "Steps": steps}
    for content in (definition, json.dumps(definition)):
        report = await validated(jp_fetch, {"kind": "pipeline", "content": content})
        (subject,) = report["subjects"]
        assert (subject["kind"], subject["where"]) == ("pipeline-step", "step Train")
        (note,) = report["notes"]
        assert note["where"] == "step Call"
    told = await validated(jp_fetch, {"content": definition})
    assert told["subjects"] == report["subjects"]
    template = "Resources:\n  M:\n    Type: AWS::SageMaker::Model\n    Properties: {}\n"
    report = await validated(jp_fetch, {"content": template})
    assert report["subjects"][0]["kind"] == "template-resource"
    source = "import boto3\nboto3.client('sagemaker').create_model(ModelName='m')\n"
    report = await validated(jp_fetch, {"kind": "python", "content": source})
    assert report["subjects"][0]["where"] == "line 2"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("\xff", "not JSON"),
        ("[]", "Expected `object`"),
        ('{"operation": 1, "params": {}}', "$.operation"),
        ('{"operation": "CreateTrainingJob", "params": []}', "$.params"),
        ('{"operation": "CreateTrainingJob"}', "params"),
        ('{"operation": "CreateTrainingJob", "params": {}, "extra": 1}', "extra"),
        ('{"operation": "CreateTrainingJob", "params": {}, "policies": {}}', "empty"),
        (
            '{"operation": "CreateTrainingJob", "params": {}, "policies": {"identiy": []}}',
            "identity",
        ),
        ('{"kind": "pipeline", "content": {}}', "Steps"),
        ('{"kind": "pipelin", "content": {}}', "$.kind"),
        ('{"content": {"Statement": []}}', "lint-policy"),
        ('{"content": {"TrainingJobName": "a"}, "params": {}}', "exclude"),
        ('{"operation": "CreateTrainingJob", "params": {}, "profile": {"sub": 1}}', "sub"),
        ('{"operation": "CreateTraningJob", "params": {}}', "CreateTrainingJob"),
        ('{"operation": "", "params": {}}', "''"),
        ('{"operation":"CreateTrainingJob","params":{"a":' + "[" * 50_000, "nested"),
        ("", "not JSON"),
    ],
)
async def test_bad_input_is_a_400_that_names_the_place(
    jp_fetch: Any, body: str, words: str
) -> None:
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch(
            "secure-ml-ext",
            "validate",
            method="POST",
            body=body.encode("latin-1"),
            allow_nonstandard_methods=True,
        )
    assert raised.value.code == 400
    error = json.loads(raised.value.response.body)
    assert error["code"] == "bad-input"
    assert words in error["message"]
    assert error["remedy"]


async def test_a_huge_request_is_refused(jp_fetch: Any) -> None:
    body = json.dumps({"operation": "CreateTrainingJob", "params": {"a": "x" * 2_100_000}})
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch("secure-ml-ext", "validate", method="POST", body=body)
    assert raised.value.code == 413
    assert json.loads(raised.value.response.body)["code"] == "bad-input"


async def test_profile_carries_sources(jp_fetch: Any, aws: Embedded) -> None:
    reply = json.loads((await jp_fetch("secure-ml-ext", "profile")).body)
    assert reply["schema"] == "secure-ml/profile@1"
    assert reply["problem"] is None
    assert reply["values"]["subnets"]["source"] == "ssm:sm-mlops-dev-private-subnet-ids"
    assert all(subnet.startswith("subnet-") for subnet in reply["values"]["subnets"]["value"])
    assert reply["name"] == "sm-mlops-dev"
    assert reply["region"] == "eu-west-1"
    for name in reply["missing"]:
        assert reply["looked"][name], f"{name} is missing and nobody was asked"


async def test_profile_is_asked_once_until_fresh(jp_fetch: Any, aws: Embedded) -> None:
    await jp_fetch("secure-ml-ext", "profile")
    calls = len(aws.requests())
    assert calls
    await jp_fetch("secure-ml-ext", "profile")
    assert len(aws.requests()) == calls
    await jp_fetch("secure-ml-ext", "profile", params={"fresh": "1"})
    assert len(aws.requests()) > calls


@pytest.mark.parametrize(
    ("code", "status", "problem", "action"),
    [
        ("AccessDeniedException", 400, "access-denied", "ssm:GetParameters"),
        ("ExpiredTokenException", 400, "expired-credentials", None),
        ("ThrottlingException", 400, "throttled", None),
    ],
)
async def test_an_aws_failure_is_a_typed_state_with_a_remedy(
    jp_fetch: Any, aws: Embedded, code: str, status: int, problem: str, action: str | None
) -> None:
    aws.fault("ssm", "GetParameters", code, status=status, times=-1)
    reply = json.loads((await jp_fetch("secure-ml-ext", "profile")).body)
    assert reply["problem"]["code"] == problem
    assert reply["problem"]["action"] == action
    assert reply["problem"]["remedy"]
    assert "subnets" in reply["missing"]


async def test_an_endpoint_that_does_not_answer(
    jp_fetch: Any, aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    reply = json.loads((await jp_fetch("secure-ml-ext", "profile", request_timeout=60)).body)
    assert reply["problem"]["code"] == "endpoint-unreachable"
    named = " ".join(problem["remedy"] for problem in reply["problems"])
    assert "com.amazonaws.eu-west-1.ssm" in named
    assert "com.amazonaws.eu-west-1.sts" in named


async def test_no_credentials_and_no_region(
    jp_fetch: Any, aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    reply = json.loads((await jp_fetch("secure-ml-ext", "profile")).body)
    assert [problem["code"] for problem in reply["problems"]] == ["no-credentials"]
    assert "AWS_PROFILE" in reply["problem"]["remedy"]
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    reply = json.loads((await jp_fetch("secure-ml-ext", "profile")).body)
    assert [problem["code"] for problem in reply["problems"]] == ["no-region"]


async def test_what_the_organisation_locked_is_shown(
    jp_fetch: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"mode": "block", "locked": ["mode"], "waivers": 1}')
    monkeypatch.setenv("SECURE_ML_CONFIG", str(config))
    reply = json.loads((await jp_fetch("secure-ml-ext", "status")).body)
    assert len(reply["config_problems"]) == 1
    assert str(config) in reply["config_problems"][0]
    config.write_text('{"mode": "block", "locked": ["mode"]}')
    reply = json.loads((await jp_fetch("secure-ml-ext", "status")).body)
    assert (reply["mode"], reply["mode_locked"]) == ("block", True)


async def test_status(jp_fetch: Any) -> None:
    reply = json.loads((await jp_fetch("secure-ml-ext", "status")).body)
    assert reply["mode"] == "warn"
    assert reply["mode_locked"] is False
    assert reply["server_guarded"] is True
    assert reply["version"]


async def test_an_unknown_route_answers_in_the_one_shape(jp_fetch: Any) -> None:
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch("secure-ml-ext", "nothing")
    assert raised.value.code == 404
    assert set(json.loads(raised.value.response.body)) == {"code", "message", "remedy"}


async def test_the_wrong_method_answers_in_the_one_shape(jp_fetch: Any) -> None:
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch("secure-ml-ext", "status", method="DELETE")
    assert raised.value.code == 405
    assert set(json.loads(raised.value.response.body)) == {"code", "message", "remedy"}
