"""Policies that AWS and others publish outside the examples, with what each really says.

Sources: the seeds' slides, blog and notebook; the AWS whitepaper on machine learning environments;
"Configuring service control policies for monitoring schedules"; the workshop's version 2;
aws-samples/data-perimeter-policy-examples, restrict_nonvpc_deployment_scp.json.
"""

from __future__ import annotations

import json
from typing import Any

from secure_ml_ext.check.lint import lint_documents
from tests.check.lint.support import codes, document, lint, only, statement

MONITOR_DEFINITIONS = [
    "CreateDataQualityJobDefinition",
    "CreateModelBiasJobDefinition",
    "CreateModelExplainabilityJobDefinition",
    "CreateModelQualityJobDefinition",
]
SCHEDULES = ["CreateMonitoringSchedule", "UpdateMonitoringSchedule"]
JOBS = ["CreateHyperParameterTuningJob", "CreateProcessingJob", "CreateTrainingJob"]
KMS_SCP = [*MONITOR_DEFINITIONS, *SCHEDULES, *JOBS, "CreateAutoMLJob", "CreateLabelingJob"]


def null(*keys: str) -> dict[str, Any]:
    return {"Null": {f"sagemaker:{key}": "true" for key in keys}}


def test_blog_of_the_secure_mlops_solution() -> None:
    # The blog leaves out CreateCompilationJob: the AND trap alone remains.
    actions = [*JOBS, "CreateNotebookInstance", "CreateModel"]
    found = lint(statement("Deny", actions, null("VpcSubnets", "VpcSecurityGroupIds")))
    assert codes(found) == [("anded-null", 0)]


def test_notebook_with_one_null_key_is_fine() -> None:
    # All five carry VpcSubnets, and Null true is exactly what is meant.
    actions = [*JOBS, "CreateNotebookInstance", "CreateModel"]
    assert lint(statement("Deny", actions, null("VpcSubnets"))) == []


def test_notebook_on_network_isolation() -> None:
    # "This applies only to the components which have this parameter": it does not. IfExists is
    # true for a missing key, and of the Create* actions nine carry it (three jobs, four monitor
    # definitions, CreateMonitoringSchedule, CreateModel, CreateEndpointConfig make ten).
    found = lint(
        statement(
            "Deny", "Create*", {"StringNotEqualsIfExists": {"sagemaker:NetworkIsolation": "true"}}
        )
    )
    assert codes(found) == [("if-exists-on-missing", 0)]
    carry = [*JOBS, *MONITOR_DEFINITIONS, "CreateMonitoringSchedule", "CreateModel"]
    assert sorted(found[0].corrected["Action"]) == sorted(  # type: ignore[index,call-overload]
        f"sagemaker:{name}" for name in [*carry, "CreateEndpointConfig"]
    )


def test_slides_on_data() -> None:
    # Both old names. Thirteen actions, of which AutoML and labelling choose their instances
    # themselves; the other eleven can name a g5, which refuses the key.
    volume = [*KMS_SCP, "CreateEndpointConfig", "CreateTransformJob"]
    found = lint(
        statement("Deny", volume, null("VolumeKmsKey")),
        statement("Deny", [*KMS_SCP, "CreateTransformJob"], null("OutputKmsKey")),
    )
    assert codes(found) == [
        ("deprecated-key", 0),
        ("unsatisfiable-local-disk", 0),
        ("deprecated-key", 1),
    ]
    exempt, rest = found[1].corrected  # type: ignore[misc]
    assert len(exempt["Action"]) == 11
    assert rest["Action"] == ["sagemaker:CreateAutoMLJob", "sagemaker:CreateLabelingJob"]


