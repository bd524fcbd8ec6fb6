"""A subnet that leads nowhere: can its builders reach Systems Manager by VPC endpoints?

What is needed: Systems Manager User Guide, "Improve the security of EC2 instances by using VPC
endpoints": interface endpoints of ssm and ssmmessages with private DNS, which let HTTPS in from the
instances; ec2messages for agents before 3.3.40.0; S3 by a gateway or an interface. Private DNS
works where the VPC has both its DNS attributes (VPC User Guide, "DNS attributes for your VPC").
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from kiln.adapters._errors import translated
from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Site, every

CHECK = "network"
NEEDED = ("ssm", "ssmmessages")
OLD_AGENTS = "ec2messages"
_DNS = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}
_OPTIONS = {
    "enableDnsSupport": "--enable-dns-support",
    "enableDnsHostnames": "--enable-dns-hostnames",
}


def is_https(permission: Any) -> bool:
    """Whether a rule of a security group is about TCP port 443 (EC2 API, IpPermission: protocol -1
    is all)."""
    if permission["IpProtocol"] == "-1":
        return True
    if permission["IpProtocol"] not in ("tcp", "6"):
        return False
    return bool(permission.get("FromPort", 0) <= 443 <= permission.get("ToPort", 65535))


def endpoints(site: Site, subnet: Any, table: Any) -> Iterator[Finding]:
    """What the subnet lacks; well where it lacks nothing."""
    name, vpc = subnet["SubnetId"], subnet["VpcId"]
    ec2 = site.clients("ec2")
    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    rows = list(every(ec2, "ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=in_vpc))
    there = {service: _of(rows, service) for service in (*NEEDED, OLD_AGENTS, "s3")}
    if not any(there.values()):
        what = (
            "has no way to Systems Manager: no route to an internet or NAT gateway, and no "
            f"endpoints of {', '.join((*NEEDED, 's3'))} in {vpc}"
        )
        mend = " && ".join(_make(site, subnet, service) for service in (*NEEDED, OLD_AGENTS))
        mend += f" && {_make_s3(site, subnet, _name_of(table))}"
        yield Finding(CHECK, name, "broken", what, mend)
        return
    lacking = list(_lacking(site, subnet, table, there))
    yield from lacking
    if not any(finding.state == "broken" for finding in lacking):
        yield Finding(CHECK, name, "well", "reaches Systems Manager by endpoints of its VPC")


def _of(rows: list[Any], service: str) -> list[Any]:
    """By the end of its name: com.amazonaws.REGION.ssm, cn.com.amazonaws.REGION.ssm."""
    return [row for row in rows if row["ServiceName"].split(".")[-1] == service]


def _make(site: Site, subnet: Any, service: str) -> str:
    return (
        f"aws ec2 create-vpc-endpoint --vpc-id {subnet['VpcId']} --vpc-endpoint-type Interface "
        f"--service-name com.amazonaws.{site.region}.{service} --subnet-ids {subnet['SubnetId']} "
        "--security-group-ids GROUP --private-dns-enabled"
    )


def _make_s3(site: Site, subnet: Any, route_table: str) -> str:
    return (
        f"aws ec2 create-vpc-endpoint --vpc-id {subnet['VpcId']} --vpc-endpoint-type Gateway "
        f"--service-name com.amazonaws.{site.region}.s3 --route-table-ids {route_table}"
    )


def _name_of(table: Any) -> str:
    return str(table["RouteTableId"]) if table else "TABLE"


def _lacking(site: Site, subnet: Any, table: Any, there: dict[str, list[Any]]) -> Iterator[Finding]:
    name = subnet["SubnetId"]
    for service in NEEDED:
        if there[service]:
            yield from _interface(site, subnet, there[service][0])
        else:
            what = f"no endpoint of {service} in {subnet['VpcId']}"
            yield Finding(CHECK, name, "broken", what, _make(site, subnet, service))
    if there[OLD_AGENTS]:
        yield from _interface(site, subnet, there[OLD_AGENTS][0])
    else:
        what = f"no endpoint of {OLD_AGENTS}: agents before 3.3.40.0 do not come online"
        yield Finding(CHECK, name, "note", what, _make(site, subnet, OLD_AGENTS))
    yield from _dns(site, subnet)
    yield from _s3(site, subnet, table, there["s3"])


def _interface(site: Site, subnet: Any, endpoint: Any) -> Iterator[Finding]:
    name, id_ = subnet["SubnetId"], endpoint["VpcEndpointId"]
    service = endpoint["ServiceName"].split(".")[-1]
    # EC2 writes it in lower case and in capitals alike (EC2 API, VpcEndpoint: State).
    if endpoint["State"].lower() != "available":
        what = f"endpoint {id_} of {service} is {endpoint['State']}"
        mend = f"aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {id_}"
        yield Finding(CHECK, name, "broken", what, mend)
    if not endpoint.get("PrivateDnsEnabled"):
        what = f"endpoint {id_} of {service} has no private DNS: agents do not find it"
        mend = f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {id_} --private-dns-enabled"
        yield Finding(CHECK, name, "broken", what, mend)
    yield from _let_in(site, subnet, endpoint)


def _let_in(site: Site, subnet: Any, endpoint: Any) -> Iterator[Finding]:
    groups = [group["GroupId"] for group in endpoint.get("Groups", ())]
    builders = site.output("BuilderSecurityGroupId")
    with translated("ec2", "DescribeSecurityGroups"):
        answer = site.clients("ec2").describe_security_groups(
            Filters=[{"Name": "group-id", "Values": groups or ["sg-none"]}]
        )
    rules = [rule for group in answer["SecurityGroups"] for rule in group["IpPermissions"]]
    if any(is_https(rule) and _from(rule, subnet, builders) for rule in rules):
        return
    id_ = endpoint["VpcEndpointId"]
    what = f"endpoint {id_} lets no HTTPS in from the builders (group {builders})"
    mend = (
        f"aws ec2 authorize-security-group-ingress --group-id {(groups or ['GROUP'])[0]} "
        f"--protocol tcp --port 443 --source-group {builders}"
    )
    yield Finding(CHECK, subnet["SubnetId"], "broken", what, mend)


def _from(rule: Any, subnet: Any, builders: str) -> bool:
    """Whether a rule lets the builders in, by their group or by the addresses of their subnet."""
    if any(pair.get("GroupId") == builders for pair in rule.get("UserIdGroupPairs", ())):
        return True
    own = ip_network(subnet["CidrBlock"])
    ranges = (ip_network(one["CidrIp"]) for one in rule.get("IpRanges", ()))
    return any(own.subnet_of(found) for found in ranges if found.version == own.version)  # type: ignore[arg-type]


def _dns(site: Site, subnet: Any) -> Iterator[Finding]:
    ec2, vpc = site.clients("ec2"), subnet["VpcId"]
    for attribute, key in _DNS.items():
        with translated("ec2", "DescribeVpcAttribute"):
            told = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        if not told[key]["Value"]:
            what = f"{attribute} of {vpc} is off: private DNS of endpoints does not work"
            mend = f"aws ec2 modify-vpc-attribute --vpc-id {vpc} {_OPTIONS[attribute]}"
            yield Finding(CHECK, subnet["SubnetId"], "broken", what, mend)


def _s3(site: Site, subnet: Any, table: Any, found: list[Any]) -> Iterator[Finding]:
    route_table = _name_of(table)
    gateways = [row for row in found if row["VpcEndpointType"] == "Gateway"]
    if any(row["VpcEndpointType"] == "Interface" for row in found):
        return
    if any(route_table in row.get("RouteTableIds", ()) for row in gateways):
        return
    name = subnet["SubnetId"]
    if gateways:
        id_ = gateways[0]["VpcEndpointId"]
        what = f"endpoint {id_} of S3 does not serve {route_table}"
        mend = (
            f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {id_} "
            f"--add-route-table-ids {route_table}"
        )
    else:
        what = f"no endpoint of S3 in {subnet['VpcId']}: no output is kept and nothing is fetched"
        mend = _make_s3(site, subnet, route_table)
    yield Finding(CHECK, name, "broken", what, mend)
