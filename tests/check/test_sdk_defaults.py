"""The SDK's configuration from the profile, the table of what is ignored, and the page about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_ml_ext.check import sdk_coverage as coverage
from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.sdk_defaults import (
    ISOLABLE,
    isolated_by,
    missing_values,
    sdk_defaults,
)
from secure_ml_ext.inventory import operations
from secure_ml_ext.rules import Config, Profile, builtin_rules
from secure_ml_ext.rules.config import RuleOverride, rules_in_force
from tests.worlds import GROUPS, OUTPUT_KEY, SUBNETS, VOLUME_KEY, profile

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sdk-defaults.md"
VPC = {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}


def section(name: str, **changes: Any) -> Any:
    options = {k: changes.pop(k) for k in ("isolated", "transform") if k in changes}
    return sdk_defaults(profile(**changes), **options)["SageMaker"].get(name)


def test_a_training_job_has_its_network_both_keys_and_encrypted_traffic() -> None:
    assert section("TrainingJob") == {
        "VpcConfig": VPC,
        "EnableInterContainerTrafficEncryption": True,
        "ResourceConfig": {"VolumeKmsKeyId": VOLUME_KEY},
        "OutputDataConfig": {"KmsKeyId": OUTPUT_KEY},
    }


def test_the_model_trainer_has_its_network_in_its_own_words() -> None:
    # Fields of sagemaker.train.configs.Networking, which the SDK makes with them as arguments.
    assert section("PythonSDK")["Modules"]["ModelTrainer"] == {
        "networking": {
            "subnets": SUBNETS,
            "security_group_ids": GROUPS,
            "enable_inter_container_traffic_encryption": True,
        }
    }


def test_isolation_is_written_where_it_is_asked_for_and_nowhere_else() -> None:
    assert section("Model", isolated=["CreateModel"])["EnableNetworkIsolation"] is True
    assert "EnableNetworkIsolation" not in section("TrainingJob", isolated=["CreateModel"])
    networking = section("PythonSDK", isolated=["CreateTrainingJob"])["Modules"]["ModelTrainer"]
    assert networking["networking"]["enable_network_isolation"] is True


def test_the_rules_in_force_say_what_is_isolated() -> None:
    # The built-in rules warn about isolation and leave it out of the merged fix.
    assert isolated_by(builtin_rules()) == frozenset()
    config = Config(rules={"job-isolation": RuleOverride(severity="error")})
    # job-isolation speaks about training, processing and tuning jobs.
    assert isolated_by(rules_in_force(config)) == {"CreateTrainingJob", "CreateProcessingJob"}


def test_transform_jobs_only_where_they_are_asked_for() -> None:
    assert section("TransformJob") is None
    assert section("TransformJob", transform=True) == {
        "TransformResources": {"VolumeKmsKeyId": VOLUME_KEY},
        "TransformOutput": {"KmsKeyId": OUTPUT_KEY},
        "DataCaptureConfig": {"KmsKeyId": OUTPUT_KEY},
    }


def test_captured_data_has_its_own_key_where_there_is_one() -> None:
    endpoint = section("EndpointConfig", capture_kms_key="alias/capture")
    assert endpoint["DataCaptureConfig"] == {"KmsKeyId": "alias/capture"}
    assert endpoint["AsyncInferenceConfig"] == {"OutputConfig": {"KmsKeyId": OUTPUT_KEY}}


@pytest.mark.parametrize("lacking", ["subnets", "security_groups"])
def test_half_a_network_is_none(lacking: str) -> None:
    assert section("Model", **{lacking: None}) is None
    trainer = section("PythonSDK", **{lacking: None})["Modules"]["ModelTrainer"]
    assert trainer == {"networking": {"enable_inter_container_traffic_encryption": True}}
    assert [m.value for m in missing_values(profile(**{lacking: None}))] == [lacking]


def test_nothing_known_leaves_the_encryption_of_traffic() -> None:
    made = sdk_defaults(Profile())["SageMaker"]
    # The five sections that have such a switch, and the two classes.
    assert set(made) == {
        "PythonSDK", "TrainingJob", "ProcessingJob", "AutoMLJob", "AutoMLJobV2",
        "MonitoringSchedule",
    }  # fmt: skip
    assert set(made["PythonSDK"]["Modules"]) == {"ModelTrainer", "RemoteFunction"}
    assert made["TrainingJob"] == {"EnableInterContainerTrafficEncryption": True}
    assert [m.value for m in missing_values(Profile())] == [
        "subnets",
        "security_groups",
        "volume_kms_key",
        "output_kms_key",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"subnets": [f"subnet-{n}" for n in range(17)]}, "test: subnets has 17 entries"),
        ({"security_groups": list("abcdef")}, "security_groups has 6 entries"),
        ({"subnets": ["subnet-" + "a" * 26]}, "longer than the 32 characters"),
        ({"output_kms_key": "k" * 2049}, "longer than the 2048 characters"),
    ],
)
def test_what_the_schema_of_the_sdk_refuses_is_refused_with_the_place(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        sdk_defaults(profile(**changes))


@given(
    st.dictionaries(
        st.sampled_from(["volume_kms_key", "output_kms_key", "capture_kms_key"]),
        st.text(max_size=40),
    ),
    st.lists(st.text(min_size=1, max_size=40), max_size=20),
)
def test_any_profile_gives_a_file_without_empty_branches_or_a_reason(
    keys: dict[str, str], listed: list[str]
) -> None:
    try:
        made = sdk_defaults(profile(subnets=listed, **keys), isolated=ISOLABLE, transform=True)
    except InputError:
        return

    def walk(node: Any) -> None:
        assert node not in (None, "", [], {})
        for each in node.values() if isinstance(node, dict) else ():
            walk(each)

    walk(made)


def test_the_table_names_controls_that_the_requests_have() -> None:
    for line in coverage.COVERAGE:
        known = {field.control for field in operations()[line.operation].fields}
        named = [*line.filled, *line.missed()]
        assert len(named) == len(set(named)), line.how
        assert set(named) <= known & set(coverage.CONTROLS), line.how


def test_the_page_shows_the_tables_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert tables == [coverage.markdown("v2"), coverage.markdown("v3")]
    assert coverage.OUTSIDE in text


def test_every_ignored_control_is_said_with_its_reason() -> None:
    said = "\n".join(coverage.ignored_lines("v3"))
    assert "    " not in said
    for line in coverage.coverage("v3"):
        for each in line.ignored:
            assert f"  {line.how}: {coverage.titles(each.controls)}" in said
            assert f"{each.why.replace('`', '')}:" in said
    assert "Transformer" in "\n".join(coverage.ignored_lines("v2"))
    assert "Transformer" not in "\n".join(coverage.ignored_lines("v2", transform=True))
