"""Published policies with the verdicts their text means, each derived by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.iam import PolicyBundle, PolicyError, Undetermined, evaluate

from .support import ALLOW, document, statement

DATA = Path(__file__).parents[1] / "data" / "policies"
ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012:"
JOB = f"{ACCOUNT}training-job/a"
KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OURS = ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2"]
SG = ["sg-0bbbbbbbbbbbbbbb1"]

Found = tuple[str, list[int]]


def check(
    name: str,
    action: str,
    context: dict[str, Any],
    *,
    resource: str = JOB,
    allowed_otherwise: bool = False,
) -> Found:
    """Return the verdict and the indexes of the file's statements that made it."""
    text = (DATA / f"{name}.json").read_text()
    layers = {"identity": [text]}
    if allowed_otherwise:
        layers = {"identity": [ALLOW], "scps": [[ALLOW, text]]}
    decision = evaluate(PolicyBundle.from_dict(layers), action, resource, context)
    mine = "scp:0[1]" if allowed_otherwise else "identity[0]"
    return decision.verdict, [each.index for each in decision.statements if each.policy == mine]


@pytest.mark.parametrize(
    ("operation", "context", "found"),
    [
        # The two keys of the Null block are ANDed: only a request without both is denied.
        ("CreateTrainingJob", {}, ("explicitly-denied", [1])),
        ("CreateTrainingJob", {"sagemaker:VpcSubnets": OURS}, ("allowed", [])),
        ("CreateTrainingJob", {"sagemaker:VpcSecurityGroupIds": SG}, ("allowed", [])),
        ("CreateModel", {}, ("explicitly-denied", [1])),
        # The action carries neither key, so that it is always denied.
        (
            "CreateCompilationJob",
            {"sagemaker:InstanceTypes": ["ml.m5"]},
            ("explicitly-denied", [1]),
        ),
        # Not in the list.
        ("CreateTransformJob", {}, ("allowed", [])),
    ],
)
def test_secure_mlops_execution_role(operation: str, context: Any, found: Found) -> None:
    made = check(
        "secure-mlops-execution-policy",
        f"sagemaker:{operation}",
        context,
        allowed_otherwise=True,
    )
    assert made == found


def test_secure_mlops_execution_role_alone() -> None:
    name = "secure-mlops-execution-policy"
    network = {"sagemaker:VpcSubnets": OURS, "sagemaker:VpcSecurityGroupIds": SG}
    # A Deny that does not apply allows nothing: the role needs an Allow from another policy.
    assert check(name, "sagemaker:CreateTrainingJob", network) == ("implicitly-denied", [-1])
    assert check(name, "sagemaker:ListTags", {}) == ("allowed", [2])
    elsewhere = JOB.replace("123456789012", "999999999999")
    assert check(name, "sagemaker:ListTags", {}, resource=elsewhere) == ("implicitly-denied", [2])
    bucket = "arn:aws:s3:::sm-mlops-dev-us-east-1-123456789012-data/raw/a.csv"
    assert check(name, "s3:GetObject", {}, resource=bucket) == ("allowed", [8])


@pytest.mark.parametrize(
    ("operation", "context", "found"),
    [
        # The second Allow undoes the KMS condition of the first: no subnets, no keys, allowed.
        ("CreateTrainingJob", {}, ("allowed", [3])),
        ("CreateTrainingJob", {"sagemaker:VpcSubnets": OURS}, ("allowed", [3])),
        # Foreign subnets: one condition short of the second Allow, two short of the first.
        ("CreateTrainingJob", {"sagemaker:VpcSubnets": ["subnet-x"]}, ("implicitly-denied", [3])),
        # … but with keys under their old names the first Allow lets foreign subnets pass.
        (
            "CreateTrainingJob",
            {
                "sagemaker:VpcSubnets": ["subnet-x"],
                "sagemaker:VolumeKmsKey": KEY,
                "sagemaker:OutputKmsKey": KEY,
            },
            ("allowed", [1]),
        ),
        # The new names of the keys do not count.
        ("CreateTransformJob", {"sagemaker:VolumeKmsKeyArn": KEY}, ("implicitly-denied", [1])),
        (
            "CreateEndpointConfig",
            {"sagemaker:VolumeKmsKey": KEY, "sagemaker:InstanceTypes": ["ml.m5.large"]},
            ("allowed", [2]),
        ),
        (
            "CreateEndpointConfig",
            {"sagemaker:VolumeKmsKey": KEY, "sagemaker:InstanceTypes": ["ml.m5.large", "ml.g5.1"]},
            ("implicitly-denied", [2]),
        ),
        ("DescribeTrainingJob", {}, ("allowed", [4])),
        ("CreateDomain", {}, ("implicitly-denied", [-1])),
    ],
)
def test_workshop_user(operation: str, context: Any, found: Found) -> None:
    assert check("workshop-v1-policy", f"sagemaker:{operation}", context) == found


