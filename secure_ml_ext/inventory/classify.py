"""Says which control a security field of the API model is, field by field name.

The judgement behind the field table lives here and nowhere else: adding an operation
that names its fields as AWS always does needs no change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Structures that only group settings; see derive._anchor.
BAGS = frozenset(
    {
        "NetworkConfig",
        "SecurityConfig",
        "AutoMLJobConfig",
        "ImageConfig",
        "TrainingImageConfig",
        "InstanceMetadataServiceConfiguration",
        "LabelingJobResourceConfig",
        "DefaultUserSettings",
        "DefaultSpaceSettings",
        "UserSettings",
        "DomainSettings",
        "DomainSettingsForUpdate",
        "S3StorageConfig",
    }
)

# (operation, pointer) or a member name -> why it is no control.
IGNORED: Mapping[tuple[str, str] | str, str] = {
    "VpcOnlyTrustedAccounts": "a list of accounts for Docker images, not a network setting",
    "AppSecurityGroupManagement": "who manages security groups, for RStudio only",
    "VpcSourceIp": "restricts presigned links of labelling workers to the caller's address",
    ("CreateDomain", "/HomeEfsFileSystemKmsKeyId"): "deprecated: KmsKeyId replaces it, see ALSO",
    ("CreateNotebookInstance", "/SecurityGroupIds"): "checked with SubnetId",
    "InstanceMetadataServiceConfiguration": "a bag: what is in it counts",
    ("CreateWorkforce", "/WorkforceVpcConfig/VpcId"): "checked with its subnets",
    ("UpdateWorkforce", "/WorkforceVpcConfig/VpcId"): "checked with its subnets",
    ("CreateDomain", "/VpcId"): "follows from the subnets",
    ("UpdateDomain", "/VpcId"): "follows from the subnets",
}

# Older members that satisfy the same control when the field itself is absent.
ALSO: Mapping[tuple[str, str], str] = {
    ("CreateDomain", "/KmsKeyId"): "/HomeEfsFileSystemKmsKeyId",
}

# Operations without a field of their own that still belong on the panel or in the rules.
WATCHED = frozenset(
    {
        "CreateEndpoint",
        "UpdateEndpoint",
        "CreateImage",
        "CreateAppImageConfig",
        # IAM has keys for what starts in Studio: instance types, images, lifecycle scripts.
        "CreateApp",
        "CreateSpace",
        "UpdateSpace",
        # What they start is in the definition, see check.pipeline.
        "CreatePipeline",
        "UpdatePipeline",
        "StartPipelineExecution",
    }
)

_NETWORK = ["vpc", "isolation"]
_MONITORED = [
    "vpc",
    "approved-network",
    "isolation",
    "traffic-encryption",
    "volume-kms",
    "output-kms",
]

# A schedule names its definition; which of the four kinds it is, MonitoringType says.
_DEFINITION = {
    "pointer": "/MonitoringScheduleConfig/MonitoringJobDefinitionName",
    "operation": None,
    "by": "/MonitoringScheduleConfig/MonitoringType",
    "choices": {
        kind: f"Create{kind}JobDefinition"
        for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
    },
    "controls": _MONITORED,
}

# Controls that an operation takes from something it names.
REFERENCES: Mapping[str, list[dict[str, Any]]] = {
    "CreateTransformJob": [
        {"pointer": "/ModelName", "operation": "CreateModel", "controls": _NETWORK}
    ],
    "CreateEndpointConfig": [
        {
            "pointer": "/ProductionVariants/*/ModelName",
            "operation": "CreateModel",
            "controls": _NETWORK,
        },
        {
            "pointer": "/ShadowProductionVariants/*/ModelName",
            "operation": "CreateModel",
            "controls": _NETWORK,
        },
    ],
    "CreateEndpoint": [
        {
            "pointer": "/EndpointConfigName",
            "operation": "CreateEndpointConfig",
            "controls": [*_NETWORK, "volume-kms", "capture-kms"],
        }
    ],
    "UpdateEndpoint": [
        {
            "pointer": "/EndpointConfigName",
            "operation": "CreateEndpointConfig",
            "controls": [*_NETWORK, "volume-kms", "capture-kms"],
        }
    ],
    "CreateMonitoringSchedule": [_DEFINITION],
    "UpdateMonitoringSchedule": [_DEFINITION],
}

_KINDS = {
    "CreateTrainingJob": "training",
    "UpdateTrainingJob": "training",
    "CreateProcessingJob": "processing",
    "CreateHyperParameterTuningJob": "tuning",
    "CreateTransformJob": "transform",
    "CreateAutoMLJob": "automl",
    "CreateAutoMLJobV2": "automl",
    "CreateCompilationJob": "compilation",
    "CreateLabelingJob": "labeling",
    "CreateModel": "model",
    "CreateEndpointConfig": "endpoint-config",
    "CreateEndpoint": "endpoint",
    "UpdateEndpoint": "endpoint",
    "CreateNotebookInstance": "notebook-instance",
    "UpdateNotebookInstance": "notebook-instance",
    "CreateDomain": "domain",
    "UpdateDomain": "domain",
    "CreateFeatureGroup": "feature-group",
    "CreateMonitoringSchedule": "monitoring",
    "UpdateMonitoringSchedule": "monitoring",
    "CreateDataQualityJobDefinition": "monitoring",
    "CreateModelQualityJobDefinition": "monitoring",
    "CreateModelBiasJobDefinition": "monitoring",
    "CreateModelExplainabilityJobDefinition": "monitoring",
    "CreatePipeline": "pipeline",
    "UpdatePipeline": "pipeline",
    "StartPipelineExecution": "pipeline-execution",
}

_SIMPLE: Mapping[str, tuple[str, str]] = {
    "EnableNetworkIsolation": ("isolation", "flag"),
    "EnableInterContainerTrafficEncryption": ("traffic-encryption", "flag"),
    "DirectInternetAccess": ("direct-internet", "word"),
    "RootAccess": ("root-access", "word"),
    "MinimumInstanceMetadataServiceVersion": ("imds-v2", "word"),
    "PlatformIdentifier": ("platform", "word"),
    "AppNetworkAccessType": ("vpc-only-domain", "word"),
    "AuthMode": ("domain-auth", "word"),
    "RepositoryAccessMode": ("private-image", "word"),
    "TrainingRepositoryAccessMode": ("private-image", "word"),
    "InitialInstanceCount": ("redundancy", "count"),
    "VolumeKmsKeyId": ("volume-kms", "key"),
    "S3KmsKeyId": ("output-kms", "key"),
}

# A KmsKeyId (KmsKey, KmsKeyArn) that sits directly on the request encrypts what the resource
# itself stores: the instance volume, the home directories, the application's data.
_KEY_NAMES = frozenset({"KmsKeyId", "KmsKey", "KmsKeyArn"})
_STORES = ("OnlineStoreConfig", "OfflineStoreConfig")


def kind_of(operation: str) -> str:
    """Return the job kind that the panel shows for an operation."""
    return _KINDS.get(operation, "other")


def _network(shape: Mapping[str, Any]) -> bool:
    members = shape.get("members", {})
    return "Subnets" in members and "SecurityGroupIds" in members


def _key_control(pointer: str) -> str:
    parents = pointer.split("/")[1:-1]
    if not parents:
        return "volume-kms"
    if any(p in ("DataCaptureConfig", "DataStorageConfig") for p in parents):
        return "capture-kms"
    if parents[0] in _STORES or parents == ["SecurityConfig"]:
        return "store-kms"
    return "output-kms"


def classify(
    operation: str, pointer: str, member: str, shape_name: str, shape: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return ``{control, kind}`` for a member of the API model, or None when it is unknown.

    Kinds: ``network`` (a structure of Subnets and SecurityGroupIds), ``subnet`` (one subnet
    id beside SecurityGroupIds), ``subnets`` and ``groups`` (lists of their own), ``key``,
    ``flag`` (boolean), ``word`` (enumeration) and ``count``.
    """
    if shape["type"] == "structure" and _network(shape):
        return {"control": "vpc", "kind": "network"}
    if member in _SIMPLE and shape["type"] != "structure":
        control, kind = _SIMPLE[member]
        return {"control": control, "kind": kind}
    if member in _KEY_NAMES and shape["type"] == "string":
        found: dict[str, Any] = {"control": _key_control(pointer), "kind": "key"}
        if also := ALSO.get((operation, pointer)):
            found["also"] = also
        return found
    if member == "SubnetId":
        return {"control": "vpc", "kind": "subnet"}
    if shape["type"] == "list" and member in ("SubnetIds", "Subnets"):
        return {"control": "approved-network", "kind": "subnets"}
    if shape["type"] == "list" and member in ("SecurityGroupIds", "SecurityGroups"):
        return {"control": "approved-network", "kind": "groups"}
    return None