def test_slides_on_traffic_and_network() -> None:
    # Bool false does not match a missing key; all ten actions of each carry it.
    traffic = [*MONITOR_DEFINITIONS, *SCHEDULES, *JOBS, "CreateAutoMLJob"]
    network = [*MONITOR_DEFINITIONS, *SCHEDULES, *JOBS, "CreateModel"]
    found = lint(
        statement(
            "Deny", traffic, {"Bool": {"sagemaker:InterContainerTrafficEncryption": "false"}}
        ),
        statement("Deny", network, {"Bool": {"sagemaker:NetworkIsolation": "false"}}),
    )
    assert codes(found) == [("bool-by-omission", 0), ("bool-by-omission", 1)]
    assert "and 5 more may pass by omitting sagemaker:NetworkIsolation" in found[1].message


def test_whitepaper_on_notebook_volumes() -> None:
    # UpdateNotebookInstance has no key, in the request or in IAM: it is always denied. A notebook
    # instance takes a key on every type, so that nothing is unsatisfiable.
    actions = ["CreateNotebookInstance", "UpdateNotebookInstance"]
    found = lint(statement("Deny", actions, null("VolumeKmsKey")))
    assert codes(found) == [("always-denied", 0), ("deprecated-key", 0)]
    assert found[0].actions == ["UpdateNotebookInstance"]


def test_model_monitor_page() -> None:
    # Three keys ANDed, one of them under its old name; a flag; and a key that never existed. With
    # three keys in the block a g5 request passes by naming a subnet: nothing is unsatisfiable yet.
    schedule = statement("Deny", SCHEDULES, null("ModelMonitorJobDefinitionName"))
    schedule["Resource"] = "arn:*:sagemaker:*:*:monitoring-schedule/*"
    flag = {"Bool": {"sagemaker:InterContainerTrafficEncryption": "false"}}
    keys = null("VolumeKmsKey", "VpcSubnets", "VpcSecurityGroupIds")
    policy = document(
        statement("Deny", MONITOR_DEFINITIONS, keys),
        statement("Deny", MONITOR_DEFINITIONS, flag),
        schedule,
    )
    found = lint_documents([("scp.json", policy)])
    assert codes(found) == [
        ("anded-null", 0),
        ("deprecated-key", 0),
        ("bool-by-omission", 1),
        ("unknown-key", 2),
    ]
    unknown = only(found, "unknown-key")
    assert unknown.keys == ["sagemaker:ModelMonitorJobDefinitionName"]
    assert "this Deny refuses every request" in unknown.message
    assert unknown.corrected is None  # no key is near it

    # The page's older form has a comma behind the last action.
    text = json.dumps(policy).replace('UpdateMonitoringSchedule"]', 'UpdateMonitoringSchedule",]')
    assert codes(lint_documents([("scp.json", text)]))[-1] == ("not-strict-json", 2)


def test_security_page_of_the_secure_mlops_solution() -> None:
    # sagemaker:VpcSecurityGroup: no such key. It is always missing, so that the block asks for
    # VpcSubnets alone: no AND trap before the name is mended, and one after.
    keys = null("VpcSubnets", "VpcSecurityGroup")
    found = lint(statement("Deny", JOBS, keys))
    assert codes(found) == [("unknown-key", 0)]
    assert "is probably sagemaker:VpcSecurityGroupIds" in found[0].message
    assert codes(lint(found[0].corrected)) == [("anded-null", 0)]  # type: ignore[arg-type]


