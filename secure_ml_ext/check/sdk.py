"""Which argument of the SageMaker Python SDK carries which field of a request.

Read from the sources of sagemaker 2.257 and 3.27; the tests of both generations build the
requests with the real SDK and compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..inventory.paths import parse

GONE = object()


class Part(NamedTuple):
    """A constructor or method with its arguments: pointers into the request, or further parts.

    ``name`` is empty for a plain dictionary, which is always whole; ``whole`` says that nothing
    but security settings lives in it, so that it can be written out in full.
    """

    name: str
    module: str
    args: Mapping[str, str | Part]
    whole: bool = False

    def pointers(self) -> Iterator[str]:
        """Yield every pointer that the part or one of its parts can express."""
        for value in self.args.values():
            if isinstance(value, Part):
                yield from value.pointers()
            else:
                yield value


class Call(NamedTuple):
    """A statement: ``estimator = Estimator(…)``, with comment lines before it."""

    target: str
    part: Part
    note: tuple[str, ...] = ()


def _vpc(base: str, name: str = "", module: str = "") -> Part:
    """The network as a dictionary in the API's own words, or as a shape of SDK v3."""
    words = ("subnets", "security_group_ids") if name else ("Subnets", "SecurityGroupIds")
    pointers = (f"{base}/Subnets", f"{base}/SecurityGroupIds")
    return Part(name, module, dict(zip(words, pointers, strict=True)), whole=True)


def _network(base: str, module: str) -> Part:
    return Part(
        "NetworkConfig",
        module,
        {
            "subnets": f"{base}/VpcConfig/Subnets",
            "security_group_ids": f"{base}/VpcConfig/SecurityGroupIds",
            "encrypt_inter_container_traffic": f"{base}/EnableInterContainerTrafficEncryption",
            "enable_network_isolation": f"{base}/EnableNetworkIsolation",
        },
        whole=True,
    )


def _processor(package: str) -> Call:
    part = Part(
        "Processor",
        f"{package}.processing",
        {
            "volume_kms_key": "/ProcessingResources/ClusterConfig/VolumeKmsKeyId",
            "output_kms_key": "/ProcessingOutputConfig/KmsKeyId",
            "network_config": _network("/NetworkConfig", f"{package}.network"),
        },
    )
    return Call("processor = ", part, ("ScriptProcessor and the others take the same arguments.",))


# -- SDK v2 -------------------------------------------------------------------------------------


def _estimator(base: str) -> dict[str, str | Part]:
    return {
        "subnets": f"{base}/VpcConfig/Subnets",
        "security_group_ids": f"{base}/VpcConfig/SecurityGroupIds",
        "volume_kms_key": f"{base}/ResourceConfig/VolumeKmsKeyId",
        "output_kms_key": f"{base}/OutputDataConfig/KmsKeyId",
        "encrypt_inter_container_traffic": f"{base}/EnableInterContainerTrafficEncryption",
        "enable_network_isolation": f"{base}/EnableNetworkIsolation",
    }


def _v2_training() -> list[Call]:
    mode = "/AlgorithmSpecification/TrainingImageConfig/TrainingRepositoryAccessMode"
    args = {**_estimator(""), "training_repository_access_mode": mode}
    note = "PyTorch, TensorFlow and the other estimators take the same arguments."
    return [Call("estimator = ", Part("Estimator", "sagemaker.estimator", args), (note,))]


def _v2_tuning(wanted: Mapping[str, Any]) -> list[Call]:
    """The tuner takes all of it from its estimators, one per training job definition."""
    calls = []
    for base in sorted({_definition(pointer) for pointer in wanted}):
        args = _estimator(base)
        # SDK v2 writes the machine of a tuning job under a name of its own.
        own = f"{base}/HyperParameterTuningResourceConfig/VolumeKmsKeyId"
        if own in wanted:
            args["volume_kms_key"] = own
        note = "The tuner takes these from its estimator."
        if base.rpartition("/")[2].isdecimal():
            note = f"The tuner takes these from the estimator of definition {base[24:]}."
        calls.append(Call("estimator = ", Part("Estimator", "sagemaker.estimator", args), (note,)))
    return calls


