"""Elastic Load Balancing: which instances a target group sends requests to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._errors import ignoring, translated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client


class ElbTraffic:
    """`Traffic` on Elastic Load Balancing, version 2."""

    def __init__(self, elbv2: ElasticLoadBalancingv2Client) -> None:
        self._elbv2 = elbv2

    def register(self, groups: Iterable[str], instance: str) -> None:
        """Send requests to an instance; again is harmless."""
        for group in groups:
            with translated("elasticloadbalancing", "RegisterTargets"):
                self._elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])

    def deregister(self, groups: Iterable[str], instance: str) -> None:
        """Send no more; what is under way is drained. A group or target that is gone is passed
        over."""
        for group in groups:
            with (
                ignoring("TargetGroupNotFound", "InvalidTarget"),
                translated("elasticloadbalancing", "DeregisterTargets"),
            ):
                self._elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": instance}])

    def health(self, group: str, instance: str) -> tuple[str, str]:
        """State and reason of an instance in a group, as DescribeTargetHealth names them."""
        with translated("elasticloadbalancing", "DescribeTargetHealth"):
            answer = self._elbv2.describe_target_health(
                TargetGroupArn=group, Targets=[{"Id": instance}]
            )
        for found in answer["TargetHealthDescriptions"]:
            health = found.get("TargetHealth", {})
            return health.get("State", "unused"), health.get("Reason", "")
        return "unused", "Target.NotRegistered"
