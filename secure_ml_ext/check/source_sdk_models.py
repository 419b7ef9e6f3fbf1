"""Models, endpoints, transforms and feature groups that are made with the SageMaker SDK v2."""

from __future__ import annotations

from .sdk import v2_calls
from .source_sending import Sending, opened
from .source_values import Array, Instance, Table, Unknown, Value


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


def model_created(sending: Sending) -> Value:
    if not sending.local(sending.given):
        _model(sending, sending.args, sending.receiver.name)
        sending.send("CreateModel")
    return Unknown(sending.text)


def deployed(sending: Sending) -> Value:
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
        opened(sending.members, "resources")
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


def estimator_model(sending: Sending) -> Value:
    return _model_of(sending)


def estimator_deployed(sending: Sending) -> Value:
    if _runs_locally(sending):
        return Unknown(sending.text)
    _model(sending, _model_of(sending).args, "Model")
    sending.send("CreateModel")
    return _endpoint(sending, sending.given.get("model_name"))


def estimator_transformer(sending: Sending) -> Value:
    return _transformer(sending, _model_of(sending).args, "Model")


def model_transformer(sending: Sending) -> Value:
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


def transformed(sending: Sending) -> Value:
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


def session_endpoint(sending: Sending) -> Value:
    given = sending.given
    if given.get("production_variants") is not None or sending.arguments.positional:
        opened(sending.members, "its arguments")
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


def feature_group(sending: Sending) -> Value:
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
