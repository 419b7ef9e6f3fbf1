"""The organisation: root, the unit `workloads` with its service control policy, the account.

The demo's account is a delegated administrator, so that its administrator may read the policies
above it; the organisation is managed by another account.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
from moto.organizations.models import organizations_backends

from ..aws.client import ACCOUNT, MANAGEMENT_ACCOUNT, MANAGEMENT_KEY, REGION, SECRET
from .identity import fix_user_key
from .policies import GUARDRAILS
from .world import PREFIX, World

UNIT = "workloads"
GUARDRAILS_NAME = f"{PREFIX}-guardrails"
MANAGER = "organisation-admin"


def plant(world: World) -> None:
    """Create the organisation, once."""
    fix_user_key(MANAGEMENT_ACCOUNT, MANAGER, MANAGEMENT_KEY)
    if organizations_backends[MANAGEMENT_ACCOUNT]["aws"].org is not None:
        return
    organizations: Any = boto3.Session(
        aws_access_key_id=MANAGEMENT_KEY, aws_secret_access_key=SECRET, region_name=REGION
    ).client("organizations", endpoint_url=world.url)
    organizations.create_organization(FeatureSet="ALL")
    (root,) = organizations.list_roots()["Roots"]
    organizations.enable_policy_type(RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY")
    unit = organizations.create_organizational_unit(ParentId=root["Id"], Name=UNIT)
    unit_id = unit["OrganizationalUnit"]["Id"]
    _join(organizations)
    organizations.move_account(
        AccountId=ACCOUNT, SourceParentId=root["Id"], DestinationParentId=unit_id
    )
    policy = organizations.create_policy(
        Name=GUARDRAILS_NAME,
        Description="What SageMaker workloads must have",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps(GUARDRAILS),
    )
    policy_id = policy["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy_id, TargetId=unit_id)
    organizations.register_delegated_administrator(
        AccountId=ACCOUNT, ServicePrincipal="access-analyzer.amazonaws.com"
    )


def _join(organizations: Any) -> None:
    """Make the demo's account a member; moto makes accounts with random numbers only."""
    made = organizations.create_account(AccountName=PREFIX, Email="ml@example.com")
    given = made["CreateAccountStatus"]["AccountId"]
    account = organizations_backends[MANAGEMENT_ACCOUNT]["aws"].get_account_by_id(given)
    account.id = ACCOUNT
    members = organizations_backends.master_accounts
    members[ACCOUNT] = members.pop(given)
