"""The demo's policies: who is denied what, and the simulator that is asked about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.demo.aws.client import MANAGEMENT_ACCOUNT
from secure_ml_ext.iam import PolicyBundle, Undetermined, evaluate

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-aaaa-4aaa-8aaa-111111111111"
STATEMENT = '{"Effect": "Allow", "Action": "*", "Resource": "*"}'
ALLOW = f'{{"Version": "2012-10-17", "Statement": [{STATEMENT}]}}'
OMITTED = Undetermined((None, "false"))
# What the keys of Lab 4's requests are: the first job, as it is sent in the notebook, and fixed.
OPEN: dict[str, Any] = {
    "aws:PrincipalArn": ROLE,
    "sagemaker:InstanceTypes": ["ml.m5.xlarge"],
    "sagemaker:MaxRuntimeInSeconds": 3600,
    "sagemaker:NetworkIsolation": OMITTED,
    "sagemaker:InterContainerTrafficEncryption": OMITTED,
}
FIXED: dict[str, Any] = {
    **OPEN,
    "sagemaker:VpcSubnets": ["subnet-1"],
    "sagemaker:VpcSecurityGroupIds": ["sg-1"],
    "sagemaker:VolumeKmsKeyArn": KEY,
    "sagemaker:OutputKmsKeyArn": KEY,
    "sagemaker:InterContainerTrafficEncryption": "true",
}


@pytest.fixture
def bundle(aws: Embedded) -> PolicyBundle:
    """The bundle that the seeded parameter names."""
    ssm = aws.client("ssm")
    place = ssm.get_parameter(Name="sm-mlops-dev-secure-ml-policies")["Parameter"]["Value"]
    bucket, _, key = place.removeprefix("s3://").partition("/")
    body = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return PolicyBundle.from_dict(json.loads(body))


def arn(kind: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:{kind}/credit-risk"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("CreateTrainingJob", "training-job"),
        ("CreateProcessingJob", "processing-job"),
        ("CreateHyperParameterTuningJob", "hyper-parameter-tuning-job"),
    ],
)
def test_jobs_are_denied_by_the_organisation_and_allowed_when_fixed(
    bundle: PolicyBundle, action: str, kind: str
) -> None:
    denied = evaluate(bundle, f"sagemaker:{action}", arn(kind), OPEN)
    assert denied.verdict == "explicitly-denied"
    assert {each.layer for each in denied.statements} == {"scp:1"}
    assert [each.sid for each in denied.statements][:4] == [
        "DenyNoVpc",
        "DenyNoSecurityGroup",
        "DenyNoVolumeKey",
        "DenyNoOutputKey",
    ]
    assert evaluate(bundle, f"sagemaker:{action}", arn(kind), FIXED).verdict == "allowed"
    # Only what is said nowhere stays open: whether an omitted switch is in the request.
    undecided = {**FIXED, "sagemaker:InterContainerTrafficEncryption": OMITTED}
    assert evaluate(bundle, f"sagemaker:{action}", arn(kind), undecided).verdict == "depends"


@pytest.mark.parametrize(
    ("action", "context", "verdict"),
    [
        ("sagemaker:CreateModel", {}, "explicitly-denied"),
        ("sagemaker:CreateModel", FIXED, "allowed"),
        ("sagemaker:CreateEndpointConfig", {}, "explicitly-denied"),
        ("sagemaker:CreateEndpointConfig", {"sagemaker:VolumeKmsKeyArn": KEY}, "allowed"),
        ("sagemaker:CreateTransformJob", {}, "explicitly-denied"),
        ("sagemaker:CreateTransformJob", FIXED, "allowed"),
        ("sagemaker:CreateEndpoint", {}, "allowed"),
        ("sagemaker:AddTags", {}, "allowed"),
        ("sagemaker:CreatePipeline", {}, "allowed"),
        # The published role denies it always: it carries neither of the keys.
        ("sagemaker:CreateCompilationJob", {}, "explicitly-denied"),
        ("iam:PassRole", {"iam:PassedToService": "sagemaker.amazonaws.com"}, "allowed"),
        ("iam:PassRole", {"iam:PassedToService": "ec2.amazonaws.com"}, "implicitly-denied"),
        ("iam:CreateUser", {}, "implicitly-denied"),
    ],
)
def test_what_else_the_role_may(
    bundle: PolicyBundle, action: str, context: dict[str, Any], verdict: str
) -> None:
    resource = arn("any") if action.startswith("sagemaker") else ROLE
    context = {**context, "aws:PrincipalArn": ROLE}
    assert evaluate(bundle, action, resource, context).verdict == verdict


def test_the_account_is_a_member_of_an_organisation(aws: Embedded) -> None:
    organizations = aws.client("organizations")
    told = organizations.describe_organization()["Organization"]
    assert told["MasterAccountId"] == MANAGEMENT_ACCOUNT
    (unit,) = organizations.list_parents(ChildId=ACCOUNT)["Parents"]
    assert unit["Type"] == "ORGANIZATIONAL_UNIT"
    (root,) = organizations.list_parents(ChildId=unit["Id"])["Parents"]
    assert root["Type"] == "ROOT"


def simulated(aws: Embedded, **params: Any) -> dict[str, Any]:
    reply = aws.client("iam").simulate_custom_policy(
        **{"PolicyInputList": [ALLOW], "ActionNames": ["sagemaker:CreateModel"], **params}
    )
    (result,) = reply["EvaluationResults"]
    return dict(result)


def test_the_simulator_names_statements_by_their_place(aws: Embedded) -> None:
    result = simulated(aws)
    assert (result["EvalDecision"], result["EvalResourceName"]) == ("allowed", "*")
    # As IAM counts, from 1: the brace behind 40 characters, and the one behind its end.
    assert result["MatchedStatements"] == [
        {
            "SourcePolicyId": "PolicyInputList.1",
            "StartPosition": {"Line": 1, "Column": 41},
            "EndPosition": {"Line": 1, "Column": 41 + len(STATEMENT)},
        }
    ]
    lone = ALLOW.replace("[", "").replace("]", "")
    (matched,) = simulated(aws, PolicyInputList=[lone])["MatchedStatements"]
    assert matched["StartPosition"]["Column"] == 40


def test_the_simulator_says_of_scps_only_whether_they_allow(aws: Embedded) -> None:
    deny = ALLOW.replace("Allow", "Deny")
    levels = [{"ServiceControlPolicyInputList": [ALLOW]}, {"ServiceControlPolicyInputList": [deny]}]
    result = simulated(aws, OrderedOrganizationPolicyInputList=levels, ResourceArns=[arn("model")])
    assert result["EvalDecision"] == "explicitDeny"
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert result["MatchedStatements"] == []
    (specific,) = result["ResourceSpecificResults"]
    assert specific["EvalResourceDecision"] == "explicitDeny"
    bounded = simulated(aws, PermissionsBoundaryPolicyInputList=[deny])
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"PolicyInputList": ["{"]}, "InvalidInput"),
        ({"CallerArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"}, "InvalidInput"),
        ({"PolicyInputList": ["\u03a9"]}, "ValidationError"),
    ],
)
def test_the_simulator_refuses_what_iam_refuses(
    aws: Embedded, params: dict[str, Any], code: str
) -> None:
    assert refused(simulated, aws, **params) == code


def test_nobody_may_simulate_a_principal(aws: Embedded) -> None:
    """SDK v3 asks before training, takes this for "unknown" and goes on."""
    call = aws.client("iam").simulate_principal_policy
    assert refused(call, PolicySourceArn=ROLE, ActionNames=["s3:GetObject"]) == "AccessDenied"


def refused(call: Callable[..., Any], *arguments: Any, **params: Any) -> str:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*arguments, **params)
    return str(caught.value.response["Error"]["Code"])
