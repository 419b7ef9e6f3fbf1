"""Jobs that are sent with the SageMaker SDK: training, tuning, processing, monitoring, AutoML.

What else a request takes from the objects than ``sdk`` says, as far as rules look at it.
"""

from __future__ import annotations

import re
from typing import Final

from .sdk import GONE, v2_calls, v3_calls
from .source_classes import ESTIMATORS, MONITORS
from .source_sending import Sending
from .source_values import Array, Instance, Table, Unknown, Value

_TRAINING: Final = "CreateTrainingJob"
_TUNING: Final = "CreateHyperParameterTuningJob"


def _estimated(sending: Sending, operation: str, base: str, args: Table, name: str) -> None:
    """Put what an estimator of SDK v2 gives to a training job, or a definition of a tuning job."""
    # SDK v2 writes the machine of a tuning job under a name of its own.
    machine = "HyperParameterTuningResourceConfig" if operation == _TUNING else "ResourceConfig"
    wanted = {f"{base}/{machine}/VolumeKmsKeyId": GONE}
    sending.take(args, role=f"{base}/RoleArn", instance_count=f"{base}/{machine}/InstanceCount")
    sending.need(args, "image_uri", f"{base}/AlgorithmSpecification/TrainingImage")
    sending.need(args, "output_path", f"{base}/OutputDataConfig/S3OutputPath")
    if sending.get(args, "instance_groups") is not None:
        sending.put(f"{base}/{machine}/InstanceGroups", Unknown("instance_groups"))
    else:
        sending.need(args, "instance_type", f"{base}/{machine}/InstanceType")
    sending.carry(v2_calls(operation, wanted)[0].part, args)
    _network(sending, args, f"{base}/VpcConfig")
    of_others = name in ("JumpStartEstimator", "AlgorithmEstimator")
    if of_others and args.get("enable_network_isolation") is None:
        sending.put(f"{base}/EnableNetworkIsolation", Unknown("as the model demands"))


def _network(sending: Sending, args: Table, pointer: str) -> None:
    """SDK v2 knows a network of both lists only, and refuses one of them alone."""
    subnets, groups = sending.get(args, "subnets"), sending.get(args, "security_group_ids")
    value: Value = Table({"Subnets": subnets, "SecurityGroupIds": groups})
    if subnets is None or groups is None:
        value = None
    elif isinstance(subnets, Unknown) and isinstance(groups, Unknown):
        value = subnets if args.get("subnets") is None else value
    sending.put(pointer, value)


def fitted(sending: Sending) -> Value:
    if not sending.local():
        _estimated(sending, _TRAINING, "", sending.args, sending.receiver.name)
        sending.take(sending.given, job_name="/TrainingJobName")
        sending.send(_TRAINING)
    return Unknown(sending.text)


def trained(sending: Sending) -> Value:
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


def tuned(sending: Sending) -> Value:
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


def tuned_v3(sending: Sending) -> Value:
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


def best(sending: Sending) -> Value:
    estimator = sending.args.get("estimator")
    return estimator if isinstance(estimator, Instance) else Unknown(sending.text)


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


def processed(sending: Sending) -> Value:
    if sending.local():
        return Unknown(sending.text)
    _processing(sending)
    outputs = sending.get(sending.given, "outputs")
    clarify = sending.receiver.name == "SageMakerClarifyProcessor"
    config = sending.members.pop("ProcessingOutputConfig", Table())
    if outputs is None and len(sending.arguments.positional) > 1:
        outputs = Unknown("an argument by position")
    if clarify or (isinstance(outputs, Array) and outputs and outputs.open is None):
        sending.put("/ProcessingOutputConfig/Outputs", _some_output())
    elif outputs is not None and outputs != []:
        sending.put("/ProcessingOutputConfig/Outputs", outputs)
        config.setdefault("KmsKeyId", Unknown("no key where there are no outputs"))
    if "ProcessingOutputConfig" in sending.members:
        sending.members["ProcessingOutputConfig"].update(config)
    sending.take(sending.given, job_name="/ProcessingJobName")
    sending.send("CreateProcessingJob")
    return Unknown(sending.text)


def _some_output() -> Array:
    return Array([Table({"OutputName": Unknown("an output")})])


def baselined(sending: Sending) -> Value:
    _processing(sending)
    sending.put("/ProcessingOutputConfig/Outputs", _some_output())
    sending.send("CreateProcessingJob")
    return Unknown(sending.text)


def scheduled(sending: Sending) -> Value:
    """A monitor's schedule is made with a job definition, which holds the settings."""
    operation = MONITORS[sending.receiver.name]
    part = v2_calls(operation, {})[0].part
    sending.carry(part, sending.args)
    output = next(p for p in part.pointers() if p.endswith("OutputConfig/KmsKeyId"))
    volume = next(p for p in part.pointers() if p.endswith("VolumeKmsKeyId"))
    sending.put(f"{output.rpartition('/')[0]}/MonitoringOutputs", Array([Unknown("an output")]))
    sending.need(sending.args, "instance_type", f"{volume.rpartition('/')[0]}/InstanceType")
    sending.take(sending.args, role=f"{_base_of(volume)}/RoleArn")
    sending.send(operation)
    return Unknown(sending.text)


def _base_of(volume: str) -> str:
    """Return where a job definition begins, from its volume key's pointer."""
    return re.sub(r"/(Job|Monitoring)Resources/.*", "", volume)


def automl(sending: Sending) -> Value:
    two = sending.receiver.name == "AutoMLV2"
    operation = "CreateAutoMLJobV2" if two else "CreateAutoMLJob"
    sending.take(sending.args, role="/RoleArn")
    sending.need(sending.args, "output_path", "/OutputDataConfig/S3OutputPath")
    sending.carry(v2_calls(operation, {})[0].part, sending.args)
    sending.take(sending.given, job_name="/AutoMLJobName")
    sending.send(operation)
    return Unknown(sending.text)
