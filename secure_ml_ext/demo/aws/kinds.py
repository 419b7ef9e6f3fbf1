"""The SageMaker resources the embedded AWS keeps itself, derived from botocore's model.

moto forgets fields of what it stores (VPC, keys, isolation, encryption), so jobs, models,
endpoints, notebook instances and Studio resources live in our own store: whatever a Create
request carried comes back from Describe, as far as Describe has a place for it.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from .shapes import input_shape, output_shape, service_model


@dataclass(frozen=True)
class Life:
    """The states of a resource over time.

    `working` lasts as long as a job (`timed="job"`) or as a start (`timed="start"`).
    """

    working: str
    done: str
    stopping: str | None = None
    stopped: str | None = None
    updating: str | None = None
    timed: str = "job"


JOB = Life("InProgress", "Completed", "Stopping", "Stopped")
CAPITALS = Life("INPROGRESS", "COMPLETED", "STOPPING", "STOPPED")
UNDERSCORE = Life("IN_PROGRESS", "COMPLETED", "STOPPING", "STOPPED")
ENDPOINT = Life("Creating", "InService", updating="Updating", timed="start")
NOTEBOOK = Life("Pending", "InService", "Stopping", "Stopped", "Updating", timed="start")
STUDIO = Life("Pending", "InService", updating="Updating", timed="start")
APP = Life("Pending", "InService", timed="start")
PROJECT = Life("CreateInProgress", "CreateCompleted", updating="UpdateInProgress", timed="start")
FEATURES = Life("Creating", "Created", timed="start")
FLOW = Life("Initializing", "Active", timed="start")
NONE = Life("", "")

# One line per resource. `parts` are the members that make the last part of the ARN, where it is
# not the name alone; `family` is the kind whose names it shares.
TABLE: dict[str, Life] = {
    "TrainingJob": JOB,
    "ProcessingJob": JOB,
    "TransformJob": JOB,
    "HyperParameterTuningJob": JOB,
    "AutoMLJob": JOB,
    "AutoMLJobV2": JOB,
    "CompilationJob": CAPITALS,
    "OptimizationJob": CAPITALS,
    "LabelingJob": JOB,
    "InferenceRecommendationsJob": UNDERSCORE,
    "Model": NONE,
    "EndpointConfig": NONE,
    "Endpoint": ENDPOINT,
    "InferenceComponent": ENDPOINT,
    "NotebookInstance": NOTEBOOK,
    "NotebookInstanceLifecycleConfig": NONE,
    "Domain": STUDIO,
    "UserProfile": STUDIO,
    "Space": STUDIO,
    "App": APP,
    "Project": PROJECT,
    "DataQualityJobDefinition": NONE,
    "ModelQualityJobDefinition": NONE,
    "ModelBiasJobDefinition": NONE,
    "ModelExplainabilityJobDefinition": NONE,
    "FeatureGroup": FEATURES,
    "FlowDefinition": FLOW,
    "Pipeline": NONE,
    "ModelPackage": NONE,
    "ModelPackageGroup": NONE,
}

ARN_PARTS = {
    "AutoMLJob": "automl-job",
    "AutoMLJobV2": "automl-job",
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
}
PATHS = {
    "UserProfile": ("DomainId", "UserProfileName"),
    "Space": ("DomainId", "SpaceName"),
    "App": ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName"),
}
FAMILIES = {"AutoMLJobV2": "AutoMLJob"}
GENERATED_KEYS = {"Domain": "DomainId"}


@dataclass(frozen=True)
class Kind:
    """One resource: its operations and the members that carry name, ARN and status."""

    name: str
    life: Life
    keys: tuple[str, ...]
    name_member: str
    arn_member: str
    arn_part: str
    status_member: str | None
    family: str
    create: str
    describe: str
    listing: str | None
    list_member: str
    operations: frozenset[str]

    @property
    def output(self) -> Any:
        """The shape of the Describe reply."""
        return output_shape(self.describe)

    @property
    def row(self) -> Any:
        """The shape of an entry in the List reply."""
        return output_shape(self.listing or "").members[self.list_member].member


# What StartPipelineExecution makes: no Create of its own, so nothing to derive it from.
EXECUTION = Kind(
    name="PipelineExecution",
    life=Life("Executing", "Succeeded", "Stopping", "Stopped"),
    keys=("PipelineExecutionArn",),
    name_member="PipelineExecutionArn",
    arn_member="PipelineExecutionArn",
    arn_part="pipeline",
    status_member="PipelineExecutionStatus",
    family="PipelineExecution",
    create="StartPipelineExecution",
    describe="DescribePipelineExecution",
    listing=None,
    list_member="PipelineExecutionSummaries",
    operations=frozenset(),
)


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


@functools.cache
def kinds() -> dict[str, Kind]:
    """All kinds of the table that the installed botocore knows, by name."""
    known = set(service_model("sagemaker").operation_names)
    return {name: _derive(name, life) for name, life in TABLE.items() if f"Create{name}" in known}


def _derive(name: str, life: Life) -> Kind:
    operations = frozenset(service_model("sagemaker").operation_names)
    create, describe = f"Create{name}", f"Describe{name}"
    given, asked = input_shape(create), input_shape(describe)
    told = output_shape(describe)
    generated = GENERATED_KEYS.get(name)
    keys = PATHS.get(name) or ((generated,) if generated else tuple(asked.required_members))
    family = FAMILIES.get(name, name)
    arns = [m for m in told.members if m in (f"{family}Arn", "JobDefinitionArn", "JobArn")]
    statuses = [m for m in told.members if m in (f"{family}Status", "Status")]
    listing = f"List{family}s" if name == family and f"List{family}s" in operations else None
    members = output_shape(listing).members if listing else {}
    rows = next((key for key, shape in members.items() if shape.type_name == "list"), "")
    known_name = next(key for key in reversed(keys) if key in given.members or generated)
    return Kind(
        name=name,
        life=life,
        keys=keys,
        name_member="DomainName" if generated else known_name,
        arn_member=arns[0],
        arn_part=ARN_PARTS.get(name, _kebab(name)),
        status_member=statuses[0] if statuses and life.done else None,
        family=family,
        create=create,
        describe=describe,
        listing=listing,
        list_member=rows,
        operations=frozenset(f"{verb}{name}" for verb in ("Stop", "Start", "Delete", "Update"))
        & operations,
    )
