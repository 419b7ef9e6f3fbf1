"""Requests that are sent with the SageMaker SDK, both generations: which call sends which.

The arguments that carry a field stand in ``sdk``; here is what else a request takes from the
objects, as far as rules look at it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..inventory.paths import parse
from ..inventory.table import operations
from .sdk import GONE, Part, v2_calls, v3_calls
from .source_classes import ESTIMATORS, MODELS, MONITORS, PROCESSORS, RENAMED, is_v3, order_of
from .source_names import short
from .source_values import Array, Client, Instance, Ref, Table, Unknown, Value

if TYPE_CHECKING:
    from .source_calls import Arguments, Calls

PIPELINE_STEP: Final = "a step of a pipeline: its role sends the request when it runs"
LEFT_OUT: Final = "what is left out may come from defaults of the SageMaker SDK configuration"
_SESSIONS: Final = ("PipelineSession", "LocalPipelineSession")
_TRAINING: Final = "CreateTrainingJob"
_TUNING: Final = "CreateHyperParameterTuningJob"
# Methods that send requests of which the source does not tell enough.
_OPAQUE: Final = {
    "ModelBuilder": {"build", "deploy"},
    "Pipeline": {"create", "upsert", "update", "start"},
    "Session": {
        "auto_ml",
        "compile_model",
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
    if owner in ("TrainingJob", "Model") or owner[:1].isupper():
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
    handler = _handler(receiver, name)
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
        return _trained if name == "train" else None
    if kind in PROCESSORS:
        return _processed if name.startswith("run") else None
    if kind == "Transformer":
        return _transformed if name == "transform" else None
    if kind == "HyperparameterTuner":
        return {"fit": _tuned, "tune": _tuned_v3, "best_estimator": _best}.get(name)
    if v3:
        return None
    if kind in ESTIMATORS:
        return {
            "fit": _fitted,
            "deploy": _estimator_deployed,
            "transformer": _estimator_transformer,
            "create_model": _estimator_model,
        }.get(name)
    if kind in MODELS:
        return {
            "create": _model_created,
            "deploy": _deployed,
            "transformer": _model_transformer,
        }.get(name)
    if kind in ("AutoML", "AutoMLV2"):
        return _automl if name == "fit" else None
    if kind in MONITORS:
        return {"create_monitoring_schedule": _scheduled, "suggest_baseline": _baselined}.get(name)
    if kind == "FeatureGroup":
        return _feature_group if name == "create" else None
    if kind == "Session":
        return {"create_endpoint_config": _session_endpoint}.get(name)
    return None


class Sending:
    """One call of a method that sends a request: the request grows in ``members``."""

    def __init__(
        self, calls: Calls, node: ast.Call, receiver: Instance, arguments: Arguments
    ) -> None:
        self.calls = calls
        self.node = node
        self.receiver = receiver
        self.args = receiver.args
        self.arguments = arguments
        self.text = short(node.func)
        self.given = Table(arguments.keywords, arguments.keywords.open or arguments.open)
        self.members = Table()

    def put(self, pointer: str, value: Value) -> None:
        """Set a member of the request."""
        path = parse(pointer)
        node: Value = self.members
        for part in path[:-1]:
            inner = node.get(part)
            if not isinstance(inner, Table):
                inner = node[part] = Table()
            node = inner
        node[path[-1]] = value

    def get(self, args: Table, name: str) -> Value:
        """Return an argument: None where it is not given, unknown where it may be."""
        if name in args:
            return args[name]
        return Unknown(args.open) if args.open is not None else None

    def take(self, args: Table, **pointers: str) -> None:
        """Carry arguments over to the request, those that are given."""
        for name, pointer in pointers.items():
            value = self.get(args, name)
            if value is not None:
                self.put(pointer, value)

    def need(self, args: Table, name: str, pointer: str) -> None:
        """Carry an argument over; without it the SDK puts something of its own there."""
        value = self.get(args, name)
        self.put(pointer, Unknown("the SDK's own") if value is None else value)

    def carry(self, part: Part, args: Table) -> None:
        """Carry over the arguments of which ``sdk`` tells where they go."""
        for name, target in part.args.items():
            value = self.get(args, name)
            if value is None:
                continue
            if isinstance(target, str):
                self.put(target, value)
            elif isinstance(value, (Instance, Table)):
                self.carry(target, value.args if isinstance(value, Instance) else value)
            else:
                for pointer in target.pointers():
                    network, _, end = pointer.rpartition("/")
                    whole = end in ("Subnets", "SecurityGroupIds")
                    self.put(network if whole else pointer, value)

    def send(self, operation: str) -> None:
        """Keep the request as it has grown, and start the next one."""
        members, self.members = self.members, Table()
        session = self.args.get("sagemaker_session")
        step = isinstance(session, Instance) and session.name in _SESSIONS
        if self.calls.configured:
            _opened(members, "defaults of the SageMaker SDK configuration")
        note = PIPELINE_STEP if step else LEFT_OUT
        self.calls.submit(self.node, operation, members, note)
        self.calls.sdk = True

    def local(self, *places: Table) -> bool:
        """Tell whether local mode is asked for, which sends nothing."""
        kinds = [args.get("instance_type") for args in (self.args, *places)]
        session, mode = self.args.get("sagemaker_session"), self.args.get("training_mode")
        found = (
            any(isinstance(kind, str) and kind.startswith("local") for kind in kinds)
            or (isinstance(session, Instance) and session.name.startswith("Local"))
            or (isinstance(mode, Ref) and mode.name.startswith("LOCAL"))
        )
        if found:
            self.calls.say(self.node.lineno, "local mode: no request is sent")
        return found


def _opened(table: Table, why: str) -> None:
    table.open = table.open or why
    for value in table.values():
        if isinstance(value, Table):
            _opened(value, why)


# -- training -----------------------------------------------------------------------------------


def _estimated(sending: Sending, operation: str, base: str, args: Table, name: str) -> None:
    """Put what an estimator of SDK v2 gives to a training job, or a definition of a tuning job."""
    machine = "ResourceConfig"
    wanted = {f"{base}/ResourceConfig/VolumeKmsKeyId": GONE}
    sending.take(args, role=f"{base}/RoleArn", instance_count=f"{base}/{machine}/InstanceCount")
    sending.need(args, "image_uri", f"{base}/AlgorithmSpecification/TrainingImage")
    sending.need(args, "output_path", f"{base}/OutputDataConfig/S3OutputPath")
    if sending.get(args, "instance_groups") is not None:
        sending.put(f"{base}/{machine}/InstanceGroups", Unknown("instance_groups"))
    else:
        sending.need(args, "instance_type", f"{base}/{machine}/InstanceType")
    sending.carry(v2_calls(operation, wanted)[0].part, args)
    _network(sending, args, f"{base}/VpcConfig")
    if name in ("JumpStartEstimator", "AlgorithmEstimator"):
        if args.get("enable_network_isolation") is None:
            sending.put(f"{base}/EnableNetworkIsolation", Unknown("as the model demands"))


def _network(sending: Sending, args: Table, pointer: str) -> None:
    """SDK v2 sends a network only where both of its lists are given."""
    subnets, groups = sending.get(args, "subnets"), sending.get(args, "security_group_ids")
    value: Value = Table({"Subnets": subnets, "SecurityGroupIds": groups})
    if subnets is None or groups is None:
        value = None
    elif isinstance(subnets, Unknown) and isinstance(groups, Unknown):
        value = subnets if args.get("subnets") is None else value
    sending.put(pointer, value)


def _fitted(sending: Sending) -> Value:
    if not sending.local():
        _estimated(sending, _TRAINING, "", sending.args, sending.receiver.name)
        sending.take(sending.given, job_name="/TrainingJobName")
        sending.send(_TRAINING)
    return Unknown(sending.text)


def _trained(sending: Sending) -> Value:
    if not sending.local():
        _trainer(sending, "", sending.args)
        sending.carry(v3_calls(_TRAINING, {})[0].part, sending.args)
        sending.send(_TRAINING)
    return Unknown(sending.text)


def _trainer(sending: Sending, base: str, args: Table) -> None:
    sending.take(args, role=f"{base}/RoleArn")
    sending.need(args, "training_image", f"{base}/AlgorithmSpecification/TrainingImage")
    for name, member, inner, pointer in (
        ("compute", "ResourceConfig", "instance_type", "InstanceType"),
        ("output_data_config", "OutputDataConfig", "s3_output_path", "S3OutputPath"),
    ):
        value = sending.get(args, name)
        part = value.args if isinstance(value, Instance) else value
        if isinstance(part, Table):
            sending.need(part, inner, f"{base}/{member}/{pointer}")
        else:
            sending.put(f"{base}/{member}/{pointer}", part or Unknown("the SDK's own"))


# -- tuning -------------------------------------------------------------------------------------


def _tuned(sending: Sending) -> Value:
    several = sending.args.get("estimator_dict")
    if isinstance(several, Table) and several.open is None:
        definitions = Array()
        for estimator in several.values():
            one = Sending(sending.calls, sending.node, sending.receiver, sending.arguments)
            _definition(one, estimator)
            definitions.append(one.members.get("TrainingJobDefinition", Table()))
        sending.members["TrainingJobDefinitions"] = definitions
    else:
        estimator = sending.get(sending.args, "estimator")
        if isinstance(estimator, Instance) and sending.local(estimator.args):
            return Unknown(sending.text)
        _definition(sending, estimator)
    sending.take(sending.given, job_name="/HyperParameterTuningJobName")
    sending.send(_TUNING)
    return Unknown(sending.text)


def _definition(sending: Sending, estimator: Value) -> None:
    base = "/TrainingJobDefinition"
    if isinstance(estimator, Instance) and estimator.name in ESTIMATORS:
        _estimated(sending, _TUNING, base, estimator.args, estimator.name)
    else:
        text = estimator.text if isinstance(estimator, Unknown) else "the estimator"
        sending.members["TrainingJobDefinition"] = Table((), text)


def _tuned_v3(sending: Sending) -> Value:
    """The tuner of SDK v3 hands on the network and the output key of its trainer, no more."""
    trainer = sending.get(sending.args, "model_trainer")
    base = "/TrainingJobDefinition"
    if isinstance(trainer, Instance):
        _trainer(sending, base, trainer.args)
        part = v3_calls(_TRAINING, {})[0].part
        kept = Sending(sending.calls, sending.node, trainer, sending.arguments)
        kept.carry(part, trainer.args)
        for member in ("VpcConfig", "OutputDataConfig"):
            if isinstance(kept.members.get(member), Table):
                into = sending.members["TrainingJobDefinition"].setdefault(member, Table())
                into.update(kept.members[member])
            elif member in kept.members:
                sending.put(f"{base}/{member}", kept.members[member])
    else:
        text = trainer.text if isinstance(trainer, Unknown) else "the trainer"
        sending.members["TrainingJobDefinition"] = Table((), text)
    sending.take(sending.given, job_name="/HyperParameterTuningJobName")
    sending.send(_TUNING)
    return Unknown(sending.text)


def _best(sending: Sending) -> Value:
    estimator = sending.args.get("estimator")
    return estimator if isinstance(estimator, Instance) else Unknown(sending.text)


# -- processing ---------------------------------------------------------------------------------


def _processing(sending: Sending) -> None:
    machine = "/ProcessingResources/ClusterConfig"
    sending.take(
        sending.args,
        role="/RoleArn",
        image_uri="/AppSpecification/ImageUri",
        instance_count=f"{machine}/InstanceCount",
    )
    sending.need(sending.args, "instance_type", f"{machine}/InstanceType")
    sending.carry(v2_calls("CreateProcessingJob", {})[0].part, sending.args)


def _processed(sending: Sending) -> Value:
    if sending.local():
        return Unknown(sending.text)
    _processing(sending)
    outputs = sending.get(sending.given, "outputs")
    clarify = sending.receiver.name == "SageMakerClarifyProcessor"
    config = sending.members.pop("ProcessingOutputConfig", Table())
    if outputs is None and len(sending.arguments.positional) > 1:
        outputs = Unknown("an argument by position")
    if clarify or (isinstance(outputs, Array) and outputs and outputs.open is None):
        sending.put("/ProcessingOutputConfig/Outputs", Array([Table((), "an output")]))
    elif outputs is not None and outputs != []:
        sending.put("/ProcessingOutputConfig/Outputs", outputs)
        config.setdefault("KmsKeyId", Unknown("no key where there are no outputs"))
    if "ProcessingOutputConfig" in sending.members:
        sending.members["ProcessingOutputConfig"].update(config)
    sending.take(sending.given, job_name="/ProcessingJobName")
    sending.send("CreateProcessingJob")
    return Unknown(sending.text)


def _baselined(sending: Sending) -> Value:
    _processing(sending)
    sending.put("/ProcessingOutputConfig/Outputs", Array([Table((), "an output")]))
    sending.send("CreateProcessingJob")
    return Unknown(sending.text)


def _scheduled(sending: Sending) -> Value:
    """A monitor's schedule is made with a job definition, which holds the settings."""
    operation = MONITORS[sending.receiver.name]
    part = v2_calls(operation, {})[0].part
    sending.carry(part, sending.args)
    output = next(p for p in part.pointers() if p.endswith("OutputConfig/KmsKeyId"))
    volume = next(p for p in part.pointers() if p.endswith("VolumeKmsKeyId"))
    sending.put(f"{output.rpartition('/')[0]}/MonitoringOutputs", Array([Unknown("an output")]))
    sending.need(sending.args, "instance_type", f"{volume.rpartition('/')[0]}/InstanceType")
    sending.take(sending.args, role=f"{part_base(volume)}/RoleArn")
    sending.send(operation)
    return Unknown(sending.text)


