"""A subnet's way to Systems Manager: by a gateway, by NAT, by endpoints, or none."""

from __future__ import annotations

from typing import Any

import pytest

from kiln_cli.doctor.network import network
from tests.examined import Examined, a_site, states

SUBNET = {
    "SubnetId": "subnet-0a",
    "VpcId": "vpc-0a",
    "CidrBlock": "10.0.1.0/24",
    "AvailableIpAddressCount": 200,
    "MapPublicIpOnLaunch": False,
}
EVERYWHERE = "0.0.0.0/0"
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
ALL_OUT = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYWHERE}]}
FROM_BUILDERS = HTTPS | {"UserIdGroupPairs": [{"GroupId": "sg-0b"}]}


def a_table(*routes: dict[str, Any], subnet: str = "subnet-0a", **more: Any) -> dict[str, Any]:
    """A route table that is associated with a subnet, or the VPC's main one."""
    link = {"SubnetId": subnet} if subnet else {"Main": True}
    made = {"RouteTableId": "rtb-0a", "VpcId": "vpc-0a", "Associations": [link]}
    return made | {"Routes": [LOCAL, *routes]} | more


def to(**target: str) -> dict[str, Any]:
    """A default route."""
    return {"DestinationCidrBlock": EVERYWHERE, "State": "active"} | target


def looks(aws: Examined, tables: list[Any], **subnet: Any) -> None:
    """What is asked of every subnet."""
    aws["ec2"].answer("describe_subnets", {"Subnets": [SUBNET | subnet]})
    aws["ec2"].answer("describe_route_tables", {"RouteTables": tables})


def group(aws: Examined, *egress: dict[str, Any], vpc: str = "vpc-0a") -> None:
    """The builders' security group, looked at last."""
    row = {"GroupId": "sg-0b", "VpcId": vpc, "IpPermissionsEgress": list(egress or (ALL_OUT,))}
    aws["ec2"].answer("describe_security_groups", {"SecurityGroups": [row]})


def test_a_public_subnet_reaches_by_its_internet_gateway() -> None:
    with a_site() as aws:
        looks(aws, [a_table(to(GatewayId="igw-0a"))], MapPublicIpOnLaunch=True)
        group(aws)
        assert states(aws.found(network)) == ["well", "well"]


def test_an_internet_gateway_is_no_way_without_a_public_address() -> None:
    with a_site() as aws:
        looks(aws, [a_table(to(GatewayId="igw-0a"))])
        group(aws)
        found = aws.found(network)
    assert found[0].state == "broken"
    assert "no public address" in found[0].what
    assert "--map-public-ip-on-launch" in str(found[0].mend)


def test_a_subnet_without_a_table_of_its_own_has_its_vpcs_main_one() -> None:
    main = a_table(to(GatewayId="igw-0a"), subnet="")
    other = a_table(subnet="subnet-0z", RouteTableId="rtb-0z")
    with a_site() as aws:
        looks(
            aws, [main | {"VpcId": "vpc-0z", "Routes": []}, main, other], MapPublicIpOnLaunch=True
        )
        group(aws)
        assert aws.found(network)[0].state == "well"


def test_a_route_that_leads_to_nothing_is_broken() -> None:
    with a_site() as aws:
        looks(aws, [a_table(to(NatGatewayId="nat-0a", State="blackhole"))])
        group(aws)
        found = aws.found(network)
    assert (found[0].state, "leads to nothing any more" in found[0].what) == ("broken", True)


