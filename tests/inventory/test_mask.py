"""Masking keeps what the field table knows and nothing else."""

from __future__ import annotations

import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from secure_ml_ext.inventory import mask, operations
from secure_ml_ext.inventory.masking import MASK
from secure_ml_ext.inventory.paths import absent
from tests.worlds import SUBNETS, VOLUME_KEY, compliant_training

SECRET = "hunter2-do-not-show"


def test_secrets_disappear_and_controls_stay() -> None:
    request = compliant_training(
        Environment={"DB_PASSWORD": SECRET, SECRET: "1"},
        HyperParameters={"token": SECRET},
        Tags=[{"Key": "owner", "Value": SECRET}],
    )
    request["AlgorithmSpecification"]["ContainerArguments"] = ["--password", SECRET]
    before = copy.deepcopy(request)
    masked = mask("CreateTrainingJob", request)
    assert SECRET not in json.dumps(masked)
    assert masked["VpcConfig"]["Subnets"] == SUBNETS
    assert masked["ResourceConfig"]["VolumeKmsKeyId"] == VOLUME_KEY
    assert masked["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"
    assert masked["EnableNetworkIsolation"] is True
    assert masked["TrainingJobName"] == "abalone-1"
    assert masked["Environment"] == MASK
    assert request == before


def test_unknown_members_inside_a_network_are_masked() -> None:
    request = compliant_training()
    request["VpcConfig"]["Note"] = SECRET
    assert SECRET not in json.dumps(mask("CreateTrainingJob", request))


def test_an_unknown_operation_is_masked_whole() -> None:
    assert mask("CreateSomething", {"A": SECRET, "B": {"C": SECRET}}) == {"A": MASK, "B": MASK}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["A", "VpcConfig", "Environment"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(operations())), JSON)
def test_a_value_off_the_table_never_survives(operation: str, value: object) -> None:
    masked = mask(operation, {"Environment": value, "Tags": value, "Notes": value})
    assert SECRET not in json.dumps(masked)


def test_absent_means_none_empty_string_and_empty_lists_but_not_false() -> None:
    for nothing in (None, "", [], {}, [""], [None, ""]):
        assert absent(nothing)
    for something in (False, 0, "x", ["x"], {"a": ""}):
        assert not absent(something)
