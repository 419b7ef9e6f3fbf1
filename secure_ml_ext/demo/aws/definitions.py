"""Reads a pipeline definition as SageMaker does when it is stored: refused, or a list of steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .expressions import references, steps_named
from .facts import Facts
from .store import AwsError

BRANCHES = (("IfSteps", "True"), ("ElseSteps", "False"))
CONVERSIONS = {"Integer": int, "Float": float}


@dataclass(frozen=True)
class Step:
    """One step: `needs` must have succeeded, and `branch` (condition, outcome) been taken."""

    name: str
    kind: str
    content: Facts
    needs: frozenset[str]
    branch: tuple[str, str] | None

    @property
    def arguments(self) -> Facts:
        """What the step sends."""
        return dict(self.content.get("Arguments") or {})


@dataclass(frozen=True)
class Definition:
    """A definition that is stored: its parameters by name, its steps in order."""

    parameters: dict[str, Facts]
    steps: list[Step]

    def values(self, given: list[dict[str, str]]) -> Facts:
        """The parameters of one execution; refuses unknown names, types and missing values."""
        overrides = {entry["Name"]: entry["Value"] for entry in given}
        if unknown := sorted(set(overrides) - set(self.parameters)):
            raise _refused(f"Parameters [{', '.join(unknown)}] are not defined in the pipeline")
        values = {}
        for name, declared in self.parameters.items():
            value = overrides.get(name, declared.get("DefaultValue"))
            if value is None:
                raise _refused(f"Parameter [{name}] has neither a value nor a default")
            values[name] = _typed(name, declared, value)
            allowed = declared.get("EnumValues")
            if allowed and values[name] not in allowed:
                raise _refused(f"Value [{value}] of parameter [{name}] is not one of {allowed}")
        return values


def _typed(name: str, declared: Facts, value: Any) -> Any:
    kind = str(declared.get("Type", "String"))
    try:
        if kind == "Boolean" and isinstance(value, str):
            return {"true": True, "false": False}[value.lower()]
        return CONVERSIONS[kind](value) if kind in CONVERSIONS else value
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(f"Value [{value}] of parameter [{name}] is no {kind}") from error


def _refused(why: str) -> AwsError:
    return AwsError("ValidationException", why)


def read(text: str) -> Definition:
    """Return what a definition says; refused with ``ValidationException`` where it says nothing.

    Only what keeps it from running is refused: no JSON, no steps, a name twice, a reference to
    a step or parameter that is not there.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or not isinstance(content.get("Steps"), list):
            raise _unparsable("it has no Steps")
        parameters = {entry["Name"]: entry for entry in content.get("Parameters") or []}
        steps = list(_steps(content["Steps"], None))
        _check(content, steps, parameters)
    except (ValueError, RecursionError) as error:
        raise _unparsable("it is not valid JSON") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _unparsable(f"{type(error).__name__} {error}") from error
    return Definition(parameters, steps)


def _unparsable(why: str) -> AwsError:
    return _refused(f"Unable to parse pipeline definition: {why}")


def _steps(content: list[Facts], branch: tuple[str, str] | None) -> Iterator[Step]:
    for entry in content:
        name, kind = str(entry["Name"]), str(entry["Type"])
        arguments = entry.get("Arguments") or {}
        own = arguments.get("Conditions") if kind == "Condition" else arguments
        needs = steps_named(own) | set(entry.get("DependsOn") or ())
        yield Step(name, kind, entry, frozenset(needs), branch)
        for member, outcome in BRANCHES if kind == "Condition" else ():
            yield from _steps(arguments.get(member) or [], (name, outcome))


def _check(content: Facts, steps: list[Step], parameters: dict[str, Facts]) -> None:
    names = [step.name for step in steps]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _unparsable(f"step names must be unique, and {twice[0]} is there twice")
    for step in steps:
        if missing := sorted(step.needs - set(names)):
            raise _unparsable(f"step {step.name} refers to the unknown step {missing[0]}")
    for reference in references(content["Steps"]):
        root, _, name = reference.partition(".")
        if root == "Parameters" and name not in parameters:
            raise _unparsable(f"the parameter {name} is not defined")
