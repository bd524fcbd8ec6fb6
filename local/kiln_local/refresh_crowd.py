"""The instances of a group as an instance refresh counts them, and which are next.

Facts: Auto Scaling API, RefreshPreferences (MinHealthyPercentage, MaxHealthyPercentage, and that a
maximum of 100 is not the same as none); Auto Scaling User Guide, "How an instance refresh works":
the least is rounded up. Where nothing may go, one is replaced at a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kiln_local.group_health import is_healthy
from kiln_local.group_launches import Member
from kiln_local.groups import Groups, active_of, matches
from kiln_local.refresh import Refresh


@dataclass(frozen=True)
class Crowd:
    """`new` are as the refresh wants them, `warm` those of them that count, `old` are to be
    replaced, `waiting` cannot be yet, `ignored` stay as they are. `ready` is how many serve and are
    warm."""

    size: int
    new: tuple[Member, ...]
    warm: tuple[Member, ...]
    old: tuple[Member, ...]
    waiting: tuple[Member, ...]
    ignored: tuple[Member, ...]
    ready: int
    least: int
    most: int | None

    @classmethod
    def of(cls, refresh: Refresh, groups: Groups) -> Crowd:
        """As they are now."""
        group = refresh.group
        active = active_of(group)
        new = [m for m in active if refresh.has(m, matches(m, group, refresh.wanted))]
        standby = [m for m in group.instance_states if m.lifecycle_state == "Standby"]
        rest = [m for m in (*active, *standby) if m not in new]
        fates = {m.instance_id: refresh.fate(m) for m in rest}
        warm = [m for m in new if is_healthy(groups, group, m) and refresh.is_warm(m, groups)]
        old = [m for m in rest if fates[m.instance_id] == "old"]
        size = int(group.desired_capacity or 0)
        serving = [m for m in rest if m in active and is_healthy(groups, group, m)]
        highest = refresh.preferences.get("MaxHealthyPercentage")
        return cls(
            size=size,
            new=tuple(new),
            warm=tuple(warm),
            old=tuple(sorted(old, key=lambda m: m.since_s)),
            waiting=tuple(m for m in rest if fates[m.instance_id] == "waiting"),
            ignored=tuple(m for m in rest if fates[m.instance_id] == "ignored"),
            ready=len(serving) + len(warm),
            least=math.ceil(size * refresh.number("MinHealthyPercentage", 90) / 100),
            most=None if highest is None else math.floor(size * int(highest) / 100),
        )

    @property
    def wanted(self) -> int:
        """How many are to be new in the end."""
        stay = [m for m in (*self.ignored, *self.waiting) if m.lifecycle_state != "Standby"]
        return max(0, self.size - len(stay))

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to replace."""
        return not self.old and not self.waiting and len(self.warm) >= self.wanted

    @property
    def active(self) -> int:
        """How many count towards the desired capacity."""
        rest = (*self.old, *self.waiting, *self.ignored)
        return len(self.new) + len([m for m in rest if m.lifecycle_state != "Standby"])

    @property
    def ceiling(self) -> int:
        """How many there may be at most."""
        if self.most is None:
            return self.size
        # A range in which nothing can be replaced: one more than wanted (MaxHealthyPercentage).
        return self.size + 1 if self.most == self.least == self.size else max(self.most, self.size)

    def moves(self, limit: int) -> tuple[tuple[Member, ...], int]:
        """Those that go now, and how many are launched, with at most `limit` new ones in all."""
        need = max(0, limit - len(self.new))
        first = max(0, min(need, self.ceiling - self.active))
        go = self._gone(need - first)
        standing = sum(m.lifecycle_state != "Standby" for m in go)
        then = max(0, min(need - first, self.ceiling - (self.active - standing + first)))
        return go, first + then

    def _gone(self, lacking: int) -> tuple[Member, ...]:
        standby = tuple(m for m in self.old if m.lifecycle_state == "Standby")
        serving = tuple(m for m in self.old if m.serving)
        spare = self.ready - self.least
        if self.most is None and spare <= 0 and len(self.new) == len(self.warm):
            # Everything serves and everything must: then one at a time.
            spare = 1 if self.ready >= self.size else 0
        surplus = max(0, self.active - self.size)
        return standby + serving[: max(0, min(spare, max(lacking, surplus)))]

    def stuck(self) -> str:
        """Why it does not go on."""
        if any(m.lifecycle_state == "Standby" for m in self.waiting):
            return "Instances in Standby were not returned to service within an hour."
        if self.waiting:
            return "Instances protected from scale in were not released within an hour."
        return "The instance refresh made no progress within an hour."
