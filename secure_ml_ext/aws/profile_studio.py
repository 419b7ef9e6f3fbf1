"""Profile sources in SageMaker itself: Studio domain and space, project, notebook instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .clients import account_of, metadata_path, resource_metadata
from .gather import Asker, Gathered

_DOMAIN_VALUES = (
    "subnets",
    "security_groups",
    "vpc_id",
    "efs_kms_key",
    "execution_role",
    "network_access",
    "domain_id",
    "project",
    "environment",
)
_NOTEBOOK_VALUES = ("subnets", "security_groups", "volume_kms_key", "execution_role")
_PROJECT_TAG = "sagemaker:project-name"


@dataclass
class Place:
    """Where this process runs, and the names that lead on to the SSM parameters."""

    domain_id: str | None = None
    project: str | None = None
    environment: str | None = None
    environment_type: str | None = None
    team: str | None = None
    account: str | None = None
    sources: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, value: Any, source: str) -> None:
        """Keep the first value of a name."""
        if isinstance(value, str) and value and getattr(self, name) is None:
            setattr(self, name, value)
            self.sources[name] = source

    def note_tags(self, tags: dict[str, str], source: str) -> None:
        """Read the tags of the seeds' environments: ``EnvironmentName``, ``EnvironmentType``."""
        name, kind = tags.get("EnvironmentName"), tags.get("EnvironmentType")
        if name and kind:
            self.note("environment", f"{name}-{kind}", f"{source} EnvironmentName-EnvironmentType")
        self.note("environment_type", kind, f"{source} EnvironmentType")
        self.note("team", tags.get("Team") or tags.get("TeamName"), f"{source} Team")
        self.note("project", tags.get(_PROJECT_TAG), f"{source} {_PROJECT_TAG}")


def from_studio(asker: Asker, place: Place) -> Gathered:
    """Describe the domain (and the space and its owner, whose settings go first).

    The domain is the one of the resource metadata file, or the one that made the
    project (DescribeProject, ``CreatedBy.DomainId``).
    """
    gathered = Gathered()
    metadata = resource_metadata()
    place.note("domain_id", metadata.get("DomainId"), f"metadata:{metadata_path()}")
    place.note("account", account_of(_text(metadata.get("ResourceArn"))), "metadata")
    if place.domain_id is None and place.project is not None:
        _ask_project(asker, place)
    if place.domain_id is None:
        where = f"metadata:{metadata_path()}" + ("" if metadata else " (not there)")
        gathered.asked_for_all(_DOMAIN_VALUES, where)
        return gathered
    gathered.put("domain_id", place.domain_id, place.sources["domain_id"])
    space = _text(metadata.get("SpaceName"))
    if space is not None:
        _ask_space(asker, place, gathered, space)
    _ask_domain(asker, place, gathered)
    return gathered


def _ask_domain(asker: Asker, place: Place, gathered: Gathered) -> None:
    domain = asker.ask("sagemaker", "DescribeDomain", "describe_domain", DomainId=place.domain_id)
    where = f"domain:{place.domain_id}"
    users = domain.get("DefaultUserSettings") or {}
    spaces = domain.get("DefaultSpaceSettings") or {}
    gathered.put("subnets", domain.get("SubnetIds"), f"{where} SubnetIds")
    for settings, part in ((users, "DefaultUserSettings"), (spaces, "DefaultSpaceSettings")):
        gathered.put(
            "security_groups", settings.get("SecurityGroups"), f"{where} {part}.SecurityGroups"
        )
        gathered.put(
            "execution_role", settings.get("ExecutionRole"), f"{where} {part}.ExecutionRole"
        )
    gathered.put("vpc_id", domain.get("VpcId"), f"{where} VpcId")
    gathered.put(
        "network_access", domain.get("AppNetworkAccessType"), f"{where} AppNetworkAccessType"
    )
    gathered.put("efs_kms_key", domain.get("KmsKeyId"), f"{where} KmsKeyId")
    # The name of the same member before 2021; old domains still answer with it.
    gathered.put(
        "efs_kms_key", domain.get("HomeEfsFileSystemKmsKeyId"), f"{where} HomeEfsFileSystemKmsKeyId"
    )
    arn = _text(domain.get("DomainArn"))
    if arn is not None:
        place.note("account", account_of(arn), where)
        place.note_tags(_tags(asker, arn), f"{where} tag")


