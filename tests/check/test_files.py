"""Which call a file of bare parameters belongs to."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from secure_ml_ext.check.files import InputError, guess_operation
from secure_ml_ext.inventory import operations
from tests.worlds import endpoint_config, processing, training, tuning

CREATES = sorted(n for n, e in operations().items() if n.startswith("Create") and e.name)


@pytest.fixture(scope="module")
def model() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


@pytest.mark.parametrize("operation", CREATES)
def test_the_least_and_the_fullest_request_are_recognised(model: Any, operation: str) -> None:
    shape = model.operation_model(operation).input_shape
    name = operations()[operation].name
    for members in (list(shape.required_members), list(shape.members)):
        params = dict.fromkeys({*members, name}, "x")
        assert guess_operation(params, "f") == operation


@pytest.mark.parametrize(
    ("params", "operation"),
    [
        (training(), "CreateTrainingJob"),
        (processing(), "CreateProcessingJob"),
        (tuning(), "CreateHyperParameterTuningJob"),
        (endpoint_config(), "CreateEndpointConfig"),
        ({"EndpointName": "e", "EndpointConfigName": "c"}, "CreateEndpoint"),
        ({"ModelName": "m", "PrimaryContainer": {}}, "CreateModel"),
        ({"TransformJobName": "t", "ModelName": "m", "TransformInput": {}}, "CreateTransformJob"),
    ],
)
def test_real_requests(params: dict[str, Any], operation: str) -> None:
    assert guess_operation(params, "f") == operation


def test_what_fits_several_is_refused_with_their_names() -> None:
    with pytest.raises(InputError, match=r"CreateModelBiasJobDefinition, .*--operation"):
        guess_operation({"JobDefinitionName": "a"}, "f")
