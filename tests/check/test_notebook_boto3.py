"""Requests of boto3 in source: what is found, and what is never called failed."""

from __future__ import annotations

import botocore
import pytest

from secure_ml_ext.check.code import method_name
from secure_ml_ext.check.documents import Checker
from secure_ml_ext.check.notebook import NOTHING, read_notebook, read_python
from secure_ml_ext.iam import PolicyBundle
from secure_ml_ext.inventory import operations
from tests.check.sources import (
    CLIENT,
    ESTIMATOR,
    NETWORK,
    REQUEST,
    messages,
    notebook,
    only,
    places,
    states,
)


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
