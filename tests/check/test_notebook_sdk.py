"""Submissions with the SageMaker Python SDKs in source: the requests they become."""

from __future__ import annotations

from secure_ml_ext.check.notebook import DEFAULTS, read_python
from tests.check.sources import ESTIMATOR, NETWORK, messages, only, places, states


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
