"""Values and conditions of a pipeline as the embedded AWS computes them."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.demo.aws.expressions import Unreadable, at, holds, resolve, steps_named


def test_values_of_expressions() -> None:
    def get(reference: str) -> Any:
        return {"Parameters.A": "a", "Parameters.Yes": True}[reference]

    def read_json(reference: str) -> Any:
        return {"m": [{"value": 3}]}

    values = [{"Get": "Parameters.A"}, 1, {"Get": "Parameters.Yes"}]
    join = {"Std:Join": {"On": "-", "Values": values}}
    assert resolve({"k": [join]}, get, read_json) == {"k": ["a-1-true"]}
    file = {"Get": "Steps.E.PropertyFiles.R"}
    report = {"Std:JsonGet": {"PropertyFile": file, "Path": "m[0].value"}}
    assert resolve(report, get, read_json) == 3
    assert steps_named({"a": join, "b": [report]}) == {"E"}
    with pytest.raises(Unreadable, match="nothing at m"):
        at({"m": []}, "m[0]")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Type": "Equals", "LeftValue": "a", "RightValue": "a"}, True),
        ({"Type": "GreaterThan", "LeftValue": 2, "RightValue": 2}, False),
        ({"Type": "GreaterThanOrEqualTo", "LeftValue": 2, "RightValue": 2}, True),
        ({"Type": "LessThan", "LeftValue": 1, "RightValue": 2}, True),
        ({"Type": "In", "QueryValue": "a", "Values": ["b", "a"]}, True),
        (
            {"Type": "Not", "Expression": {"Type": "Equals", "LeftValue": 1, "RightValue": 1}},
            False,
        ),
        (
            {
                "Type": "Or",
                "Conditions": [
                    {"Type": "Equals", "LeftValue": 1, "RightValue": 2},
                    {"Type": "Equals", "LeftValue": 1, "RightValue": 1},
                ],
            },
            True,
        ),
    ],
)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition, lambda value: value) is expected
