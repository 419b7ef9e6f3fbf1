"""The VPC with three private subnets, groups and endpoints; and a foreign VPC."""

from __future__ import annotations

from typing import Any

from ..aws.client import REGION
from .world import PREFIX, World, tags

CIDR = "10.20"
FOREIGN_CIDR = "172.30"
# Service, type, and the name under which the parameters know the endpoint.
ENDPOINTS = (("s3", "Gateway"), ("kms", "Interface"), ("sagemaker.api", "Interface"))


def plant(world: World) -> None:
    """Create the networks."""
    world.vpc_id = _vpc(world, f"{PREFIX}-vpc", f"{CIDR}.0.0/16")
    world.subnets = [
        _subnet(world, world.vpc_id, f"{PREFIX}-private-sn-{n}a", f"{CIDR}.{n}.0/24", zone)
        for n, zone in ((1, "a"), (2, "b"), (3, "c"))
    ]
    for name in ("sagemaker-sg", "userprofile-sg", "vpce-sg"):
        world.security_groups[name] = _group(world, world.vpc_id, f"{PREFIX}-{name}")
    _allow_within(world, world.security_groups["sagemaker-sg"])
    _endpoints(world)
    foreign = _vpc(world, "foreign-vpc", f"{FOREIGN_CIDR}.0.0/16")
    world.foreign_subnet = _subnet(
        world, foreign, "foreign-subnet-a", f"{FOREIGN_CIDR}.1.0/24", "a"
    )
    world.foreign_group = _group(world, foreign, "foreign-sg")


def _named(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": tags(Name=name)}]


def _find(replies: list[dict[str, Any]], member: str) -> str | None:
    return str(replies[0][member]) if replies else None


def _by_name(name: str) -> list[dict[str, Any]]:
    return [{"Name": "tag:Name", "Values": [name]}]


def _vpc(world: World, name: str, cidr: str) -> str:
    ec2 = world.client("ec2")
    known = _find(ec2.describe_vpcs(Filters=_by_name(name))["Vpcs"], "VpcId")
    if known:
        return known
    made = ec2.create_vpc(CidrBlock=cidr, TagSpecifications=_named("vpc", name))
    return str(made["Vpc"]["VpcId"])


def _subnet(world: World, vpc: str, name: str, cidr: str, zone: str) -> str:
    ec2 = world.client("ec2")
    known = _find(ec2.describe_subnets(Filters=_by_name(name))["Subnets"], "SubnetId")
    if known:
        return known
    made = ec2.create_subnet(
        VpcId=vpc,
        CidrBlock=cidr,
        AvailabilityZone=f"{REGION}{zone}",
        TagSpecifications=_named("subnet", name),
    )
    return str(made["Subnet"]["SubnetId"])


def _group(world: World, vpc: str, name: str) -> str:
    ec2 = world.client("ec2")
    groups = ec2.describe_security_groups(Filters=_by_name(name))["SecurityGroups"]
    known = _find(groups, "GroupId")
    if known:
        return known
    made = ec2.create_security_group(
        GroupName=name,
        Description=f"{name} of the demo",
        VpcId=vpc,
        TagSpecifications=_named("security-group", name),
    )
    return str(made["GroupId"])


def _allow_within(world: World, group: str) -> None:
    """Let the members of a group talk to each other, as distributed training needs."""
    ec2 = world.client("ec2")
    known = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    if known["IpPermissions"]:
        return
    permission = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


def _endpoints(world: World) -> None:
    ec2 = world.client("ec2")
    known = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [world.vpc_id]}])[
        "VpcEndpoints"
    ]
    by_service = {entry["ServiceName"]: entry["VpcEndpointId"] for entry in known}
    for service, kind in ENDPOINTS:
        name = f"com.amazonaws.{REGION}.{service}"
        if name not in by_service:
            more: dict[str, Any] = (
                {}
                if kind == "Gateway"
                else {
                    "SubnetIds": world.subnets,
                    "SecurityGroupIds": [world.security_groups["vpce-sg"]],
                    "PrivateDnsEnabled": True,
                }
            )
            made = ec2.create_vpc_endpoint(
                VpcId=world.vpc_id, ServiceName=name, VpcEndpointType=kind, **more
            )
            by_service[name] = made["VpcEndpoint"]["VpcEndpointId"]
        world.endpoints[service] = by_service[name]
