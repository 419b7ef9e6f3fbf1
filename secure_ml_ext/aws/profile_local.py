"""Profile sources that need no network: the file, the environment, the SageMaker SDK's defaults."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..rules.config import user_dir
from ..rules.profile import PROFILE_VALUES
from ..rules.profile_file import load_profile_file
from .gather import Gathered, normalise
from .records import Problem

ENV_PREFIX = "SECURE_ML_"


def profile_path(config: Any = None) -> tuple[Path, str | None]:
    """Return where the profile file is, and who said so (None: the default place)."""
    configured = getattr(config, "profile", None)
    if configured:
        return Path(str(configured)).expanduser(), "the configuration"
    named = os.environ.get("SECURE_ML_PROFILE")
    if named:
        return Path(named).expanduser(), "SECURE_ML_PROFILE"
    return user_dir() / "profile.json", None


def from_file(config: Any = None) -> Gathered:
    """Read the profile file; a broken one, or a named one that is not there, is a problem."""
    gathered = Gathered()
    path, said_by = profile_path(config)
    place = f"file:{path}"
    gathered.asked_for_all(PROFILE_VALUES, place)
    if not path.exists():
        if said_by is not None:
            gathered.problem(
                Problem(
                    "not-found",
                    f"The profile file {path} that {said_by} names is not there.",
                    "Create it, or correct the path.",
                )
            )
        return gathered
    try:
        profile = load_profile_file(path)
    except Exception as exc:  # whatever is wrong with a file, the other sources still count
        gathered.problem(
            Problem(
                "bad-input",
                f"The profile file {path} cannot be used: {exc}",
                "Correct the place that the message names.",
            )
        )
        return gathered
    for name, value in profile.values.items():
        if name in PROFILE_VALUES:
            gathered.put(name, value.value, place if value.source == str(path) else value.source)
    return gathered


def from_environment() -> Gathered:
    """Read one variable per value, e.g. ``SECURE_ML_SUBNETS`` (lists comma separated)."""
    gathered = Gathered()
    for name in PROFILE_VALUES:
        variable = ENV_PREFIX + name.upper()
        gathered.put(name, os.environ.get(variable), f"env:{variable}")
    return gathered


# Where the SDK's defaults hold what the profile wants, best place first. Keys as in the
# SDK's configuration schema (sagemaker-core/…/config_schema.py and sagemaker v2's).
_SDK_PATHS: dict[str, tuple[str, ...]] = {
    "subnets": (
        "TrainingJob.VpcConfig.Subnets",
        "ProcessingJob.NetworkConfig.VpcConfig.Subnets",
        "Model.VpcConfig.Subnets",
        "AutoMLJob.AutoMLJobConfig.SecurityConfig.VpcConfig.Subnets",
        "PythonSDK.Modules.RemoteFunction.VpcConfig.Subnets",
    ),
    "security_groups": (
        "TrainingJob.VpcConfig.SecurityGroupIds",
        "ProcessingJob.NetworkConfig.VpcConfig.SecurityGroupIds",
        "Model.VpcConfig.SecurityGroupIds",
        "AutoMLJob.AutoMLJobConfig.SecurityConfig.VpcConfig.SecurityGroupIds",
        "PythonSDK.Modules.RemoteFunction.VpcConfig.SecurityGroupIds",
    ),
    "volume_kms_key": (
        "TrainingJob.ResourceConfig.VolumeKmsKeyId",
        "ProcessingJob.ProcessingResources.ClusterConfig.VolumeKmsKeyId",
        "TransformJob.TransformResources.VolumeKmsKeyId",
        "EndpointConfig.KmsKeyId",
        "PythonSDK.Modules.RemoteFunction.VolumeKmsKeyId",
    ),
    "output_kms_key": (
        "TrainingJob.OutputDataConfig.KmsKeyId",
        "ProcessingJob.ProcessingOutputConfig.KmsKeyId",
        "TransformJob.TransformOutput.KmsKeyId",
        "AutoMLJob.OutputDataConfig.KmsKeyId",
        "CompilationJob.OutputConfig.KmsKeyId",
        "PythonSDK.Modules.RemoteFunction.S3KmsKeyId",
    ),
    "capture_kms_key": ("EndpointConfig.DataCaptureConfig.KmsKeyId",),
    "execution_role": (
        "TrainingJob.RoleArn",
        "ProcessingJob.RoleArn",
        "Model.ExecutionRoleArn",
        "PythonSDK.Modules.RemoteFunction.RoleArn",
    ),
    "pipeline_role": ("Pipeline.RoleArn",),
    "data_bucket": ("PythonSDK.Modules.Session.DefaultS3Bucket",),
}


def from_sdk_defaults() -> Gathered:
    """Read the SageMaker Python SDK's configuration files; the user's goes over the admin's."""
    gathered = Gathered()
    for path, named in sdk_files():
        place = f"sagemaker-sdk:{path}"
        if path.startswith("s3://"):
            gathered.asked_for_all(_SDK_PATHS, f"{place} (in S3, not read)")
            continue
        try:
            content = _read_yaml(Path(path))
        except Exception as exc:  # unreadable, or not YAML
            gathered.problem(
                Problem(
                    "bad-input",
                    f"The SageMaker SDK configuration {path} cannot be read: {exc}",
                    "Correct the file; the SDK itself stumbles over it too.",
                )
            )
            content = None
        if content is None:
            gathered.asked_for_all(_SDK_PATHS, place if named else f"{place} (not there)")
            continue
        for name, places in _SDK_PATHS.items():
            gathered.asked(name, place)
            for dotted in places:
                found = _at(content, dotted)
                if normalise(name, found) is not None:
                    gathered.put(name, found, f"{place}#{dotted}")
                    break
    return gathered


def sdk_files() -> Iterator[tuple[str, bool]]:
    """Yield the SDK's configuration files, the user's first, and whether a variable names it.

    Both generations find them so: sagemaker.config.config of 2.257 and
    sagemaker.core.config.config_manager of 3.27.
    """
    from platformdirs import site_config_dir, user_config_dir

    for variable, folder in (
        ("SAGEMAKER_USER_CONFIG_OVERRIDE", user_config_dir("sagemaker")),
        ("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", site_config_dir("sagemaker")),
    ):
        named = os.environ.get(variable)
        path = named or os.path.join(folder, "config.yaml")
        if not path.startswith("s3://") and os.path.isdir(path):
            path = os.path.join(path, "config.yaml")
        yield path, named is not None


def _read_yaml(path: Path) -> dict[str, Any] | None:
    """Return the ``SageMaker`` part of a configuration file, or None when it is not there."""
    if not path.exists():
        return None
    if path.stat().st_size > 1_000_000:
        raise ValueError("it is larger than 1 MB")
    import yaml

    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    part = content.get("SageMaker") if isinstance(content, dict) else None
    return part if isinstance(part, dict) else {}


def _at(content: Any, dotted: str) -> Any:
    """Return what stands at a dotted path, or None."""
    for key in dotted.split("."):
        if not isinstance(content, dict):
            return None
        content = content.get(key)
    return content