def _definition(pointer: str) -> str:
    found = re.match(r"/TrainingJobDefinitions/\d+|/TrainingJobDefinition", pointer)
    return found.group() if found else ""


def _v2_model() -> list[Call]:
    mode = {"RepositoryAccessMode": "/PrimaryContainer/ImageConfig/RepositoryAccessMode"}
    args: dict[str, str | Part] = {
        "vpc_config": _vpc("/VpcConfig"),
        "enable_network_isolation": "/EnableNetworkIsolation",
        "image_config": Part("", "", mode, whole=True),
    }
    return [Call("model = ", Part("Model", "sagemaker.model", args))]


def _v2_endpoint_config() -> list[Call]:
    capture = Part(
        "DataCaptureConfig",
        "sagemaker.model_monitor",
        {"kms_key_id": "/DataCaptureConfig/KmsKeyId"},
    )
    answers = Part(
        "AsyncInferenceConfig",
        "sagemaker.async_inference",
        {"kms_key_id": "/AsyncInferenceConfig/OutputConfig/KmsKeyId"},
    )
    deploy = Part(
        "model.deploy",
        "",
        {
            "kms_key": "/KmsKeyId",
            "data_capture_config": capture,
            "async_inference_config": answers,
        },
    )
    own: dict[str, str | Part] = {
        "vpc_config": _vpc("/VpcConfig"),
        "enable_network_isolation": "/EnableNetworkIsolation",
    }
    note = "An endpoint of inference components takes its network from the model."
    model = Call("model = ", Part("Model", "sagemaker.model", own), (note,))
    return [model, Call("predictor = ", deploy)]


def _v2_transform() -> list[Call]:
    transformer = Part(
        "Transformer",
        "sagemaker.transformer",
        {
            "volume_kms_key": "/TransformResources/VolumeKmsKeyId",
            "output_kms_key": "/TransformOutput/KmsKeyId",
        },
    )
    capture = Part(
        "BatchDataCaptureConfig", "sagemaker.inputs", {"kms_key_id": "/DataCaptureConfig/KmsKeyId"}
    )
    transform = Part("transformer.transform", "", {"batch_data_capture_config": capture})
    return [Call("transformer = ", transformer), Call("", transform)]


def _v2_automl(name: str, module: str, base: str) -> list[Call]:
    args: dict[str, str | Part] = {
        "vpc_config": _vpc(f"{base}/VpcConfig"),
        "volume_kms_key": f"{base}/VolumeKmsKeyId",
        "output_kms_key": "/OutputDataConfig/KmsKeyId",
        "encrypt_inter_container_traffic": f"{base}/EnableInterContainerTrafficEncryption",
    }
    return [Call("automl = ", Part(name, module, args))]


def _v2_monitor(name: str, base: str, output: str, resources: str) -> list[Call]:
    args: dict[str, str | Part] = {
        "volume_kms_key": f"{base}/{resources}/ClusterConfig/VolumeKmsKeyId",
        "output_kms_key": f"{base}/{output}/KmsKeyId",
        "network_config": _network(f"{base}/NetworkConfig", "sagemaker.network"),
    }
    return [Call("monitor = ", Part(name, "sagemaker.model_monitor", args))]


def _v2_feature_group() -> list[Call]:
    args: dict[str, str | Part] = {
        "online_store_kms_key_id": "/OnlineStoreConfig/SecurityConfig/KmsKeyId",
        "offline_store_kms_key_id": "/OfflineStoreConfig/S3StorageConfig/KmsKeyId",
    }
    return [Call("", Part("feature_group.create", "", args))]


