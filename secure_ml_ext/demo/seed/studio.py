"""The Studio domain, its user and space, the project made there, and notebook instances."""

from __future__ import annotations

from typing import Any

from ..aws.client import ACCOUNT, REGION
from ..aws.kinds import kinds
from ..aws.store import store
from .world import (
    DOMAIN,
    ENVIRONMENT_NAME,
    ENVIRONMENT_TYPE,
    EXECUTION_ROLE,
    PROJECT,
    SPACE,
    TEAM,
    USER_PROFILE,
    World,
    role_arn,
    tags,
    unless_there,
)

MONTH = 30 * 86_400.0


def plant(world: World) -> None:
    """Create the Studio resources."""
    world.domain_id = _domain(world)
    sagemaker = world.client("sagemaker")
    with unless_there():
        sagemaker.create_user_profile(
            DomainId=world.domain_id,
            UserProfileName=USER_PROFILE,
            UserSettings={
                "ExecutionRole": role_arn(EXECUTION_ROLE),
                "SecurityGroups": [world.security_groups["userprofile-sg"]],
            },
        )
    with unless_there():
        sagemaker.create_space(
            DomainId=world.domain_id,
            SpaceName=SPACE,
            OwnershipSettings={"OwnerUserProfileName": USER_PROFILE},
            SpaceSharingSettings={"SharingType": "Private"},
            SpaceSettings={"AppType": "JupyterLab"},
        )
    _project(world)
    _notebooks(world)


def _domain(world: World) -> str:
    sagemaker = world.client("sagemaker")
    for entry in sagemaker.list_domains()["Domains"]:
        if entry["DomainName"] == DOMAIN:
            return str(entry["DomainId"])
    made = sagemaker.create_domain(
        DomainName=DOMAIN,
        AuthMode="IAM",
        VpcId=world.vpc_id,
        SubnetIds=world.subnets,
        AppNetworkAccessType="VpcOnly",
        KmsKeyId=world.keys["efs"],
        DefaultUserSettings={
            "ExecutionRole": role_arn(EXECUTION_ROLE),
            "SecurityGroups": [world.security_groups["sagemaker-sg"]],
            "SharingSettings": {"NotebookOutputOption": "Disabled"},
        },
        Tags=tags(EnvironmentName=ENVIRONMENT_NAME, EnvironmentType=ENVIRONMENT_TYPE, Team=TEAM),
    )
    return str(made["DomainId"])


def _project(world: World) -> None:
    with unless_there():
        world.client("sagemaker").create_project(
            ProjectName=PROJECT,
            ProjectDescription="Credit risk, built and deployed in the governed environment",
            ServiceCatalogProvisioningDetails={"ProductId": "prod-securemlopsdemo"},
            Tags=tags(EnvironmentName=ENVIRONMENT_NAME, EnvironmentType=ENVIRONMENT_TYPE),
        )
    # Only Studio fills CreatedBy; the API has no member for it.
    record = store(ACCOUNT, REGION).get(kinds()["Project"], PROJECT)
    if record is not None and "CreatedBy" not in record.extra:
        profile = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:user-profile/{world.domain_id}"
        record.extra["CreatedBy"] = {
            "UserProfileArn": f"{profile}/{USER_PROFILE}",
            "UserProfileName": USER_PROFILE,
            "DomainId": world.domain_id,
        }
        record.shift(MONTH)
        for kind, key in (
            ("Domain", world.domain_id),
            ("UserProfile", f"{world.domain_id}/{USER_PROFILE}"),
            ("Space", f"{world.domain_id}/{SPACE}"),
        ):
            made = store(ACCOUNT, REGION).get(kinds()[kind], key)
            if made is not None:
                made.shift(MONTH)


def _notebooks(world: World) -> None:
    governed: dict[str, Any] = {
        "SubnetId": world.subnets[0],
        "SecurityGroupIds": [world.security_groups["sagemaker-sg"]],
        "KmsKeyId": world.keys["ebs"],
        "DirectInternetAccess": "Disabled",
        "RootAccess": "Disabled",
        "PlatformIdentifier": "notebook-al2023-v1",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
    }
    for name, more in (("governed-notebook", governed), ("open-notebook", {})):
        with unless_there():
            world.client("sagemaker").create_notebook_instance(
                NotebookInstanceName=name,
                InstanceType="ml.t3.medium",
                RoleArn=role_arn(EXECUTION_ROLE),
                **more,
            )
            record = store(ACCOUNT, REGION).get(kinds()["NotebookInstance"], name)
            if record is not None:
                record.shift(MONTH)
