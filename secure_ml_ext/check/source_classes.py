"""The classes of the SageMaker SDK that send requests, and the order of their arguments.

Read from the signatures of sagemaker 2.257 and 3.27; the tests of both generations compare.
Only leading arguments are listed that people give by position.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_BUILT_IN = ("role", "instance_count", "instance_type")
_FRAMEWORK = ("framework_version", "py_version", "source_dir", "hyperparameters", "image_uri")
_KEYS = ("volume_size_in_gb", "volume_kms_key", "output_kms_key")
_RUNS_ON = ("role", "instance_count", "instance_type")

ESTIMATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "Estimator": ("image_uri", *_BUILT_IN),
    "AlgorithmEstimator": ("algorithm_arn", *_BUILT_IN, "volume_size", "volume_kms_key"),
    "JumpStartEstimator": ("model_id", "model_version"),
    "Framework": ("entry_point", "source_dir", "hyperparameters"),
    "PyTorch": ("entry_point", *_FRAMEWORK),
    "MXNet": ("entry_point", *_FRAMEWORK),
    "Chainer": ("entry_point",),
    "TensorFlow": ("py_version", "framework_version", "model_dir", "image_uri"),
    "HuggingFace": ("py_version", "entry_point"),
    "SKLearn": ("entry_point", "framework_version", "py_version", "source_dir"),
    "XGBoost": ("entry_point", "framework_version", "source_dir", "hyperparameters"),
    "RLEstimator": ("entry_point",),
    "LDA": ("role", "instance_type"),
    **dict.fromkeys(
        (
            "FactorizationMachines",
            "IPInsights",
            "KMeans",
            "KNN",
            "LinearLearner",
            "NTM",
            "Object2Vec",
            "PCA",
            "RandomCutForest",
        ),
        _BUILT_IN,
    ),
}
PROCESSORS: Final[Mapping[str, tuple[str, ...]]] = {
    "Processor": ("role", "image_uri", "instance_count", "instance_type", "entrypoint", *_KEYS),
    "ScriptProcessor": ("role", "image_uri", "command", "instance_count", "instance_type", *_KEYS),
    "SKLearnProcessor": ("framework_version", *_RUNS_ON, "command", *_KEYS),
    "FrameworkProcessor": ("estimator_cls", "framework_version", *_RUNS_ON, "py_version"),
    "PySparkProcessor": ("role", "instance_type", "instance_count", "framework_version"),
    "SparkJarProcessor": ("role", "instance_type", "instance_count", "framework_version"),
    "HuggingFaceProcessor": _RUNS_ON,
    "SageMakerClarifyProcessor": (*_RUNS_ON, *_KEYS),
    "DataWranglerProcessor": ("role", "data_wrangler_flow_source", *_RUNS_ON[1:], *_KEYS),
    **dict.fromkeys(
        ("MXNetProcessor", "PyTorchProcessor", "TensorFlowProcessor", "XGBoostProcessor"),
        ("framework_version", *_RUNS_ON),
    ),
}
MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "Model": ("image_uri", "model_data", "role", "predictor_cls", "env", "name", "vpc_config"),
    "FrameworkModel": ("model_data", "image_uri", "role", "entry_point"),
    "HuggingFaceModel": ("role", "model_data", "entry_point"),
    "PipelineModel": ("models", "role", "predictor_cls", "name", "vpc_config"),
    "MultiDataModel": ("name", "model_data_prefix", "model", "image_uri", "role"),
    "JumpStartModel": ("model_id", "model_version"),
    "ModelPackage": ("role", "model_data", "algorithm_arn", "model_package_arn"),
    "DJLModel": ("model_id",),
    **dict.fromkeys(
        (
            "ChainerModel",
            "MXNetModel",
            "PyTorchModel",
            "SKLearnModel",
            "SparkMLModel",
            "TensorFlowModel",
            "XGBoostModel",
            *(
                f"{name}Model"
                for name, order in ESTIMATORS.items()
                if order is _BUILT_IN or name == "LDA"
            ),
        ),
        ("model_data", "role"),
    ),
}
MONITORS: Final[Mapping[str, str]] = {
    "ModelMonitor": "CreateMonitoringSchedule",
    "DefaultModelMonitor": "CreateDataQualityJobDefinition",
    "ModelQualityMonitor": "CreateModelQualityJobDefinition",
    "ModelBiasMonitor": "CreateModelBiasJobDefinition",
    "ModelExplainabilityMonitor": "CreateModelExplainabilityJobDefinition",
}
_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Transformer": ("model_name", "instance_count", "instance_type"),
    "HyperparameterTuner": ("estimator",),
    "AutoML": ("role", "target_attribute_name", "output_kms_key", "output_path"),
    "AutoMLV2": ("problem_config",),
    "NetworkConfig": (
        "enable_network_isolation",
        "security_group_ids",
        "subnets",
        "encrypt_inter_container_traffic",
    ),
    "DataCaptureConfig": (
        "enable_capture",
        "sampling_percentage",
        "destination_s3_uri",
        "kms_key_id",
    ),
    "FeatureGroup": ("name", "sagemaker_session"),
    **dict.fromkeys(MONITORS, (*_RUNS_ON, *_KEYS)),
    "ModelMonitor": ("role", "image_uri", "instance_count", "instance_type"),
}
# SDK v1, up to 2020, called them so.
RENAMED: Final[Mapping[str, str]] = {
    "train_instance_count": "instance_count",
    "train_instance_type": "instance_type",
    "train_volume_kms_key": "volume_kms_key",
    "image_name": "image_uri",
}
_V3: Final = (
    "sagemaker.core.",
    "sagemaker.train",
    "sagemaker.serve",
    "sagemaker.mlops",
    "sagemaker_core.",
)


def is_v3(path: str) -> bool:
    """Tell whether a full name belongs to SDK v3 (or to ``sagemaker-core``, which it took in)."""
    return path.startswith(_V3)


def order_of(path: str) -> tuple[str, ...]:
    """Return the names of the leading arguments of a class."""
    name = path.rpartition(".")[2]
    if is_v3(path) and name == "HyperparameterTuner":
        return ("model_trainer",)
    if is_v3(path) and name == "FrameworkProcessor":
        return ("image_uri", *_RUNS_ON, "command", *_KEYS)
    for family in (ESTIMATORS, PROCESSORS, MODELS, _OTHERS):
        if name in family:
            return family[name]
    return ()
