"""What the parts of the seed share: names, clients, and the ids found so far."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.exceptions

from ..aws.client import ACCOUNT, ADMIN_KEY, REGION, SECRET

ENVIRONMENT_NAME = "sm-mlops"
ENVIRONMENT_TYPE = "dev"
PREFIX = f"{ENVIRONMENT_NAME}-{ENVIRONMENT_TYPE}"
# The workshop names its parameters by team and environment.
TEAM = "fsi"
TEAM_ENVIRONMENT = f"{TEAM}-{ENVIRONMENT_TYPE}"
PROJECT = "secure-mlops-demo"
DOMAIN = f"{PREFIX}-domain"
USER_PROFILE = "data-scientist"
SPACE = "data-scientist-lab"
DATA_BUCKET = f"{PREFIX}-{REGION}-data"
MODEL_BUCKET = f"{PREFIX}-{REGION}-models"
LAKE_BUCKET = f"{PREFIX}-{REGION}-lake"
EXECUTION_ROLE = f"{PREFIX}-execution-role"
PIPELINE_ROLE = f"{PREFIX}-pipeline-execution-role"
MODEL_ROLE = f"{PREFIX}-model-execution-role"
BUNDLE_KEY = "secure-ml/policies.json"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/credit-risk:1.4"
EXISTS = frozenset(
    {
        "ResourceInUse",
        "EntityAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "BucketAlreadyExists",
        "AlreadyExistsException",
        "InvalidPermission.Duplicate",
    }
)


def role_arn(name: str) -> str:
    """The ARN of a role of the demo's account."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def policy_arn(name: str) -> str:
    """The ARN of a managed policy of the demo's account."""
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


@dataclass
class World:
    """Ids and ARNs as they become known."""

    url: str
    vpc_id: str = ""
    subnets: list[str] = field(default_factory=list)
    security_groups: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    foreign_subnet: str = ""
    foreign_group: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    domain_id: str = ""
    _clients: dict[str, Any] = field(default_factory=dict)
    _session: Any = None

    def client(self, service: str) -> Any:
        """A client with the administrator's key, made once per service."""
        if service not in self._clients:
            self._session = self._session or boto3.Session(
                aws_access_key_id=ADMIN_KEY, aws_secret_access_key=SECRET, region_name=REGION
            )
            self._clients[service] = self._session.client(service, endpoint_url=self.url)
        return self._clients[service]


@contextlib.contextmanager
def unless_there() -> Iterator[None]:
    """Let "exists already" pass, nothing else."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in EXISTS:
            raise


def tags(**values: str) -> list[dict[str, str]]:
    """Tags in the form SageMaker, EC2 and IAM take."""
    return [{"Key": key, "Value": value} for key, value in values.items()]
