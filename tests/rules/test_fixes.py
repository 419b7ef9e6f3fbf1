"""Fixes: any subset of findings merges, and what is offered always holds."""

from __future__ import annotations

import itertools

import pytest

from secure_ml_ext.check import check_request
from secure_ml_ext.check.patch import apply_patch
from secure_ml_ext.rules.patch import Assignment, build
from tests.worlds import OUTPUT_KEY, endpoint_config, processing, profile, training, tuning

CASES = {
    "CreateTrainingJob": training(),
    "CreateProcessingJob": processing(),
    "CreateHyperParameterTuningJob": tuning(),
    "CreateEndpointConfig": endpoint_config(),
    "CreateModel": {"ModelName": "m", "ExecutionRoleArn": "r"},
    "CreateAutoMLJobV2": {"AutoMLJobName": "a", "OutputDataConfig": {"S3OutputPath": "s3://b"}},
    "CreateNotebookInstance": {"NotebookInstanceName": "n", "InstanceType": "ml.t3.medium"},
}


@pytest.mark.parametrize("operation", sorted(CASES))
def test_any_subset_of_findings_merges_into_one_patch_that_mends_just_them(operation: str) -> None:
    request = CASES[operation]
    findings = check_request(operation, request, profile=profile()).subjects[0].findings
    assert findings
    mendable = [f for f in findings if f.fix]
    for size in range(1, len(mendable) + 1):
        for subset in itertools.combinations(mendable, size):
            wishes = [Assignment(tuple(_parts(op.path)), op.value) for f in subset for op in f.fix]
            fixed = apply_patch(request, build(request, _spread(wishes)))
            after = check_request(operation, fixed, profile=profile()).subjects[0]
            left = {(f.rule, f.pointer) for f in after.findings}
            assert not left & {(f.rule, f.pointer) for f in subset}
            assert left <= {(f.rule, f.pointer) for f in findings}


def _parts(pointer: str) -> list[str | int]:
    return [int(p) if p.isdecimal() else p for p in pointer.split("/")[1:]]


def _spread(wishes: list[Assignment]) -> list[Assignment]:
    """Take structures apart, so that two fixes below one new parent do not hide each other."""
    result = []
    for wish in wishes:
        if isinstance(wish.value, dict):
            result += _spread([Assignment((*wish.path, k), v) for k, v in wish.value.items()])
        else:
            result.append(wish)
    return result


@pytest.mark.parametrize("operation", sorted(CASES))
def test_the_offered_fix_always_holds(operation: str) -> None:
    request = CASES[operation]
    subject = check_request(operation, request, profile=profile()).subjects[0]
    after = check_request(operation, apply_patch(request, subject.fix), profile=profile())
    assert after.summary.error == 0
    assert after.subjects[0].fix == []


def test_a_fix_that_would_break_another_rule_is_not_offered() -> None:
    """The profile's own volume key is fine, but the organisation approves no such subnet."""
    request = training()
    strange = profile(subnets=None, security_groups=None)
    subject = check_request("CreateTrainingJob", request, profile=strange).subjects[0]
    assert not any(op.path.startswith("/VpcConfig") for op in subject.fix)
    assert {op.path for op in subject.fix} == {
        "/EnableInterContainerTrafficEncryption",
        "/OutputDataConfig/KmsKeyId",
        "/ResourceConfig/VolumeKmsKeyId",
    }
    assert OUTPUT_KEY in [op.value for op in subject.fix]
