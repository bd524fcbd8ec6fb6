"""Managed nodes: DescribeInstanceInformation (Systems Manager API Reference)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.ssm.exceptions import SSMException

from kiln_local.ec2 import Ec2

_Row = dict[str, Any]
_KEYS = {
    "InstanceIds": "InstanceId",
    "PingStatus": "PingStatus",
    "PlatformTypes": "PlatformType",
    "ResourceType": "ResourceType",
    "AgentVersion": "AgentVersion",
}
# Systems Manager API, DescribeInstanceInformation: MaxResults is 5 to 50, and 10 by itself.
_PAGE = 10


def described(response: Any, ec2: Ec2) -> _Row:
    """One page of the nodes that every filter lets through."""
    wanted, region = list(_wanted(response)), response.region
    rows = [row for row in _rows(ec2, region) if all(row[key] in values for key, values in wanted)]
    begin, size = _page(response)
    answer: _Row = {"InstanceInformationList": rows[begin : begin + size]}
    return answer | ({"NextToken": str(begin + size)} if len(rows) > begin + size else {})


def _wanted(response: Any) -> Iterator[tuple[str, list[str]]]:
    new = response._get_param("Filters") or []
    old = response._get_param("InstanceInformationFilterList") or []
    if new and old:
        raise SSMException(
            "ValidationException", "Filters and InstanceInformationFilterList exclude each other."
        )
    pairs = [(f["Key"], f["Values"]) for f in new] + [(f["key"], f["valueSet"]) for f in old]
    for key, values in pairs:
        if key not in _KEYS:
            raise SSMException("InvalidFilterKey", f"The local AWS does not filter nodes by {key}.")
        yield _KEYS[key], values


def _page(response: Any) -> tuple[int, int]:
    token = response._get_param("NextToken") or "0"
    size = int(response._get_param("MaxResults") or _PAGE)
    if not token.isdigit():
        raise SSMException("InvalidNextToken", "The specified token isn't valid.")
    if not 5 <= size <= 50:
        raise SSMException("ValidationException", f"MaxResults is {size}, not 5 to 50.")
    return int(token), size


def _rows(ec2: Ec2, region: str) -> Iterator[_Row]:
    for name in ec2.agents.known():
        instance = ec2.instance(name)
        if instance.ec2_backend.region_name != region:
            continue
        heard = ec2.agents.heard(name)
        if heard is None:
            # Terminated since the list was made.
            continue
        yield {
            "InstanceId": name,
            "PingStatus": "Online" if ec2.agents.online(name) else "ConnectionLost",
            "LastPingDateTime": heard,
            "AgentVersion": "3.3.0.0",
            "PlatformType": "Windows" if instance.platform == "windows" else "Linux",
            "ResourceType": "EC2Instance",
            "IPAddress": instance.private_ip_address,
            "ComputerName": instance.private_dns_name,
        }