def _ask_space(asker: Asker, place: Place, gathered: Gathered, space: str) -> None:
    described = asker.ask(
        "sagemaker",
        "DescribeSpace",
        "describe_space",
        DomainId=place.domain_id,
        SpaceName=space,
    )
    arn = _text(described.get("SpaceArn"))
    if arn is not None:
        place.note_tags(_tags(asker, arn), f"space:{space} tag")
    owner = _text((described.get("OwnershipSettings") or {}).get("OwnerUserProfileName"))
    if owner is None:
        return
    user = asker.ask(
        "sagemaker",
        "DescribeUserProfile",
        "describe_user_profile",
        DomainId=place.domain_id,
        UserProfileName=owner,
    )
    settings = user.get("UserSettings") or {}
    where = f"user-profile:{owner}"
    gathered.put("security_groups", settings.get("SecurityGroups"), f"{where} SecurityGroups")
    gathered.put("execution_role", settings.get("ExecutionRole"), f"{where} ExecutionRole")


def _ask_project(asker: Asker, place: Place) -> None:
    described = asker.ask(
        "sagemaker", "DescribeProject", "describe_project", ProjectName=place.project
    )
    made_in = _text((described.get("CreatedBy") or {}).get("DomainId"))
    place.note("domain_id", made_in, f"project:{place.project} CreatedBy.DomainId")
    arn = _text(described.get("ProjectArn"))
    if arn is not None:
        place.note("account", account_of(arn), f"project:{place.project}")
        if made_in is None:
            place.note_tags(_tags(asker, arn), f"project:{place.project} tag")


def from_notebook_instance(asker: Asker, place: Place) -> Gathered:
    """Describe the notebook instance this process runs on, if it runs on one.

    Its metadata file has a ``ResourceName`` and no ``DomainId``.
    """
    gathered = Gathered()
    metadata = resource_metadata()
    name = _text(metadata.get("ResourceName"))
    if name is None or metadata.get("DomainId"):
        gathered.asked_for_all(_NOTEBOOK_VALUES, "notebook instance (this is none)")
        return gathered
    described = asker.ask(
        "sagemaker",
        "DescribeNotebookInstance",
        "describe_notebook_instance",
        NotebookInstanceName=name,
    )
    where = f"notebook-instance:{name}"
    gathered.put("subnets", described.get("SubnetId"), f"{where} SubnetId")
    gathered.put("security_groups", described.get("SecurityGroups"), f"{where} SecurityGroups")
    gathered.put("volume_kms_key", described.get("KmsKeyId"), f"{where} KmsKeyId")
    gathered.put("execution_role", described.get("RoleArn"), f"{where} RoleArn")
    arn = _text(described.get("NotebookInstanceArn"))
    if arn is not None:
        place.note("account", account_of(arn), where)
        place.note_tags(_tags(asker, arn), f"{where} tag")
    return gathered


def _tags(asker: Asker, arn: str) -> dict[str, str]:
    """Return the tags of a resource, all pages (ten at most: AWS allows 50 tags)."""
    tags: dict[str, str] = {}
    extra: dict[str, str] = {}
    for _ in range(10):
        reply = asker.ask("sagemaker", "ListTags", "list_tags", ResourceArn=arn, **extra)
        for tag in reply.get("Tags") or []:
            tags[str(tag.get("Key"))] = str(tag.get("Value") or "")
        token = reply.get("NextToken")
        if not token or token == extra.get("NextToken"):
            break
        extra = {"NextToken": token}
    return tags


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
