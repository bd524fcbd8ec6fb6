"""Each subnet's way to Systems Manager, without which no builder ever comes online.

A builder is launched without a public address of its own asking, so an internet gateway serves it
only in a subnet that gives one (EC2 API, RunInstances and MapPublicIpOnLaunch). A route table that
is not associated with a subnet serves it as the VPC's main one (VPC User Guide, "Route tables").
A public NAT gateway needs an internet gateway itself (VPC User Guide, "NAT gateways").
Not looked at: network ACLs, firewalls, and what lies behind a transit gateway or a peering.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kiln.adapters._errors import translated
from kiln_cli.doctor import endpoints
from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Site, every

CHECK = "network"
_EVERYWHERE = "0.0.0.0/0"
# Other targets of a route (EC2 API, Route): what is behind them is not to be seen from here.
_BEYOND = (
    *("TransitGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId", "LocalGatewayId"),
    *("CarrierGatewayId", "CoreNetworkArn", "InstanceId"),
)


def network(site: Site) -> Iterator[Finding]:
    """The subnets that builders go to, one by one, then the builders' security group."""
    ec2 = site.clients("ec2")
    given = [name for name in site.parameter("SubnetIds").split(",") if name]
    by_id = {"Name": "subnet-id", "Values": given}
    default = {"Name": "default-for-az", "Values": ["true"]}
    chosen = [by_id if given else default]
    subnets = list(every(ec2, "ec2", "describe_subnets", "Subnets", Filters=chosen))
    yield from _missing(given, subnets)
    if not subnets:
        return
    vpcs = sorted({subnet["VpcId"] for subnet in subnets})
    in_vpcs = [{"Name": "vpc-id", "Values": vpcs}]
    tables = list(every(ec2, "ec2", "describe_route_tables", "RouteTables", Filters=in_vpcs))
    for subnet in sorted(subnets, key=lambda one: one["SubnetId"]):
        yield from _addresses(site, subnet)
        yield from _way(site, subnet, tables)
    yield from _group(site, vpcs)


def _missing(given: list[str], subnets: list[Any]) -> Iterator[Finding]:
    there = {subnet["SubnetId"] for subnet in subnets}
    for name in given:
        if name not in there:
            what = f"subnet {name} of SubnetIds does not exist here"
            mend = "make deploy PARAMETERS='SubnetIds=SUBNET,SUBNET'"
            yield Finding(CHECK, name, "broken", what, mend)
    if not given and not there:
        what = "SubnetIds is empty, and the account has no default subnet here"
        yield Finding(CHECK, "default", "broken", what, "aws ec2 create-default-vpc")


def _addresses(site: Site, subnet: Any) -> Iterator[Finding]:
    free, most = subnet["AvailableIpAddressCount"], int(site.parameter("MaxBakes") or 10)
    if free < most:
        what = f"has {free} free addresses, MaxBakes is {most}"
        mend = "make deploy PARAMETERS='SubnetIds=LARGER,SUBNETS'"
        yield Finding(CHECK, subnet["SubnetId"], "note" if free else "broken", what, mend)


def table_of(subnet: Any, tables: list[Any]) -> Any:
    """The route table that serves a subnet: its own, else its VPC's main one."""
    main = None
    for table in tables:
        for link in table.get("Associations", ()):
            if link.get("SubnetId") == subnet["SubnetId"]:
                return table
            if link.get("Main") and table["VpcId"] == subnet["VpcId"]:
                main = table
    return main


def _way(site: Site, subnet: Any, tables: list[Any]) -> Iterator[Finding]:
    name, table = subnet["SubnetId"], table_of(subnet, tables)
    route = _default_route(table)
    if route is None:
        yield from endpoints.endpoints(site, subnet, table)
    elif route.get("State") == "blackhole":
        what = f"its default route in {table['RouteTableId']} leads to nothing any more"
        mend = (
            f"aws ec2 replace-route --route-table-id {table['RouteTableId']} "
            f"--destination-cidr-block {_EVERYWHERE} --gateway-id GATEWAY"
        )
        yield Finding(CHECK, name, "broken", what, mend)
    elif str(route.get("GatewayId", "")).startswith("igw-"):
        yield _public(subnet, route["GatewayId"])
    elif "NatGatewayId" in route:
        yield _nat(site, subnet, route["NatGatewayId"], tables)
    else:
        found = (route[key] for key in _BEYOND if key in route)
        target = next(found, route.get("GatewayId", "something unknown"))
        what = f"its default route leads to {target}; whether there is a way on is not to be seen"
        mend = f"aws ec2 describe-route-tables --route-table-ids {table['RouteTableId']}"
        yield Finding(CHECK, name, "note", what, mend)


