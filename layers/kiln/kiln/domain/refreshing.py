"""What a rollout does next to a layer that is an Auto Scaling group: decided from what is.

There: a version of the launch template, a refresh to it, its end. Back: Auto Scaling's own rollback
or, where it has none, a refresh to the former version; then the group's setting and the template
are as they were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kiln.domain.durations import seconds
from kiln.domain.model import Model

if TYPE_CHECKING:
    from kiln.domain.feed import Refresh
    from kiln.domain.rollout import GroupRollout, Rollout

# Auto Scaling API, InstanceRefresh, Status.
UNDER_WAY = frozenset({"Pending", "InProgress", "Baking", "Cancelling"})
TURNING = frozenset({"RollbackInProgress", "Cancelling"})
# What AWS itself needs, beside the times that it is told; a day is far below the longest wait.
LONGEST_S = 86_400


class RefreshFacts(Model):
    """What DescribeInstanceRefreshes says of one refresh; `template` and `version` are what it
    wants, empty where it wants nothing new."""

    id: str
    status: str
    reason: str = ""
    percent: int = 0
    template: str = ""
    version: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.status in UNDER_WAY | TURNING


@dataclass(frozen=True)
class RefreshOrder:
    """One StartInstanceRefresh: the launch setting that it wants, as the API takes it, and its
    preferences. Times are seconds."""

    group: str
    wanted: dict[str, dict[str, Any]]
    least_healthy: int
    most_healthy: int | None = None
    warmup_s: int | None = None
    checkpoints: tuple[int, ...] = ()
    delay_s: int | None = None
    skip_matching: bool = True
    protected: Literal["Refresh", "Ignore", "Wait"] = "Wait"
    standby: Literal["Terminate", "Ignore", "Wait"] = "Wait"
    alarms: tuple[str, ...] = ()
    rolls_back: bool = False
    bake_s: int | None = None


def order(
    rollout: Rollout, state: GroupRollout, refresh: Refresh, wanted: dict[str, dict[str, Any]]
) -> RefreshOrder:
    """The refresh to the new version, as the layer and its feed wish."""
    checkpoints, delay = _checkpoints(rollout, refresh)
    return RefreshOrder(
        group=state.group,
        wanted=wanted,
        least_healthy=refresh.min_healthy_percentage,
        most_healthy=refresh.max_healthy_percentage,
        warmup_s=_s(refresh.instance_warmup),
        checkpoints=checkpoints,
        delay_s=delay if checkpoints else None,
        skip_matching=refresh.skip_matching,
        protected=refresh.scale_in_protected,
        standby=refresh.standby,
        alarms=rollout.options.alarms,
        rolls_back=state.reversible,
        bake_s=_bake_s(rollout, refresh),
    )


def order_back(
    state: GroupRollout, refresh: Refresh, wanted: dict[str, dict[str, Any]]
) -> RefreshOrder:
    """The refresh to the former version: without checkpoints, and without the alarms that may go on
    ringing; what it has left untouched is skipped."""
    return RefreshOrder(
        group=state.group,
        wanted=wanted,
        least_healthy=refresh.min_healthy_percentage,
        most_healthy=refresh.max_healthy_percentage,
        warmup_s=_s(refresh.instance_warmup),
        protected="Refresh",
        standby="Terminate" if refresh.standby == "Terminate" else "Ignore",
    )


def _checkpoints(rollout: Rollout, refresh: Refresh) -> tuple[tuple[int, ...], int | None]:
    given, delay = refresh.checkpoint_percentages, _s(refresh.checkpoint_delay)
    if rollout.strategy == "canary" and rollout.size > 1:
        # The largest percentage of which one instance is the least that reaches it; of more than
        # a hundred instances one percent is the least that there is.
        one = max(1, math.floor(100 / rollout.size))
        given = (one, *(percent for percent in given if percent > one))
        delay = seconds(rollout.options.bake_time)
    if given and given[-1] != 100:
        # A refresh ends with its last checkpoint, a rollout with the whole layer.
        given = (*given, 100)
    return given, delay


def _bake_s(rollout: Rollout, refresh: Refresh) -> int | None:
    if rollout.strategy == "canary" and rollout.size <= 1:
        return max(seconds(rollout.options.bake_time), _s(refresh.bake_time) or 0)
    return _s(refresh.bake_time)


def _s(duration: str | None) -> int | None:
    return None if duration is None else seconds(duration)


def longest_s(wish: RefreshOrder) -> int:
    """How long a refresh may take at most."""
    delay = 3600 if wish.delay_s is None else wish.delay_s
    return LONGEST_S + len(wish.checkpoints) * delay + (wish.bake_s or 0)


# ---------------------------------------------------------------- turns


@dataclass(frozen=True)
class MakeVersion:
    """Make the launch template version with the new image."""


@dataclass(frozen=True)
class StartRefresh:
    """Start the refresh, there or back."""


@dataclass(frozen=True)
class Follow:
    """Wait for the end of a refresh."""

    refresh: str


@dataclass(frozen=True)
class TurnBack:
    """Let Auto Scaling roll the refresh back or, where it cannot, cancel it."""


@dataclass(frozen=True)
class Restore:
    """Set the group as it was and delete the version that was made."""


@dataclass(frozen=True)
class Missed:
    """It has failed, and why."""

    why: str


@dataclass(frozen=True)
class Finished:
    """Nothing is left to do."""


Turn = MakeVersion | StartRefresh | Follow | TurnBack | Restore | Missed | Finished


def next_turn(state: GroupRollout, there: RefreshFacts | None) -> Turn:
    """The next thing to do on the way to the new image."""
    if state.made is None:
        return MakeVersion()
    if there is None:
        return StartRefresh()
    if there.status == "Successful":
        return Finished()
    if there.status in UNDER_WAY:
        return Follow(there.id)
    return Missed(
        f"the instance refresh of {state.group} is {there.status} at {there.percent} %: "
        f"{there.reason or 'Auto Scaling gives no reason'}"
    )


def turn_back(state: GroupRollout, there: RefreshFacts | None, back: RefreshFacts | None) -> Turn:
    """The next thing to do on the way back."""
    if there is None or there.status == "RollbackSuccessful":
        return Restore()
    if there.status in TURNING:
        return Follow(there.id)
    if there.status in UNDER_WAY:
        return TurnBack()
    if back is None:
        return StartRefresh()
    if back.status == "Successful":
        return Restore()
    if back.status in UNDER_WAY:
        return Follow(back.id)
    return Missed(
        f"the instance refresh of {state.group} back to version {state.former} of its launch "
        f"template is {back.status}: {back.reason or 'Auto Scaling gives no reason'}; start one by "
        "hand once its cause is mended"
    )
