"""Steps that the SDKs add by themselves: told by what they run, not by their name.

What the SDKs really write is tried in tests/sdk2 and tests/sdk3; the forms here are theirs.
"""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.check.pipeline import read_pipeline
from secure_ml_ext.check.pipeline_steps import REPACK_V2, REPACK_V3, TRANSFORMER_MODEL

SKLEARN = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
OWN = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/repack:1"
MODEL = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
V2 = {
    "inference_script": '"inference.py"',
    "model_archive": {"Std:Join": {"On": "", "Values": [MODEL]}},
    "dependencies": "null",
    "source_dir": "null",
    "sagemaker_program": '"_repack_script_launcher.sh"',
}
V3 = {"inference_script": "inference.py", "model_archive": MODEL, "source_dir": "/tmp/x"}


def note(name: str, hyper: Any, image: Any = SKLEARN, kind: str = "Training") -> str | None:
    arguments = {"AlgorithmSpecification": {"TrainingImage": image}, "HyperParameters": hyper}
    step = {"Name": name, "Type": kind, "Arguments": arguments}
    return read_pipeline({"Version": "2020-12-01", "Steps": [step]}).items[0].note


@pytest.mark.parametrize("name", ["R-RepackModel", "R-RepackModel-0", "ScoreRepackModel", "Any"])
def test_the_repacking_of_sdk_v2_is_told_by_its_script(name: str) -> None:
    assert note(name, V2) == REPACK_V2
    # Older versions ran the script itself.
    assert note(name, {**V2, "sagemaker_program": '"_repack_model.py"'}) == REPACK_V2


def test_the_repacking_of_sdk_v3_is_told_by_its_image_and_parameters() -> None:
    assert note("R-RepackModel-model-1", V3) == REPACK_V3


@pytest.mark.parametrize(
    ("name", "hyper", "image"),
    [
        ("R-RepackModel", {**V2, "sagemaker_program": '"train.py"'}, SKLEARN),
        ("R-RepackModel", {"epochs": "3"}, SKLEARN),
        ("R-RepackModel-0", {"model_archive": "s3://m"}, SKLEARN),
        ("R-RepackModel-0", V3, OWN),
        ("R-RepackModel-0", V3, {"Get": "Parameters.Image"}),
        ("Mine", V3, SKLEARN),
        ("R-RepackModel-0", None, SKLEARN),
        ("R-RepackModel-0", ["model_archive", "inference_script"], SKLEARN),
    ],
)
def test_a_step_of_the_users_own_is_not_taken_for_one(name: str, hyper: Any, image: Any) -> None:
    assert note(name, hyper, image) is None


def test_a_processing_step_repacks_nothing() -> None:
    assert note("R-RepackModel", V2, kind="Processing") is None


def test_the_note_says_what_is_dropped_and_what_to_do() -> None:
    for text in (REPACK_V2, REPACK_V3):
        assert text.startswith(
            "added by the SageMaker SDK (repacking the model); it keeps the network and drops KMS "
            "keys, isolation and traffic encryption: "
        )
        assert "repack_model_step_settings" in text


def score(model: str, used: Any, twin: str = "ScoreTransformStep") -> list[str | None]:
    steps = [
        {"Name": model, "Type": "Model", "Arguments": {"PrimaryContainer": {}}},
        {"Name": twin, "Type": "Transform", "Arguments": {"ModelName": used}},
    ]
    return [item.note for item in read_pipeline({"Version": "1", "Steps": steps}).items]


def test_the_model_of_an_estimator_transformer_is_told_by_the_step_that_uses_it() -> None:
    used = {"Get": "Steps.ScoreCreateModelStep.ModelName"}
    borrowed = "VPC, Isolation: those of step ScoreCreateModelStep"
    assert score("ScoreCreateModelStep", used) == [TRANSFORMER_MODEL, borrowed]
    assert score("ScoreCreateModelStep", used, twin="Other") == [None, borrowed]
    assert score("ScoreCreateModelStep", "made-before") == [None, None]
    assert score("Model", {"Get": "Steps.Model.ModelName"})[0] is None
