"""What the reader of source knows of SDK v2, compared with the SDK and the requests it sends."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from secure_ml_ext.check.source_classes import ESTIMATORS, MODELS, MONITORS, PROCESSORS, order_of
from secure_ml_ext.demo.aws import Embedded
from tests.notebooks import sdk
from tests.notebooks.source import compare

# Bases that nobody makes an object of.
ABSTRACT = {"EstimatorBase", "AmazonAlgorithmEstimatorBase", "ModelBase", "ClarifyModelMonitor"}


def below(base: type) -> Iterator[type]:
    for each in [base, *base.__subclasses__()]:
        if each is not base:
            yield from below(each)
        elif each.__module__.startswith("sagemaker") and not each.__name__.startswith("_"):
            yield each


PACKAGES = (
    *("amazon", "chainer", "djl_inference", "huggingface", "jumpstart", "mxnet", "pytorch", "rl"),
    *("sklearn", "spark", "sparkml", "tensorflow", "wrangler", "xgboost"),
)


def load() -> None:
    """Load every module with classes of these families."""
    names = ("estimator", "processing", "model", "model_monitor", "multidatamodel", "pipeline")
    for name in (*names, "algorithm"):
        importlib.import_module(f"sagemaker.{name}")
    for name in PACKAGES:
        package = importlib.import_module(f"sagemaker.{name}")
        for found in pkgutil.iter_modules(package.__path__):
            if name == "amazon" or found.name in ("estimator", "processing", "model"):
                importlib.import_module(f"sagemaker.{name}.{found.name}")


def families() -> list[tuple[Any, Any]]:
    from sagemaker.estimator import EstimatorBase
    from sagemaker.model import ModelBase
    from sagemaker.model_monitor import ModelMonitor
    from sagemaker.processing import Processor

    return [
        (EstimatorBase, ESTIMATORS),
        (Processor, PROCESSORS),
        (ModelBase, MODELS),
        (ModelMonitor, MONITORS),
    ]


def test_every_class_of_the_sdk_is_known_with_its_order(sdk_loaded: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load()
    seen = 0
    for base, known in families():
        for each in set(below(base)):
            if each.__name__ in ABSTRACT or each.__name__ == "DeprecatedClass":
                continue
            assert each.__name__ in known, each
            seen += 1
            names = [
                parameter.name
                for parameter in list(inspect.signature(each.__init__).parameters.values())[1:]
                if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            ]
            order = order_of(f"{each.__module__}.{each.__name__}")
            assert tuple(names[: len(order)]) == order, each
    assert seen > 40


START = """
from sagemaker.automl.automl import AutoML
from sagemaker.estimator import Estimator
from sagemaker.feature_store.feature_definition import FeatureDefinition, FeatureTypeEnum
from sagemaker.feature_store.feature_group import FeatureGroup
from sagemaker.model import Model
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.network import NetworkConfig
from sagemaker.processing import ProcessingOutput, Processor
from sagemaker.transformer import Transformer
from sagemaker.tuner import HyperparameterTuner, IntegerParameter

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-risk:1.4"
ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a0a0a0a-0000-4000-8000-000000000001"
DATA = "s3://sm-mlops-dev-eu-west-1-data/x"
NETWORK = {"Subnets": ["subnet-0a"], "SecurityGroupIds": ["sg-0a"]}
common = dict(role=ROLE, sagemaker_session=session)
machine = dict(instance_count=1, instance_type="ml.m5.xlarge")
"""
PROGRAMS = {
    "bare training": (
        "Estimator(IMAGE, **common, **machine).fit(DATA, wait=False)",
        ["CreateTrainingJob"],
    ),
    "full training": (
        "e = Estimator(IMAGE, **common, **machine, subnets=NETWORK['Subnets'],\n"
        "    security_group_ids=NETWORK['SecurityGroupIds'], volume_kms_key=KEY,\n"
        "    output_kms_key=KEY, encrypt_inter_container_traffic=True,\n"
        "    enable_network_isolation=True)\ne.fit(DATA, wait=False)",
        ["CreateTrainingJob"],
    ),
    "changed on the way": (
        "e = Estimator(IMAGE, **common, **machine)\ne.subnets = NETWORK['Subnets']\n"
        "e.security_group_ids = ['sg-0a']\ne.output_kms_key = KEY\ne.fit(DATA, wait=False)",
        ["CreateTrainingJob"],
    ),
    "processing": (
        "p = Processor(ROLE, IMAGE, 1, 'ml.m5.xlarge', sagemaker_session=session,\n"
        "    volume_kms_key=KEY, output_kms_key=KEY,\n"
        "    network_config=NetworkConfig(True, ['sg-0a'], ['subnet-0a'], True))\n"
        "p.run(outputs=[ProcessingOutput(source='/o', destination=DATA)], wait=False, logs=False)\n"
        "p.run(wait=False, logs=False)\n"
        "Processor(ROLE, IMAGE, 1, 'ml.m5.xlarge', sagemaker_session=session).run(\n"
        "    wait=False, logs=False)",
        ["CreateProcessingJob"] * 3,
    ),
    "tuning": (
        "e = Estimator(IMAGE, **common, **machine, volume_kms_key=KEY,\n"
        "    encrypt_inter_container_traffic=True)\n"
        "HyperparameterTuner(e, 'auc', {'depth': IntegerParameter(1, 9)},\n"
        "    metric_definitions=[{'Name': 'auc', 'Regex': '.'}]).fit(DATA, wait=False)",
        ["CreateHyperParameterTuningJob"],
    ),
    "model": (
        "m = Model(IMAGE, DATA, **common, vpc_config=NETWORK, enable_network_isolation=True)\n"
        "m.create(instance_type='ml.m5.xlarge')\nModel(IMAGE, DATA, **common).create()",
        ["CreateModel", "CreateModel"],
    ),
    "endpoint": (
        "m = Model(IMAGE, DATA, **common, vpc_config=NETWORK)\n"
        "m.deploy(2, 'ml.m5.xlarge', kms_key=KEY, wait=False,\n"
        "    data_capture_config=DataCaptureConfig(True, kms_key_id=KEY,\n"
        "        sagemaker_session=session))",
        ["CreateModel", "CreateEndpointConfig"],
    ),
    "transform": (
        "m = Model(IMAGE, DATA, **common)\n"
        "t = m.transformer(1, 'ml.m5.xlarge', output_kms_key=KEY)\n"
        "t.transform(DATA, wait=False)\n"
        "Transformer(m.name, 1, 'ml.m5.xlarge', volume_kms_key=KEY,\n"
        "    sagemaker_session=session).transform(DATA, wait=False)",
        ["CreateModel", "CreateTransformJob", "CreateTransformJob"],
    ),
    "automl": (
        "AutoML(ROLE, 'y', KEY, sagemaker_session=session, vpc_config=NETWORK,\n"
        "    volume_kms_key=KEY, encrypt_inter_container_traffic=True,\n"
        "    ).fit(DATA, wait=False)",
        ["CreateAutoMLJob"],
    ),
    "feature group": (
        "g = FeatureGroup('g', session, [FeatureDefinition('i', FeatureTypeEnum.STRING),\n"
        "    FeatureDefinition('t', FeatureTypeEnum.STRING)])\n"
        "g.create(DATA, 'i', 't', ROLE, online_store_kms_key_id=KEY, enable_online_store=True)",
        ["CreateFeatureGroup"],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_read_is_what_is_sent(
    name: str, aws: Embedded, session: Any, recorder: sdk.Recorder
) -> None:
    program, operations = PROGRAMS[name]
    source = f"{START}{program}\n"
    assert compare(source, {"session": session}, recorder) == operations
