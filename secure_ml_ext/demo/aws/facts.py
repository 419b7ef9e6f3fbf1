"""What Describe adds to what Create was given: states, times, ids and AWS's own defaults.

The defaults are those seen in recorded replies: `""` for an absent output key of a training
job, and `false` for omitted switches.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .kinds import kinds
from .shapes import pick
from .store import Record, Store, new_id

Facts = dict[str, Any]

SWITCHES = (
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
)
# Shares of a training job's time.
TRAINING_STEPS = (
    (0.0, "Starting", "Preparing the instances for training"),
    (0.15, "Downloading", "Downloading input data"),
    (0.3, "Training", "Training image download completed. Training in progress."),
    (0.85, "Uploading", "Uploading generated training model"),
)


def describe(record: Record, store: Store, now: float) -> Facts:
    """The Describe reply of a record at a time (epoch seconds)."""
    facts: Facts = {**copy.deepcopy(record.params), **record.extra}
    facts[record.kind.arn_member] = record.arn
    facts["Tags"] = record.tags
    facts["CreationTime"] = record.created
    facts["LastModifiedTime"] = record.modified(now)
    if record.kind.status_member:
        facts[record.kind.status_member] = record.status(now)
    if add := ADDITIONS.get(record.kind.name):
        add(facts, record, store, now)
    told: Facts = pick(record.kind.output, facts)
    return told


def searched(record: Record, store: Store, now: float) -> Facts:
    """The same with tags: the form in which Search knows a resource."""
    return {**describe(record, store, now), "Tags": list(record.tags)}


def generated(kind: str, store: Store, params: Facts) -> Facts:
    """Ids that AWS gives a new resource and keeps for its life."""
    made = GENERATED.get(kind)
    return made(store, params) if made else {}


def _training(facts: Facts, record: Record, store: Store, now: float) -> None:
    for switch in SWITCHES:
        facts.setdefault(switch, False)
    output = facts.get("OutputDataConfig")
    if isinstance(output, dict):
        output.setdefault("KmsKeyId", "")
        path = str(output.get("S3OutputPath", "")).rstrip("/")
        facts["ModelArtifacts"] = {"S3ModelArtifacts": f"{path}/{record.key}/output/model.tar.gz"}
    steps = _secondary(record, now)
    facts["SecondaryStatus"] = steps[-1]["Status"]
    facts["SecondaryStatusTransitions"] = steps
    _start_and_end(facts, record, now, "TrainingStartTime", "TrainingEndTime")
    if (end := facts.get("TrainingEndTime")) is not None:
        seconds = max(1, int(end - record.begun()))
        facts["TrainingTimeInSeconds"] = facts["BillableTimeInSeconds"] = seconds


def _secondary(record: Record, now: float) -> list[Facts]:
    """The secondary states reached, each closed by the next one."""
    begun = record.begun()
    planned = record.planned
    first_change = record.phases[1].start if len(record.phases) > 1 else float("inf")
    steps = [
        (begun + share * planned, status, message)
        for share, status, message in TRAINING_STEPS
        if begun + share * planned < first_change or share == 0.0
    ]
    steps += [(p.start, p.status, "") for p in record.phases[1:]]
    reached = [step for step in steps if step[0] <= now] or steps[:1]
    told: list[Facts] = []
    for index, (start, status, message) in enumerate(reached):
        step: Facts = {"Status": status, "StartTime": start, "StatusMessage": message}
        if index + 1 < len(reached):
            step["EndTime"] = reached[index + 1][0]
        told.append(step)
    return told


def _start_and_end(facts: Facts, record: Record, now: float, start: str, end: str) -> None:
    facts[start] = record.begun()
    if (ended := record.ended(now)) is not None:
        facts[end] = ended


def _processing(facts: Facts, record: Record, store: Store, now: float) -> None:
    network = facts.get("NetworkConfig")
    if isinstance(network, dict):
        network.setdefault("EnableNetworkIsolation", False)
        network.setdefault("EnableInterContainerTrafficEncryption", False)
    _start_and_end(facts, record, now, "ProcessingStartTime", "ProcessingEndTime")


def _transform(facts: Facts, record: Record, store: Store, now: float) -> None:
    _start_and_end(facts, record, now, "TransformStartTime", "TransformEndTime")


def _tuning(facts: Facts, record: Record, store: Store, now: float) -> None:
    definitions = [facts.get("TrainingJobDefinition"), *facts.get("TrainingJobDefinitions", [])]
    for definition in definitions:
        for switch in SWITCHES if isinstance(definition, dict) else ():
            definition.setdefault(switch, False)
    limits = facts.get("HyperParameterTuningJobConfig", {}).get("ResourceLimits", {})
    total = int(limits.get("MaxNumberOfTrainingJobs", 1))
    ended = record.ended(now)
    done = total if ended is not None and record.status(now) == "Completed" else 0
    running = 0 if ended is not None else min(total, int(limits["MaxParallelTrainingJobs"]))
    facts["TrainingJobStatusCounters"] = {
        "Completed": done,
        "InProgress": running,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": total if record.status(now) == "Stopped" else 0,
    }
    facts["ObjectiveStatusCounters"] = {"Succeeded": done, "Pending": running, "Failed": 0}
    if ended is not None:
        facts["HyperParameterTuningEndTime"] = ended


def _auto_ml(facts: Facts, record: Record, store: Store, now: float) -> None:
    status = record.status(now)
    facts["AutoMLJobSecondaryStatus"] = "AnalyzingData" if status == "InProgress" else status
    if (ended := record.ended(now)) is not None:
        facts["EndTime"] = ended


def _compilation(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts["FailureReason"] = ""
    where = str(facts.get("OutputConfig", {}).get("S3OutputLocation", "")).rstrip("/")
    facts["ModelArtifacts"] = {"S3ModelArtifacts": f"{where}/{record.key}.tar.gz"}
    _start_and_end(facts, record, now, "CompilationStartTime", "CompilationEndTime")


def _optimization(facts: Facts, record: Record, store: Store, now: float) -> None:
    _start_and_end(facts, record, now, "OptimizationStartTime", "OptimizationEndTime")


def _labeling(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts["LabelCounters"] = dict.fromkeys(
        ("TotalLabeled", "HumanLabeled", "MachineLabeled", "FailedNonRetryableError", "Unlabeled"),
        0,
    )
    facts["JobReferenceCode"] = record.extra["JobReferenceCode"]


def _recommendations(facts: Facts, record: Record, store: Store, now: float) -> None:
    if (ended := record.ended(now)) is not None:
        facts["CompletionTime"] = ended


def _model(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts.setdefault("EnableNetworkIsolation", False)


def _endpoint(facts: Facts, record: Record, store: Store, now: float) -> None:
    config = store.get(kinds()["EndpointConfig"], facts.get("EndpointConfigName", ""))
    params = config.params if config else {}
    for source, target in (
        ("ProductionVariants", "ProductionVariants"),
        ("ShadowProductionVariants", "ShadowProductionVariants"),
    ):
        if variants := params.get(source):
            facts[target] = [_variant(variant) for variant in variants]
    capture = params.get("DataCaptureConfig")
    if capture:
        enabled = bool(capture.get("EnableCapture", False))
        facts["DataCaptureConfig"] = {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    for name in ("AsyncInferenceConfig", "ExplainerConfig"):
        if name in params:
            facts[name] = params[name]


def _variant(variant: Facts) -> Facts:
    weight = variant.get("InitialVariantWeight", 1.0)
    count = variant.get("InitialInstanceCount", 1)
    told: Facts = {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if serverless := variant.get("ServerlessConfig"):
        return {**told, "CurrentServerlessConfig": serverless}
    return {**told, "CurrentInstanceCount": count, "DesiredInstanceCount": count}


def _component(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts["EndpointArn"] = store.arn("endpoint", facts["EndpointName"])
    if runtime := facts.get("RuntimeConfig"):
        count = runtime["CopyCount"]
        facts["RuntimeConfig"] = {"DesiredCopyCount": count, "CurrentCopyCount": count}
    for specification in [facts.get("Specification"), *facts.get("Specifications", [])]:
        container = (specification or {}).get("Container", {})
        if image := container.get("Image"):
            container["DeployedImage"] = {
                "SpecifiedImage": image,
                "ResolvedImage": image,
                "ResolutionTime": record.created,
            }


def _notebook(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts["SecurityGroups"] = facts.get("SecurityGroupIds")
    facts["NotebookInstanceLifecycleConfigName"] = facts.get("LifecycleConfigName")
    facts["Url"] = f"{record.key}.notebook.{store.region}.sagemaker.aws"
    facts.setdefault("DirectInternetAccess", "Enabled")
    facts.setdefault("RootAccess", "Enabled")
    facts.setdefault("VolumeSizeInGB", 5)
    facts.setdefault("PlatformIdentifier", "notebook-al2-v3")
    facts.setdefault(
        "InstanceMetadataServiceConfiguration", {"MinimumInstanceMetadataServiceVersion": "1"}
    )


def _domain(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts.setdefault("AppNetworkAccessType", "PublicInternetOnly")
    facts["Url"] = f"https://{record.key}.studio.{store.region}.sagemaker.aws"


def _feature_group(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts["NextToken"] = ""
    if "OfflineStoreConfig" in facts:
        facts["OfflineStoreStatus"] = {"Status": "Active"}


def _pipeline(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts["PipelineStatus"] = "Active"
    facts.setdefault("PipelineDisplayName", record.key)
    facts["LastExecutionTime"] = facts.get("LastRunTime")


def _package(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts["ModelPackageName"] = facts.get("ModelPackageGroupName") or record.key
    facts["ModelPackageStatus"] = "Completed"
    facts["ModelPackageStatusDetails"] = {"ValidationStatuses": []}


def _package_group(facts: Facts, record: Record, store: Store, now: float) -> None:
    facts["CreatedBy"] = {}
    facts["ModelPackageGroupStatus"] = "Completed"


Addition = Callable[[Facts, Record, Store, float], None]
ADDITIONS: dict[str, Addition] = {
    "TrainingJob": _training,
    "ProcessingJob": _processing,
    "TransformJob": _transform,
    "HyperParameterTuningJob": _tuning,
    "AutoMLJob": _auto_ml,
    "AutoMLJobV2": _auto_ml,
    "CompilationJob": _compilation,
    "OptimizationJob": _optimization,
    "LabelingJob": _labeling,
    "InferenceRecommendationsJob": _recommendations,
    "Model": _model,
    "EndpointConfig": _model,
    "Endpoint": _endpoint,
    "InferenceComponent": _component,
    "NotebookInstance": _notebook,
    "Domain": _domain,
    "FeatureGroup": _feature_group,
    "Pipeline": _pipeline,
    "ModelPackage": _package,
    "ModelPackageGroup": _package_group,
}

GENERATED: dict[str, Callable[[Store, Facts], Facts]] = {
    "Domain": lambda store, params: {
        "HomeEfsFileSystemId": f"fs-{new_id(17)}",
        **(
            {"SecurityGroupIdForDomainBoundary": f"sg-{new_id(17)}"}
            if params.get("AppNetworkAccessType") == "VpcOnly"
            else {}
        ),
    },
    "UserProfile": lambda store, params: {"HomeEfsFileSystemUid": "200005"},
    "Project": lambda store, params: {"ProjectId": f"p-{new_id()}"},
    "LabelingJob": lambda store, params: {"JobReferenceCode": new_id(16)},
    "NotebookInstance": lambda store, params: (
        {"NetworkInterfaceId": f"eni-{new_id(17)}"} if params.get("SubnetId") else {}
    ),
}
