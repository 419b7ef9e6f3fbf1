"""What is decided later is open: never a failure, and never compared as if it were known."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.check import check_request
from secure_ml_ext.inventory.paths import decided_later, undetermined
from tests.worlds import GROUPS, SUBNETS, VOLUME_KEY, compliant_training, profile, training

GET = {"Get": "Parameters.Anything"}
IF = {"Fn::If": ["C", {"Subnets": SUBNETS}, {"Ref": "AWS::NoValue"}]}


def states(operation: str, params: dict[str, Any]) -> dict[str, str]:
    report = check_request(operation, params, profile=profile())
    return {control.control: control.state for control in report.subjects[0].controls}


def note(operation: str, params: dict[str, Any], control: str) -> str | None:
    report = check_request(operation, params, profile=profile())
    return next(c.note for c in report.subjects[0].controls if c.control == control)


@pytest.mark.parametrize("value", [GET, IF, {"Ref": "X"}, {"Std:Join": {}}, {"Unknown": "x"}])
def test_what_counts_as_decided_later(value: Any) -> None:
    assert undetermined(value)
    assert undetermined({"Fn::Transform": {}, "KmsKeyId": "k"})
    for other in ({}, {"Subnets": [GET]}, {"Get": 1, "Ref": 2}, "Ref", [value], None):
        assert not undetermined(other)


def test_a_path_through_something_decided_later() -> None:
    assert decided_later({"NetworkConfig": GET}, ("NetworkConfig", "VpcConfig"))
    assert decided_later({"A": [{"B": 1}, GET]}, ("A", "*", "B", "C"))
    assert decided_later({"A": GET}, ("A", "*", "B"))
    assert not decided_later({"A": GET}, ("A",)), "the end itself is for the probe"
    assert not decided_later({"A": {"B": None}}, ("A", "B", "C"))
    known = {"A": {"Fn::Transform": {}, "KmsKeyId": "k"}}
    assert not decided_later(known, ("A", "KmsKeyId"))
    assert decided_later(known, ("A", "VolumeKmsKeyId"))


def test_structures_above_the_fields() -> None:
    """Neither the missing key nor the missing network is a failure: both may still come."""
    request = training(ResourceConfig=GET, OutputDataConfig=IF, VpcConfig=IF)
    found = states("CreateTrainingJob", request)
    assert found["volume-kms"] == found["output-kms"] == found["vpc"] == "depends"
    assert found["approved-network"] == found["approved-key"] == "depends"
    assert found["traffic-encryption"] == "fail", "that one is known"
    processing = {"ProcessingJobName": "p", "NetworkConfig": GET}
    found = states("CreateProcessingJob", processing)
    assert found["vpc"] == found["isolation"] == found["traffic-encryption"] == "depends"


def test_leaves() -> None:
    network = {"Subnets": [*SUBNETS, {"Ref": "Extra"}], "SecurityGroupIds": GROUPS}
    request = compliant_training(VpcConfig=network)
    request["ResourceConfig"]["VolumeKmsKeyId"] = GET
    found = states("CreateTrainingJob", request)
    assert found["vpc"] == "pass", "a network is given"
    assert found["approved-network"] == "depends", "but not all of it is known"
    assert found["volume-kms"] == found["approved-key"] == "depends"
    foreign = {"Subnets": ["subnet-0aaaaaaaaaaaaaaaa", GET], "SecurityGroupIds": GROUPS}
    found = states("CreateTrainingJob", compliant_training(VpcConfig=foreign))
    assert found["approved-network"] == "fail", "what is known is compared"


def test_lists() -> None:
    config = {"EndpointConfigName": "c", "ProductionVariants": GET}
    found = states("CreateEndpointConfig", config)
    # The variants may name models, or be serverless: then neither network nor key is asked for.
    assert found["redundancy"] == found["vpc"] == found["volume-kms"] == "depends"
    config = {"EndpointConfigName": "c", "ProductionVariants": [GET], "KmsKeyId": VOLUME_KEY}
    found = states("CreateEndpointConfig", config)
    assert (found["redundancy"], found["volume-kms"], found["vpc"]) == (
        "depends",
        "pass",
        "depends",
    )


def test_a_network_that_may_not_come() -> None:
    """A variable is filled in, but a branch may also take the member away."""
    maybe = {"Fn::If": ["C", {"Ref": "Subnets"}, {"Ref": "AWS::NoValue"}]}
    surely = {"Fn::If": ["C", {"Ref": "Subnets"}, {"Ref": "Others"}]}
    for subnets, expected in ((maybe, "depends"), (surely, "pass")):
        network = {"Subnets": subnets, "SecurityGroupIds": GROUPS}
        assert states("CreateTrainingJob", training(VpcConfig=network))["vpc"] == expected
        notebook = {"NotebookInstanceName": "n", "SubnetId": subnets, "SecurityGroupIds": GROUPS}
        assert states("CreateNotebookInstance", notebook)["vpc"] == expected


def test_a_switch_that_is_decided_later() -> None:
    capture = {"EnableCapture": {"Fn::If": ["C", True, False]}, "DestinationS3Uri": "s3://b"}
    config = {"EndpointConfigName": "c", "DataCaptureConfig": capture, "ProductionVariants": []}
    assert states("CreateEndpointConfig", config)["capture-kms"] == "depends"
    assert note("CreateEndpointConfig", config, "capture-kms") == "EnableCapture is decided later"


def test_references() -> None:
    config = {
        "EndpointConfigName": "c",
        "KmsKeyId": VOLUME_KEY,
        "ProductionVariants": [{"ModelName": {"Ref": "Model"}, "InitialInstanceCount": GET}],
    }
    found = states("CreateEndpointConfig", config)
    assert (found["vpc"], found["isolation"], found["redundancy"]) == ("depends",) * 3
    text = note("CreateEndpointConfig", config, "vpc")
    assert text == "taken from what is decided later"


def test_a_reader_may_say_why() -> None:
    unknown = {"Unknown": "CloudTrail hides it"}
    request = compliant_training(EnableNetworkIsolation=unknown)
    assert states("CreateTrainingJob", request)["isolation"] == "depends"
    text = note("CreateTrainingJob", request, "isolation")
    assert text == "the value is not known: CloudTrail hides it"
    notebook = {"NotebookInstanceName": "n", "SubnetId": unknown}
    assert states("CreateNotebookInstance", notebook)["vpc"] == "depends"
    image = {"ImageName": "i", "Tags": unknown}
    assert states("CreateImage", image) == {"tags": "depends"}