def _default_route(table: Any) -> Any:
    for route in table["Routes"] if table else ():
        if route.get("DestinationCidrBlock") == _EVERYWHERE:
            return route
    return None


def _public(subnet: Any, gateway: str) -> Finding:
    name = subnet["SubnetId"]
    if subnet.get("MapPublicIpOnLaunch"):
        return Finding(CHECK, name, "well", f"reaches Systems Manager by {gateway}")
    what = f"leads to {gateway}, and gives instances no public address to use it with"
    mend = f"aws ec2 modify-subnet-attribute --subnet-id {name} --map-public-ip-on-launch"
    return Finding(CHECK, name, "broken", what, mend)


def _nat(site: Site, subnet: Any, gateway: str, tables: list[Any]) -> Finding:
    name = subnet["SubnetId"]
    wanted = [{"Name": "nat-gateway-id", "Values": [gateway]}]
    rows = every(site.clients("ec2"), "ec2", "describe_nat_gateways", "NatGateways", Filters=wanted)
    found = next(iter(rows), None)
    state = found["State"] if found else "gone"
    look = f"aws ec2 describe-nat-gateways --nat-gateway-ids {gateway}"
    if found is None or state != "available":
        return Finding(CHECK, name, "broken", f"leads to {gateway}, which is {state}", look)
    if found.get("ConnectivityType", "public") != "public":
        what = f"leads to {gateway}, which is private and has no way to the internet"
        return Finding(CHECK, name, "broken", what, look)
    # One of another VPC, by a shared route, is not in these tables.
    own = table_of(found, tables)
    onward = _default_route(own)
    if own is not None and not str((onward or {}).get("GatewayId", "")).startswith("igw-"):
        what = f"leads to {gateway}, whose own subnet {found['SubnetId']} has no internet gateway"
        mend = (
            f"aws ec2 create-route --route-table-id {own['RouteTableId']} "
            f"--destination-cidr-block {_EVERYWHERE} --gateway-id GATEWAY"
        )
        return Finding(CHECK, name, "broken", what, mend)
    return Finding(CHECK, name, "well", f"reaches Systems Manager by {gateway}")


def _group(site: Site, vpcs: list[str]) -> Iterator[Finding]:
    """The builders' security group: of the same VPC, and open outward for HTTPS."""
    name = site.output("BuilderSecurityGroupId")
    with translated("ec2", "DescribeSecurityGroups"):
        answer = site.clients("ec2").describe_security_groups(
            Filters=[{"Name": "group-id", "Values": [name]}]
        )
    if not answer["SecurityGroups"]:
        what = f"the builders' security group {name} does not exist"
        yield Finding(CHECK, name, "broken", what, "make deploy")
        return
    group = answer["SecurityGroups"][0]
    if group["VpcId"] not in vpcs:
        what = f"is of {group['VpcId']}, the subnets are of {', '.join(vpcs)}"
        mend = f"make deploy PARAMETERS='VpcId={vpcs[0]}'"
        yield Finding(CHECK, name, "broken", what, mend)
    elif not any(map(endpoints.is_https, group.get("IpPermissionsEgress", ()))):
        what = "lets builders call nobody: HTTPS outward is not allowed"
        mend = (
            f"aws ec2 authorize-security-group-egress --group-id {name} --protocol tcp --port 443 "
            f"--cidr {_EVERYWHERE}"
        )
        yield Finding(CHECK, name, "broken", what, mend)
    else:
        yield Finding(CHECK, name, "well", "lets builders call out by HTTPS")