def test_workshop_version_2() -> None:
    jobs = [*JOBS, "CreateAutoMLJob", "CreateTransformJob"]
    keys = {
        "BoolIfExists": {"sagemaker:InterContainerTrafficEncryption": "true"},
        "Null": {"sagemaker:VolumeKmsKey": "false", "sagemaker:OutputKmsKey": "false"},
    }
    deployment = {
        "Null": {"sagemaker:VolumeKmsKey": "false"},
        "ForAllValues:StringLike": {"sagemaker:InstanceTypes": "ml.c5.large"},
    }
    network = {
        "ForAllValues:StringEqualsIfExists": {
            "sagemaker:VpcSubnets": ["subnet-1", "subnet-2"],
            "sagemaker:VpcSecurityGroupIds": ["sg-1"],
        }
    }
    found = lint(
        statement("Allow", jobs, keys),
        statement("Deny", jobs, null("VpcSubnets")),
        statement("Allow", "CreateEndpointConfig", deployment),
        statement("Allow", "sagemaker:*", network),
    )
    # Statement 3 is sagemaker:*, with conditions that a request without network passes. It undoes
    # statement 0 for all five jobs and statement 2 for endpoint configurations. It serves g5 jobs
    # without a key, so that no demand is unsatisfiable. CreateTransformJob has no subnets.
    # Statement 2: ForAllValues passes without instance types, and statement 3 without a network;
    # the four jobs' subnets are watched by statement 1, their security groups by nothing.
    assert codes(found) == [
        ("undone-by-allow", 0),
        ("deprecated-key", 0),
        ("always-denied", 1),
        ("vacuous-for-all-values", 2),
        ("undone-by-allow", 2),
        ("deprecated-key", 2),
        ("vacuous-for-all-values", 3),
    ]
    assert only(found, "always-denied").actions == ["CreateTransformJob"]


def test_data_perimeter_policy_is_clean() -> None:
    # Every action of each statement carries its key; aws:PrincipalTag exempts principals, which
    # is an AND that is meant; AppNetworkAccessType is demanded of Create- and UpdateDomain, which
    # carry it; statements about other services are not judged by SageMaker's keys.
    exempt = {"aws:PrincipalTag/dp:exclude": "true"}
    subnets = [
        *MONITOR_DEFINITIONS,
        *SCHEDULES,
        *JOBS,
        "CreateAutoMLJob",
        "CreateAutoMLJobV2",
        "CreateCluster",
        "CreateDomain",
        "CreateModel",
        "CreateNotebookInstance",
        "UpdateDomain",
    ]
    only_vpc = {**exempt, "sagemaker:AppNetworkAccessType": "VpcOnly"}
    found = lint(
        statement("Deny", "codestar-connections:*", {"StringNotEqualsIfExists": exempt}),
        statement("Deny", subnets, {"StringNotEqualsIfExists": exempt, **null("VpcSubnets")}),
        statement("Deny", ["CreateDomain", "UpdateDomain"], {"StringNotEqualsIfExists": only_vpc}),
        statement(
            "Deny",
            "CreateNotebookInstance",
            {
                "StringEquals": {"sagemaker:DirectInternetAccess": "Enabled"},
                "StringNotEqualsIfExists": exempt,
            },
        ),
        statement(
            "Deny",
            ["lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"],
            {"StringNotEqualsIfExists": exempt, "Null": {"lambda:VpcIds": "true"}},
        ),
    )
    assert found == []


def test_bucket_policy_has_no_effect_here() -> None:
    deny = {
        "Sid": "DenyNoVPC",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::models/*"],
        "Condition": {"StringNotEquals": {"aws:sourceVpce": ["vpce-0b82e29a828790da2"]}},
    }
    found = lint(deny)
    assert codes(found) == [("no-effect", None)]
    assert found[0].severity == "info"
    assert found[0].corrected is None


def test_aws_managed_policies() -> None:
    """All policies that AWS manages: what is found in them has to be true.

    AmazonDataZoneSageMakerProvisioningRolePolicy, statement 1, allows DeleteDomain where
    aws:TagKeys names a tag, and a deletion has no tags in its request. In all others there is
    nothing: pairs like Null OwnerUserProfileArn true beside ArnLike on the same key divide the
    requests between them.
    """
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies = json.loads(aws_managed_policies_data)
    found = [
        (f.file, f.statement.index, f.code, f.actions)
        for name, policy in policies.items()
        for f in lint_documents([(name, policy["Document"])])
        if f.code != "no-effect"
    ]
    assert len(policies) > 1000
    assert found == [
        ("AmazonDataZoneSageMakerProvisioningRolePolicy", 1, "always-denied", ["DeleteDomain"])
    ]