def part_base(volume: str) -> str:
    """Return where a job definition begins, from its volume key's pointer."""
    return volume[: -len("/JobResources/ClusterConfig/VolumeKmsKeyId")] if (
        "/JobResources/" in volume
    ) else volume[: -len("/MonitoringResources/ClusterConfig/VolumeKmsKeyId")]


# -- models, endpoints, transform ---------------------------------------------------------------


def _model(sending: Sending, args: Table, name: str) -> None:
    """Put what a model of SDK v2 gives to CreateModel."""
    sending.take(args, role="/ExecutionRoleArn", name="/ModelName")
    inner = args.get("model")
    if name == "MultiDataModel" and inner is not None:
        args = inner.args if isinstance(inner, Instance) else Table((), "model")
    if name in ("PipelineModel", "ModelPackage"):
        sending.put("/Containers", Unknown("the containers of the model"))
    else:
        sending.need(args, "image_uri", "/PrimaryContainer/Image")
    sending.carry(v2_calls("CreateModel", {})[0].part, args)
    if name in ("JumpStartModel", "ModelPackage") and args.get("enable_network_isolation") is None:
        sending.put("/EnableNetworkIsolation", Unknown("as the model demands"))


def _model_created(sending: Sending) -> Value:
    if not sending.local(sending.given):
        _model(sending, sending.args, sending.receiver.name)
        sending.send("CreateModel")
    return Unknown(sending.text)


