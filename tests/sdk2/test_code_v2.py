"""The code to copy for SDK v2, tried with the real SDK: what it sends is compliant."""

from __future__ import annotations

import time
from typing import Any

from secure_ml_ext.check.code import snippets
from secure_ml_ext.check.records import PatchOp
from secure_ml_ext.check.sdk import _V2
from secure_ml_ext.demo.aws import Embedded
from tests.notebooks import lab4, sdk

ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4"
DATA = "s3://sm-mlops-dev-eu-west-1-data/credit-risk"
MACHINE = {"instance_count": 1, "instance_type": "ml.m5.xlarge"}


def estimator(session: Any) -> dict[str, Any]:
    return {"image_uri": IMAGE, "role": ROLE, "sagemaker_session": session, **MACHINE}


def unique(word: str) -> str:
    return f"{word}-{time.time_ns()}"


def test_training(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    code = sdk.check_code(
        "v2",
        "CreateTrainingJob",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.estimator import Estimator\nestimator = Estimator(...)",
        before={"Estimator": {**estimator(session), "output_path": f"{DATA}/out"}},
        world={},
        go=lambda made: made["estimator"].fit({"train": DATA}, wait=False),
    )
    assert "estimator = Estimator(\n    ...,  # as before\n    subnets=[" in code


def test_processing(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    from sagemaker.processing import ProcessingOutput

    outputs = [ProcessingOutput(source="/opt/ml/processing/x", destination=f"{DATA}/x")]
    sdk.check_code(
        "v2",
        "CreateProcessingJob",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.processing import Processor\nprocessor = Processor(...)",
        before={"Processor": estimator(session)},
        world={},
        go=lambda made: made["processor"].run(outputs=outputs, wait=False, logs=False),
    )


def test_tuning(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    from sagemaker.tuner import HyperparameterTuner, IntegerParameter

    def tune(made: dict[str, Any]) -> None:
        tuner = HyperparameterTuner(
            made["estimator"],
            objective_metric_name="auc",
            hyperparameter_ranges={"max_depth": IntegerParameter(3, 9)},
            metric_definitions=[{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
            base_tuning_job_name="tune",
        )
        name = f"tune-{time.time_ns()}"
        tuner.fit({"train": DATA}, job_name=name, wait=False)

    sdk.check_code(
        "v2",
        "CreateHyperParameterTuningJob",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.estimator import Estimator\nestimator = Estimator(...)",
        before={"Estimator": {**estimator(session), "output_path": f"{DATA}/out"}},
        world={},
        go=tune,
    )


def test_model(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    sdk.check_code(
        "v2",
        "CreateModel",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.model import Model\nmodel = Model(...)",
        before={
            "Model": {
                "image_uri": IMAGE,
                "role": ROLE,
                "model_data": f"{DATA}/model.tar.gz",
                "sagemaker_session": session,
            }
        },
        world={},
        go=lambda made: made["model"].create(instance_type="ml.m5.xlarge"),
    )


def test_endpoint_config(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    from sagemaker.model import Model

    name = unique("deployed")
    model = Model(
        image_uri=IMAGE,
        role=ROLE,
        name=name,
        model_data=f"{DATA}/model.tar.gz",
        sagemaker_session=session,
    )
    capture = {"enable_capture": True, "destination_s3_uri": f"{DATA}/capture"}

    def delete(_made: dict[str, Any]) -> None:
        for kind, member in (("endpoint", "EndpointName"), ("endpoint_config", None)):
            member = member or "EndpointConfigName"
            getattr(aws.client("sagemaker"), f"delete_{kind}")(**{member: name})
        aws.client("sagemaker").delete_model(ModelName=name)

    sdk.check_code(
        "v2",
        "CreateEndpointConfig",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.model_monitor import DataCaptureConfig\n"
        "predictor = model.deploy(..., data_capture_config=DataCaptureConfig(...))",
        before={
            "model.deploy": {
                "initial_instance_count": 1,
                "instance_type": "ml.m5.xlarge",
                "endpoint_name": name,
                "wait": False,
            },
            "DataCaptureConfig": {**capture, "sagemaker_session": session},
        },
        world={"model": model},
        go=delete,
    )


def test_transform(aws: Embedded, session: Any, recorder: sdk.Recorder) -> None:
    name = unique("model")
    aws.client("sagemaker").create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    sdk.check_code(
        "v2",
        "CreateTransformJob",
        recorder=recorder,
        profile=lab4.profile_of(aws),
        first="from sagemaker.inputs import BatchDataCaptureConfig\n"
        "from sagemaker.transformer import Transformer\n"
        "transformer = Transformer(...)\n"
        "transformer.transform(..., batch_data_capture_config=BatchDataCaptureConfig(...))",
        before={
            "Transformer": {
                "model_name": name,
                "output_path": f"{DATA}/scores",
                "sagemaker_session": session,
                **MACHINE,
            },
            "transformer.transform": {"data": DATA, "wait": False},
            "BatchDataCaptureConfig": {"destination_s3_uri": f"{DATA}/capture"},
        },
        world={},
        go=lambda made: None,
    )


def test_every_argument_in_the_table_exists(sdk_loaded: None) -> None:
    from sagemaker.feature_store.feature_group import FeatureGroup
    from sagemaker.model import Model
    from sagemaker.transformer import Transformer

    world = {"model": Model, "feature_group": FeatureGroup, "transformer": Transformer}
    assert len(_V2) > 10
    for operation, calls in _V2.items():
        pointers = [p for call in calls for p in call.part.pointers()]
        for pointer in pointers:
            value: Any = ["x"] if pointer.endswith(("Subnets", "SecurityGroupIds")) else "x"
            request, fix = with_parents(pointer, value)
            code = snippets(operation, request, fix)["v2"]
            assert not code.startswith("# SDK v2 has no argument"), (operation, pointer)
            assert sdk.unknown_arguments(code, dict(world)) == [], operation


def with_parents(pointer: str, value: Any) -> tuple[dict[str, Any], list[PatchOp]]:
    """A request that has the parents of a pointer, and the fix that sets what is there."""
    request: dict[str, Any] = {}
    node = request
    for part in pointer[1:].split("/")[:-1]:
        node = node.setdefault(part, {})
    return request, [PatchOp("add", pointer, value)]
