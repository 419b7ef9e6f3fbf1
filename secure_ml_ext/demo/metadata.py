"""What SageMaker Studio writes about the machine a space runs on."""

from __future__ import annotations

from typing import Any

from .aws import Embedded

DOMAIN = "sm-mlops-dev-domain"
SPACE = "data-scientist-lab"
USER_PROFILE = "data-scientist"


def studio_metadata(aws: Embedded) -> dict[str, Any]:
    """The resource metadata of a JupyterLab app in the seeded domain.

    Members as Studio writes them ("Get Amazon SageMaker Studio app metadata").
    """
    sagemaker = aws.client("sagemaker")
    domains = sagemaker.list_domains()["Domains"]
    domain = next(entry for entry in domains if entry["DomainName"] == DOMAIN)
    described = sagemaker.describe_domain(DomainId=domain["DomainId"])
    path = f"{domain['DomainId']}/{SPACE}/jupyterlab/default"
    return {
        "AppType": "JupyterLab",
        "DomainId": domain["DomainId"],
        "SpaceName": SPACE,
        "UserProfileName": USER_PROFILE,
        "ExecutionRoleArn": described["DefaultUserSettings"]["ExecutionRole"],
        "ResourceArn": domain["DomainArn"].split(":domain/")[0] + f":app/{path}",
        "ResourceName": "default",
        "AppImageVersion": "",
    }