def _deployed(sending: Sending) -> Value:
    if _runs_locally(sending):
        return Unknown(sending.text)
    _model(sending, sending.args, sending.receiver.name)
    sending.send("CreateModel")
    return _endpoint(sending, sending.args.get("name"))


def _runs_locally(sending: Sending) -> bool:
    kind = sending.arguments.get(1, "instance_type")
    return sending.local(Table({"instance_type": kind}))


def _endpoint(sending: Sending, model: Value) -> Value:
    """Put the endpoint configuration that ``deploy`` makes."""
    given = sending.given
    variant = Table({"ModelName": Unknown("the SDK's own") if model is None else model})
    serverless = given.get("serverless_inference_config")
    if serverless is not None:
        variant["ServerlessConfig"] = Unknown("serverless_inference_config")
    else:
        for index, name, member in (
            (0, "initial_instance_count", "InitialInstanceCount"),
            (1, "instance_type", "InstanceType"),
        ):
            value = sending.arguments.get(index, name)
            unsure = Unknown(given.open or "the SDK's own")
            variant[member] = unsure if value is None else value
    sending.members["ProductionVariants"] = Array([variant])
    if len(sending.arguments.positional) > 2:
        given.open = given.open or "arguments by position"
    sending.carry(v2_calls("CreateEndpointConfig", {})[1].part, given)
    if {"endpoint_type", "resources"} & set(given):
        # An endpoint of inference components takes its network from the model.
        _opened(sending.members, "resources")
    for name, member in (
        ("data_capture_config", "DataCaptureConfig"),
        ("async_inference_config", "AsyncInferenceConfig"),
    ):
        capture = given.get(name)
        if isinstance(capture, Instance):
            where = {"DataCaptureConfig": "EnableCapture"}.get(member)
            inner = sending.members.setdefault(member, Table())
            if where is not None:
                inner.setdefault(where, capture.args.get("enable_capture", True))
            else:
                output = inner.setdefault("OutputConfig", Table())
                output.setdefault("S3OutputPath", Unknown("the SDK's own"))
    sending.take(given, endpoint_name="/EndpointConfigName")
    sending.send("CreateEndpointConfig")
    return Unknown(sending.text)