def test_workshop_traffic_encryption() -> None:
    context = {
        "sagemaker:VpcSubnets": ["subnet-x"],
        "sagemaker:VolumeKmsKey": KEY,
        "sagemaker:OutputKmsKey": KEY,
        "sagemaker:InterContainerTrafficEncryption": Undetermined((None, "false")),
    }
    # BoolIfExists: absent passes, "false" does not.
    made = check("workshop-v1-policy", "sagemaker:CreateTrainingJob", context)
    assert made[0] == "depends"


@pytest.mark.parametrize(
    ("name", "operation", "context", "found"),
    [
        ("02-console-access", "CreateTrainingJob", {}, ("allowed", [0])),
        ("02-console-access", "CreatePipeline", {}, ("implicitly-denied", [-1])),
        # IfExists: without a team type the Allow holds.
        ("02-console-access", "CreateFlowDefinition", {}, ("allowed", [1])),
        (
            "02-console-access",
            "CreateFlowDefinition",
            {"sagemaker:WorkteamType": "public-crowd"},
            ("implicitly-denied", [1]),
        ),
        ("04-accesstoelasticfilesystem", "CreateTrainingJob", {}, ("implicitly-denied", [0])),
        (
            "04-accesstoelasticfilesystem",
            "CreateTrainingJob",
            {
                "sagemaker:FileSystemId": "fs-12345678",
                "sagemaker:FileSystemAccessMode": "ro",
                "sagemaker:FileSystemType": "EFS",
                "sagemaker:FileSystemDirectoryPath": "/sagemaker/xgboost-dm/validation",
            },
            ("allowed", [1]),
        ),
        # ForAllValues is true without subnets; the Null block closes that.
        ("06-allowfromvpc", "CreateTrainingJob", {}, ("implicitly-denied", [0])),
        (
            "06-allowfromvpc",
            "CreateTrainingJob",
            {"sagemaker:VpcSubnets": "subnet-a1234", "sagemaker:VpcSecurityGroupIds": ["sg12345"]},
            ("allowed", [0]),
        ),
        (
            "06-allowfromvpc",
            "CreateTrainingJob",
            {"sagemaker:VpcSubnets": ["subnet-a1234", "x"], "sagemaker:VpcSecurityGroupIds": SG},
            ("implicitly-denied", [0]),
        ),
        ("10-enforceencryption", "CreateTrainingJob", {"sagemaker:VolumeKmsKey": KEY},
         ("allowed", [0])),
        ("10-enforceencryption", "CreateTrainingJob", {"sagemaker:VolumeKmsKeyArn": KEY},
         ("implicitly-denied", [0])),
        # Whether the deprecated key is still sent is not documented.
        ("10-enforceencryption", "CreateTrainingJob",
         {"sagemaker:VolumeKmsKey": Undetermined((None, KEY))}, ("depends", [0])),
        # The file misspells CreateFlowDefinition.
        ("10-enforceencryption", "CreateFlowDefinition", {"sagemaker:VolumeKmsKey": KEY},
         ("implicitly-denied", [-1])),
        ("12-enforceisolation", "CreateTrainingJob", {"sagemaker:NetworkIsolation": "true"},
         ("allowed", [0])),
        # Absent or "false", the Allow does not hold either way.
        ("12-enforceisolation", "CreateTrainingJob",
         {"sagemaker:NetworkIsolation": Undetermined((None, "false"))}, ("implicitly-denied", [0])),
        # ForAllValues alone: vacuously true without accelerators.
        ("14-enforceacceleratortype", "CreateEndpointConfig", {}, ("allowed", [0])),
        ("14-enforceacceleratortype", "CreateEndpointConfig",
         {"sagemaker:AcceleratorTypes": ["ml.eia2.large"]}, ("implicitly-denied", [0])),
    ],
)  # fmt: skip
def test_developer_guide(name: str, operation: str, context: Any, found: Found) -> None:
    assert check(f"devguide-{name}", f"sagemaker:{operation}", context) == found


