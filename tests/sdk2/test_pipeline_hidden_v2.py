"""Steps that SDK v2 adds to a pipeline by itself: they are told, with the settings they have."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.items import Item
from secure_ml_ext.check.pipeline_steps import REPACK_V2, TRANSFORMER_MODEL
from secure_ml_ext.check.testing import assert_compliant
from tests.sdk2.pipelines import (
    COMPLETE,
    DATA,
    HOSTS,
    IMAGE,
    MACHINE,
    ROLE,
    SECURE,
    TYPES,
    VPC,
    items,
    model,
    pipeline,
    pytorch,
    settings,
    training,
)

# What the SDK says about itself is no concern of these tests.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning"),
    pytest.mark.filterwarnings("ignore:We are deprecating:DeprecationWarning"),
]


def test_register_model_adds_a_job_that_keeps_the_network_only(pipelines: Any, script: str) -> None:
    from sagemaker.workflow.step_collections import RegisterModel

    estimator = pytorch(pipelines, script, **SECURE)
    trained = training(estimator)
    register = RegisterModel(
        "Register",
        estimator=estimator,
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        model_package_group_name="risk",
        entry_point=script,
        **TYPES,
        **HOSTS,
    )
    found = items(pipelines, trained, register)
    assert {where: item.operation for where, item in found.items()} == {
        "step Train": "CreateTrainingJob",
        "step Register-RepackModel": "CreateTrainingJob",
        "step Register-RegisterModel": "CreateModelPackage",
    }
    hidden = found["step Register-RepackModel"]
    assert hidden.note == REPACK_V2
    assert settings(found["step Train"]) == COMPLETE
    assert settings(hidden) == {"network": VPC}
    assert [item.note for item in found.values() if item is not hidden] == [None, None]


def test_what_register_model_passes_on(pipelines: Any, script: str) -> None:
    """Output key and isolation can be had; volume key and traffic encryption cannot."""
    from sagemaker.workflow.step_collections import RegisterModel

    def found(**more: Any) -> dict[str, Item]:
        estimator = pytorch(pipelines, script, **SECURE)
        trained = training(estimator)
        register = RegisterModel(
            "Register",
            estimator=estimator,
            model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
            entry_point=script,
            **TYPES,
            **HOSTS,
            **more,
        )
        return items(pipelines, trained, register)

    hidden = found(model_kms_key="alias/model", enable_network_isolation=True)
    assert settings(hidden["step Register-RepackModel"]) == {
        "network": VPC,
        "output": "alias/model",
        "isolation": True,
    }
    for name in ("volume_kms_key", "encrypt_inter_container_traffic"):
        with pytest.raises(InputError, match=name):
            found(**{name: SECURE[name]})


def test_the_remedy_of_the_note_works(pipelines: Any, script: str) -> None:
    from sagemaker.workflow.model_step import ModelStep

    trained = training(pytorch(pipelines, script, **SECURE))
    secure = {"vpc_config": VPC, "enable_network_isolation": True}
    bare = ModelStep(
        "Bare",
        step_args=model(pipelines, trained, script, **secure).create(instance_type="ml.m5.large"),
    )
    hidden = items(pipelines, trained, bare)["step Bare-RepackModel-0"]
    assert (hidden.note, settings(hidden)) == (REPACK_V2, {"network": VPC})

    network = ("subnets", "security_group_ids")
    wanted = {name: value for name, value in SECURE.items() if name not in network}
    mended = ModelStep(
        "Mended",
        step_args=model(pipelines, trained, script, name="risk", **secure).register(
            model_package_group_name="risk", **TYPES, **HOSTS
        ),
        repack_model_step_settings=wanted,
    )
    found = items(pipelines, trained, mended)
    hidden = found["step Mended-RepackModel-risk"]
    assert (hidden.note, settings(hidden)) == (REPACK_V2, COMPLETE)
    assert_compliant(pipeline(pipelines, trained, mended), role=ROLE)


def test_a_model_that_is_packed_already_has_no_such_step(pipelines: Any, script: str) -> None:
    from sagemaker.model import Model
    from sagemaker.workflow.model_step import ModelStep

    trained = training(pytorch(pipelines, script, **SECURE))
    packed = Model(
        image_uri=IMAGE,
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        role=ROLE,
        vpc_config=VPC,
        enable_network_isolation=True,
        sagemaker_session=pipelines,
    )
    made = ModelStep("Make", step_args=packed.create(instance_type="ml.m5.large"))
    assert list(items(pipelines, trained, made)) == ["step Train", "step Make-CreateModel"]
    assert_compliant(pipeline(pipelines, trained, made), role=ROLE)


def test_estimator_transformer_adds_a_model_without_the_network(
    pipelines: Any, script: str
) -> None:
    from sagemaker.inputs import CreateModelInput, TransformInput
    from sagemaker.workflow.step_collections import EstimatorTransformer

    estimator = pytorch(pipelines, script, **SECURE)
    trained = training(estimator)
    transformer = EstimatorTransformer(
        "Score",
        estimator=estimator,
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        model_inputs=CreateModelInput(instance_type="ml.m5.large"),
        transform_inputs=TransformInput(data=DATA),
        entry_point=script,
        volume_kms_key="alias/volume",
        output_kms_key="alias/output",
        output_path=DATA,
        **MACHINE,
    )
    found = items(pipelines, trained, transformer)
    assert {where: item.note for where, item in found.items()} == {
        "step Train": None,
        "step ScoreRepackModel": REPACK_V2,
        "step ScoreCreateModelStep": TRANSFORMER_MODEL,
        "step ScoreTransformStep": "VPC, Isolation: those of step ScoreCreateModelStep",
    }
    assert settings(found["step ScoreRepackModel"]) == {"network": VPC, "output": "alias/output"}
    assert "VpcConfig" not in found["step ScoreCreateModelStep"].params


def test_the_defaults_file_reaches_the_hidden_job(pipelines: Any, script: str) -> None:
    from sagemaker.workflow.step_collections import RegisterModel

    job = {
        "VpcConfig": VPC,
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "ResourceConfig": {"VolumeKmsKeyId": "alias/volume"},
        "OutputDataConfig": {"KmsKeyId": "alias/output"},
    }
    pipelines.sagemaker_config["SageMaker"]["TrainingJob"] = job
    estimator = pytorch(pipelines, script)
    trained = training(estimator)
    register = RegisterModel(
        "Register",
        estimator=estimator,
        model_data=trained.properties.ModelArtifacts.S3ModelArtifacts,
        entry_point=script,
        **TYPES,
        **HOSTS,
    )
    found = items(pipelines, trained, register)
    assert settings(found["step Register-RepackModel"]) == COMPLETE