def _model_of(sending: Sending) -> Instance:
    """Return the model that an estimator makes of what it trained."""
    args, given = sending.args, sending.given
    own = Table({"image_uri": args.get("image_uri") or Unknown("the SDK's own")}, args.open)
    own["role"] = given.get("role") or args.get("role")
    subnets, groups = sending.get(args, "subnets"), sending.get(args, "security_group_ids")
    if "vpc_config_override" in given:
        own["vpc_config"] = given["vpc_config_override"]
    elif subnets is not None and groups is not None:
        own["vpc_config"] = Table({"Subnets": subnets, "SecurityGroupIds": groups})
    else:
        own["vpc_config"] = None
    isolation = given.get("enable_network_isolation", args.get("enable_network_isolation"))
    if sending.receiver.name != "Estimator" and isolation not in (None, False):
        # Some frameworks drop it on the way to the model.
        isolation = Unknown("enable_network_isolation")
    own["enable_network_isolation"] = isolation
    own["sagemaker_session"] = args.get("sagemaker_session")
    return Instance("sagemaker.model.Model", own)


def _estimator_model(sending: Sending) -> Value:
    return _model_of(sending)


def _estimator_deployed(sending: Sending) -> Value:
    if _runs_locally(sending):
        return Unknown(sending.text)
    _model(sending, _model_of(sending).args, "Model")
    sending.send("CreateModel")
    return _endpoint(sending, sending.given.get("model_name"))


