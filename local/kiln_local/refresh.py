"""One instance refresh: what was asked, where it stands, what it makes of a member of its group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiln_local.group_launches import Configuration, Member
from kiln_local.groups import Groups

REPLACING = frozenset({"InProgress", "RollbackInProgress"})
ACTIVE = frozenset({"Pending", "Baking", "Cancelling", *REPLACING})


@dataclass
class Refresh:
    """One refresh. `done` counts members that are as it wants, in service and warm; `moved_s` is
    when that last grew; `since_s` is when it entered its status or its checkpoint."""

    id: str
    group: Any
    preferences: dict[str, Any]
    desired: Configuration | None
    former: Configuration
    asked_at: datetime
    status: str = "Pending"
    reason: str = ""
    began: datetime | None = None
    ended: datetime | None = None
    percent: int = 0
    left: int = 0
    done: int = 0
    moved_s: float = 0.0
    since_s: float = 0.0
    passed: int = 0
    resting_s: float | None = None
    rollback: dict[str, Any] | None = None
    waits_for_moves: bool = True

    @property
    def wanted(self) -> Configuration:
        """What is launched now."""
        back = self.rollback is not None or not self.desired
        return self.former if back else self.desired or self.former

    @property
    def checkpoints(self) -> list[int]:
        """Where it pauses; on its way back nowhere."""
        given = self.preferences.get("CheckpointPercentages") or ()
        return [] if self.rollback else [int(value) for value in given]

    @property
    def tag(self) -> str:
        """What those carry that are launched now."""
        return f"{self.id}/back" if self.rollback else self.id

    def has(self, member: Member, matching: bool) -> bool:
        """Whether a member is as wanted: launched so, or on the way back never replaced."""
        if self.rollback:
            return member.fresh != self.id
        skips = bool(self.preferences.get("SkipMatching"))
        return member.fresh == self.tag or (skips and matching)

    def is_warm(self, member: Member, groups: Groups) -> bool:
        """Whether it has served long enough; one that was there before has."""
        if member.fresh != self.tag:
            return True
        group = self.group
        default = getattr(group, "default_instance_warmup", None)
        usual = group.health_check_grace_period if default is None else default
        warmup = self.number("InstanceWarmup", float(usual or 0))
        return groups.ec2.clock.seconds() - member.since_s >= warmup

    def fate(self, member: Member) -> str:
        """What becomes of one that is not as wanted: `old`, `waiting` or `ignored`."""
        if self.rollback:
            return "old"
        if member.lifecycle_state == "Standby":
            wish, yes = self.preferences.get("StandbyInstances", "Wait"), "Terminate"
        elif member.protected_from_scale_in:
            wish, yes = self.preferences.get("ScaleInProtectedInstances", "Wait"), "Refresh"
        else:
            return "old"
        return {yes: "old", "Ignore": "ignored"}.get(wish, "waiting")

    def number(self, key: str, default: float) -> float:
        """A preference that is a number."""
        return float(self.preferences.get(key, default))

    def told(self) -> dict[str, Any]:
        """As DescribeInstanceRefreshes tells it."""
        found = {
            "InstanceRefreshId": self.id,
            "AutoScalingGroupName": self.group.name,
            "Status": self.status,
            "StatusReason": self.reason or None,
            "StartTime": self.began,
            "EndTime": self.ended,
            "PercentageComplete": self.percent,
            "InstancesToUpdate": self.left,
            "Preferences": self.preferences,
            "DesiredConfiguration": self.desired,
            "RollbackDetails": self.rollback,
            "Strategy": "Rolling",
        }
        return {key: value for key, value in found.items() if value is not None}
