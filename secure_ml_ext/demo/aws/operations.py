"""Create, Describe, Update, Stop, Start and Delete of the kinds in our own store."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .facts import Facts, describe, generated
from .kinds import Kind, kinds
from .shapes import output_shape, pick, service_model
from .store import AwsError, Record, Store, first_phases, job_seconds, new_id, now

Operation = Callable[[Store, Facts], Facts]

# What a request names must exist, as in SageMaker: (member, kind, words of the refusal).
REFERENCES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Endpoint": (("EndpointConfigName", "EndpointConfig", "endpoint configuration"),),
    "TransformJob": (("ModelName", "Model", "model"),),
    "InferenceComponent": (("EndpointName", "Endpoint", "endpoint"),),
    "UserProfile": (("DomainId", "Domain", "domain"),),
    "Space": (("DomainId", "Domain", "domain"),),
    "App": (("DomainId", "Domain", "domain"),),
}
# Members that Update names otherwise than Create.
RENAMED = {"DomainSettingsForUpdate": "DomainSettings"}
# Describe of these answers ValidationException although the model declares ResourceNotFound.
NOT_FOUND_AS_VALIDATION = {"TrainingJob": "Requested resource not found."}


def operations() -> dict[str, Operation]:
    """The operations of every kind, by the name of the operation."""
    found: dict[str, Operation] = {}
    for kind in kinds().values():
        found[kind.create] = _bind(create, kind)
        found[kind.describe] = _bind(describe_one, kind)
        for verb, action in (
            ("Stop", stop),
            ("Start", start),
            ("Delete", delete),
            ("Update", update),
        ):
            if verb + kind.name in kind.operations:
                found[verb + kind.name] = _bind(action, kind)
    found["ListTrainingJobsForHyperParameterTuningJob"] = _no_children
    return found


def _bind(action: Callable[[Kind, Store, Facts], Facts], kind: Kind) -> Operation:
    return lambda store, params: action(kind, store, params)


def _no_children(store: Store, params: Facts) -> Facts:
    require(kinds()["HyperParameterTuningJob"], store, params)
    return {"TrainingJobSummaries": []}


def key_of(kind: Kind, params: Facts) -> str:
    """The name under which a resource is kept."""
    return "/".join(str(params[key]) for key in kind.keys if params.get(key))


def require(kind: Kind, store: Store, params: Facts) -> Record:
    """The record a request names, or the refusal SageMaker gives."""
    key = key_of(kind, params)
    record = store.get(kind, key)
    if record is None or record.kind.name != kind.name:
        raise _missing(kind, store, key)
    return record


def _missing(kind: Kind, store: Store, key: str) -> AwsError:
    if kind.name in NOT_FOUND_AS_VALIDATION:
        return AwsError("ValidationException", NOT_FOUND_AS_VALIDATION[kind.name])
    arn = store.arn(kind.arn_part, key)
    errors = service_model("sagemaker").operation_model(kind.describe).error_shapes
    if any(error.name == "ResourceNotFound" for error in errors):
        return AwsError("ResourceNotFound", f"Could not find {_words(kind)} '{arn}'.")
    return AwsError("ValidationException", f'Could not find {_words(kind)} "{arn}".')


def _words(kind: Kind) -> str:
    return kind.arn_part.replace("-", " ")


def create(kind: Kind, store: Store, params: Facts) -> Facts:
    """Keep the request and begin its course."""
    params = copy.deepcopy(params)
    tags = params.pop("Tags", None) or []
    with store.lock:
        _check_references(kind, store, params)
        extra = generated(kind.name, store, params)
        if kind.name == "Domain":
            params["DomainId"] = f"d-{new_id()}"
            _refuse_twin(kind, store, params)
        key = key_of(kind, params)
        if store.get(kind, key) is not None:
            raise AwsError(
                "ResourceInUse",
                f"Cannot create {_words(kind)}: one with the name {key} exists already "
                f"({store.arn(kind.arn_part, key)}).",
            )
        moment = now()
        record = Record(
            kind=kind,
            key=key,
            arn=store.arn(kind.arn_part, key),
            params=params,
            tags=tags,
            created=moment,
            updated=moment,
            phases=first_phases(kind, moment),
            extra=extra,
            planned=job_seconds(),
        )
        store.add(record)
    return _created(kind, store, record)


def _refuse_twin(kind: Kind, store: Store, params: Facts) -> None:
    name = params["DomainName"]
    if any(twin.params["DomainName"] == name for twin in store.all(kind)):
        raise AwsError("ResourceInUse", f"A domain with the name {name} exists already.")


def _created(kind: Kind, store: Store, record: Record) -> Facts:
    """The Create reply: ARN, and id or URL where the reply has them."""
    shape = output_shape(kind.create)
    facts = describe(record, store, now())
    told: Facts = pick(shape, facts)
    return told


def _check_references(kind: Kind, store: Store, params: Facts) -> None:
    for member, other, words in REFERENCES.get(kind.name, ()):
        target = kinds()[other]
        if store.get(target, params[member]) is None:
            arn = store.arn(target.arn_part, params[member])
            raise AwsError("ValidationException", f'Could not find {words} "{arn}".')
    if kind.name == "EndpointConfig":
        for variant in params.get("ProductionVariants", []):
            name = variant.get("ModelName")
            if name and store.get(kinds()["Model"], name) is None:
                arn = store.arn("model", name)
                raise AwsError("ValidationException", f'Could not find model "{arn}".')


def describe_one(kind: Kind, store: Store, params: Facts) -> Facts:
    """The Describe reply of now."""
    with store.lock:
        return describe(require(kind, store, params), store, now())


def update(kind: Kind, store: Store, params: Facts) -> Facts:
    """Merge the request into what Create was given; switches named Disassociate… remove."""
    with store.lock:
        record = require(kind, store, params)
        moment = now()
        status = record.status(moment)
        if kind.name == "NotebookInstance" and status not in ("Stopped", "Failed"):
            raise AwsError(
                "ValidationException",
                f"Status ({status}) not in ([Stopped, Failed]). "
                f"Unable to transition to (Updating) for Notebook Instance ({record.arn}).",
            )
        for member, value in params.items():
            if member.startswith("Disassociate") and value is True:
                record.params.pop(member.removeprefix("Disassociate"), None)
            elif member not in kind.keys and not member.startswith("Disassociate"):
                name = RENAMED.get(member, member)
                record.params[name] = _merged(record.params.get(name), value)
        record.updated = moment
        if kind.life.updating:
            back = "Stopped" if kind.name == "NotebookInstance" else kind.life.done
            back = "UpdateCompleted" if kind.name == "Project" else back
            record.move(moment, (0.0, kind.life.updating), (job_seconds() / 10, back))
    return _reply(kind, "Update", record)


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return new


def stop(kind: Kind, store: Store, params: Facts) -> Facts:
    """Stopping, then Stopped; refused when the work is over."""
    with store.lock:
        record = require(kind, store, params)
        moment = now()
        status = record.status(moment)
        life = kind.life
        stoppable = life.done if kind.name == "NotebookInstance" else life.working
        if status != stoppable or life.stopping is None or life.stopped is None:
            raise AwsError(
                "ValidationException",
                f"The request was rejected because the {_words(kind)} is in status {status}.",
            )
        record.move(moment, (0.0, life.stopping), (min(2.0, job_seconds() / 10), life.stopped))
    return _reply(kind, "Stop", record)


def start(kind: Kind, store: Store, params: Facts) -> Facts:
    """Start a stopped notebook instance again."""
    with store.lock:
        record = require(kind, store, params)
        moment = now()
        status = record.status(moment)
        if status != kind.life.stopped:
            raise AwsError("ValidationException", f"Status ({status}) not in ([Stopped]).")
        record.move(moment, (0.0, kind.life.working), (job_seconds() / 4, kind.life.done))
    return _reply(kind, "Start", record)


def delete(kind: Kind, store: Store, params: Facts) -> Facts:
    """Forget a resource."""
    with store.lock:
        record = require(kind, store, params)
        store.remove(record)
    return _reply(kind, "Delete", record)


def _reply(kind: Kind, verb: str, record: Record) -> Facts:
    """The ARN, where the operation tells one."""
    shape = output_shape(verb + kind.name)
    members = shape.members if shape is not None else {}
    return {member: record.arn for member in members if member == kind.arn_member}