def _estimator_transformer(sending: Sending) -> Value:
    return _transformer(sending, _model_of(sending).args, "Model")


def _model_transformer(sending: Sending) -> Value:
    return _transformer(sending, sending.args, sending.receiver.name)


def _transformer(sending: Sending, model: Table, name: str) -> Value:
    """Making a transformer makes its model; the transformer itself is sent later."""
    kind = sending.arguments.get(1, "instance_type")
    if not sending.local(Table({"instance_type": kind})):
        _model(sending, model, name)
        sending.send("CreateModel")
    args = Table(sending.given, sending.given.open)
    order = ("instance_count", "instance_type", "strategy", "assemble_with", "output_path")
    args.update(zip(order, sending.arguments.positional, strict=False))
    args["model_name"] = model.get("name") or Unknown("the model made here")
    args["sagemaker_session"] = sending.args.get("sagemaker_session")
    return Instance("sagemaker.transformer.Transformer", args)


def _transformed(sending: Sending) -> Value:
    if sending.local():
        return Unknown(sending.text)
    transformer, transform = (each.part for each in v2_calls("CreateTransformJob", {}))
    sending.take(sending.args, model_name="/ModelName")
    sending.need(sending.args, "output_path", "/TransformOutput/S3OutputPath")
    sending.need(sending.args, "instance_type", "/TransformResources/InstanceType")
    sending.carry(transformer, sending.args)
    sending.carry(transform, sending.given)
    if sending.given.get("batch_data_capture_config") is not None:
        capture = sending.members.setdefault("DataCaptureConfig", Table())
        if isinstance(capture, Table):
            capture.setdefault("DestinationS3Uri", Unknown("batch_data_capture_config"))
    sending.take(sending.given, job_name="/TransformJobName")
    sending.send("CreateTransformJob")
    return Unknown(sending.text)


