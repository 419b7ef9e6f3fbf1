"""Describe replies that name something else: followed where AWS can be asked, open where not."""

from __future__ import annotations

from typing import Any

from secure_ml_ext.check.describe import read_describe, request_of_describe
from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.items import Item, Reading
from tests.check.readers import Known, load, states

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/11111111-aaaa-4aaa-8aaa-111111111111"


def test_an_endpoint_is_followed_to_its_model() -> None:
    reply = {
        "EndpointName": "e",
        "EndpointArn": f"{ARN}endpoint/e",
        "EndpointConfigName": "c",
        "EndpointStatus": "InService",
        "ProductionVariants": [{"VariantName": "v", "CurrentInstanceCount": 1}],
    }
    (item,) = read_describe(reply).items
    assert item.params == {"EndpointName": "e", "EndpointConfigName": "c"}
    assert states(item) == dict.fromkeys(
        ("vpc", "volume-kms", "capture-kms", "isolation"), "depends"
    )
    config = request_of_describe(
        "DescribeEndpointConfig", load("describe", "endpoint-config-no-kms.json")["data"]
    )
    model = request_of_describe("CreateModel", load("describe", "model-open.json")["data"])
    name = config["ProductionVariants"][0]["ModelName"]
    known = Known(CreateEndpointConfig_c=config, **{f"CreateModel_{name}": model})
    # No capture; the configuration has no key, its model no network and no isolation.
    assert states(item, resolver=known) == {
        "vpc": "fail",
        "volume-kms": "fail",
        "capture-kms": "na",
        "isolation": "warn",
    }


def schedule(kind: str | None, **reply: Any) -> dict[str, Any]:
    config = {"MonitoringJobDefinitionName": "d"}
    if kind:
        config["MonitoringType"] = kind
    return {
        "MonitoringScheduleName": "s",
        "MonitoringScheduleArn": f"{ARN}monitoring-schedule/s",
        "MonitoringScheduleConfig": config,
        **reply,
    }


DEFINITION = {
    "NetworkConfig": {
        "EnableInterContainerTrafficEncryption": False,
        "EnableNetworkIsolation": True,
        "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    },
    "JobResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": KEY}},
    "DataQualityJobOutputConfig": {"MonitoringOutputs": []},
}


def test_a_schedule_is_followed_to_its_definition() -> None:
    known = Known(CreateDataQualityJobDefinition_d=DEFINITION)
    for reply in (schedule("DataQuality"), schedule(None, MonitoringType="DataQuality")):
        (item,) = read_describe(reply).items
        assert set(states(item).values()) <= {"depends", "na"}
        own = states(item, resolver=known)
        assert (own["vpc"], own["isolation"], own["volume-kms"]) == ("pass", "pass", "pass")
        assert (own["traffic-encryption"], own["output-kms"]) == ("fail", "fail")
    for kind in ("ModelQuality", "Unheard", None):
        (item,) = read_describe(schedule(kind)).items
        assert states(item, resolver=known)["vpc"] == "depends"


# -- pipelines ---------------------------------------------------------------------------------

PIPELINE = {
    "PipelineArn": f"{ARN}pipeline/p",
    "PipelineName": "p",
    "PipelineDefinition": '{"Steps": []}',
    "RoleArn": "arn:aws:iam::111122223333:role/pipeline",
}


def test_the_definition_of_a_pipeline_is_read_when_there_is_a_reader() -> None:
    def reader(definition: str) -> Reading:
        assert definition == '{"Steps": []}'
        step = Item(operation="CreateModel", params={}, kind="pipeline-step", where="step M")
        return Reading(items=[step])

    reading = read_describe([PIPELINE], pipeline_reader=reader)
    assert [(i.operation, i.where, i.role) for i in reading.items] == [
        ("CreatePipeline", "reply 1", None),
        ("CreateModel", "reply 1, step M", PIPELINE["RoleArn"]),
    ]
    assert [n.message for n in read_describe(PIPELINE).notes] == [
        "p: its steps are in its definition; check the definition itself"
    ]

    def failing(definition: str) -> Reading:
        raise InputError("line 1: no steps")

    notes = read_describe(PIPELINE, pipeline_reader=failing).notes
    assert [n.message for n in notes] == ["p: its definition cannot be read: line 1: no steps"]
