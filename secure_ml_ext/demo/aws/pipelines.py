"""Pipelines and their executions, as far as the SDKs and the console ask for them.

moto keeps definitions, but its executions have succeeded when they begin and have no steps.
"""

from __future__ import annotations

import json
from typing import Any

from .definitions import read
from .executions import FAILURE, Run, StepRun, runs
from .facts import Facts, describe
from .kinds import EXECUTION, kinds
from .listing import page
from .objects import stored
from .operations import Operation, create, require, update
from .shapes import pick, service_model
from .store import AwsError, Phase, Record, Store, new_id, now

NOT_UNIQUE = (
    "Pipeline names must be unique within an AWS account and region. "
    "Pipeline with name ({}) already exists."
)
LOCATION = "PipelineDefinitionS3Location"
BODY = "PipelineDefinition"
# Members of StartPipelineExecution that would change what runs, and are not followed here.
NOT_FOLLOWED = ("SelectiveExecutionConfig", "PipelineVersionId", "PipelineVersionAlias")


def operations() -> dict[str, Operation]:
    """What goes beyond create, describe, update and delete of a kind, by operation."""
    return {
        "CreatePipeline": _create,
        "UpdatePipeline": _update,
        "StartPipelineExecution": _start,
        "StopPipelineExecution": _stop,
        "DescribePipelineExecution": _describe_execution,
        "DescribePipelineDefinitionForExecution": _definition_of,
        "ListPipelineExecutions": _list_executions,
        "ListPipelineExecutionSteps": _list_steps,
        "ListPipelineParametersForExecution": _list_parameters,
    }


def _create(world: Store, params: Facts) -> Facts:
    kind = kinds()["Pipeline"]
    params = _with_definition(world, params)
    if BODY not in params:
        raise AwsError(
            "ValidationException",
            "Either Pipeline Definition or Pipeline Definition S3 location should be provided",
        )
    if world.get(kind, params["PipelineName"]) is not None:
        raise AwsError("ValidationException", NOT_UNIQUE.format(params["PipelineName"]))
    return create(kind, world, params)


def _update(world: Store, params: Facts) -> Facts:
    return update(kinds()["Pipeline"], world, _with_definition(world, params))


def _with_definition(world: Store, params: Facts) -> Facts:
    """The request with the definition's text in place of where it lies; refuses a bad one."""
    params = {name: value for name, value in params.items() if name != "ClientRequestToken"}
    place = params.pop(LOCATION, None)
    if place is not None:
        if BODY in params:
            raise AwsError(
                "ValidationException",
                "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present",
            )
        uri = f"s3://{place['Bucket']}/{place['ObjectKey']}"
        content = stored(world, uri, version=place.get("VersionId"))
        if content is None:
            raise AwsError("ValidationException", f"Could not read the definition at {uri}")
        params[BODY] = content.decode("utf-8", "replace")
    if BODY in params:
        read(params[BODY])
    return params


def _start(world: Store, params: Facts) -> Facts:
    if odd := [name for name in NOT_FOLLOWED if params.get(name)]:
        raise AwsError(
            "NotImplementedByEmbeddedAws",
            f"The embedded AWS of the demo does not follow {', '.join(odd)}.",
        )
    with world.lock:
        pipeline = require(kinds()["Pipeline"], world, params)
        definition = read(pipeline.params[BODY])
        given = params.get("PipelineParameters") or []
        values = definition.values(given)
        moment = now()
        key = f"{pipeline.key}/execution/{new_id()}"
        kept = ("PipelineExecutionDisplayName", "PipelineExecutionDescription")
        record = Record(
            kind=EXECUTION,
            key=key,
            arn=world.arn("pipeline", key),
            params={
                "RoleArn": pipeline.params["RoleArn"],
                **{name: params[name] for name in kept if name in params},
            },
            tags=[],
            created=moment,
            updated=moment,
            phases=[Phase(moment, EXECUTION.life.working)],
            extra={"PipelineArn": pipeline.arn, "PipelineName": pipeline.key},
        )
        run = Run(world, record, definition, values)
        record.extra |= {"Run": run, "Definition": pipeline.params[BODY], "Given": given}
        for member in ("RoleArn", "ParallelismConfiguration"):
            if value := params.get(member) or pipeline.params.get(member):
                record.params[member] = value
        experiment = json.loads(pipeline.params[BODY]).get("PipelineExperimentConfig")
        if experiment:
            record.params["PipelineExperimentConfig"] = run.value(experiment)
        world.add(record)
        pipeline.extra["LastRunTime"] = moment
        run.proceed(moment)
    return {"PipelineExecutionArn": record.arn}


