"""What IAM would decide about a request, and what the request's context is."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.check import Caller, check_request
from secure_ml_ext.check.caller import place_of
from secure_ml_ext.check.context import context
from secure_ml_ext.check.context_global import Sent
from secure_ml_ext.check.records import Iam
from secure_ml_ext.iam import PolicyBundle, PolicyError, Undetermined

from .requests import (
    ACCOUNT,
    EVERYTHING,
    GROUPS,
    JOB_ROLE,
    PROFILE,
    REGION,
    ROLE,
    SUBNETS,
    VOLUME_KEY,
    bundle,
    deny,
    training,
)

CALLER = Caller(account=ACCOUNT, region=REGION, role_arn=ROLE)


def iam_of(
    params: dict[str, Any],
    policies: dict[str, Any],
    operation: str = "CreateTrainingJob",
    caller: Caller | None = CALLER,
    resolver: Any = None,
) -> Iam:
    report = check_request(
        operation, params, profile=PROFILE, bundle=policies, caller=caller, resolver=resolver
    )
    return report.subjects[0].iam


def values(operation: str, params: dict[str, Any], *keys: str, caller: Caller = CALLER) -> Any:
    sent = Sent(operation, params, caller, place_of(caller, params), caller.role_arn, None)
    found = context(frozenset(key.lower() for key in keys), sent)
    return {key.lower(): value for key, value in found.items()}


def test_the_deny_is_named_with_its_layer_and_what_it_found() -> None:
    policies = bundle(deny("DenyNoVpc", {"Null": {"sagemaker:VpcSubnets": "true"}}))
    report = check_request(
        "CreateTrainingJob",
        training(VpcConfig=None),
        profile=PROFILE,
        bundle=policies,
        caller=CALLER,
    )
    iam = report.subjects[0].iam
    assert iam.verdict == "explicitly-denied"
    assert [(s.layer, s.sid, s.index) for s in iam.statements] == [("scp:1", "DenyNoVpc", 0)]
    assert "sagemaker:VpcSubnets is absent (Null true)" in iam.statements[0].why
    assert report.summary.error == 2  # the rule training-vpc, and IAM


def test_the_compliant_job_is_allowed_and_without_a_bundle_nothing_is_said() -> None:
    policies = bundle(deny("DenyNoVpc", {"Null": {"sagemaker:VpcSubnets": "true"}}))
    assert iam_of(training(), policies).verdict == "allowed"
    report = check_request("CreateTrainingJob", training(), profile=PROFILE)
    assert report.subjects[0].iam.verdict == "not-evaluated"


def test_a_bundle_that_cannot_be_read_is_an_error_and_not_ignored() -> None:
    with pytest.raises(PolicyError, match="Effect"):
        iam_of(training(), {"identity": [{"Statement": [{"Effect": "deny"}]}]})


def test_iam_and_the_baseline_may_differ() -> None:
    iam = iam_of(training(VpcConfig=None), bundle())
    assert iam.verdict == "allowed"
    denied = iam_of(training(), bundle(deny("Nobody")))
    assert denied.verdict == "explicitly-denied"


# -- iam:PassRole -----------------------------------------------------------------------------


def passing(resource: str, condition: Any = None) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": resource}
    if condition:
        allow["Condition"] = condition
    jobs = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    return {"identity": [{"Version": "2012-10-17", "Statement": [jobs, allow]}]}


def test_a_role_that_may_not_be_passed_denies_the_request() -> None:
    iam = iam_of(training(), passing(f"arn:aws:iam::{ACCOUNT}:role/other"))
    assert iam.verdict == "implicitly-denied"
    assert "iam:PassRole" in iam.statements[0].why
    assert JOB_ROLE in iam.statements[0].why
    assert iam_of(training(), passing(JOB_ROLE)).verdict == "allowed"


def test_roles_are_passed_to_sagemaker() -> None:
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert iam_of(training(), passing("*", to_sagemaker)).verdict == "allowed"
    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    assert iam_of(training(), passing("*", to_lambda)).verdict == "implicitly-denied"


def test_a_tuning_job_passes_the_role_of_each_definition() -> None:
    definitions = [{"RoleArn": JOB_ROLE}, {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/wide"}]
    request = {"HyperParameterTuningJobName": "t", "TrainingJobDefinitions": definitions}
    iam = iam_of(request, passing(JOB_ROLE), "CreateHyperParameterTuningJob")
    assert iam.verdict == "implicitly-denied"
    assert "role/wide" in iam.statements[0].why


def test_a_role_that_is_decided_later_depends_where_policies_tell_roles_apart() -> None:
    later = training(RoleArn={"Get": "Parameters.Role"})
    assert iam_of(later, passing("*")).verdict == "allowed"
    iam = iam_of(later, passing(f"arn:aws:iam::{ACCOUNT}:role/sm-*"))
    assert iam.verdict == "depends"
    assert iam.question == "Which role is passed (iam:PassRole)?"


# -- resources --------------------------------------------------------------------------------


def named(resource: str) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Action": ["sagemaker:*"], "Resource": resource}
    role = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
    return {"identity": [{"Version": "2012-10-17", "Statement": [allow, role]}]}


def test_the_resource_is_the_arn_of_what_is_created() -> None:
    own = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/abalone-*"
    assert iam_of(training(), named(own)).verdict == "allowed"
    other = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/credit-*"
    assert iam_of(training(), named(other)).verdict == "implicitly-denied"


def test_an_unknown_region_depends_only_where_policies_name_one() -> None:
    nobody = Caller()
    own = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/*"
    assert iam_of(training(), named("*"), caller=nobody).verdict == "allowed"
    everywhere = f"arn:aws:sagemaker:*:{ACCOUNT}:training-job/*"
    assert iam_of(training(), named(everywhere), caller=nobody).verdict == "allowed"
    iam = iam_of(training(), named(own), caller=nobody)
    assert iam.verdict == "depends"
    assert any(own[:-1] in outcome for outcome in iam.outcomes)


def test_an_endpoint_needs_its_configuration_too() -> None:
    request = {"EndpointName": "e", "EndpointConfigName": "c"}
    both = {
        "identity": [
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Action": "sagemaker:CreateEndpoint",
                    "Resource": [
                        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/e",
                        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint-config/c",
                    ],
                },
            }
        ]
    }
    assert iam_of(request, both, "CreateEndpoint").verdict == "allowed"
    del both["identity"][0]["Statement"]["Resource"][1]  # type: ignore[index]
    iam = iam_of(request, both, "CreateEndpoint")
    assert iam.verdict == "implicitly-denied"
    assert "endpoint-config/c" in iam.statements[0].why


# -- what is not documented -------------------------------------------------------------------


def test_an_omitted_flag_depends_where_absent_and_false_differ() -> None:
    policies = bundle(deny("Isolate", {"Bool": {"sagemaker:NetworkIsolation": "false"}}))
    iam = iam_of(training(EnableNetworkIsolation=None), policies)
    assert iam.verdict == "depends"
    assert iam.question is not None
    assert "sagemaker:NetworkIsolation" in iam.question
    assert {outcome.split(" if ")[0] for outcome in iam.outcomes} == {
        "allowed",
        "explicitly-denied",
    }
    closed = bundle(deny("Isolate", {"BoolIfExists": {"sagemaker:NetworkIsolation": "false"}}))
    assert iam_of(training(EnableNetworkIsolation=None), closed).verdict == "explicitly-denied"
    assert iam_of(training(EnableNetworkIsolation=False), policies).verdict == "explicitly-denied"


def test_a_deprecated_key_depends_where_the_new_one_is_given() -> None:
    policies = bundle(
        deny("Key", {"Null": {"sagemaker:VolumeKmsKey": "true"}}, "sagemaker:CreateTrainingJob")
    )
    iam = iam_of(training(), policies)
    assert iam.verdict == "depends"
    assert iam.question == "Does SageMaker still fill sagemaker:VolumeKmsKey, which is deprecated?"
    bare = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    assert iam_of(training(ResourceConfig=bare), policies).verdict == "explicitly-denied"


class Aliases:
    def request_of(self, operation: str, name: str) -> None:
        return None

    def key_arn(self, key: str) -> str | None:
        return VOLUME_KEY if key == "alias/sm-volume" else None


def test_an_alias_is_resolved_or_left_open() -> None:
    only = {"StringNotEquals": {"sagemaker:VolumeKmsKeyArn": VOLUME_KEY}}
    policies = bundle(deny("OurKey", only, "sagemaker:CreateTrainingJob"))
    request = training()
    request["ResourceConfig"]["VolumeKmsKeyId"] = "alias/sm-volume"
    assert iam_of(request, policies).verdict == "depends"
    assert iam_of(request, policies, resolver=Aliases()).verdict == "allowed"
    request["ResourceConfig"]["VolumeKmsKeyId"] = VOLUME_KEY.rpartition("/")[2]
    assert iam_of(request, policies).verdict == "allowed"  # the id alone: same Region and account
    # A key that is there, whichever it is, is not missing.
    missing = deny("Key", {"Null": {"sagemaker:VolumeKmsKeyArn": "true"}})
    missing["Action"] = "sagemaker:CreateTrainingJob"
    request["ResourceConfig"]["VolumeKmsKeyId"] = "alias/other"
    assert iam_of(request, bundle(missing)).verdict == "allowed"


def test_an_unread_layer_makes_an_allow_depend() -> None:
    iam = iam_of(training(), {"identity": [EVERYTHING], "unread": ["scps"]})
    assert iam.verdict == "depends"
    assert "service control policies" in str(iam.question)


def test_what_is_known_of_the_caller() -> None:
    tagged = bundle(deny("Team", {"StringNotEquals": {"aws:PrincipalTag/team": "credit"}}))
    assert iam_of(training(), tagged).verdict == "depends"
    credit = Caller(account=ACCOUNT, region=REGION, role_arn=ROLE, tags={"Team": "credit"})
    assert iam_of(training(), tagged, caller=credit).verdict == "allowed"
    untagged = Caller(account=ACCOUNT, region=REGION, role_arn=ROLE, tags={})
    assert iam_of(training(), tagged, caller=untagged).verdict == "explicitly-denied"
    region = bundle(deny("Region", {"StringNotEquals": {"aws:RequestedRegion": REGION}}))
    assert iam_of(training(), region).verdict == "allowed"
    vpce = bundle(deny("Vpce", {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}))
    assert iam_of(training(), vpce).verdict == "depends"
    inside = Caller(account=ACCOUNT, region=REGION, source_vpce="vpce-1")
    assert iam_of(training(), vpce, caller=inside).verdict == "allowed"


def test_an_assumed_role_is_its_role() -> None:
    policies = {
        "principals": {
            f"arn:aws:iam::{ACCOUNT}:role/team/analyst": {"identity": [EVERYTHING]},
            JOB_ROLE: {"identity": []},
        }
    }
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/analyst/SageMaker"
    assert iam_of(training(), policies, caller=Caller(role_arn=session)).verdict == "allowed"
    denied = iam_of(training(), policies, caller=Caller(role_arn=JOB_ROLE))
    assert denied.verdict == "implicitly-denied"
    stranger = iam_of(training(), policies, caller=Caller(role_arn=f"{JOB_ROLE}-2"))
    assert stranger.verdict == "depends"  # its policies are not in the bundle


# -- context ----------------------------------------------------------------------------------


def test_the_context_of_a_training_job() -> None:
    request = training(
        Tags=[{"Key": "Team", "Value": "credit"}],
        InputDataConfig=[
            {"ChannelName": "s3", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/p"}}},
            {
                "ChannelName": "fs",
                "DataSource": {"FileSystemDataSource": {"FileSystemId": "fs-1"}},
            },
        ],
    )
    request["ResourceConfig"]["InstanceGroups"] = [{"InstanceType": "ml.c5.xlarge"}]
    found = values(
        "CreateTrainingJob",
        request,
        "sagemaker:VpcSubnets",
        "sagemaker:VpcSecurityGroupIds",
        "sagemaker:InstanceTypes",
        "sagemaker:MaxRuntimeInSeconds",
        "sagemaker:NetworkIsolation",
        "sagemaker:VolumeKmsKeyArn",
        "sagemaker:FileSystemId",
        "aws:RequestTag/team",
        "aws:TagKeys",
        "aws:ResourceTag/team",
        "sagemaker:RootAccess",
        "s3:prefix",
    )
    assert found == {
        "sagemaker:vpcsubnets": SUBNETS,
        "sagemaker:vpcsecuritygroupids": GROUPS,
        "sagemaker:instancetypes": ["ml.m5.xlarge", "ml.c5.xlarge"],
        "sagemaker:maxruntimeinseconds": "3600",
        "sagemaker:networkisolation": "true",
        "sagemaker:volumekmskeyarn": VOLUME_KEY,
        "sagemaker:filesystemid": "fs-1",
        "aws:requesttag/team": "credit",
        "aws:tagkeys": ["Team"],
        "aws:principalarn": ROLE,
    }


def test_definitions_that_differ_and_alternatives_within_one() -> None:
    one = {"HyperParameterTuningResourceConfig": {"VolumeKmsKeyId": VOLUME_KEY}}
    key = "sagemaker:VolumeKmsKeyArn"
    operation = "CreateHyperParameterTuningJob"
    found = values(operation, {"TrainingJobDefinition": one}, key)
    assert found[key.lower()] == VOLUME_KEY
    found = values(operation, {"TrainingJobDefinitions": [one, {"ResourceConfig": {}}]}, key)
    assert isinstance(found[key.lower()], Undetermined)
    assert set(found[key.lower()].candidates) == {VOLUME_KEY, None}
    found = values(operation, {"TrainingJobDefinitions": [one, one]}, key)
    assert found[key.lower()] == VOLUME_KEY


def test_values_that_are_decided_later_are_open() -> None:
    request = training(
        VpcConfig={"Subnets": [{"Get": "Parameters.Subnet"}], "SecurityGroupIds": {"Get": "x"}}
    )
    found = values(
        "CreateTrainingJob", request, "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds"
    )
    assert len(found["sagemaker:vpcsubnets"].candidates) == 1  # something
    assert found["sagemaker:vpcsecuritygroupids"].candidates == ()  # something or nothing
    present = bundle(deny("Vpc", {"Null": {"sagemaker:VpcSubnets": "true"}}))
    assert iam_of(request, present).verdict == "allowed"


def test_empty_values_are_absent() -> None:
    request = training(VpcConfig={"Subnets": [], "SecurityGroupIds": [""]})
    request["ResourceConfig"]["VolumeKmsKeyId"] = ""
    keys = ("sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds", "sagemaker:VolumeKmsKeyArn")
    assert set(values("CreateTrainingJob", request, *keys)) == {"aws:principalarn"}


def test_keys_in_any_case() -> None:
    policies = bundle(deny("Vpc", {"Null": {"SAGEMAKER:VPCSubnets": "true"}}))
    assert iam_of(training(VpcConfig=None), policies).verdict == "explicitly-denied"
    assert iam_of(training(), policies).verdict == "allowed"


def test_a_transform_job_never_carries_a_network() -> None:
    policies = bundle(deny("Vpc", {"Null": {"sagemaker:VpcSubnets": "true"}}))
    request = {"TransformJobName": "t", "ModelName": "m"}
    iam = iam_of(request, policies, "CreateTransformJob")
    assert iam.verdict == "explicitly-denied"
    assert iam.unsatisfiable == ['scp:1 "Vpc"']


def test_a_compiled_bundle_is_used_as_it_is() -> None:
    compiled = PolicyBundle.from_dict(bundle())
    report = check_request("CreateTrainingJob", training(), bundle=compiled, caller=CALLER)
    assert report.subjects[0].iam.verdict == "allowed"


def test_a_structure_that_is_decided_later_is_not_missing() -> None:
    policies = bundle(deny("Vpc", {"Null": {"sagemaker:VpcSubnets": "true"}}))
    iam = iam_of(training(VpcConfig={"Get": "Parameters.Network"}), policies)
    assert iam.verdict == "depends"


def test_what_only_may_deny_is_not_among_the_reasons_of_a_certain_denial() -> None:
    policies = bundle(
        deny("NoVpc", {"Null": {"sagemaker:VpcSubnets": "true"}}),
        deny("Isolate", {"Bool": {"sagemaker:NetworkIsolation": "false"}}),
    )
    iam = iam_of(training(VpcConfig=None, EnableNetworkIsolation=None), policies)
    assert iam.verdict == "explicitly-denied"
    assert [statement.sid for statement in iam.statements] == ["NoVpc"]