_SCHEDULED = "/MonitoringScheduleConfig/MonitoringJobDefinition"
_V2 = {
    "CreateTrainingJob": _v2_training(),
    "CreateProcessingJob": [_processor("sagemaker")],
    "CreateModel": _v2_model(),
    "CreateEndpointConfig": _v2_endpoint_config(),
    "CreateTransformJob": _v2_transform(),
    "CreateAutoMLJob": _v2_automl(
        "AutoML", "sagemaker.automl.automl", "/AutoMLJobConfig/SecurityConfig"
    ),
    "CreateAutoMLJobV2": _v2_automl("AutoMLV2", "sagemaker.automl.automlv2", "/SecurityConfig"),
    "CreateFeatureGroup": _v2_feature_group(),
    "CreateMonitoringSchedule": _v2_monitor(
        "ModelMonitor", _SCHEDULED, "MonitoringOutputConfig", "MonitoringResources"
    ),
    **{
        f"Create{kind}JobDefinition": _v2_monitor(
            name, "", f"{kind}JobOutputConfig", "JobResources"
        )
        for kind, name in (
            ("DataQuality", "DefaultModelMonitor"),
            ("ModelQuality", "ModelQualityMonitor"),
            ("ModelBias", "ModelBiasMonitor"),
            ("ModelExplainability", "ModelExplainabilityMonitor"),
        )
    },
}


def v2_calls(operation: str, wanted: Mapping[str, Any]) -> list[Call]:
    """Return the calls of SDK v2 that make this kind of request; none where it has none."""
    if operation == "CreateHyperParameterTuningJob":
        return _v2_tuning(wanted)
    return _V2.get(operation, [])


# -- SDK v3 -------------------------------------------------------------------------------------

_TRAFFIC = "/EnableInterContainerTrafficEncryption"
_CONFIGS = "sagemaker.core.training.configs"
_V3_TRAINING = Part(
    "ModelTrainer",
    "sagemaker.train",
    {
        "networking": Part(
            "Networking",
            _CONFIGS,
            {
                "subnets": "/VpcConfig/Subnets",
                "security_group_ids": "/VpcConfig/SecurityGroupIds",
                "enable_inter_container_traffic_encryption": _TRAFFIC,
                "enable_network_isolation": "/EnableNetworkIsolation",
            },
            whole=True,
        ),
        "compute": Part(
            "Compute", _CONFIGS, {"volume_kms_key_id": "/ResourceConfig/VolumeKmsKeyId"}
        ),
        "output_data_config": Part(
            "OutputDataConfig", _CONFIGS, {"kms_key_id": "/OutputDataConfig/KmsKeyId"}
        ),
    },
)
# Resources of sagemaker.core mirror the API. Where a shape is not called like its member, by
# the end of the pointer, for the operations that begin with the first word.
_SHAPES = (
    ("CreateAIBenchmarkJob", "NetworkConfig", "AIBenchmarkNetworkConfig"),
    ("CreateAutoML", "OutputDataConfig", "AutoMLOutputDataConfig"),
    ("CreateAutoML", "SecurityConfig", "AutoMLSecurityConfig"),
    ("CreateCompilationJob", "VpcConfig", "NeoVpcConfig"),
    ("CreateDomain", "DefaultUserSettings", "UserSettings"),
    ("CreateDeviceFleet", "OutputConfig", "EdgeOutputConfig"),
    ("CreateEdgePackagingJob", "OutputConfig", "EdgeOutputConfig"),
    ("CreateEndpointConfig", "OutputConfig", "AsyncInferenceOutputConfig"),
    ("CreateFeatureGroup", "SecurityConfig", "OnlineStoreSecurityConfig"),
    ("CreateFlowDefinition", "OutputConfig", "FlowDefinitionOutputConfig"),
    (
        "CreateHyperParameterTuningJob",
        "TrainingJobDefinition",
        "HyperParameterTrainingJobDefinition",
    ),
    ("CreateInferenceExperiment", "DataStorageConfig", "InferenceExperimentDataStorageConfig"),
    ("CreateInferenceRecommendationsJob", "InputConfig", "RecommendationJobInputConfig"),
    ("CreateInferenceRecommendationsJob", "VpcConfig", "RecommendationJobVpcConfig"),
    ("CreateInferenceRecommendationsJob", "OutputConfig", "RecommendationJobOutputConfig"),
    ("CreateLabelingJob", "OutputConfig", "LabelingJobOutputConfig"),
    ("CreateModelCard", "SecurityConfig", "ModelCardSecurityConfig"),
    ("CreateModelPackage", "SecurityConfig", "ModelPackageSecurityConfig"),
    ("CreateModel", "PrimaryContainer", "ContainerDefinition"),
    ("CreateOptimizationJob", "OutputConfig", "OptimizationJobOutputConfig"),
    ("CreateOptimizationJob", "VpcConfig", "OptimizationVpcConfig"),
    ("CreateTrainingSession", "OutputConfig", "TrainingSessionOutputConfig"),
    ("CreateTrainingSession", "S3Location", "TrainingSessionS3Location"),
    ("CreateTransformJob", "DataCaptureConfig", "BatchDataCaptureConfig"),
    ("CreateWorkforce", "WorkforceVpcConfig", "WorkforceVpcConfigRequest"),
    ("Create", "JobResources", "MonitoringResources"),
    ("Create", "ClusterConfig", "MonitoringClusterConfig"),
    ("Create", "NetworkConfig", "MonitoringNetworkConfig"),
    ("Create", "QualityJobOutputConfig", "MonitoringOutputConfig"),
    ("Create", "BiasJobOutputConfig", "MonitoringOutputConfig"),
    ("Create", "ExplainabilityJobOutputConfig", "MonitoringOutputConfig"),
)
_WHOLE = ("VpcConfig", "NetworkConfig", "SecurityConfig")
_NO_RESOURCE = ("CreateInferenceRouter",)
_TUNER = (
    "HyperparameterTuner of SDK v3 drops the volume key, isolation and traffic encryption of its",
    "ModelTrainer, so the job is made with the resource itself.",
)