def _run(world: Store, params: Facts) -> Run:
    arn = params.get("PipelineExecutionArn") or ""
    record = world.by_arn(arn)
    if record is None or record.kind is not EXECUTION:
        raise AwsError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")
    run: Run = record.extra["Run"]
    return run


def _stop(world: Store, params: Facts) -> Facts:
    moment = now()
    with world.lock:
        run = _run(world, params)
        status = run.record.status(moment)
        if status != EXECUTION.life.working:
            raise AwsError(
                "ValidationException", f"Pipeline execution with status {status} cannot be stopped."
            )
        run.stop(moment)
        run.proceed(moment)
    return {"PipelineExecutionArn": run.record.arn}


def _describe_execution(world: Store, params: Facts) -> Facts:
    run = _run(world, params)
    moment = now()
    with world.lock:
        told = describe(run.record, world, moment)
    if run.record.status(moment) == "Failed":
        told["FailureReason"] = FAILURE
    return told


def _definition_of(world: Store, params: Facts) -> Facts:
    record = _run(world, params).record
    return {BODY: record.extra["Definition"], "CreationTime": record.created}


def _list_executions(world: Store, params: Facts) -> Facts:
    pipeline = require(kinds()["Pipeline"], world, params)
    shape: Any = service_model("sagemaker").shape_for("PipelineExecutionSummary")
    moment = now()
    rows = []
    for run in runs(world):
        record = run.record
        if record.extra["PipelineArn"] != pipeline.arn or not _created_within(record, params):
            continue
        told = describe(record, world, moment)
        told["StartTime"] = record.begun()
        if record.status(moment) == "Failed":
            told["PipelineExecutionFailureReason"] = FAILURE
        by_name = params.get("SortBy") == "PipelineExecutionArn"
        rows.append((record.arn if by_name else record.created, record.arn, pick(shape, told)))
    descending = params.get("SortOrder", "Descending") == "Descending"
    told_rows, token = page(rows, params, descending=descending)
    return {"PipelineExecutionSummaries": told_rows, **({"NextToken": token} if token else {})}


def _created_within(record: Record, params: Facts) -> bool:
    after, before = params.get("CreatedAfter"), params.get("CreatedBefore")
    return not (
        (after is not None and record.created < float(after))
        or (before is not None and record.created > float(before))
    )


def _list_steps(world: Store, params: Facts) -> Facts:
    run = _run(world, params)
    with world.lock:
        begun = list(run.begun.values())
    begins = run.record.begun()
    rows = [((s.started, number), s.step.name, _step(s, begins)) for number, s in enumerate(begun)]
    listed = [([*order], name, row) for order, name, row in rows]
    descending = params.get("SortOrder", "Descending") == "Descending"
    told, token = page(listed, params, default=20, descending=descending)
    return {"PipelineExecutionSteps": told, **({"NextToken": token} if token else {})}


def _step(step: StepRun, begun: float) -> Facts:
    told: Facts = {
        "StepName": step.step.name,
        "StartTime": begun + step.started,
        "StepStatus": step.status,
        "Metadata": step.metadata,
        "AttemptCount": 1,
    }
    for source, member in (("DisplayName", "StepDisplayName"), ("Description", "StepDescription")):
        if text := step.step.content.get(source):
            told[member] = text
    if step.ended is not None:
        told["EndTime"] = begun + step.ended
    if step.reason:
        told["FailureReason"] = step.reason
    return told


def _list_parameters(world: Store, params: Facts) -> Facts:
    given = _run(world, params).record.extra["Given"]
    rows = [(entry["Name"], entry["Name"], dict(entry)) for entry in given]
    told, token = page(rows, params, default=50, descending=False)
    return {"PipelineParameters": told, **({"NextToken": token} if token else {})}
