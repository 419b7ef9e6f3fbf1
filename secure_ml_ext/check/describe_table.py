"""Where a Describe reply differs from the Create request: the only list of it.

Most replies repeat the request under the same names and add state. A test compares this list
with botocore's service model: it fails on a security field that a reply neither has nor is known
to lack.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..inventory.table import operations


class Inside(Struct, frozen=True):
    """What is called otherwise, or is state and no setting, in a structure below the reply."""

    renamed: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()


class Told(Struct, frozen=True):
    """How the Describe operation tells what one Create operation was given.

    ``evidence`` are members of which a reply has at least one and the summaries of a List
    operation none; ``arn`` is the member with the ARN. ``within`` is the member that wraps the
    reply. ``moved`` are pointers of the reply and of the request, the first that is there counts;
    ``inside`` says the same of structures in lists, by their pointer in the request. ``untold``
    are pointers of the request that Describe does not return.
    """

    evidence: tuple[str, ...] = ()
    arn: str | None = None
    within: str | None = None
    moved: tuple[tuple[str, str], ...] = ()
    inside: Mapping[str, Inside] = {}
    untold: tuple[str, ...] = ()


_GROUP = Inside(
    renamed=(
        ("TargetCount", "InstanceCount"),
        ("CurrentCount", "InstanceCount"),
        ("MinCount", "MinInstanceCount"),
        ("DesiredImageId", "ImageId"),
        ("CurrentImageId", "ImageId"),
        ("DesiredImageReleaseVersion", "ImageReleaseVersion"),
        ("CurrentImageReleaseVersion", "ImageReleaseVersion"),
    ),
    dropped=(
        "ActiveOperations",
        "ActiveSoftwareUpdateConfig",
        "ImageVersionStatus",
        "InstanceTypeDetails",
        "SoftwareUpdateStatus",
        "Status",
        "TargetStateCount",
        "TrainingPlanStatus",
    ),
)


def _desired(*names: str) -> Inside:
    """Describe a structure that tells its members twice, as wished for and as they are."""
    return Inside(
        renamed=tuple((f"{how}{name}", name) for name in names for how in ("Desired", "Current"))
    )


_CLUSTER = {
    "/InstanceGroups/*": _GROUP,
    "/InstanceGroups/*/InstanceRequirements": _desired("InstanceTypes"),
    "/InstanceGroups/*/AutoPatchConfig": _desired("PatchSchedule"),
    "/InstanceGroups/*/KubernetesConfig": _desired("Labels", "Taints"),
    "/RestrictedInstanceGroups/*": _GROUP,
    "/RestrictedInstanceGroups/*/EnvironmentConfig": Inside(dropped=("S3OutputPath",)),
    "/RestrictedInstanceGroupsConfig/SharedEnvironmentConfig": _desired(
        "FSxLustreConfig", "FSxLustreDeletionPolicy"
    ),
    "/AutoScaling": Inside(dropped=("FailureMessage", "Status")),
}

# Operations that are not here tell everything, under the same names; see told_of.
_TOLD: Mapping[str, Told] = {
    "CreateAIBenchmarkJob": Told(
        inside={"/OutputConfig": Inside(dropped=("CloudWatchLogs",))},
    ),
    "CreateApp": Told(evidence=("AppArn",)),
    "CreateAppImageConfig": Told(evidence=("AppImageConfigArn",), untold=("/Tags",)),
    "CreateCluster": Told(evidence=("InstanceGroups", "RestrictedInstanceGroups"), inside=_CLUSTER),
    "CreateDeviceFleet": Told(arn="DeviceFleetArn"),
    "CreateEdgePackagingJob": Told(evidence=("OutputConfig",), arn="EdgePackagingJobArn"),
    "CreateImage": Told(evidence=("RoleArn", "Tags"), untold=("/Tags",)),
    "CreateInferenceExperiment": Told(
        evidence=("ModelVariants",),
        arn="Arn",
        moved=(("/EndpointMetadata/EndpointName", "/EndpointName"),),
        inside={"/ModelVariants/*": Inside(dropped=("Status",))},
    ),
    "CreateInferenceRecommendationsJob": Told(
        evidence=("InputConfig",), untold=("/OutputConfig/KmsKeyId",)
    ),
    "CreateLabelingJob": Told(evidence=("OutputConfig", "HumanTaskConfig")),
    "CreateMlflowApp": Told(evidence=("ArtifactStoreUri",)),
    "CreateModel": Told(
        evidence=(
            "PrimaryContainer",
            "Containers",
            "ExecutionRoleArn",
            "InferenceExecutionConfig",
            "VpcConfig",
            "EnableNetworkIsolation",
        )
    ),
    "CreateModelCard": Told(evidence=("Content", "SecurityConfig")),
    "CreateModelPackage": Told(
        evidence=("ModelPackageStatusDetails", "SecurityConfig", "ValidationSpecification")
    ),
    "CreateMonitoringSchedule": Told(
        moved=(("/MonitoringType", "/MonitoringScheduleConfig/MonitoringType"),)
    ),
    "CreateNotebookInstance": Told(
        evidence=("RoleArn", "DirectInternetAccess", "RootAccess"),
        moved=(
            ("/SecurityGroups", "/SecurityGroupIds"),
            ("/NotebookInstanceLifecycleConfigName", "/LifecycleConfigName"),
        ),
    ),
    "CreateOptimizationJob": Told(evidence=("OutputConfig", "RoleArn", "StoppingCondition")),
    "CreatePartnerApp": Told(
        evidence=("Tier", "AuthType", "ExecutionRoleArn"),
        inside={"/IdcConfig": Inside(dropped=("ApplicationArn",))},
    ),
    "CreatePipeline": Told(evidence=("PipelineDefinition",)),
    "CreateSpace": Told(evidence=("SpaceArn",)),
    "CreateTrainingSession": Told(within="TrainingSessionDetail"),
    "CreateUserProfile": Told(evidence=("HomeEfsFileSystemUid", "UserSettings")),
    "CreateWorkforce": Told(
        evidence=("WorkforceArn",),
        within="Workforce",
        inside={"/WorkforceVpcConfig": Inside(dropped=("VpcEndpointId",))},
    ),
}


@lru_cache(maxsize=128)
def told_of(operation: str) -> Told:
    """Return how Describe tells of a Create operation of the field table.

    Where nothing else is listed, the evidence is what AWS demands of every request.
    """
    told = _TOLD.get(operation, Told())
    entry = operations()[operation]
    demanded = tuple(name for name in entry.required if name != entry.name)
    return replace(told, evidence=told.evidence or demanded, arn=told.arn or entry.arn)


def evidence_in(operation: str, body: Mapping[str, Any]) -> int:
    """Return how many members of a body show that it has the resource's settings."""
    return sum(body.get(name) is not None for name in told_of(operation).evidence)


@lru_cache(maxsize=1)
def by_arn() -> Mapping[str, tuple[str, ...]]:
    """Return the Create operations by the member that holds the ARN in their Describe reply."""
    found: dict[str, tuple[str, ...]] = {}
    for operation in operations():
        if operation.startswith("Create") and (arn := told_of(operation).arn):
            found[arn] = (*found.get(arn, ()), operation)
    return found
