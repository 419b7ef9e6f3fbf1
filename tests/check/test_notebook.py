"""Notebooks and Python files as source: what is found, and what is never called failed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secure_ml_ext.demo
from secure_ml_ext.check.code import method_name
from secure_ml_ext.check.documents import Checker, read_text
from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.items import Item, Reading
from secure_ml_ext.check.notebook import (
    COMMAND,
    DEFAULTS,
    NOTHING,
    is_notebook,
    read_notebook,
    read_python,
)
from secure_ml_ext.iam import PolicyBundle
from secure_ml_ext.inventory import operations

NOTEBOOKS = Path(secure_ml_ext.demo.__file__).parent / "notebooks"
CHECKER = Checker.of()
CLIENT = 'import boto3\nsm = boto3.client("sagemaker")\n'
REQUEST = (
    'p = {"TrainingJobName": "x", "OutputDataConfig": {"S3OutputPath": "s3://x"},\n'
    '     "ResourceConfig": {"InstanceType": "ml.m5.xlarge"}}\n'
)
NETWORK = '{"Subnets": ["subnet-0a"], "SecurityGroupIds": ["sg-0a"]}'
ESTIMATOR = "from sagemaker.estimator import Estimator\n"


def notebook(*cells: str, **metadata: Any) -> dict[str, Any]:
    made = [{"cell_type": "code", "metadata": {}, "source": cell} for cell in cells]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}


def places(reading: Reading) -> list[tuple[str | None, str]]:
    return [(item.where, item.operation) for item in reading.items]


def only(source: str) -> Item:
    items = read_python(source).items
    assert len(items) == 1, items
    return items[0]


def states(item: Item) -> dict[str, str]:
    return {control.control: control.state for control in CHECKER.subject(item).controls}


def messages(reading: Reading) -> list[tuple[str | None, str]]:
    return [(note.where, note.message) for note in reading.notes]


# -- real notebooks -------------------------------------------------------------------------------

# Counted by hand in the notebooks: cells from 1 with the text between them, the line where the
# name of the method that sends the request stands.
LAB = {
    "lab4.ipynb": [
        ("cell 9, line 24", "CreateTrainingJob"),
        ("cell 14, line 2", "CreateTrainingJob"),
        ("cell 17, line 2", "CreateTrainingJob"),
        ("cell 21, line 11", "CreateTrainingJob"),
        ("cell 25, line 3", "CreateTrainingJob"),
        ("cell 28, line 2", "CreateProcessingJob"),
        ("cell 29, line 2", "CreateModel"),
        ("cell 30, line 1", "CreateEndpointConfig"),
        ("cell 31, line 2", "CreateHyperParameterTuningJob"),
        ("cell 33, line 3", "CreateTrainingJob"),
        ("cell 33, line 4", "CreateTransformJob"),
    ],
    "lab4-sdk-v2.ipynb": [
        ("cell 9, line 14", "CreateTrainingJob"),
        ("cell 14, line 1", "CreateTrainingJob"),
        ("cell 17, line 2", "CreateTrainingJob"),
        ("cell 21, line 11", "CreateTrainingJob"),
        ("cell 25, line 2", "CreateTrainingJob"),
        ("cell 28, line 11", "CreateProcessingJob"),
        ("cell 29, line 11", "CreateModel"),
        ("cell 30, line 9", "CreateEndpointConfig"),
        ("cell 31, line 12", "CreateHyperParameterTuningJob"),
        ("cell 33, line 4", "CreateTrainingJob"),
        ("cell 33, line 12", "CreateTransformJob"),
    ],
    "lab4-sdk-v3.ipynb": [
        ("cell 9, line 14", "CreateTrainingJob"),
        ("cell 14, line 2", "CreateTrainingJob"),
        ("cell 17, line 2", "CreateTrainingJob"),
        ("cell 21, line 15", "CreateTrainingJob"),
        ("cell 25, line 3", "CreateTrainingJob"),
        ("cell 28, line 15", "CreateProcessingJob"),
        ("cell 29, line 5", "CreateModel"),
        ("cell 30, line 4", "CreateEndpointConfig"),
        ("cell 31, line 15", "CreateHyperParameterTuningJob"),
        ("cell 33, line 3", "CreateTrainingJob"),
    ],
}


@pytest.mark.parametrize("name", LAB)
def test_the_sample_notebooks_are_read_to_the_line(name: str) -> None:
    reading = read_text((NOTEBOOKS / name).read_text(encoding="utf-8"), name)
    assert places(reading) == LAB[name]
    assert {item.kind for item in reading.items} == {"notebook-cell"}


@pytest.mark.parametrize("name", LAB)
def test_the_lab_s_open_job_fails_and_its_compliant_one_does_not(name: str) -> None:
    """The first job of the lab has no network and no keys; the fourth is the compliant one."""
    items = read_text((NOTEBOOKS / name).read_text(encoding="utf-8"), name).items
    opened, compliant = states(items[0]), states(items[3])
    for control in ("vpc", "volume-kms", "output-kms", "traffic-encryption"):
        assert opened[control] == "fail"
    assert "fail" not in compliant.values()
    # Its keys come from a function of the notebook, its flags are literal.
    assert compliant["volume-kms"] == compliant["output-kms"] == "depends"
    assert compliant["isolation"] == compliant["traffic-encryption"] == "pass"


def test_the_notebook_of_the_secure_mlops_sample_submits_nothing_itself() -> None:
    """Cells of sagemaker-pipeline.ipynb (aws-samples/amazon-sagemaker-secure-mlops, MIT-0).

    ``<PROJECT NAME>`` is no Python, and the pipeline is made by a module beside the notebook.
    """
    reading = read_notebook(
        notebook(
            "if False:\n    !pip install -U sagemaker",
            "!python --version",
            "import boto3\nimport sagemaker\nimport sagemaker.session\nimport json\n\n"
            'print(f"SageMaker version: {sagemaker.__version__}")',
            "#\u00a0use the current project name\nproject_name = <PROJECT NAME>\n"
            "project_id = sm.describe_project(ProjectName=project_name)['ProjectId']",
            "from pipelines.abalone.pipeline import get_pipeline\n\n"
            'pipeline = get_pipeline(\n    region=region,\n    base_job_prefix="Abalone"\n)',
            'pipeline.upsert(role_arn=env_data["PipelineExecutionRole"])',
        )
    )
    assert messages(reading) == [
        ("cell 4, line 2", "not readable as Python: invalid syntax"),
        (None, NOTHING),
    ]


def test_the_slides_estimator() -> None:
    """The estimator of the slides "Building ML environments for regulatory customers".

    Everything is set there, so nothing of the training job fails; ``deploy`` sends the model with
    the estimator's network, and an endpoint configuration with its own key.
    """
    reading = read_python(
        "import sagemaker\n"
        "xgb = sagemaker.estimator.Estimator(image_uri=xgboost_container,\n"
        "    hyperparameters=hyperparameters, role=role, instance_count=1,\n"
        "    instance_type='ml.m5.xlarge',\n"
        "    output_path='s3://{}/{}/output'.format(bucket, prefix),\n"
        "    encrypt_inter_container_traffic=True, enable_network_isolation=True,\n"
        "    subnets=['subnet-a46032fc', 'subnet-b46032ec'],\n"
        "    security_group_ids=['sg-e1fb8c9a'],\n"
        "    volume_kms_key='1234abcd-12ab-34cd-56ef-1234567890ab',\n"
        "    output_kms_key='1234abcd-12ab-34cd-56ef-1234567890ab')\n"
        "xgb.fit({'train': train})\n"
        "xgb_predictor = xgb.deploy(initial_instance_count=2, instance_type='ml.m5.xlarge',\n"
        "    kms_key='arn:aws:kms:us-west-2:111122223333:key/1234abcd')\n"
    )
    assert places(reading) == [
        ("line 11", "CreateTrainingJob"),
        ("line 12", "CreateModel"),
        ("line 12", "CreateEndpointConfig"),
    ]
    for item in reading.items:
        assert "fail" not in states(item).values()
    training, model, endpoint = (item.params for item in reading.items)
    assert training["VpcConfig"] == model["VpcConfig"]
    assert training["VpcConfig"]["Subnets"] == ["subnet-a46032fc", "subnet-b46032ec"]
    assert model["EnableNetworkIsolation"] is True
    assert endpoint["KmsKeyId"].endswith("key/1234abcd")


# -- boto3 ----------------------------------------------------------------------------------------


def test_every_method_is_called_as_botocore_calls_it() -> None:
    for operation in operations():
        assert method_name(operation) == botocore.xform_name(operation)
        found = only(f"{CLIENT}sm.{method_name(operation)}()")
        assert (found.where, found.operation) == ("line 3", operation)


@pytest.mark.parametrize(
    "client",
    [
        'boto3.client("sagemaker", region_name="eu-west-1")',
        "boto3.client(service_name='sagemaker')",
        'boto3.Session(profile_name="x").client("sagemaker")',
        'boto3.session.Session().client("sagemaker")',
        "boto3.client(name)",
        "get_client()",
    ],
)
def test_a_client_is_told_by_assignment_or_left_open(client: str) -> None:
    source = f'import boto3\nc = {client}\nd = c\nd.create_training_job(TrainingJobName="x")'
    assert only(source).where == "line 4"


@pytest.mark.parametrize(
    "source",
    [
        '# sm.create_training_job(TrainingJobName="x")',
        's = """\nsm.create_training_job(TrainingJobName="x")\n"""',
        'import boto3\nboto3.client("ec2").create_image(InstanceId="i-0", Name="x")',
        'get().create_image(InstanceId="i-0", Name="x")',
        'get().create_model(restApiId="x", name="y", contentType="z")',
        "get().create_model(**settings)",
        'import boto3\nboto3.client("codepipeline").create_pipeline(pipeline={})',
        "class Local:\n    pass\nLocal().create_training_job(TrainingJobName='x')",
        "sm.create_training_job",
        "create_training_job(TrainingJobName='x')",
        "sm.describe_training_job(TrainingJobName='x')",
        "if False:\n    sm.create_training_job(TrainingJobName='x')",
        "from tensorflow.keras import Model\nModel(a, b).fit(x)",
        "from sklearn.pipeline import Pipeline\nPipeline([]).fit(x)",
        "class Estimator:\n    pass\nEstimator().fit(x)",
        f"{ESTIMATOR}class Estimator:\n    pass\nEstimator().fit(x)",
        f"{ESTIMATOR}Estimator('i', 'r', 1, 'local').fit(x)",
        f"{ESTIMATOR}Estimator('i', 'r', 1, 'ml.m5.large')",
        "estimator.fit(x)",
    ],
)
def test_what_is_no_submission_is_not_taken_for_one(source: str) -> None:
    reading = read_python(source)
    assert reading.items == []
    assert messages(reading)[-1] == (None, NOTHING)


def test_parameters_are_followed_through_the_cells() -> None:
    reading = read_notebook(
        notebook(
            CLIENT + REQUEST,
            f'p["VpcConfig"] = {NETWORK}\nkey = "arn:aws:kms:eu-west-1:1:" + "key/k"',
            'p["ResourceConfig"]["VolumeKmsKeyId"] = key\nq = p | {"EnableNetworkIsolation": True}',
            'q.update(EnableInterContainerTrafficEncryption=True)\ndel q["OutputDataConfig"]\n'
            "sm.create_training_job(**q)",
            "sm.create_training_job(**p)",
        )
    )
    network = {"Subnets": ["subnet-0a"], "SecurityGroupIds": ["sg-0a"]}
    machine = {"InstanceType": "ml.m5.xlarge", "VolumeKmsKeyId": "arn:aws:kms:eu-west-1:1:key/k"}
    assert places(reading) == [
        ("cell 4, line 3", "CreateTrainingJob"),
        ("cell 5, line 1", "CreateTrainingJob"),
    ]
    assert reading.items[0].params == {
        "TrainingJobName": "x",
        "ResourceConfig": machine,
        "VpcConfig": network,
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
    }
    # ``p |`` makes a new dictionary: ``p`` itself has neither flag and keeps its output.
    assert reading.items[1].params == {
        "TrainingJobName": "x",
        "OutputDataConfig": {"S3OutputPath": "s3://x"},
        "ResourceConfig": machine,
        "VpcConfig": network,
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("os.environ['SUBNETS']", "os.environ['SUBNETS']"),
        ("lookup('a secret')", "lookup(…)"),
        ("f'arn:{account}:key'", "{account}"),
        ("name_of_nothing", "name_of_nothing"),
        ("a.b[0].c", "a.b[0].c"),
    ],
)
def test_what_is_not_literal_keeps_its_source_in_short(value: str, said: str) -> None:
    source = f'{CLIENT}{REQUEST}p["ResourceConfig"]["VolumeKmsKeyId"] = {value}\n'
    reading = read_python(f"{source}sm.create_training_job(**p)")
    item = reading.items[0]
    assert item.params["ResourceConfig"]["VolumeKmsKeyId"] == {"Unknown": said}
    assert states(item)["volume-kms"] == "depends"
    assert messages(reading) == [
        (
            "line 6",
            "cannot be decided from source: CreateTrainingJob /ResourceConfig/VolumeKmsKeyId "
            f"({said})",
        )
    ]


# Each hides something that may well be there, so nothing of it may be called failed.
HIDDEN = {
    "keywords": "def go(sm, **kw):\n    sm.create_training_job(TrainingJobName='x', **kw)",
    "an unknown dictionary": f"{CLIENT}sm.create_training_job(**load())",
    "a helper that completes it": f"{CLIENT}{REQUEST}secure(p)\nsm.create_training_job(**p)",
    "a helper that returns it": f"{CLIENT}{REQUEST}p = secure(p)\nsm.create_training_job(**p)",
    "an unknown update": f"{CLIENT}{REQUEST}p.update(load())\nsm.create_training_job(**p)",
    "an unknown key": f"{CLIENT}{REQUEST}p[name] = value\nsm.create_training_job(**p)",
    "a function that changes it": (
        f"{CLIENT}{REQUEST}def f():\n    p['VpcConfig'] = v\nf()\nsm.create_training_job(**p)"
    ),
    "a global": (
        f"{CLIENT}{REQUEST}def f():\n    global p\n    p = g()\nf()\nsm.create_training_job(**p)"
    ),
    "a later value": f"{CLIENT}def f():\n    sm.create_training_job(**p)\np = load()\nf()",
    "an estimator's keywords": f"{ESTIMATOR}Estimator(image_uri='i', **common).fit()",
    "an estimator handed on": (
        f"{ESTIMATOR}e = Estimator('i', 'r', 1, 'ml.m5.large')\nsecure(e)\ne.fit()"
    ),
    "configured defaults": (
        "import os\nos.environ['SAGEMAKER_USER_CONFIG_OVERRIDE'] = 'c.yaml'\n"
        f"{ESTIMATOR}Estimator('i', 'r', 1, 'ml.m5.large').fit()"
    ),
    "a tuner's estimator": (
        "from sagemaker.tuner import HyperparameterTuner as H\nH(make(), 'm', {}).fit()"
    ),
    "variants": f"{CLIENT}sm.create_endpoint_config(EndpointConfigName='x', ProductionVariants=v)",
}


@pytest.mark.parametrize("source", HIDDEN.values(), ids=HIDDEN)
def test_what_may_be_there_unseen_is_never_called_failed(source: str) -> None:
    reading = read_python(source)
    assert len(reading.items) == 1
    found = states(reading.items[0])
    assert "depends" in found.values()
    assert not {"fail", "warn"} & set(found.values()), found
    assert any(message.startswith("cannot be decided") for _, message in messages(reading))


def test_an_unknown_instance_type_may_have_local_disks() -> None:
    item = only(
        f"{CLIENT}sm.create_training_job(TrainingJobName='x', ResourceConfig={{'InstanceType': T}})"
    )
    assert states(item)["volume-kms"] == "depends"
    assert states(item)["vpc"] == "fail"


# -- control flow ---------------------------------------------------------------------------------


def after(change: str) -> dict[str, str]:
    return states(only(f"{CLIENT}{REQUEST}{change}\nsm.create_training_job(**p)"))


def test_branches_that_agree_are_known_and_others_are_not() -> None:
    on = 'p["EnableNetworkIsolation"] = True'
    assert after(f"if x:\n    {on}\nelse:\n    {on}")["isolation"] == "pass"
    assert after(f"if x:\n    {on}")["isolation"] == "depends"
    assert after(f"if not x:\n    raise SystemExit\n{on}")["isolation"] == "pass"
    assert after(f"if x:\n    raise SystemExit\nelse:\n    {on}")["isolation"] == "pass"
    assert after(f"try:\n    {on}\nexcept E:\n    pass")["isolation"] == "depends"
    assert after(f"try:\n    {on}\nexcept E:\n    raise")["isolation"] == "pass"
    assert after(f"while x:\n    {on}\n    break")["isolation"] == "depends"
    assert after(f"match x:\n    case 1:\n        {on}")["isolation"] == "depends"
    assert after(f"USE = True\nif USE:\n    {on}")["isolation"] == "pass"
    assert after(f"with x:\n    {on}")["isolation"] == "pass"


def test_in_a_loop_only_what_every_turn_has_is_known() -> None:
    item = only(
        f"{CLIENT}{REQUEST}for i in range(3):\n    p['TrainingJobName'] = f'job-{{i}}'\n"
        "    sm.create_training_job(**p)\n    p['EnableNetworkIsolation'] = True\n"
    )
    # The first turn has no isolation, the second has; none has a network.
    assert item.params["EnableNetworkIsolation"] == {"Unknown": "differs by branch"}
    assert states(item)["isolation"] == "depends"
    assert states(item)["vpc"] == "fail"


def test_a_function_s_submission_counts_where_it_stands() -> None:
    reading = read_python(
        f"{CLIENT}{REQUEST}def go(subnets=None):\n"
        '    p["VpcConfig"] = {"Subnets": subnets, "SecurityGroupIds": ["sg-0a"]}\n'
        "    sm.create_training_job(TrainingJobName='y', VpcConfig={\n"
        '        "Subnets": subnets, "SecurityGroupIds": ["sg-0a"]})\n'
    )
    assert places(reading) == [("line 7", "CreateTrainingJob")]
    assert reading.items[0].params["VpcConfig"] == {
        "Subnets": {"Unknown": "subnets"},
        "SecurityGroupIds": ["sg-0a"],
    }


# -- the SDKs -------------------------------------------------------------------------------------


def test_classes_count_under_whatever_name_they_are_imported() -> None:
    reading = read_python(
        "import sagemaker as sm\nfrom sagemaker.pytorch import PyTorch as PT\n"
        "PT('a.py', role='r', instance_type='ml.g5.xlarge', instance_count=1,\n"
        "   subnets=['s'], security_group_ids=['g'], output_kms_key='k').fit()\n"
        "sm.estimator.Estimator('img', 'r', 2, 'ml.m5.large').fit()\n"
        "sm.sklearn.SKLearn(entry_point='a.py', train_instance_type='ml.m5.large',\n"
        "                   train_volume_kms_key='k').fit()\n"
    )
    assert [where for where, _ in places(reading)] == ["line 4", "line 5", "line 7"]
    first, second, third = (item.params for item in reading.items)
    assert first["VpcConfig"] == {"Subnets": ["s"], "SecurityGroupIds": ["g"]}
    assert first["OutputDataConfig"]["KmsKeyId"] == "k"
    assert states(reading.items[0])["volume-kms"] == "exempt"  # g5 has local disks
    assert second["AlgorithmSpecification"] == {"TrainingImage": "img"}
    assert second["ResourceConfig"] == {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    # SDK v1 called them so.
    assert third["ResourceConfig"] == {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "k"}
    assert messages(reading) == [(None, DEFAULTS)]


def test_the_arguments_at_the_submission_decide() -> None:
    reading = read_python(
        f"{ESTIMATOR}e = Estimator('i', 'r', 1, 'ml.m5.large')\ne.fit()\n"
        "e.subnets = ['s']\ne.security_group_ids = ['g']\ne.fit()\n"
    )
    assert [states(item)["vpc"] for item in reading.items] == ["fail", "pass"]


def test_one_of_two_lists_is_no_network_for_sdk_v2() -> None:
    """The SDK refuses it: "both subnets and security_group_ids must be set"."""
    item = only(f"{ESTIMATOR}Estimator('i', 'r', 1, 'ml.m5.large', subnets=['s']).fit()")
    assert states(item)["vpc"] == "fail"


def test_processing_has_an_output_key_only_where_it_has_outputs() -> None:
    reading = read_python(
        "from sagemaker.network import NetworkConfig\n"
        "from sagemaker.processing import ProcessingOutput, Processor\n"
        "p = Processor('r', 'img', 1, 'ml.m5.xlarge', volume_kms_key='k', output_kms_key='o',\n"
        "    network_config=NetworkConfig(True, ['g'], ['s'], True))\n"
        "p.run(outputs=[ProcessingOutput(source='/o')])\np.run()\n"
    )
    first, second = reading.items
    assert first.params["NetworkConfig"] == {
        "VpcConfig": {"Subnets": ["s"], "SecurityGroupIds": ["g"]},
        "EnableInterContainerTrafficEncryption": True,
        "EnableNetworkIsolation": True,
    }
    assert first.params["ProcessingOutputConfig"]["KmsKeyId"] == "o"
    assert "ProcessingOutputConfig" not in second.params
    assert states(first)["output-kms"] == "pass"
    assert states(second)["output-kms"] == "na"


def test_models_endpoints_and_transforms_of_sdk_v2() -> None:
    reading = read_python(
        "from sagemaker.pytorch import PyTorchModel\n"
        "from sagemaker.model_monitor import DataCaptureConfig\n"
        f"m = PyTorchModel('s3://m', 'r', name='credit', vpc_config={NETWORK})\n"
        "m.deploy(2, 'ml.m5.large', kms_key='k', data_capture_config=DataCaptureConfig(True))\n"
        "t = m.transformer(1, 'ml.m5.large', output_kms_key='o')\n"
        "t.transform('s3://d')\n"
    )
    assert places(reading) == [
        ("line 4", "CreateModel"),
        ("line 4", "CreateEndpointConfig"),
        ("line 5", "CreateModel"),
        ("line 6", "CreateTransformJob"),
    ]
    model, endpoint, _, transform = reading.items
    assert states(model)["vpc"] == "pass"
    assert endpoint.params["ProductionVariants"][0]["ModelName"] == "credit"
    assert states(endpoint)["volume-kms"] == "pass"
    assert states(endpoint)["capture-kms"] == "fail"
    assert transform.params["ModelName"] == "credit"
    assert transform.params["TransformOutput"]["KmsKeyId"] == "o"
    assert states(transform)["volume-kms"] == "fail"


def test_tuning_of_sdk_v2_takes_everything_from_its_estimators() -> None:
    reading = read_python(
        f"{ESTIMATOR}from sagemaker.tuner import HyperparameterTuner as H\n"
        "e = Estimator('i', 'r', 1, 'ml.m5.large', subnets=['s'], security_group_ids=['g'],\n"
        "              volume_kms_key='k')\n"
        "H(e, 'auc', {}).fit()\nH.create(estimator_dict={'a': e, 'b': e}).fit()\n"
    )
    one, two = (item.params for item in reading.items)
    network = {"Subnets": ["s"], "SecurityGroupIds": ["g"]}
    assert one["TrainingJobDefinition"]["VpcConfig"] == network
    assert one["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] == {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "VolumeKmsKeyId": "k",
    }
    assert [each["VpcConfig"] for each in two["TrainingJobDefinitions"]] == [network, network]


def test_sdk_v3_trainer_resources_and_tuner() -> None:
    reading = read_python(
        "from sagemaker.core.resources import TrainingJob\n"
        "from sagemaker.core.shapes import OutputDataConfig as O, ResourceConfig, VpcConfig\n"
        "from sagemaker.core.training.configs import *\n"
        "from sagemaker.train import ModelTrainer\n"
        "from sagemaker.train.tuner import HyperparameterTuner\n"
        "t = ModelTrainer(training_image='i', networking=Networking(subnets=['s'],\n"
        "    security_group_ids=['g'], enable_network_isolation=True),\n"
        "    compute=Compute(instance_type='ml.m5.large', volume_kms_key_id='k'))\n"
        "t.train()\n"
        "HyperparameterTuner(t, 'auc', {}).tune()\n"
        "TrainingJob.create(training_job_name='x', vpc_config=VpcConfig(subnets=['s'],\n"
        "    security_group_ids=['g']), output_data_config=O(s3_output_path='p', kms_key_id='o'),\n"
        "    resource_config=ResourceConfig(instance_type='ml.m5.large'))\n"
    )
    assert places(reading) == [
        ("line 9", "CreateTrainingJob"),
        ("line 10", "CreateHyperParameterTuningJob"),
        ("line 11", "CreateTrainingJob"),
    ]
    trained, tuned, resource = (item.params for item in reading.items)
    network = {"Subnets": ["s"], "SecurityGroupIds": ["g"]}
    assert trained["VpcConfig"] == network
    assert trained["ResourceConfig"] == {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "k"}
    assert trained["EnableNetworkIsolation"] is True
    # The tuner of SDK v3 drops the volume key and the flags of its trainer.
    assert tuned["TrainingJobDefinition"]["VpcConfig"] == network
    assert tuned["TrainingJobDefinition"]["ResourceConfig"] == {"InstanceType": "ml.m5.large"}
    assert "EnableNetworkIsolation" not in tuned["TrainingJobDefinition"]
    assert resource == {
        "TrainingJobName": "x",
        "VpcConfig": network,
        "OutputDataConfig": {"S3OutputPath": "p", "KmsKeyId": "o"},
        "ResourceConfig": {"InstanceType": "ml.m5.large"},
    }


def test_monitors_automl_feature_groups_and_pipelines() -> None:
    reading = read_python(
        "from sagemaker.model_monitor import DefaultModelMonitor\n"
        "from sagemaker import AutoML\n"
        "from sagemaker.feature_store.feature_group import FeatureGroup\n"
        "from sagemaker.workflow.pipeline import Pipeline\n"
        "m = DefaultModelMonitor('r', 1, 'ml.m5.large', volume_kms_key='k')\n"
        "m.suggest_baseline('s3://b')\nm.create_monitoring_schedule(endpoint_input='e')\n"
        f"AutoML('r', 'y', 'o', vpc_config={NETWORK}).fit('s3://x')\n"
        "FeatureGroup('f').create('s3://x', 'i', 't', 'r', online_store_kms_key_id='k',\n"
        "    enable_online_store=True)\n"
        "Pipeline(name='p', steps=[]).upsert(role_arn='r')\n"
    )
    assert places(reading) == [
        ("line 6", "CreateProcessingJob"),
        ("line 7", "CreateDataQualityJobDefinition"),
        ("line 8", "CreateAutoMLJob"),
        ("line 9", "CreateFeatureGroup"),
    ]
    job, definition, automl, group = (item.params for item in reading.items)
    assert job["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == "k"
    assert definition["JobResources"]["ClusterConfig"]["VolumeKmsKeyId"] == "k"
    assert automl["OutputDataConfig"]["KmsKeyId"] == "o"
    assert automl["AutoMLJobConfig"]["SecurityConfig"]["VpcConfig"]["Subnets"] == ["subnet-0a"]
    assert group["OnlineStoreConfig"] == {
        "SecurityConfig": {"KmsKeyId": "k"},
        "EnableOnlineStore": True,
    }
    assert ("line 11", "cannot be decided from source: the steps of the pipeline "
            "(Pipeline.upsert)") in messages(reading)  # fmt: skip


# -- cells ----------------------------------------------------------------------------------------


def test_magics_commands_and_broken_cells_leave_lines_and_the_rest_in_place() -> None:
    send = "sm.create_model(ModelName='m')"
    content = notebook(
        "%%bash\naws sagemaker create-training-job --cli-input-json file://x",
        "%load_ext x\n!aws --region eu-west-1 sagemaker create-model --model-name x\nimport boto3",
        "def broken(:\n",
        f"%%time\nsm = boto3.client('sagemaker')\n{send}",
        f"x = (5\n  % 3)\ny = '''\n!aws sagemaker create-model\n'''\n?x\n{send}",
        f"%%writefile job.py\n{send}",
        f"for i in x:\n    !echo {{i}} \\\n      more\n{send}",
        f"%%secure_ml dry-run\nawait sm.create_model(ModelName='n')\nfiles = !ls\n{send}",
        "%%html\n<b>create_model</b>",
    )
    content["cells"].insert(0, {"cell_type": "markdown", "source": send})
    reading = read_notebook(content)
    assert places(reading) == [
        ("cell 5, line 3", "CreateModel"),
        ("cell 6, line 7", "CreateModel"),
        ("cell 8, line 4", "CreateModel"),
        ("cell 9, line 2", "CreateModel"),
        ("cell 9, line 4", "CreateModel"),
    ]
    assert messages(reading) == [
        ("cell 2, line 2", COMMAND),
        ("cell 3, line 2", COMMAND),
        ("cell 4, line 1", "not readable as Python: invalid syntax"),
    ]


def test_the_forms_of_nbformat() -> None:
    cell = {"cell_type": "code", "input": [CLIENT, "sm.create_model(ModelName='m')"]}
    old = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [cell]}]}
    assert places(read_notebook(old)) == [("cell 1, line 3", "CreateModel")]
    assert is_notebook(old)
    assert is_notebook(notebook("x"))
    for other in ({}, [], None, {"nbformat": 4}, {"cells": []}, {"cells": [1]}):
        assert not is_notebook(other)
    with pytest.raises(InputError, match="nbformat"):
        read_notebook({"cells": 3})
    with pytest.raises(InputError, match="cell 1: its source is no text"):
        read_notebook({"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]})


def test_other_languages_are_not_read() -> None:
    for metadata in ({"kernelspec": {"language": "R"}}, {"language_info": {"name": "scala"}}):
        reading = read_notebook(notebook("sm.create_model(ModelName='m')", **metadata))
        assert reading.items == []
        assert "only Python is read" in reading.notes[0].message


# -- anything -------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        *("p", "=", "(", ")", "[", "]", "{", "}", "**", "*", ":", ",", ".", "|", "+", "if", "else"),
        *("for", "in", "while", "try:", "except", "finally:", "def", "class", "return", "break"),
        *("continue", "lambda", "await", "async", "with", "as", "import", "from", "sagemaker"),
        *("boto3", "client", "'sagemaker'", "sm", ".create_training_job(", "**p", ".update("),
        *(".fit(", "Estimator", "ModelTrainer", "\n", "\n\t", "\n\t\t", "%time", "!ls", "global"),
        *("nonlocal", "yield", "match", "case", "_", "1", "'a'", "f'{p}'", "#", "\\", "?", "@"),
        *(":=", "~", "not", "del"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("cells", "worksheets", "nbformat", "source", "input", "metadata"),
                    *("cell_type", "kernelspec", "language", "language_info", "name"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=80))
def test_any_text_gives_a_reading(source: str) -> None:
    for reading in (read_python(source), read_notebook(notebook(source, source))):
        assert reading.items or reading.notes


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_gives_a_reading_or_says_why_not(content: Any) -> None:
    if not isinstance(content, Mapping):
        assert not is_notebook(content)
        return
    try:
        reading = read_notebook(content)
    except InputError:
        return
    json.dumps([item.params for item in reading.items])


HUGE = {
    "nesting": "x = " + "(" * 5000 + ")" * 5000,
    "a chain": "x = " + "a.b" * 1 + ".c" * 50_000,
    "a sum": "x = " + "+".join(["a"] * 50_000),
    "nested lists": "x = " + "[" * 150 + "]" * 150,
    "branches": REQUEST + "if y:\n    p['a'] = 1\n" * 4_000,
    "loops": "".join(f"{' ' * n}for i{n} in x:\n" for n in range(60)) + " " * 60 + "y = 1",
    "functions": REQUEST + "def f():\n    p.update(a=1)\n" * 4_000,
    "doubling": "x = {'a': 1}\n" + "x = {'a': x, 'b': x}\n" * 200 + "sm.create_model(**x)\n" * 50,
    "doubling lists": "x = [1]\n" + "x = x + x\n" * 200,
    "doubling text": "x = 'a'\n" + "x = x + x\n" * 200,
    "numbers": "x = 10\n" + "x = x * x\n" * 200,
    "a deep value": "x = []\n" + "x = [x]\n" * 4_000 + CLIENT + "sm.create_model(ModelName=x)",
    "a circle": "x = {}\nx['a'] = x\n" + CLIENT + "sm.create_model(ModelName='m', VpcConfig=x)",
    "many names": "".join(f"n{i} = {{}}\n" for i in range(8_000)) + "if x:\n    y = 1\n" * 500,
    "long list": "x = [" + "1, " * 90_000 + "]",
    "questions": "a" * 900_000 + "?",
    "quotes": "'" * 900_001,
}


@pytest.mark.parametrize("source", HUGE.values(), ids=HUGE)
def test_the_huge_is_read_within_bounds(source: str) -> None:
    before = time.monotonic()
    for reading in (read_python(source), read_notebook(notebook(source))):
        json.dumps([item.params for item in reading.items])
        assert reading.items or reading.notes
    assert time.monotonic() - before < 60  # seconds; generous, a runaway takes hours


def test_what_is_too_large_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="split it"):
        read_python("x" * 5_000_001)
    with pytest.raises(InputError, match="split it"):
        read_notebook(notebook(*["x" * 900_000] * 6))
    with pytest.raises(InputError, match="split it"):
        read_notebook({"nbformat": 4, "cells": [{"cell_type": "raw"}] * 20_001})


# -- IAM ------------------------------------------------------------------------------------------


def test_iam_does_not_call_denied_what_may_be_there_unseen() -> None:
    """A Deny on ``Null VpcSubnets`` hits a request without subnets, not one that hides them."""
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "sagemaker:CreateTrainingJob",
            "Resource": "*",
            "Condition": {"Null": {"sagemaker:VpcSubnets": "true"}},
        },
    ]
    identity = [{"Version": "2012-10-17", "Statement": statements}]
    bundle = PolicyBundle.from_dict(
        {"schema": "secure-ml/policies@1", "identity": identity, "scps": []}
    )
    checker = Checker.of(bundle=bundle)

    def verdict(change: str) -> str:
        item = only(f"{CLIENT}{REQUEST}{change}\nsm.create_training_job(**p)")
        return checker.subject(item).iam.verdict

    assert verdict("") == "explicitly-denied"
    assert verdict('p["VpcConfig"] = lookup()') == "depends"
    assert verdict("p.update(lookup())") == "depends"
    assert verdict(f'p["VpcConfig"] = {NETWORK}') == "allowed"
