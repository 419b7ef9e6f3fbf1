"""Changes that satisfy both answers, and requests that no change could help."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.check import Caller, Subject, check_request
from secure_ml_ext.check.patch import apply_patch
from secure_ml_ext.rules.profile import Profile, ProfileValue

from .requests import (
    ACCOUNT,
    GROUPS,
    OUTPUT_KEY,
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
TRAIN = "CreateTrainingJob"


def check(
    params: dict[str, Any],
    policies: dict[str, Any] | None,
    operation: str = TRAIN,
    profile: Profile = PROFILE,
) -> Subject:
    return check_request(
        operation, params, profile=profile, bundle=policies, caller=CALLER
    ).subjects[0]


def fixed(
    params: dict[str, Any], policies: dict[str, Any], operation: str = TRAIN
) -> dict[str, Any]:
    """Apply the fix and see that both answers are content with it."""
    subject = check(params, policies, operation)
    assert subject.fix, subject.iam
    after = apply_patch(params, subject.fix)
    again = check(after, policies, operation)
    assert again.iam.verdict == "allowed", again.iam
    assert [f.rule for f in again.findings if f.severity == "error"] == []
    return after


def changed(params: dict[str, Any], policies: dict[str, Any]) -> list[tuple[str, str, Any]]:
    fixed(params, policies)
    return [(op.op, op.path, op.value) for op in check(params, policies).fix]


def test_a_demanded_network_comes_from_the_profile_whole() -> None:
    policies = bundle(deny("Vpc", {"Null": {"sagemaker:VpcSecurityGroupIds": "true"}}))
    network = {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}
    assert changed(training(VpcConfig=None), policies) == [("add", "/VpcConfig", network)]


def test_what_only_iam_demands_is_added_and_nothing_else() -> None:
    policies = bundle(deny("Isolate", {"BoolIfExists": {"sagemaker:NetworkIsolation": "false"}}))
    assert changed(training(EnableNetworkIsolation=False), policies) == [
        ("replace", "/EnableNetworkIsolation", True)
    ]


def test_writing_an_omitted_flag_settles_what_it_depends_on() -> None:
    policies = bundle(deny("Isolate", {"Bool": {"sagemaker:NetworkIsolation": "false"}}))
    assert check(training(EnableNetworkIsolation=None), policies).iam.verdict == "depends"
    assert changed(training(EnableNetworkIsolation=None), policies) == [
        ("add", "/EnableNetworkIsolation", True)
    ]


def test_isolation_may_have_to_be_off() -> None:
    policies = bundle(deny("Open", {"Bool": {"sagemaker:NetworkIsolation": "true"}}))
    assert changed(training(), policies) == [("replace", "/EnableNetworkIsolation", False)]


def test_a_key_that_the_policy_names() -> None:
    wanted = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/9999aaaa-22bb-33cc-44dd-5555eeee6666"
    policies = bundle(
        deny(
            "Ours", {"StringNotEquals": {"sagemaker:OutputKmsKeyArn": wanted}}, f"sagemaker:{TRAIN}"
        )
    )
    profile = Profile(
        values={**PROFILE.values, "approved_kms_keys": ProfileValue([wanted], "test")}
    )
    subject = check(training(), policies, profile=profile)
    assert [(op.path, op.value) for op in subject.fix] == [("/OutputDataConfig/KmsKeyId", wanted)]


def test_the_policy_s_key_that_the_baseline_forbids_is_not_offered() -> None:
    """Both answers have to be content: the key that IAM wants is not among the approved ones."""
    wanted = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/9999aaaa-22bb-33cc-44dd-5555eeee6666"
    policies = bundle(
        deny(
            "Ours", {"StringNotEquals": {"sagemaker:OutputKmsKeyArn": wanted}}, f"sagemaker:{TRAIN}"
        )
    )
    subject = check(training(), policies)
    assert subject.fix == []
    assert subject.iam.unsatisfiable == []  # IAM alone could be satisfied


def test_subnets_are_narrowed_to_those_that_are_allowed() -> None:
    only = {"ForAnyValue:StringNotEquals": {"sagemaker:VpcSubnets": [SUBNETS[0]]}}
    assert changed(training(), bundle(deny("Subnet", only))) == [
        ("replace", "/VpcConfig/Subnets", [SUBNETS[0]])
    ]


def test_instance_types_and_limits_come_from_the_policy() -> None:
    policies = bundle(
        deny("Types", {"ForAnyValue:StringNotLike": {"sagemaker:InstanceTypes": ["ml.c5.*"]}}),
        deny("Time", {"NumericGreaterThan": {"sagemaker:MaxRuntimeInSeconds": "1800"}}),
    )
    assert changed(training(), policies) == [
        ("replace", "/ResourceConfig/InstanceType", "ml.c5.xlarge"),
        ("replace", "/StoppingCondition/MaxRuntimeInSeconds", 1800),
    ]


def test_one_tag_is_added_or_changed_and_the_others_are_not_shown() -> None:
    policies = bundle(deny("Tag", {"StringNotEquals": {"aws:RequestTag/Stage": "dev"}}))
    secret = {"Key": "a", "Value": "hunter2"}
    stage = {"Key": "Stage", "Value": "dev"}
    assert changed(training(), policies) == [("add", "/Tags", [stage])]
    assert changed(training(Tags=[secret]), policies) == [("add", "/Tags/1", stage)]
    wrong = training(Tags=[secret, {"Key": "stage", "Value": "prod"}])
    assert changed(wrong, policies) == [("replace", "/Tags/1/Value", "dev")]
    unwanted = bundle(deny("NoTag", {"Null": {"aws:RequestTag/a": "false"}}))
    subject = check(training(Tags=[secret]), unwanted)
    assert [(op.op, op.path) for op in subject.fix] == [("remove", "/Tags/0")]
    assert "hunter2" not in str(subject)


def test_an_unmet_allow_is_met() -> None:
    allow = {
        "Sid": "JobsInVpc",
        "Effect": "Allow",
        "Action": "sagemaker:CreateTrainingJob",
        "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": {"sagemaker:VpcSubnets": SUBNETS},
            "Null": {"sagemaker:VpcSubnets": "false", "sagemaker:VolumeKmsKeyArn": "false"},
            "Bool": {"sagemaker:InterContainerTrafficEncryption": "true"},
        },
    }
    role = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
    policies = {"identity": [{"Version": "2012-10-17", "Statement": [allow, role]}]}
    bad = training(VpcConfig=None, EnableInterContainerTrafficEncryption=None)
    del bad["ResourceConfig"]["VolumeKmsKeyId"]
    after = fixed(bad, policies)
    assert after["VpcConfig"]["Subnets"] == SUBNETS
    assert after["ResourceConfig"]["VolumeKmsKeyId"] == VOLUME_KEY
    assert after["EnableInterContainerTrafficEncryption"] is True


def test_the_definitions_of_a_tuning_job_are_all_mended() -> None:
    policies = bundle(deny("Key", {"Null": {"sagemaker:OutputKmsKeyArn": "true"}}))
    definition = {
        "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": VOLUME_KEY},
        "VpcConfig": {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS},
        "EnableInterContainerTrafficEncryption": True,
    }
    request = {
        "HyperParameterTuningJobName": "t",
        "TrainingJobDefinitions": [definition, dict(definition)],
    }
    after = fixed(request, policies, "CreateHyperParameterTuningJob")
    keys = [d["OutputDataConfig"]["KmsKeyId"] for d in after["TrainingJobDefinitions"]]
    assert keys == [OUTPUT_KEY, OUTPUT_KEY]


# -- no request could pass --------------------------------------------------------------------


def test_a_key_demanded_on_local_disks() -> None:
    policies = bundle(
        deny("DemandsKey", {"Null": {"sagemaker:VolumeKmsKeyArn": "true"}}, f"sagemaker:{TRAIN}")
    )
    request = training(ResourceConfig={"InstanceType": "ml.g5.xlarge", "InstanceCount": 1})
    subject = check(request, policies)
    assert subject.iam.verdict == "explicitly-denied"
    assert subject.iam.unsatisfiable == ['scp:1 "DemandsKey"']
    assert subject.fix == []


def test_statements_that_contradict_each_other_are_both_named() -> None:
    policies = bundle(
        deny("On", {"BoolIfExists": {"sagemaker:NetworkIsolation": "false"}}),
        deny("Off", {"Bool": {"sagemaker:NetworkIsolation": "true"}}),
    )
    iam = check(training(), policies).iam
    assert iam.unsatisfiable == ['scp:1 "Off"', 'scp:1 "On"']


def test_a_deny_without_a_way_out() -> None:
    assert check(training(), bundle(deny("Never"))).iam.unsatisfiable == ['scp:1 "Never"']


def test_what_only_the_user_can_give_is_not_called_unsatisfiable() -> None:
    policies = bundle(deny("Vpc", {"Null": {"sagemaker:VpcSubnets": "true"}}))
    subject = check(training(VpcConfig=None), policies, profile=Profile())
    assert subject.iam.verdict == "explicitly-denied"
    assert subject.iam.unsatisfiable == []
    tag = bundle(deny("Tag", {"Null": {"aws:RequestTag/CostCenter": "true"}}))
    assert check(training(), tag).iam.unsatisfiable == []


def test_what_depends_on_the_caller_is_not_called_unsatisfiable() -> None:
    policies = bundle(
        deny("Vpc", {"Null": {"sagemaker:VpcSubnets": "true"}}),
        deny("Team", {"StringNotEquals": {"aws:PrincipalTag/team": "credit"}}),
    )
    subject = check(training(VpcConfig=None), policies)
    assert subject.iam.unsatisfiable == []
    # The fix still takes away what can be: what remains only depends.
    after = check(apply_patch(training(VpcConfig=None), subject.fix), policies)
    assert after.iam.verdict == "depends"


def test_old_key_names_do_not_hide_what_can_be_mended() -> None:
    policies = bundle(
        deny("Old", {"Null": {"sagemaker:VolumeKmsKey": "true"}}, f"sagemaker:{TRAIN}"),
        deny("Isolate", {"Bool": {"sagemaker:NetworkIsolation": "false"}}),
    )
    request = training(EnableNetworkIsolation=False)
    subject = check(request, policies)
    assert [(op.path, op.value) for op in subject.fix] == [("/EnableNetworkIsolation", True)]


# -- properties -------------------------------------------------------------------------------

FLAGS = ("NetworkIsolation", "InterContainerTrafficEncryption")
CONDITIONS = st.one_of(
    st.builds(
        lambda operator, key, value: {operator: {f"sagemaker:{key}": value}},
        st.sampled_from(["Bool", "BoolIfExists", "StringNotEquals", "StringEqualsIfExists"]),
        st.sampled_from(FLAGS),
        st.sampled_from(["true", "false"]),
    ),
    st.builds(
        lambda key, value: {"Null": {f"sagemaker:{key}": value}},
        st.sampled_from(["VpcSubnets", "VolumeKmsKeyArn", "NetworkIsolation"]),
        st.sampled_from(["true", "false"]),
    ),
)
STATEMENTS = st.lists(CONDITIONS, min_size=1, max_size=4)


def every_request() -> list[dict[str, Any]]:
    """All requests that the vocabulary above can tell apart."""
    found = []
    for isolation, traffic, network, key in product(
        (None, True, False), (None, True, False), (True, False), (True, False)
    ):
        request = training(
            EnableNetworkIsolation=isolation, EnableInterContainerTrafficEncryption=traffic
        )
        if not network:
            del request["VpcConfig"]
        if not key:
            del request["ResourceConfig"]["VolumeKmsKeyId"]
        found.append(request)
    return found


@settings(max_examples=400, deadline=None)
@given(conditions=STATEMENTS, number=st.integers(0, 35))
def test_an_offered_fix_holds_and_unsatisfiable_means_that_nothing_passes(
    conditions: list[dict[str, Any]], number: int
) -> None:
    policies = bundle(
        *(deny(f"S{n}", each, f"sagemaker:{TRAIN}") for n, each in enumerate(conditions))
    )
    request = every_request()[number]
    subject = check(request, policies)
    after = check(apply_patch(request, subject.fix), policies)
    order = ["allowed", "depends", "implicitly-denied", "explicitly-denied"]
    assert order.index(after.iam.verdict) <= order.index(subject.iam.verdict)
    if subject.iam.unsatisfiable:
        verdicts = {check(each, policies).iam.verdict for each in every_request()}
        assert verdicts <= {"explicitly-denied", "implicitly-denied"}
    # IAM's part brings no error of the baseline that was not there.
    errors = [{f.rule for f in each.findings if f.severity == "error"} for each in (subject, after)]
    assert errors[1] <= errors[0]
