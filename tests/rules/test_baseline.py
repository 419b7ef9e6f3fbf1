"""The built-in rules, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.check import Report, check_request
from secure_ml_ext.check.patch import apply_patch
from secure_ml_ext.check.text import quiet_line
from secure_ml_ext.inventory import operations
from secure_ml_ext.rules import Profile, builtin_rules
from secure_ml_ext.rules.model import has_local_disk
from secure_ml_ext.rules.probes import probe_for
from tests.worlds import (
    GROUPS,
    SUBNETS,
    VOLUME_KEY,
    compliant_training,
    endpoint_config,
    processing,
    profile,
    training,
    tuning,
)


def states(report: Report) -> dict[str, str]:
    return {c.control: c.state for c in report.subjects[0].controls}


def broken(report: Report) -> dict[str, str]:
    return {f.rule: f.severity for f in report.subjects[0].findings}


def test_every_field_of_the_table_has_a_rule() -> None:
    for name, entry in operations().items():
        for field in entry.fields:
            speaking = [
                rule.id
                for rule in builtin_rules()
                if {name, "*"} & set(rule.operations) and probe_for(rule, field) is not None
            ]
            assert speaking, (name, field.pointer)


def test_every_rule_speaks_about_an_operation_that_exists() -> None:
    ids = [rule.id for rule in builtin_rules()]
    assert len(set(ids)) == len(ids)
    for rule in builtin_rules():
        named = [o for o in rule.operations if o != "*"]
        assert set(named) <= set(operations()), rule.id
        for name in named:
            controls = {f.control for f in operations()[name].fields}
            assert rule.control in controls or rule.control == "tags", (rule.id, name)


def test_a_bare_training_job_breaks_what_the_workshop_forbids() -> None:
    report = check_request("CreateTrainingJob", training(), profile=profile())
    assert broken(report) == {
        "training-vpc": "error",
        "training-volume-kms": "error",
        "training-output-kms": "error",
        "job-traffic-encryption": "error",
        "job-isolation": "warning",
    }
    assert report.summary.error == 4
    assert report.summary.warning == 1


def test_a_compliant_training_job_has_no_finding() -> None:
    report = check_request("CreateTrainingJob", compliant_training(), profile=profile())
    assert report.subjects[0].findings == []
    assert set(states(report).values()) == {"pass"}


@pytest.mark.parametrize("nothing", ["", None, [], {}])
def test_empty_values_are_absent(nothing: Any) -> None:
    request = compliant_training(VpcConfig=nothing)
    request["OutputDataConfig"]["KmsKeyId"] = "" if nothing != [] else None
    report = check_request("CreateTrainingJob", request, profile=profile())
    assert set(broken(report)) == {"training-vpc", "training-output-kms"}


@pytest.mark.parametrize(
    "wrong",
    [
        "yes",
        5,
        ["subnet-1"],
        {"Subnets": "subnet-1"},
        True,
        {"Subnets": 5, "SecurityGroupIds": GROUPS},
        {"Subnets": SUBNETS[0], "SecurityGroupIds": GROUPS},
        {"Subnets": [" "], "SecurityGroupIds": GROUPS},
    ],
)
def test_values_of_a_wrong_type_do_not_crash_and_do_not_pass(wrong: Any) -> None:
    report = check_request("CreateTrainingJob", compliant_training(VpcConfig=wrong))
    assert states(report)["vpc"] == "fail"


def test_security_groups_without_subnets_are_not_a_network() -> None:
    request = compliant_training(VpcConfig={"SecurityGroupIds": GROUPS, "Subnets": []})
    report = check_request("CreateTrainingJob", request, profile=profile())
    finding = report.subjects[0].findings[0]
    assert (finding.rule, finding.pointer) == ("training-vpc", "/VpcConfig/Subnets")
    assert finding.message == "no subnets"
    fixed = apply_patch(request, finding.fix)
    assert fixed["VpcConfig"] == {"SecurityGroupIds": GROUPS, "Subnets": SUBNETS}


def test_foreign_subnets_and_groups_are_named() -> None:
    request = compliant_training(
        VpcConfig={"Subnets": ["subnet-foreign", SUBNETS[0]], "SecurityGroupIds": ["sg-foreign"]}
    )
    report = check_request("CreateTrainingJob", request, profile=profile())
    (finding,) = report.subjects[0].findings
    assert finding.rule == "approved-network"
    assert finding.actual == ["subnet-foreign", "sg-foreign"]
    assert "subnet-foreign" in finding.message
    fixed = apply_patch(request, report.subjects[0].fix)
    assert fixed["VpcConfig"] == {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}


def test_subnets_are_not_replaced_without_their_vpc() -> None:
    """AWS refuses the subnets of one VPC with the id of another."""
    request = {
        "DomainName": "d",
        "AuthMode": "SSO",
        "VpcId": "vpc-foreign",
        "SubnetIds": ["subnet-foreign"],
        "AppNetworkAccessType": "VpcOnly",
        "KmsKeyId": VOLUME_KEY,
    }
    (finding,) = check_request("CreateDomain", request, profile=profile()).subjects[0].findings
    assert (finding.fix, [m.value for m in finding.missing]) == ([], ["vpc_id"])
    assert finding.expected == sorted(SUBNETS)
    known = profile(vpc_id="vpc-mine")
    fixed = apply_patch(
        request, check_request("CreateDomain", request, profile=known).subjects[0].fix
    )
    assert (fixed["VpcId"], fixed["SubnetIds"]) == ("vpc-mine", SUBNETS)


def test_without_approved_values_nothing_was_compared_and_that_is_said() -> None:
    report = check_request("CreateTrainingJob", compliant_training())
    assert states(report)["approved-network"] == "depends"
    assert states(report)["approved-key"] == "depends"
    assert "the profile names no approved network" in quiet_line(report.subjects[0])


def test_an_approved_subnet_that_is_not_the_default_passes() -> None:
    request = compliant_training(
        VpcConfig={"Subnets": ["subnet-third"], "SecurityGroupIds": GROUPS}
    )
    extended = profile(approved_subnets=["subnet-third"])
    assert not check_request("CreateTrainingJob", request, profile=extended).subjects[0].findings


def test_volume_and_output_keys_are_two_rules() -> None:
    only_volume = compliant_training()
    del only_volume["OutputDataConfig"]["KmsKeyId"]
    report = check_request("CreateTrainingJob", only_volume, profile=profile())
    assert set(broken(report)) == {"training-output-kms"}
    only_output = compliant_training()
    del only_output["ResourceConfig"]["VolumeKmsKeyId"]
    report = check_request("CreateTrainingJob", only_output, profile=profile())
    assert set(broken(report)) == {"training-volume-kms"}


def test_keys_are_compared_under_every_spelling() -> None:
    for spelling in (VOLUME_KEY, VOLUME_KEY.rsplit("/", 1)[1]):
        request = compliant_training()
        request["ResourceConfig"]["VolumeKmsKeyId"] = spelling
        report = check_request("CreateTrainingJob", request, profile=profile())
        assert states(report)["approved-key"] == "pass", spelling
    request["ResourceConfig"]["VolumeKmsKeyId"] = "alias/team"
    report = check_request("CreateTrainingJob", request, profile=profile())
    assert states(report)["approved-key"] == "depends"
    for strange in ("alias/aws/s3", VOLUME_KEY.replace("11111111-a", "99999999-a")):
        request["ResourceConfig"]["VolumeKmsKeyId"] = strange
        report = check_request("CreateTrainingJob", request, profile=profile())
        assert broken(report) == {"approved-key": "error"}, strange
        assert report.subjects[0].fix[0].value == VOLUME_KEY


def test_local_disks_carry_no_volume_key() -> None:
    request = training()
    request["ResourceConfig"]["InstanceType"] = "ml.g5.xlarge"
    report = check_request("CreateTrainingJob", request, profile=profile())
    assert states(report)["volume-kms"] == "exempt"
    assert not any(op.path.endswith("VolumeKmsKeyId") for op in report.subjects[0].fix)
    request["ResourceConfig"]["VolumeKmsKeyId"] = VOLUME_KEY
    report = check_request("CreateTrainingJob", request, profile=profile())
    assert states(report)["volume-kms"] == "fail"
    fixed = apply_patch(request, report.subjects[0].fix)
    assert "VolumeKmsKeyId" not in fixed["ResourceConfig"]
    assert check_request("CreateTrainingJob", fixed, profile=profile()).summary.error == 0


@pytest.mark.parametrize(
    ("instance", "local"),
    [
        ("ml.g4dn.xlarge", True),
        ("ml.g5.48xlarge", True),
        ("ml.p4d.24xlarge", True),
        ("ml.p3dn.24xlarge", True),
        ("ml.m5d.large", True),
        ("ml.m5.large", False),
        ("ml.p3.2xlarge", False),
        ("ml.c5.xlarge", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_local_disk_families(instance: Any, local: bool) -> None:
    assert has_local_disk(instance) is local


def test_the_merged_fix_leaves_isolation_to_the_user() -> None:
    report = check_request("CreateTrainingJob", training(), profile=profile())
    fixed = apply_patch(training(), report.subjects[0].fix)
    assert "EnableNetworkIsolation" not in fixed
    again = check_request("CreateTrainingJob", fixed, profile=profile())
    assert (again.summary.error, again.summary.warning) == (0, 1)


def test_a_fix_that_cannot_be_made_names_the_missing_value_and_the_places() -> None:
    poor = Profile(looked={"subnets": ["ssm:/x"], "security_groups": ["ssm:/y", "domain d-1"]})
    report = check_request("CreateTrainingJob", training(), profile=poor)
    vpc = report.subjects[0].findings[0]
    assert vpc.fix == []
    assert [(m.value, m.looked) for m in vpc.missing] == [
        ("subnets", ["ssm:/x"]),
        ("security_groups", ["ssm:/y", "domain d-1"]),
    ]


def test_no_processing_outputs_need_no_output_key_but_the_network_is_demanded() -> None:
    request = processing(ProcessingOutputConfig={"Outputs": []})
    report = check_request("CreateProcessingJob", request, profile=profile())
    assert states(report)["output-kms"] == "na"
    assert states(report)["vpc"] == "fail"
    fixed = apply_patch(request, report.subjects[0].fix)
    assert set(fixed["NetworkConfig"]) == {"VpcConfig", "EnableInterContainerTrafficEncryption"}


@pytest.mark.parametrize("shape", ["single", "several"])
def test_tuning_reaches_into_every_definition(shape: str) -> None:
    request = tuning()
    if shape == "several":
        definition = request.pop("TrainingJobDefinition")
        request["TrainingJobDefinitions"] = [definition, {**definition, "DefinitionName": "b"}]
    report = check_request("CreateHyperParameterTuningJob", request, profile=profile())
    times = 1 if shape == "single" else 2
    assert report.summary.error == 4 * times
    fixed = apply_patch(request, report.subjects[0].fix)
    assert (
        check_request("CreateHyperParameterTuningJob", fixed, profile=profile()).summary.error == 0
    )


def test_endpoint_config_keys_and_what_comes_from_the_model() -> None:
    report = check_request("CreateEndpointConfig", endpoint_config(), profile=profile())
    assert set(broken(report)) == {"endpoint-config-kms", "capture-kms"}
    assert states(report)["vpc"] == "depends"
    off = endpoint_config()
    off["DataCaptureConfig"]["EnableCapture"] = False
    report = check_request("CreateEndpointConfig", off, profile=profile())
    assert states(report)["capture-kms"] == "na"


def test_serverless_variants_have_no_volume() -> None:
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
    }
    request = {"EndpointConfigName": "e", "ProductionVariants": [variant]}
    report = check_request("CreateEndpointConfig", request, profile=profile())
    assert report.subjects[0].findings == []
    assert states(report)["volume-kms"] == "na"


def test_references_are_followed_when_somebody_can_answer() -> None:
    class Answers:
        def request_of(self, operation: str, name: str) -> dict[str, Any] | None:
            assert (operation, name) == ("CreateModel", "abalone")
            return {"ModelName": "abalone", "EnableNetworkIsolation": True}

    report = check_request(
        "CreateTransformJob",
        {"TransformJobName": "t", "ModelName": "abalone"},
        profile=profile(),
        resolver=Answers(),
    )
    found = {c.control: c for c in report.subjects[0].controls}
    assert found["isolation"].state == "pass"
    assert found["vpc"].state == "fail"
    assert "abalone" in (found["vpc"].note or "")
    inherited = {f.rule: f for f in report.subjects[0].findings}["model-vpc"]
    assert (inherited.pointer, inherited.fix) == ("/ModelName", [])
    assert inherited.message == "taken from abalone: no subnets or security groups"


def test_an_endpoint_takes_its_network_through_its_configuration_from_the_model() -> None:
    class Answers:
        def request_of(self, operation: str, name: str) -> dict[str, Any] | None:
            if operation == "CreateEndpointConfig":
                return endpoint_config(EndpointConfigName=name)
            return {"ModelName": name, "VpcConfig": compliant_training()["VpcConfig"]}

    report = check_request(
        "CreateEndpoint",
        {"EndpointName": "e", "EndpointConfigName": "abalone"},
        profile=profile(),
        resolver=Answers(),
    )
    found = states(report)
    assert (found["vpc"], found["volume-kms"], found["isolation"]) == ("pass", "fail", "warn")


def test_notebook_instance_words() -> None:
    request = {
        "NotebookInstanceName": "n",
        "InstanceType": "ml.t3.medium",
        "RoleArn": "arn:aws:iam::111122223333:role/r",
        "SubnetId": SUBNETS[0],
        "SecurityGroupIds": GROUPS,
        "KmsKeyId": VOLUME_KEY,
        "DirectInternetAccess": "Disabled",
    }
    report = check_request("CreateNotebookInstance", request, profile=profile())
    assert set(broken(report)) == {"notebook-root-access", "notebook-imds-v2", "notebook-platform"}
    fixed = apply_patch(request, report.subjects[0].fix)
    assert fixed["RootAccess"] == "Disabled"
    assert fixed["InstanceMetadataServiceConfiguration"] == {
        "MinimumInstanceMetadataServiceVersion": "2"
    }
    assert (
        not check_request("CreateNotebookInstance", fixed, profile=profile()).subjects[0].findings
    )


def test_an_update_that_leaves_a_setting_alone_is_not_accused() -> None:
    report = check_request("UpdateDomain", {"DomainId": "d-1"}, profile=profile())
    assert report.subjects[0].findings == []
    report = check_request(
        "UpdateDomain",
        {"DomainId": "d-1", "AppNetworkAccessType": "PublicInternetOnly"},
        profile=profile(),
    )
    assert set(broken(report)) == {"domain-vpc-only"}
