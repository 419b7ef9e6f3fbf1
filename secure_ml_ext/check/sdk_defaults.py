"""The SageMaker Python SDK's own configuration file, made from the profile.

One file serves SDK v2 and v3: both validate it against nearly the same schema
(``sagemaker.config.config_schema`` of 2.257, ``sagemaker.core.config.config_schema`` of 3.27) and
take from it what code leaves out. What each of them ignores stands in ``sdk_coverage``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ..rules import Profile, Rule
from ..rules.baseline import MissingValue, wanted
from .files import InputError

NEEDED = ("subnets", "security_groups", "volume_kms_key", "output_kms_key")
# Requests that can be isolated and have a place for it in the file.
ISOLABLE = ("CreateTrainingJob", "CreateProcessingJob", "CreateModel", "CreateMonitoringSchedule")
# Bounds of the SDKs' schema: a file beyond them is refused when a session is made.
_MOST = {"subnets": 16, "security_groups": 5}
_LONGEST_ID, _LONGEST_KEY = 32, 2048


def sdk_defaults(
    profile: Profile, *, isolated: Collection[str] = (), transform: bool = False
) -> dict[str, Any]:
    """Return the SDK configuration that makes requests compliant where the SDK heeds it.

    Without a value in the profile its keys are left out (``missing_values`` names them); a network
    needs subnets and security groups. ``isolated`` names the operations, of ``ISOLABLE``, that get
    network isolation. ``transform`` adds the keys of ``TransformJob``, on which the Transformer of
    SDK v3 fails. Raises ``InputError`` for values that the SDKs' schema refuses.
    """
    _validate(profile)
    return {"SchemaVersion": "1.0", "SageMaker": _kept(_sections(profile, isolated, transform))}


def missing_values(profile: Profile) -> tuple[MissingValue, ...]:
    """Return the values that the file needs and the profile lacks, with where they were sought."""
    return wanted(profile, *NEEDED)[1]


def isolated_by(rules: Iterable[Rule]) -> frozenset[str]:
    """Return the operations that the rules in force isolate in a merged fix."""
    merged = [rule for rule in rules if rule.control == "isolation" and rule.merged]
    return frozenset(
        name
        for name in ISOLABLE
        if any(rule.severity != "off" and {name, "*"} & set(rule.operations) for rule in merged)
    )


def _sections(profile: Profile, isolated: Collection[str], transform: bool) -> dict[str, Any]:
    volume, output = profile.get("volume_kms_key"), profile.get("output_kms_key")
    capture = profile.get("capture_kms_key") or output

    def vpc() -> dict[str, Any] | None:
        # A fresh object each time: YAML would write a shared one as an alias.
        subnets, groups = profile.get("subnets"), profile.get("security_groups")
        if not subnets or not groups:
            return None
        return {"Subnets": list(subnets), "SecurityGroupIds": list(groups)}

    def isolation(operation: str) -> bool | None:
        return True if operation in isolated else None

    def network(operation: str) -> dict[str, Any]:
        return {
            "VpcConfig": vpc(),
            "EnableNetworkIsolation": isolation(operation),
            "EnableInterContainerTrafficEncryption": True,
        }

    def automl() -> dict[str, Any]:
        return {
            "VpcConfig": vpc(),
            "EnableInterContainerTrafficEncryption": True,
            "VolumeKmsKeyId": volume,
        }

    sections: dict[str, Any] = {
        "PythonSDK": {"Modules": _modules(profile, vpc, isolation("CreateTrainingJob"))},
        "TrainingJob": {
            **network("CreateTrainingJob"),
            "ResourceConfig": {"VolumeKmsKeyId": volume},
            "OutputDataConfig": {"KmsKeyId": output},
        },
        "ProcessingJob": {
            "NetworkConfig": network("CreateProcessingJob"),
            "ProcessingResources": {"ClusterConfig": {"VolumeKmsKeyId": volume}},
            "ProcessingOutputConfig": {"KmsKeyId": output},
        },
        "Model": {"VpcConfig": vpc(), "EnableNetworkIsolation": isolation("CreateModel")},
        "EndpointConfig": {
            "KmsKeyId": volume,
            "DataCaptureConfig": {"KmsKeyId": capture},
            "AsyncInferenceConfig": {"OutputConfig": {"KmsKeyId": output}},
        },
        "AutoMLJob": {
            "AutoMLJobConfig": {"SecurityConfig": automl()},
            "OutputDataConfig": {"KmsKeyId": output},
        },
        "AutoMLJobV2": {"SecurityConfig": automl(), "OutputDataConfig": {"KmsKeyId": output}},
        "CompilationJob": {"VpcConfig": vpc(), "OutputConfig": {"KmsKeyId": output}},
        "FeatureGroup": {
            "OfflineStoreConfig": {"S3StorageConfig": {"KmsKeyId": output}},
            "OnlineStoreConfig": {"SecurityConfig": {"KmsKeyId": output}},
        },
        "MonitoringSchedule": {
            "MonitoringScheduleConfig": {
                "MonitoringJobDefinition": {
                    "NetworkConfig": network("CreateMonitoringSchedule"),
                    "MonitoringResources": {"ClusterConfig": {"VolumeKmsKeyId": volume}},
                    "MonitoringOutputConfig": {"KmsKeyId": output},
                }
            }
        },
    }
    if transform:
        sections["TransformJob"] = {
            "TransformResources": {"VolumeKmsKeyId": volume},
            "TransformOutput": {"KmsKeyId": output},
            "DataCaptureConfig": {"KmsKeyId": capture},
        }
    return sections


def _modules(profile: Profile, vpc: Any, isolation: bool | None) -> dict[str, Any]:
    """Return the settings of the SDK's own classes.

    ModelTrainer reads its ``networking`` from here as arguments of ``Networking``; from the
    section TrainingJob it takes neither the network nor the encryption of traffic.
    """
    volume, output = profile.get("volume_kms_key"), profile.get("output_kms_key")
    network = vpc() or {}
    return {
        "ModelTrainer": {
            "networking": {
                "subnets": network.get("Subnets"),
                "security_group_ids": network.get("SecurityGroupIds"),
                "enable_network_isolation": isolation,
                "enable_inter_container_traffic_encryption": True,
            }
        },
        "RemoteFunction": {
            "VpcConfig": vpc(),
            "EnableInterContainerTrafficEncryption": True,
            "VolumeKmsKeyId": volume,
            "S3KmsKeyId": output,
        },
        "NotebookJob": {"VpcConfig": vpc(), "VolumeKmsKeyId": volume, "S3KmsKeyId": output},
    }


def _kept(node: dict[str, Any]) -> dict[str, Any]:
    """Return the tree without absent values and the branches that they leave empty."""
    kept = {}
    for key, value in node.items():
        left = _kept(value) if isinstance(value, dict) else value
        if left not in (None, {}, []):
            kept[key] = left
    return kept


def _validate(profile: Profile) -> None:
    for name, most in _MOST.items():
        found = profile.get(name) or []
        if len(found) > most:
            raise InputError(
                f"{profile.source(name)}: {name} has {len(found)} entries and the SageMaker SDK "
                f"takes {most}; name fewer in the profile (approved_{name} takes them all)"
            )
        _lengths(profile, name, found, _LONGEST_ID)
    for name in ("volume_kms_key", "output_kms_key", "capture_kms_key"):
        _lengths(profile, name, [profile.get(name) or ""], _LONGEST_KEY)


def _lengths(profile: Profile, name: str, values: list[str], most: int) -> None:
    for value in values:
        if len(value) > most:
            raise InputError(
                f"{profile.source(name)}: {name}: {value[:40]}… is longer than the {most} "
                "characters that the SageMaker SDK takes; correct it in the profile"
            )