def test_developer_guide_pass_role() -> None:
    role = "arn:aws:iam::123456789012:role/sagemaker/execution"
    for service, found in (("sagemaker", ("allowed", [18])), ("ec2", ("implicitly-denied", [18]))):
        context = {"iam:PassedToService": f"{service}.amazonaws.com"}
        made = check("devguide-02-console-access", "iam:PassRole", context, resource=role)
        assert made == found


@pytest.mark.parametrize(
    ("team", "verdict"),
    [("public-crowd/default", "explicitly-denied"), ("private-crowd/ours", "allowed")],
)
def test_developer_guide_work_team(team: str, verdict: str) -> None:
    context = {"sagemaker:WorkteamArn": f"arn:aws:sagemaker:us-east-1:394669845002:workteam/{team}"}
    made = check("devguide-08-restrictworkteamtype", "sagemaker:CreateLabelingJob", context,
                 allowed_otherwise=True)  # fmt: skip
    assert made[0] == verdict


def mlspace() -> dict[str, Any]:
    """The policy without its comments and the comma they leave."""
    text = (DATA / "mlspace-kms-instance-constraint-raw.json").read_text()
    text = re.sub(r",\s*\]", "]", re.sub(r"//.*", "", text))
    found: dict[str, Any] = json.loads(text)
    return found


def test_mlspace_is_not_json() -> None:
    text = (DATA / "mlspace-kms-instance-constraint-raw.json").read_text()
    with pytest.raises(PolicyError) as caught:
        PolicyBundle.from_dict({"identity": [{"name": "kms", "document": text}]})
    assert str(caught.value).startswith("kms, line 21 column 25, character ")
    assert text[caught.value.character :].startswith("// ...")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("context", "verdict"),
    [
        # ForAllValues with a negated operator: true without instance types, too.
        ({}, "explicitly-denied"),
        ({"sagemaker:InstanceTypes": ["m5.large"]}, "allowed"),
        ({"sagemaker:InstanceTypes": ["m5.large", "c5.large"]}, "allowed"),
        # The types SageMaker sends begin with ml., so that the exemption never holds.
        ({"sagemaker:InstanceTypes": ["ml.m5.large"]}, "explicitly-denied"),
        ({"sagemaker:VolumeKmsKey": KEY}, "allowed"),
        ({"sagemaker:VolumeKmsKey": Undetermined((None, KEY))}, "depends"),
    ],
)
def test_mlspace(context: Any, verdict: str) -> None:
    bundle = PolicyBundle.from_dict({"identity": [ALLOW, mlspace()]})
    assert evaluate(bundle, "sagemaker:CreateTrainingJob", JOB, context).verdict == verdict


@pytest.mark.parametrize(
    "operation", ["CreatePipeline", "CreateEndpoint", "CreateTransformJob", "CreateTrainingJob"]
)
def test_not_equals_if_exists_denies_what_lacks_the_key(operation: str) -> None:
    # From the seeds' pipelines notebook, whose text says the opposite.
    deny = statement(
        "Deny",
        Action="sagemaker:Create*",
        Condition={"StringNotEqualsIfExists": {"sagemaker:NetworkIsolation": "true"}},
    )
    bundle = PolicyBundle.from_dict({"identity": [ALLOW, document(deny)]})
    action = f"sagemaker:{operation}"
    assert evaluate(bundle, action, JOB, {}).verdict == "explicitly-denied"
    isolated = {"sagemaker:NetworkIsolation": True}
    assert evaluate(bundle, action, JOB, isolated).verdict == "allowed"
