"""Requests that are sent with the SageMaker SDK, both generations: which call sends which.

The arguments that carry a field stand in ``sdk``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..inventory.table import operations
from . import source_sdk_jobs as jobs
from . import source_sdk_models as models
from .source_classes import ESTIMATORS, MODELS, MONITORS, PROCESSORS, RENAMED, is_v3, order_of
from .source_names import short
from .source_sending import Sending
from .source_shapes import members_of
from .source_values import Client, Instance, Ref, Table, Unknown, Value

if TYPE_CHECKING:
    from .source_calls import Arguments, Calls

# Methods that send requests of which the source does not tell enough.
_OPAQUE: Final = {
    "ModelBuilder": {"build", "deploy"},
    "Pipeline": {"create", "upsert", "update", "start"},
    "Session": {
        "auto_ml",
        "compile_model",
        "create_model",
        "create_monitoring_schedule",
        "endpoint_from_model_data",
        "endpoint_from_production_variants",
        "process",
        "train",
        "transform",
        "tune",
    },
    "AutoML": {"deploy"},
    "AutoMLV2": {"deploy"},
}


def call(calls: Calls, node: ast.Call, ref: Ref, arguments: Arguments) -> Value:
    """Return what a class or function of the SDK gives."""
    owner = ref.path.split(".")[-2] if "." in ref.path else ""
    if ref.name[:1].isupper():
        return Instance(ref.path, _constructed(ref.path, arguments))
    if owner[:1].isupper():
        path = ref.path.rpartition(".")[0]
        if ref.name == "create" and is_v3(path):
            _resource(calls, node, owner, arguments)
        elif owner == "ModelTrainer" and ref.name.startswith("from_"):
            args = _constructed(path, arguments)
            args.open = args.open or short(node)
            return Instance(path, args)
        elif owner == "HyperparameterTuner" and ref.name == "create" and not is_v3(path):
            return Instance(path, _constructed(path, arguments))
    return Unknown(short(node))


def _constructed(path: str, arguments: Arguments) -> Table:
    """Return the arguments by name, under the names of today."""
    args = Table((), arguments.keywords.open or arguments.open)
    order = order_of(path)
    for name, value in zip(order, arguments.positional, strict=False):
        args[name] = value
    if len(arguments.positional) > len(order):
        args.open = args.open or "arguments by position"
    for name, value in arguments.keywords.items():
        args[RENAMED.get(str(name), name)] = value
    return args


def method(
    calls: Calls, node: ast.Call, receiver: Instance, name: str, arguments: Arguments
) -> Value:
    """Return what a method of an SDK object gives; what it sends is kept in ``calls``."""
    kind = receiver.name
    handler = _handler(receiver, name) if receiver.path.startswith("sagemaker") else None
    if handler is not None:
        return handler(Sending(calls, node, receiver, arguments))
    if kind in _OPAQUE and name in _OPAQUE[kind]:
        what = "the steps of the pipeline" if kind == "Pipeline" else "what it sends"
        calls.say(node.lineno, f"cannot be decided from source: {what} ({kind}.{name})")
    if kind == "Session" and name == "client":
        return Client(None)
    return Unknown(short(node))


def _handler(receiver: Instance, name: str) -> Callable[[Sending], Value] | None:
    kind, v3 = receiver.name, is_v3(receiver.path)
    if kind == "ModelTrainer":
        return jobs.trained if name == "train" else None
    if kind in PROCESSORS:
        return jobs.processed if name.startswith("run") else None
    if kind == "Transformer":
        return models.transformed if name == "transform" else None
    if kind == "HyperparameterTuner":
        return {"fit": jobs.tuned, "tune": jobs.tuned_v3, "best_estimator": jobs.best}.get(name)
    if v3:
        return None
    if kind in ESTIMATORS:
        return {
            "fit": jobs.fitted,
            "deploy": models.estimator_deployed,
            "transformer": models.estimator_transformer,
            "create_model": models.estimator_model,
        }.get(name)
    if kind in MODELS:
        return {
            "create": models.model_created,
            "deploy": models.deployed,
            "transformer": models.model_transformer,
        }.get(name)
    if kind in ("AutoML", "AutoMLV2"):
        return jobs.automl if name == "fit" else None
    if kind in MONITORS:
        return {
            "create_monitoring_schedule": jobs.scheduled,
            "suggest_baseline": jobs.baselined,
        }.get(name)
    if kind == "FeatureGroup":
        return models.feature_group if name == "create" else None
    if kind == "Session":
        return {"create_endpoint_config": models.session_endpoint}.get(name)
    return None


def _resource(calls: Calls, node: ast.Call, resource: str, arguments: Arguments) -> None:
    """A resource of SDK v3 takes the members of the request, in snake case."""
    operation = f"Create{resource}"
    if operation not in operations():
        return
    sending = Sending(calls, node, Instance(resource, Table()), arguments)
    if arguments.positional:
        sending.given.open = sending.given.open or "arguments by position"
    members = members_of(operation, sending.given)
    sending.members = members
    sending.send(operation)
