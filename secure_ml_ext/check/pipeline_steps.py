"""What each kind of pipeline step is: a request of the pipeline's role, or nothing to check.

Kinds are those of the SDKs' ``StepTypeEnum`` (v2 2.257, v3 3.27) and of
``PipelineExecutionStepMetadata`` in botocore's service model, which knows some more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..inventory.paths import expand, get, parse
from ..inventory.table import operations
from ..inventory.words import CONTROL_TITLES

OPERATIONS: Final[Mapping[str, str]] = {
    "Processing": "CreateProcessingJob",
    "QualityCheck": "CreateProcessingJob",
    "ClarifyCheck": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "Tuning": "CreateHyperParameterTuningJob",
    "Transform": "CreateTransformJob",
    "Model": "CreateModel",
    "RegisterModel": "CreateModelPackage",
    "AutoML": "CreateAutoMLJob",
    "EndpointConfig": "CreateEndpointConfig",
    "Endpoint": "CreateEndpoint",
}

_NOTHING: Final = "nothing to check here: "
_BEDROCK: Final = "not checked: the step works in Amazon Bedrock, whose settings no rule knows"
WITHOUT_REQUEST: Final[Mapping[str, str]] = {
    "Lambda": _NOTHING + "a Lambda function may start anything; its own role decides what",
    "Callback": _NOTHING + "the step waits for an answer through Amazon SQS; whoever gives it "
    "works with a role of their own",
    "EMR": _NOTHING + "the step runs on an Amazon EMR cluster; network and keys are the cluster's",
    "EMRServerless": _NOTHING + "the step runs on Amazon EMR Serverless; network and keys are the "
    "application's",
    "Athena": _NOTHING + "the step runs a query in Amazon Athena; keys are the workgroup's",
    "Fail": _NOTHING + "the step ends the execution and starts nothing",
    "Lineage": _NOTHING + "the step records lineage and starts nothing",
    "Cleanup": _NOTHING + "the step deletes what other steps wrote to Amazon S3 and starts nothing",
    "InferenceComponent": _NOTHING + "network and keys of an inference component are those of its "
    "endpoint",
    "HubContent": _NOTHING + "the step adds an entry to a model hub and starts nothing",
    "Job": "not checked: CreateJob has its settings in one text, JobConfigDocument, which no rule "
    "reads",
    "BedrockCustomModel": _BEDROCK,
    "BedrockCustomModelDeployment": _BEDROCK,
    "BedrockModelImport": _BEDROCK,
    "BedrockProvisionedModelThroughput": _BEDROCK,
}

# The lists of steps inside a step, with the word for the branch.
BRANCHES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "Condition": (("IfSteps", "if"), ("ElseSteps", "else")),
    "ForEach": (("ForEachBody", "each"),),
}

# SDK v2 writes hyperparameters as JSON texts, with quotation marks; v3 as they are.
_REPACK_SCRIPTS: Final = ("_repack_script_launcher.sh", "_repack_model.py")
_REPACK_IMAGE = re.compile(r"[/:]sagemaker-scikit-learn:|^sagemaker-scikit-learn:")
_STEP = re.compile(r"Steps\.([A-Za-z0-9_-]{1,256})\.")

_REPACK: Final = (
    "added by the SageMaker SDK (repacking the model); it keeps the network and drops KMS keys, "
    "isolation and traffic encryption: "
)
REPACK_V2: Final = (
    f"{_REPACK}use ModelStep (not RegisterModel or EstimatorTransformer) with "
    "repack_model_step_settings that give volume_kms_key, output_kms_key, "
    "enable_network_isolation and encrypt_inter_container_traffic; there is no such step for a "
    "model without entry_point, whose archive holds the code"
)
REPACK_V3: Final = (
    f"{_REPACK}ModelStep's repack_model_step_settings take the output key (output_data_config), "
    "the SDK's defaults file gives isolation and traffic encryption (ModelTrainer.networking), "
    "nothing gives the volume key; there is no such step for a ModelBuilder without source_code, "
    "whose archive holds the code"
)
TRANSFORMER_MODEL: Final = (
    "added by the SageMaker SDK (EstimatorTransformer), always without the estimator's network; "
    "make it with ModelStep and a model that has vpc_config, and score with a TransformStep"
)


def operation_of(kind: str, arguments: Mapping[str, Any]) -> str:
    """Return the operation that a step calls; ``kind`` is one of ``OPERATIONS``."""
    operation = OPERATIONS[kind]
    if operation == "CreateAutoMLJob" and "AutoMLProblemTypeConfig" in arguments:
        return "CreateAutoMLJobV2"
    # The published schema gives both endpoint steps one kind.
    if operation == "CreateEndpoint" and "ProductionVariants" in arguments:
        return "CreateEndpointConfig"
    return operation


def note_of(
    name: str, operation: str, arguments: Mapping[str, Any], transforms: Mapping[str, Any]
) -> str | None:
    """Return what a reader of the report has to know about a step, or None.

    That is: the SDK added it, or its settings are those of another step. ``transforms`` are
    the transform steps of the same list by name.
    """
    if operation == "CreateTrainingJob":
        return _repack_note(name, arguments)
    if operation == "CreateModel":
        hidden = name.endswith("CreateModelStep") and _made_to_transform(name, transforms)
        return TRANSFORMER_MODEL if hidden else None
    return _borrowed(operation, arguments)


def _repack_note(name: str, arguments: Mapping[str, Any]) -> str | None:
    """Tell the SDK's repacking job by what it runs; its name alone may be anybody's."""
    hyper = arguments.get("HyperParameters")
    if not isinstance(hyper, dict) or not {"model_archive", "inference_script"} <= hyper.keys():
        return None
    program = hyper.get("sagemaker_program")
    if isinstance(program, str):
        return REPACK_V2 if program.strip('"') in _REPACK_SCRIPTS else None
    image = get(arguments, ("AlgorithmSpecification", "TrainingImage"))
    own = isinstance(image, str) and _REPACK_IMAGE.search(image) and "source_dir" in hyper
    return REPACK_V3 if own and "-RepackModel-" in name else None


def _made_to_transform(name: str, transforms: Mapping[str, Any]) -> bool:
    """Tell whether the transform step that EstimatorTransformer adds uses this model."""
    twin = transforms.get(name.removesuffix("CreateModelStep") + "TransformStep")
    used = get(twin, ("Arguments", "ModelName"))
    return isinstance(used, dict) and used == {"Get": f"Steps.{name}.ModelName"}


def _borrowed(operation: str, arguments: Mapping[str, Any]) -> str | None:
    """Return whose settings a transform job or an endpoint has, where another step makes them."""
    said: dict[str, None] = {}
    for reference in operations()[operation].references:
        for place in expand(arguments, parse(reference.pointer)):
            value = get(arguments, place)
            path = value.get("Get") if isinstance(value, dict) else None
            found = _STEP.match(path) if isinstance(path, str) else None
            if found is not None:
                titles = ", ".join(CONTROL_TITLES[control] for control in reference.controls)
                said[f"{titles}: those of step {found[1]}"] = None
    return "; ".join(said) or None