def v3_calls(operation: str, wanted: Mapping[str, Any]) -> list[Call]:
    """Return the call of SDK v3 that makes this kind of request; none where it has none."""
    if operation == "CreateTrainingJob":
        return [Call("model_trainer = ", _V3_TRAINING)]
    if operation == "CreateProcessingJob":
        return [_processor("sagemaker.core")]
    paths = [parse(p) for p in wanted if not re.search(r"/\d+(/|$)", p)]
    if not operation.startswith("Create") or operation in _NO_RESOURCE or not paths:
        return []
    resource = operation.removeprefix("Create")
    args = _v3_args(operation, "", [tuple(str(part) for part in path) for path in paths])
    note = _TUNER if operation == "CreateHyperParameterTuningJob" else ()
    part = Part(f"{resource}.create", "sagemaker.core.resources", args)
    return [Call(f"{_snake(resource)} = ", part, note)]


def _v3_args(operation: str, base: str, paths: list[tuple[str, ...]]) -> dict[str, str | Part]:
    """Return the arguments of a resource or shape; shapes of the network are completed."""
    args: dict[str, str | Part] = {}
    for member in dict.fromkeys(path[0] for path in paths):
        pointer = f"{base}/{member}"
        below = [path[1:] for path in paths if path[0] == member and len(path) > 1]
        if not below:
            args[_snake(member)] = pointer
            continue
        shape = _shape(operation, member)
        if member.endswith("VpcConfig"):
            args[_snake(member)] = _vpc(pointer, shape, "sagemaker.core.shapes")
            continue
        if member == "NetworkConfig":
            below += [("VpcConfig", "Subnets"), ("EnableInterContainerTrafficEncryption",)]
            below.append(("EnableNetworkIsolation",))
        inner = _v3_args(operation, pointer, below)
        args[_snake(member)] = Part(
            shape, "sagemaker.core.shapes", inner, whole=member.endswith(_WHOLE)
        )
    return args


def _shape(operation: str, member: str) -> str:
    for start, end, shape in _SHAPES:
        if operation.startswith(start) and member.endswith(end):
            return shape
    return member


def _snake(name: str) -> str:
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words).lower()