# -- the rest -----------------------------------------------------------------------------------


def _automl(sending: Sending) -> Value:
    two = sending.receiver.name == "AutoMLV2"
    operation = "CreateAutoMLJobV2" if two else "CreateAutoMLJob"
    sending.take(sending.args, role="/RoleArn")
    sending.need(sending.args, "output_path", "/OutputDataConfig/S3OutputPath")
    sending.carry(v2_calls(operation, {})[0].part, sending.args)
    sending.take(sending.given, job_name="/AutoMLJobName")
    sending.send(operation)
    return Unknown(sending.text)


def _feature_group(sending: Sending) -> Value:
    given = sending.given
    for name, value in zip(("s3_uri",), sending.arguments.positional, strict=False):
        given[name] = value
    online, store = sending.get(given, "enable_online_store"), sending.get(given, "s3_uri")
    sending.carry(v2_calls("CreateFeatureGroup", {})[0].part, given)
    if online is None or online is False:
        sending.members.pop("OnlineStoreConfig", None)
    else:
        sending.put("/OnlineStoreConfig/EnableOnlineStore", online)
    if store is None or store is False:
        sending.members.pop("OfflineStoreConfig", None)
    else:
        sending.put("/OfflineStoreConfig/S3StorageConfig/S3Uri", store)
    sending.take(sending.args, name="/FeatureGroupName")
    sending.take(given, role_arn="/RoleArn")
    sending.send("CreateFeatureGroup")
    return Unknown(sending.text)


def _session_endpoint(sending: Sending) -> Value:
    given = sending.given
    if given.get("production_variants") is not None or sending.arguments.positional:
        _opened(sending.members, "its arguments")
        sending.send("CreateEndpointConfig")
        return Unknown(sending.text)
    variant = Table((), given.open)
    for name, member in (
        ("model_name", "ModelName"),
        ("initial_instance_count", "InitialInstanceCount"),
        ("instance_type", "InstanceType"),
    ):
        if name in given:
            variant[member] = given[name]
    sending.members["ProductionVariants"] = Array([variant])
    sending.take(
        given,
        name="/EndpointConfigName",
        kms_key="/KmsKeyId",
        data_capture_config_dict="/DataCaptureConfig",
        async_inference_config_dict="/AsyncInferenceConfig",
    )
    sending.send("CreateEndpointConfig")
    return Unknown(sending.text)


def _resource(calls: Calls, node: ast.Call, resource: str, arguments: Arguments) -> None:
    """A resource of SDK v3 takes the members of the request, in snake case."""
    operation = f"Create{resource}"
    if operation not in operations():
        return
    sending = Sending(calls, node, Instance(resource, Table()), arguments)
    if arguments.positional:
        sending.given.open = sending.given.open or "arguments by position"
    from .source_shapes import members_of

    members = members_of(operation, sending.given)
    sending.members = members
    sending.send(operation)
