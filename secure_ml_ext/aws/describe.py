"""How to ask SageMaker for the state of each kind of workload, and where its console page is."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from msgspec import Struct

from ..inventory.regions import partition
from .records import Job

_FINISHED = frozenset(("Completed", "Failed", "Stopped"))


class Describe(Struct, frozen=True):
    """One Describe operation.

    ``status`` is the reply member with the state, None for kinds that have none (they
    are immutable); ``final`` are the states after which nothing changes.
    """

    operation: str
    method: str
    parameter: str
    arn: str
    status: str | None
    final: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ("FailureReason",)


_BY_KIND: dict[str, Describe] = {
    "training": Describe(
        "DescribeTrainingJob",
        "describe_training_job",
        "TrainingJobName",
        "TrainingJobArn",
        "TrainingJobStatus",
        _FINISHED,
    ),
    "processing": Describe(
        "DescribeProcessingJob",
        "describe_processing_job",
        "ProcessingJobName",
        "ProcessingJobArn",
        "ProcessingJobStatus",
        _FINISHED,
        ("FailureReason", "ExitMessage"),
    ),
    "tuning": Describe(
        "DescribeHyperParameterTuningJob",
        "describe_hyper_parameter_tuning_job",
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
        _FINISHED | {"DeleteFailed"},
    ),
    "transform": Describe(
        "DescribeTransformJob",
        "describe_transform_job",
        "TransformJobName",
        "TransformJobArn",
        "TransformJobStatus",
        _FINISHED,
    ),
    # Also answers for jobs that the first version of the operation made.
    "automl": Describe(
        "DescribeAutoMLJobV2",
        "describe_auto_ml_job_v2",
        "AutoMLJobName",
        "AutoMLJobArn",
        "AutoMLJobStatus",
        _FINISHED,
    ),
    "compilation": Describe(
        "DescribeCompilationJob",
        "describe_compilation_job",
        "CompilationJobName",
        "CompilationJobArn",
        "CompilationJobStatus",
        frozenset(("COMPLETED", "FAILED", "STOPPED")),
    ),
    "labeling": Describe(
        "DescribeLabelingJob",
        "describe_labeling_job",
        "LabelingJobName",
        "LabelingJobArn",
        "LabelingJobStatus",
        _FINISHED,
    ),
    "model": Describe("DescribeModel", "describe_model", "ModelName", "ModelArn", None),
    "endpoint-config": Describe(
        "DescribeEndpointConfig",
        "describe_endpoint_config",
        "EndpointConfigName",
        "EndpointConfigArn",
        None,
    ),
    "endpoint": Describe(
        "DescribeEndpoint", "describe_endpoint", "EndpointName", "EndpointArn", "EndpointStatus"
    ),
    "pipeline": Describe(
        "DescribePipeline", "describe_pipeline", "PipelineName", "PipelineArn", "PipelineStatus"
    ),
    "pipeline-execution": Describe(
        "DescribePipelineExecution",
        "describe_pipeline_execution",
        "PipelineExecutionArn",
        "PipelineExecutionArn",
        "PipelineExecutionStatus",
        frozenset(("Succeeded", "Failed", "Stopped")),
    ),
    "notebook-instance": Describe(
        "DescribeNotebookInstance",
        "describe_notebook_instance",
        "NotebookInstanceName",
        "NotebookInstanceArn",
        "NotebookInstanceStatus",
    ),
    "domain": Describe("DescribeDomain", "describe_domain", "DomainId", "DomainArn", "Status"),
    "monitoring": Describe(
        "DescribeMonitoringSchedule",
        "describe_monitoring_schedule",
        "MonitoringScheduleName",
        "MonitoringScheduleArn",
        "MonitoringScheduleStatus",
    ),
    "feature-group": Describe(
        "DescribeFeatureGroup",
        "describe_feature_group",
        "FeatureGroupName",
        "FeatureGroupArn",
        "FeatureGroupStatus",
    ),
}


def _definition(words: str, method: str) -> Describe:
    """Describe a monitoring job definition, which is immutable."""
    return Describe(
        f"Describe{words}JobDefinition",
        f"describe_{method}_job_definition",
        "JobDefinitionName",
        "JobDefinitionArn",
        None,
    )


_BY_OPERATION: dict[str, Describe] = {
    "CreateDataQualityJobDefinition": _definition("DataQuality", "data_quality"),
    "CreateModelBiasJobDefinition": _definition("ModelBias", "model_bias"),
    "CreateModelExplainabilityJobDefinition": _definition(
        "ModelExplainability", "model_explainability"
    ),
    "CreateModelQualityJobDefinition": _definition("ModelQuality", "model_quality"),
}


def describes() -> Iterator[Describe]:
    """Yield every Describe operation that the panel may call."""
    yield from _BY_KIND.values()
    yield from _BY_OPERATION.values()


def describe_of(job: Job) -> Describe | None:
    """Return how the state of a job is asked, or None where there is no such operation here."""
    return _BY_OPERATION.get(job.operation) or _BY_KIND.get(job.kind)


def name_for(job: Job) -> str | None:
    """Return what Describe wants to be given: the name, the ARN, or the domain's id."""
    if job.kind == "pipeline-execution":
        return job.arn
    if job.kind == "domain":
        # Domains are named by id, which only the ARN holds.
        return job.arn.rpartition("/")[2] if job.arn else None
    if job.name:
        return job.name
    return job.arn.rpartition("/")[2] if job.arn else None


# The console's pages; kinds without one live in Studio only.
_PAGES = {
    "training": "jobs",
    "processing": "processing-jobs",
    "tuning": "hyper-tuning-jobs",
    "transform": "transform-jobs",
    "compilation": "compilation-jobs",
    "labeling": "labeling-jobs",
    "model": "models",
    "endpoint-config": "endpointConfig",
    "endpoint": "endpoints",
    "notebook-instance": "notebook-instances",
}
_CONSOLES = {
    "aws": "https://{region}.console.aws.amazon.com",
    "aws-cn": "https://{region}.console.amazonaws.cn",
    "aws-us-gov": "https://{region}.console.amazonaws-us-gov.com",
}


def console_url(
    kind: str, name: str | None, region: str | None, endpoint: str | None = None
) -> str | None:
    """Return the address of a job's page in the AWS console, or None where there is none.

    A job sent to an endpoint that is not AWS (a test double) has no page there.
    """
    page = _PAGES.get(kind)
    console = _CONSOLES.get(partition(region))
    if page is None or console is None or not name or not region or not _is_aws(endpoint):
        return None
    where = console.format(region=quote(region, safe=""))
    return f"{where}/sagemaker/home?region={quote(region, safe='')}#/{page}/{quote(name, safe='')}"


def _is_aws(endpoint: str | None) -> bool:
    if not endpoint:
        return True
    try:
        host = (urlsplit(endpoint).hostname or "").lower()
    except ValueError:
        return False
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".aws.dev"))
