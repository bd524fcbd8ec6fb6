"""Whether a group's instances are healthy: as EC2 says, and for the check type ELB as its target
groups say once the grace period is over (Auto Scaling User Guide, "Health checks for instances in
an Auto Scaling group")."""

from __future__ import annotations

from functools import partial
from typing import Any

from kiln_local.group_launches import Member
from kiln_local.groups import Groups


def is_healthy(groups: Groups, group: Any, member: Member) -> bool:
    """Whether an instance is in service and healthy now."""
    if not member.serving or member.health_status != "Healthy":
        return False
    return group.health_check_type != "ELB" or all(
        state in ("healthy", "unused") for state in _states(groups, group, member)
    )


def _states(groups: Groups, group: Any, member: Member) -> list[str]:
    known = groups.balancing.backend.target_groups
    arns = [arn for arn in group.target_group_arns if arn in known]
    return [groups.balancing.state(arn, member.instance_id) for arn in arns]


def watch(groups: Groups, group: Any) -> None:
    """Look at a group again and again for as long as it is there; replace what is unhealthy."""
    if groups.backend.autoscaling_groups.get(group.name) is not group:
        return
    if group.health_check_type == "ELB":
        check(groups, group)
    later = groups.ec2.latencies.draw("group-looked-at")
    groups.ec2.clock.later(later, partial(watch, groups, group))


def check(groups: Groups, group: Any) -> None:
    """Replace what its target groups have found unhealthy after its grace period."""
    now = groups.ec2.clock.seconds()
    grace = float(group.health_check_grace_period or 0)
    for member in list(group.instance_states):
        old = member.serving and now - member.since_s >= grace
        if old and "unhealthy" in _states(groups, group, member):
            groups.fail(group, member, "an ELB system health check failed")
