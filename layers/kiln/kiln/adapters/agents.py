"""Systems Manager's agents: who answers, and when each was last heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import translated
from kiln.domain.healing import Ping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_ssm import SSMClient

# The largest page (Systems Manager API, DescribeInstanceInformation, MaxResults): as many
# instances are asked for at once, so that one call answers.
_PAGE = 50


class SsmAgents:
    """`Agents` on Systems Manager."""

    def __init__(self, ssm: SSMClient) -> None:
        self._ssm = ssm

    def pings(self, instances: Iterable[str]) -> dict[str, Ping]:
        """One call for each 50 instances."""
        wanted = list(dict.fromkeys(instances))
        parts = (wanted[at : at + _PAGE] for at in range(0, len(wanted), _PAGE))
        return {
            node["InstanceId"]: Ping(
                online=node.get("PingStatus") == "Online", heard=node.get("LastPingDateTime")
            )
            for part in parts
            for node in self._nodes(part)
        }

    def _nodes(self, instances: list[str]) -> Iterator[Any]:
        pages = self._ssm.get_paginator("describe_instance_information").paginate(
            Filters=[{"Key": "InstanceIds", "Values": instances}],
            PaginationConfig={"PageSize": _PAGE},
        )
        with translated("ssm", "DescribeInstanceInformation"):
            for page in pages:
                yield from page["InstanceInformationList"]
