"""Instance refreshes of Auto Scaling groups over time.

Facts: Auto Scaling API, InstanceRefresh and RefreshPreferences; Auto Scaling User Guide, "How an
instance refresh works", "Add checkpoints to an instance refresh", "Undo changes with a manual or
auto rollback". Assumed: a look every few seconds; no progress for an hour fails a refresh, as
waiting for protected and standby instances does by the guide; alarms count until a rollback begins;
what is launched for any reason while a refresh is in progress is launched as it wants.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kiln_local.alarms import Alarms
from kiln_local.group_launches import Configuration, configuration_of
from kiln_local.groups import Groups
from kiln_local.refresh import ACTIVE, REPLACING, Refresh
from kiln_local.refresh_checks import (
    ActiveInstanceRefreshNotFound,
    InstanceRefreshInProgress,
    IrreversibleInstanceRefresh,
    check_desired,
    check_preferences,
    irreversible,
)
from kiln_local.refresh_crowd import Crowd

LOOK_S = 3.0
PATIENCE_S = 3600.0


@dataclass
class Refreshes:
    """All refreshes of one local AWS. Safe for threads."""

    groups: Groups
    alarms: Alarms
    _all: dict[str, list[Refresh]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = self.groups.ec2.clock
        self.groups.holds, self.groups.wants = self._holds, self._wants

    def _holds(self, group: Any) -> bool:
        found = self.active(group.name)
        return found is not None and found.status in REPLACING

    def _wants(self, group: Any) -> tuple[Configuration, str]:
        found = self.active(group.name)
        if found is None or found.status == "Pending":
            return configuration_of(group), ""
        return found.wanted, found.tag

    def active(self, group: str) -> Refresh | None:
        """The refresh of a group that has not ended."""
        return next((r for r in self._all.get(group, ()) if r.status in ACTIVE), None)

    def of(self, group: str) -> list[Refresh]:
        """A group's refreshes, the newest first."""
        return list(reversed(self._all.get(group, [])))

    # ------------------------------------------------------------ API

    def start(self, group: Any, asked: dict[str, Any]) -> str:
        """StartInstanceRefresh; its id."""
        preferences, desired = asked.get("Preferences") or {}, asked.get("DesiredConfiguration")
        with self.groups.lock:
            if self.active(group.name):
                raise InstanceRefreshInProgress
            check_preferences(preferences, self.alarms.state)
            rolls_back = bool(preferences.get("AutoRollback"))
            check_desired(group, desired, rolls_back, self.groups.templates)
            refresh = Refresh(
                id=str(uuid.uuid4()),
                group=group,
                preferences=preferences,
                desired=desired,
                former=configuration_of(group),
                asked_at=self.clock.now(),
            )
            self._all.setdefault(group.name, []).append(refresh)
        self.clock.later(LOOK_S, partial(self._begin, refresh))
        return refresh.id

    def cancel(self, group: str, wait: bool) -> str:
        """CancelInstanceRefresh; its id."""
        with self.groups.lock:
            refresh = self._need(group)
            refresh.waits_for_moves = wait
            if refresh.status != "Cancelling":
                self._enter(refresh, "Cancelling")
        return refresh.id

    def roll_back(self, group: str) -> str:
        """RollbackInstanceRefresh; its id."""
        with self.groups.lock:
            refresh = self._need(group)
            why = (
                irreversible(refresh.group)
                if refresh.desired
                else "it has no desired configuration"
            )
            if why or refresh.status not in ("Pending", "InProgress", "Baking"):
                raise IrreversibleInstanceRefresh(why=why or f"it is {refresh.status}")
            self._turn_back(refresh, "A rollback was started manually.")
        return refresh.id

    def _need(self, group: str) -> Refresh:
        refresh = self.active(group)
        if refresh is None:
            raise ActiveInstanceRefreshNotFound(group=group)
        return refresh

    # ------------------------------------------------------------ time

    def _begin(self, refresh: Refresh) -> None:
        with self.groups.lock:
            if refresh.status == "Pending":
                refresh.began = self.clock.now()
                self._enter(refresh, "InProgress")
                self._send(refresh, "Started")
        self._look(refresh)

    def _look(self, refresh: Refresh) -> None:
        """One look; another one follows for as long as it goes on."""
        with self.groups.lock:
            if refresh.status in REPLACING:
                self._replace(refresh)
            if refresh.status == "Baking":
                self._bake(refresh)
            if refresh.status == "Cancelling":
                self._cancel(refresh)
            again = refresh.status in ACTIVE
        if again:
            self.clock.later(LOOK_S, partial(self._look, refresh))

    def _bake(self, refresh: Refresh) -> None:
        if self._rings(refresh):
            return
        if self.clock.seconds() - refresh.since_s >= refresh.number("BakeTime", 0):
            self._succeed(refresh)

    def _cancel(self, refresh: Refresh) -> None:
        moving = [m for m in refresh.group.instance_states if not m.serving]
        if refresh.waits_for_moves and any(m.lifecycle_state != "Standby" for m in moving):
            return
        self._end(refresh, "Cancelled", "The instance refresh was cancelled.", "Cancelled")

    def _rings(self, refresh: Refresh) -> bool:
        if refresh.rollback:
            return False
        names = refresh.preferences.get("AlarmSpecification", {}).get("Alarms", [])
        ringing = [name for name in names if self.alarms.state(name) == "ALARM"]
        if ringing:
            self._fail(refresh, f"The CloudWatch alarm {ringing[0]} is in ALARM.")
        return bool(ringing)

    # ------------------------------------------------------------ replacing

    def _replace(self, refresh: Refresh) -> None:
        """One look at how far it is, and the next replacements."""
        if self._rings(refresh):
            return
        crowd = Crowd.of(refresh, self.groups)
        if len(crowd.warm) > refresh.done:
            refresh.done, refresh.moved_s = len(crowd.warm), self.clock.seconds()
        self._count(refresh, crowd)
        if self._rests(refresh, crowd):
            return
        if crowd.is_done:
            self._finish(refresh)
        elif self.clock.seconds() - refresh.moved_s > PATIENCE_S:
            self._fail(refresh, crowd.stuck())
        else:
            self._step(refresh, crowd)

    def _rests(self, refresh: Refresh, crowd: Crowd) -> bool:
        """Whether it pauses at a checkpoint, or has come to its last one."""
        if refresh.passed >= len(refresh.checkpoints):
            return False
        reached = [
            index
            for index, percent in enumerate(refresh.checkpoints)
            if len(crowd.warm) >= math.ceil(crowd.size * percent / 100)
        ]
        now, delay = self.clock.seconds(), refresh.number("CheckpointDelay", 3600)
        if refresh.resting_s is None:
            if not reached or reached[-1] < refresh.passed:
                return False
            refresh.passed, refresh.resting_s = reached[-1], now
            percent = str(refresh.checkpoints[refresh.passed])
            more = {"CheckpointPercentage": percent, "CheckpointDelay": str(int(delay))}
            self._send(refresh, "Checkpoint Reached", **more)
        if refresh.passed == len(refresh.checkpoints) - 1:
            # "The operation transitions to Successful after this percentage is replaced."
            self._finish(refresh)
            return True
        refresh.moved_s = now
        if now - refresh.resting_s < delay:
            return True
        refresh.passed, refresh.resting_s = refresh.passed + 1, None
        return False

    def _step(self, refresh: Refresh, crowd: Crowd) -> None:
        going, launches = crowd.moves(self._limit(refresh, crowd))
        for member in going:
            self.groups.leave(refresh.group, member, "an instance refresh replaced the instance")
        for _ in range(launches):
            if self.groups.launch(refresh.group, refresh.wanted, refresh.tag) is None:
                break

    def _limit(self, refresh: Refresh, crowd: Crowd) -> int:
        """How many may be as wanted before the next checkpoint."""
        if refresh.passed >= len(refresh.checkpoints):
            return crowd.wanted
        percent = refresh.checkpoints[refresh.passed]
        return min(crowd.wanted, math.ceil(crowd.size * percent / 100))

    def _count(self, refresh: Refresh, crowd: Crowd) -> None:
        if refresh.rollback:
            share = len(crowd.old) + len(crowd.new) - len(crowd.warm)
            refresh.percent = min(refresh.percent, 100 * share // max(1, crowd.size))
            return
        refresh.left = max(0, crowd.wanted - len(crowd.warm))
        refresh.percent = min(100, 100 * len(crowd.warm) // max(1, crowd.wanted))

    # ------------------------------------------------------------ ends

    def _finish(self, refresh: Refresh) -> None:
        if refresh.rollback:
            said = "The rollback is complete."
            self._end(refresh, "RollbackSuccessful", said, "Rollback Succeeded")
        elif refresh.number("BakeTime", 0) > 0:
            self._enter(refresh, "Baking")
            self._send(refresh, "Started Baking")
        else:
            self._succeed(refresh)

    def _succeed(self, refresh: Refresh) -> None:
        if refresh.desired:
            _set(refresh.group, refresh.desired)
        refresh.percent = 100 if not refresh.checkpoints else refresh.percent
        self._end(refresh, "Successful", "", "Succeeded")

    def _fail(self, refresh: Refresh, why: str) -> None:
        if refresh.rollback:
            self._end(refresh, "RollbackFailed", why, "Rollback Failed")
        elif refresh.preferences.get("AutoRollback") and not irreversible(refresh.group):
            self._turn_back(refresh, why)
        else:
            self._end(refresh, "Failed", why, "Failed")

    def _turn_back(self, refresh: Refresh, why: str) -> None:
        refresh.rollback = {
            "RollbackReason": why,
            "RollbackStartTime": self.clock.now(),
            "PercentageCompleteOnRollback": refresh.percent,
            "InstancesToUpdateOnRollback": refresh.left,
        }
        refresh.done, refresh.resting_s = 0, None
        self._enter(refresh, "RollbackInProgress")
        refresh.reason = why
        self._send(refresh, "Rollback Started")

    def _end(self, refresh: Refresh, status: str, why: str, told: str) -> None:
        self._enter(refresh, status)
        refresh.reason, refresh.ended = why, self.clock.now()
        self._send(refresh, told)
        self.clock.crew.start(partial(self.groups.settle, refresh.group))

    def _enter(self, refresh: Refresh, status: str) -> None:
        refresh.status, refresh.since_s = status, self.clock.seconds()
        refresh.moved_s = refresh.since_s

    def _send(self, refresh: Refresh, what: str, **more: str) -> None:
        self.groups.events.refresh(refresh.group, refresh.id, what, **more)


def _set(group: Any, wanted: Configuration) -> None:
    """A refresh has succeeded: the group is set to what it wanted."""
    policy = wanted.get("MixedInstancesPolicy")
    group.mixed_instances_policy = policy
    group.launch_config, group.launch_configuration_name = None, None
    group._set_launch_configuration(None, wanted.get("LaunchTemplate") or {}, policy)
