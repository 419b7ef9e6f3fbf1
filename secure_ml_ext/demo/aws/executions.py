"""Executions of pipelines: every step in its turn, as the job that AWS would start for it.

A job is a real record of the store, made from the step's arguments with the values of this
execution; it takes its time, and its Describe reply is what later steps refer to. No container
runs here: a condition on a report that nobody wrote (no such object in S3) counts as met.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import registry
from .definitions import Definition, Step
from .expressions import NoReport, Unreadable, at, holds, resolve
from .facts import Facts, describe
from .kinds import EXECUTION, kinds
from .objects import stored
from .operations import create
from .shapes import input_shape, refusals
from .store import AwsError, Phase, Record, Store, job_seconds, new_id

QUICK = 0.05  # what a step without a job takes, in the time of a job
# The resource a step makes, and the member of the step's metadata that names it.
MADE = {
    "Training": ("TrainingJob", "TrainingJob"),
    "Processing": ("ProcessingJob", "ProcessingJob"),
    "Transform": ("TransformJob", "TransformJob"),
    "Tuning": ("HyperParameterTuningJob", "TuningJob"),
    "Model": ("Model", "Model"),
    "EndpointConfig": ("EndpointConfig", "EndpointConfig"),
    "Endpoint": ("Endpoint", "Endpoint"),
}
NAME_LENGTH = {"HyperParameterTuningJob": 32}
STEP_STATES = {"Failed": "Failed", "Stopped": "Stopped"}
FAILURE = "Step failure: One or multiple steps failed."


@dataclass
class StepRun:
    """A step that has begun; times are seconds after the execution's own beginning."""

    step: Step
    started: float
    ended: float | None = None
    status: str = "Executing"
    metadata: Facts = field(default_factory=dict)
    reason: str = ""
    job: Record | None = None
    told: Facts = field(default_factory=dict)

    def end(self, when: float, status: str = "Succeeded", reason: str = "") -> None:
        """Note how it ended."""
        self.ended, self.status, self.reason = when, status, reason


