"""Pipeline definitions in short, and what is said of them, for the tests of pipelines."""

from __future__ import annotations

from typing import Any

from secure_ml_ext.check.items import Reading

ROLE = "arn:aws:iam::111122223333:role/pipeline"


def definition(*steps: Any, **members: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Metadata": {}, "Steps": list(steps), **members}


def step(kind: str, name: str = "S", **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments}


def condition(name: str, *then: Any, otherwise: Any = ()) -> dict[str, Any]:
    return step("Condition", name, Conditions=[], IfSteps=list(then), ElseSteps=list(otherwise))


def said(reading: Reading) -> list[tuple[str | None, str]]:
    return [(note.where, note.message) for note in reading.notes]