@pytest.mark.parametrize(
    ("nat", "public", "state", "says"),
    [
        ({"State": "available"}, True, "well", "nat-0a"),
        ({"State": "failed"}, True, "broken", "which is failed"),
        ({"State": "available", "ConnectivityType": "private"}, True, "broken", "is private"),
        ({"State": "available"}, False, "broken", "no internet gateway"),
        (None, True, "broken", "which is gone"),
    ],
)
def test_nat_must_work_itself(nat: Any, public: bool, state: str, says: str) -> None:
    out = a_table(*([to(GatewayId="igw-0a")] if public else ()), subnet="subnet-0n")
    rows = (
        [nat | {"NatGatewayId": "nat-0a", "SubnetId": "subnet-0n", "VpcId": "vpc-0a"}]
        if nat
        else []
    )
    with a_site() as aws:
        looks(aws, [a_table(to(NatGatewayId="nat-0a")), out])
        aws["ec2"].answer("describe_nat_gateways", {"NatGateways": rows})
        group(aws)
        found = aws.found(network)
    assert found[0].state == state
    assert says in found[0].what


def test_what_lies_behind_a_transit_gateway_is_not_called_well() -> None:
    with a_site() as aws:
        looks(aws, [a_table(to(TransitGatewayId="tgw-0a"))])
        group(aws)
        found = aws.found(network)
    assert (found[0].state, "tgw-0a" in found[0].what) == ("note", True)


def test_a_subnet_that_is_not_there_is_named() -> None:
    with a_site(SubnetIds="subnet-0a,subnet-0f") as aws:
        looks(aws, [a_table(to(GatewayId="igw-0a"))], MapPublicIpOnLaunch=True)
        group(aws)
        found = aws.found(network)
    assert (found[0].about, found[0].state) == ("subnet-0f", "broken")


def test_an_account_without_default_subnets_needs_some() -> None:
    with a_site() as aws:
        aws["ec2"].answer("describe_subnets", {"Subnets": []})
        (finding,) = aws.found(network)
    assert (finding.state, finding.mend) == ("broken", "aws ec2 create-default-vpc")


@pytest.mark.parametrize(("free", "state"), [(0, "broken"), (3, "note")])
def test_builders_need_addresses(free: int, state: str) -> None:
    with a_site(MaxBakes="10") as aws:
        table = a_table(to(GatewayId="igw-0a"))
        looks(aws, [table], MapPublicIpOnLaunch=True, AvailableIpAddressCount=free)
        group(aws)
        assert states(aws.found(network)) == [state, "well", "well"]


@pytest.mark.parametrize(
    ("egress", "vpc", "says"),
    [
        ((HTTPS | {"FromPort": 80, "ToPort": 80},), "vpc-0a", "call nobody"),
        ((), "vpc-0b", "is of vpc-0b, the subnets are of vpc-0a"),
    ],
)
def test_the_builders_group_must_let_them_out(egress: Any, vpc: str, says: str) -> None:
    with a_site() as aws:
        looks(aws, [a_table(to(GatewayId="igw-0a"))], MapPublicIpOnLaunch=True)
        group(aws, *egress, vpc=vpc)
        found = aws.found(network)
    assert found[1].state == "broken"
    assert says in found[1].what


# ------------------------------------------------------------------ endpoints


def an_endpoint(service: str, **more: Any) -> dict[str, Any]:
    """An interface endpoint of a service, well made; of S3 a gateway."""
    made = {
        "VpcEndpointId": f"vpce-{service}",
        "VpcId": "vpc-0a",
        "ServiceName": f"com.amazonaws.eu-west-1.{service}",
        "State": "available",
        "VpcEndpointType": "Interface",
        "PrivateDnsEnabled": True,
        "Groups": [{"GroupId": "sg-0e"}],
    }
    if service == "s3":
        made |= {"VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-0a"], "Groups": []}
    return made | more


ENDPOINTS = {name: an_endpoint(name) for name in ("ssm", "ssmmessages", "ec2messages", "s3")}