class Run:
    """One execution, carried on whenever somebody asks."""

    def __init__(
        self, world: Store, record: Record, definition: Definition, parameters: Facts
    ) -> None:
        self.world = world
        self.record = record
        self.definition = definition
        self.parameters = parameters
        self.begun: dict[str, StepRun] = {}
        self._left_out: set[str] = set()

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.record.arn.rpartition("/")[2]

    def proceed(self, moment: float) -> None:
        """Bring every step to where it is at a time (epoch seconds)."""
        while self._settle(moment) or self._begin(moment):
            pass
        running = any(step.ended is None for step in self.begun.values())
        if running or (self._may_begin() and self._open()):
            return
        times = [step.ended or 0.0 for step in self.begun.values()]
        status = "Stopped" if self._stopping() else "Failed" if self.failed() else "Succeeded"
        self.record.phases.append(Phase(self.record.begun() + max(times, default=0.0), status))

    def failed(self) -> bool:
        """Tell whether a step has failed."""
        return any(step.status == "Failed" for step in self.begun.values())

    def stop(self, moment: float) -> None:
        """Stop what is running; nothing else begins."""
        self.record.phases.append(Phase(moment, "Stopping"))
        for step in self.begun.values():
            if step.job is not None and step.ended is None:
                life = step.job.kind.life
                if life.stopping and life.stopped:
                    step.job.move(moment, (0.0, life.stopping), (_quick(), life.stopped))

    def _stopping(self) -> bool:
        return self.record.phases[-1].status == "Stopping"

    def _may_begin(self) -> bool:
        return not self._stopping() and not self.failed()

    def _open(self) -> list[Step]:
        """The steps that may still begin."""
        done = self.begun.keys() | self._left_out
        return [step for step in self.definition.steps if step.name not in done]

    def _settle(self, moment: float) -> bool:
        """Note one job that has ended."""
        for step in self.begun.values():
            if step.ended is None and step.job is not None:
                end = step.job.ended(moment)
                if end is not None and (status := step.job.status(moment)) != "Stopping":
                    step.told = describe(step.job, self.world, end)
                    step.end(end - self.record.begun(), STEP_STATES.get(status, "Succeeded"))
                    return True
        return False

    def _begin(self, moment: float) -> bool:
        """Begin, or leave out, one step whose turn it is."""
        for step in self._open() if self._may_begin() else ():
            needs = step.needs | ({step.branch[0]} if step.branch else frozenset())
            if needs & self._left_out or self._not_taken(step):
                self._left_out.add(step.name)
                return True
            before = [self.begun.get(name) for name in needs]
            ends = [run.ended for run in before if run is not None and run.ended is not None]
            start = max(ends, default=0.0)
            if len(ends) == len(needs) and self.record.begun() + start <= moment:
                run = self.begun[step.name] = StepRun(step, start)
                self._carry_out(run)
                return True
        return False

    def _not_taken(self, step: Step) -> bool:
        condition = self.begun.get(step.branch[0]) if step.branch else None
        if condition is None or condition.ended is None or step.branch is None:
            return False
        return bool(condition.metadata["Condition"]["Outcome"] != step.branch[1])

    # -- one step ---------------------------------------------------------------------------

    def _carry_out(self, run: StepRun) -> None:
        kind = run.step.kind
        try:
            if kind == "Condition":
                self._decide(run)
            elif kind == "Fail":
                message = str(self.value(run.step.arguments.get("ErrorMessage", "")))
                run.metadata = {"Fail": {"ErrorMessage": message}}
                run.end(run.started + _quick(), "Failed", message)
            elif kind == "RegisterModel":
                arn = registry.register(self.world, self._request("CreateModelPackage", run))
                run.metadata = {"RegisterModel": {"Arn": arn}}
                run.told = {"ModelPackageArn": arn}
                run.end(run.started + _quick())
            elif kind in MADE:
                self._make(run, *MADE[kind])
            else:
                run.end(
                    run.started,
                    "Failed",
                    f"The embedded AWS of the demo does not run steps of type {kind}.",
                )
        except (AwsError, Unreadable) as error:
            message = error.message if isinstance(error, AwsError) else str(error)
            run.end(run.started, "Failed", f"ClientError: {message}")

    def _decide(self, run: StepRun) -> None:
        conditions = run.step.arguments.get("Conditions") or []
        outcome = True
        with contextlib.suppress(NoReport):
            outcome = all(holds(condition, self.value) for condition in conditions)
        run.metadata = {"Condition": {"Outcome": "True" if outcome else "False"}}
        run.end(run.started + _quick())

    def _make(self, run: StepRun, resource: str, member: str) -> None:
        kind = kinds()[resource]
        name = self._name(run.step.name, NAME_LENGTH.get(resource))
        params = self._request(kind.create, run, {kind.name_member: name})
        create(kind, self.world, params)
        job = self.world.get(kind, params[kind.name_member])
        if job is None:
            raise AwsError("InternalFailure", f"{kind.create} made nothing")
        # It began when its turn came, which is not when somebody asked.
        start = self.record.begun() + run.started
        job.shift(job.created - start)
        run.metadata = {member: {"Arn": job.arn}}
        if job.phases:
            run.job = job
        else:
            run.told = describe(job, self.world, start)
            run.end(run.started + _quick())

    def _request(self, operation: str, run: StepRun, defaults: Facts | None = None) -> Facts:
        """What the step sends; refused as the operation itself would refuse it."""
        params: Facts = {**(defaults or {}), **self.value(run.step.arguments)}
        if faults := list(refusals(input_shape(operation), params)):
            raise AwsError("ValidationException", "; ".join(faults))
        return params

    def _name(self, step: str, length: int | None) -> str:
        suffix = new_id(10)
        if length is not None:
            return f"{self.id}-{step[:8].rstrip('-')}-{suffix}"[:length]
        return f"pipelines-{self.id}-{step[:20].rstrip('-')}-{suffix}"

    # -- values -----------------------------------------------------------------------------

    def value(self, expression: Any) -> Any:
        """Return a part of the definition with the values of this execution."""
        return resolve(expression, self._get, self._report)

    def _get(self, reference: str) -> Any:
        root, _, rest = reference.partition(".")
        if root == "Parameters" and rest in self.parameters:
            return self.parameters[rest]
        if root == "Execution" and rest in (variables := self._variables()):
            return variables[rest]
        name, _, path = rest.partition(".")
        if root == "Steps" and name in self.begun:
            return at(self.begun[name].told, path)
        raise Unreadable(f"{reference} is not known")

    def _variables(self) -> Facts:
        pipeline, _, _ = self.record.arn.partition("/execution/")
        return {
            "PipelineName": pipeline.rpartition("/")[2],
            "PipelineArn": pipeline,
            "PipelineExecutionId": self.id,
            "PipelineExecutionArn": self.record.arn,
            "StartDateTime": _iso(self.record.begun()),
            "CurrentDateTime": _iso(self.record.begun()),
        }

    def _report(self, reference: str) -> Any:
        """Return the content of a property file; raises ``NoReport`` where there is none."""
        name, _, rest = reference.removeprefix("Steps.").partition(".")
        file = rest.removeprefix("PropertyFiles.")
        run = self.begun.get(name)
        declared = run.step.content.get("PropertyFiles") if run is not None else None
        entry = next((f for f in declared or [] if f.get("PropertyFileName") == file), None)
        if run is None or entry is None:
            raise Unreadable(f"{reference} is no property file")
        output = at(run.told, f"ProcessingOutputConfig.Outputs['{entry['OutputName']}']")
        content = stored(self.world, output["S3Output"]["S3Uri"], entry["FilePath"])
        if content is None:
            raise NoReport(reference)
        try:
            return json.loads(content)
        except ValueError as error:
            raise Unreadable(f"{entry['FilePath']} is no JSON") from error


def _quick() -> float:
    return QUICK * job_seconds()


def _iso(moment: float) -> str:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="milliseconds")


def runs(world: Store) -> Iterator[Run]:
    """Every execution of an account and region."""
    for record in world.all(EXECUTION):
        yield record.extra["Run"]


def proceed(world: Store, moment: float) -> None:
    """Carry on all executions that are under way."""
    with world.lock:
        for run in runs(world):
            if run.record.status(moment) in ("Executing", "Stopping"):
                run.proceed(moment)