def closed(
    aws: Examined,
    endpoints: dict[str, Any],
    rules: tuple[dict[str, Any], ...] = (FROM_BUILDERS,),
    dns: bool = True,
) -> None:
    """A subnet that leads nowhere, in a VPC with these endpoints."""
    looks(aws, [a_table()])
    ec2 = aws["ec2"]
    ec2.answer("describe_vpc_endpoints", {"VpcEndpoints": list(endpoints.values())})
    rows = [{"GroupId": "sg-0e", "IpPermissions": list(rules)}]
    for service in ("ssm", "ssmmessages", "ec2messages"):
        if service in endpoints:
            ec2.answer("describe_security_groups", {"SecurityGroups": rows})
    if endpoints:
        for key in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.answer("describe_vpc_attribute", {"VpcId": "vpc-0a", key: {"Value": dns}})
    group(aws)


def test_a_closed_subnet_reaches_by_endpoints() -> None:
    with a_site() as aws:
        closed(aws, ENDPOINTS)
        assert states(aws.found(network)) == ["well", "well"]


def test_a_subnet_with_no_way_at_all_gets_every_command() -> None:
    with a_site() as aws:
        closed(aws, {})
        found = aws.found(network)
    assert found[0].state == "broken"
    assert "no way to Systems Manager" in found[0].what
    assert str(found[0].mend).count("create-vpc-endpoint") == 4


@pytest.mark.parametrize(
    ("name", "state"),
    [("ssm", "broken"), ("ssmmessages", "broken"), ("s3", "broken"), ("ec2messages", "note")],
)
def test_an_endpoint_that_is_missing_is_named(name: str, state: str) -> None:
    with a_site() as aws:
        closed(aws, {key: row for key, row in ENDPOINTS.items() if key != name})
        found = aws.found(network)
    assert found[0].state == state
    assert f".{name}" in str(found[0].mend)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"State": "pending"}, "is pending"),
        ({"PrivateDnsEnabled": False}, "no private DNS"),
    ],
)
def test_an_endpoint_must_work(change: dict[str, Any], says: str) -> None:
    with a_site() as aws:
        closed(aws, ENDPOINTS | {"ssm": an_endpoint("ssm", **change)})
        found = aws.found(network)
    assert states(found) == ["broken", "well"]
    assert says in found[0].what


def test_the_state_of_an_endpoint_is_written_in_two_ways() -> None:
    with a_site() as aws:
        closed(aws, ENDPOINTS | {"ssm": an_endpoint("ssm", State="Available")})
        assert states(aws.found(network)) == ["well", "well"]


@pytest.mark.parametrize(
    ("rule", "open_"),
    [
        (HTTPS | {"IpRanges": [{"CidrIp": "10.0.0.0/16"}]}, True),
        (HTTPS | {"IpRanges": [{"CidrIp": "10.0.2.0/24"}]}, False),
        (HTTPS | {"UserIdGroupPairs": [{"GroupId": "sg-0z"}]}, False),
        (ALL_OUT, True),
        (FROM_BUILDERS | {"FromPort": 80, "ToPort": 80}, False),
    ],
)
def test_an_endpoint_must_let_the_builders_in(rule: dict[str, Any], open_: bool) -> None:
    with a_site() as aws:
        closed(aws, ENDPOINTS, (rule,))
        found = aws.found(network)
    assert states(found) == (["well", "well"] if open_ else [*["broken"] * 3, "well"])


def test_private_dns_needs_the_vpcs_dns() -> None:
    with a_site() as aws:
        closed(aws, ENDPOINTS, dns=False)
        found = aws.found(network)
    assert [finding.what.split()[0] for finding in found[:2]] == [
        "enableDnsSupport",
        "enableDnsHostnames",
    ]


def test_a_gateway_of_s3_must_serve_the_subnets_own_table() -> None:
    with a_site() as aws:
        closed(aws, ENDPOINTS | {"s3": an_endpoint("s3", RouteTableIds=["rtb-0z"])})
        found = aws.found(network)
    assert "--add-route-table-ids rtb-0a" in str(found[0].mend)


def test_an_interface_of_s3_does_too() -> None:
    with a_site() as aws:
        closed(aws, ENDPOINTS | {"s3": an_endpoint("s3", VpcEndpointType="Interface")})
        assert states(aws.found(network)) == ["well", "well"]
