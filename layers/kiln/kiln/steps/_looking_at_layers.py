"""One look at what a layer's instance waits for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kiln.domain.instance import LEAVING, STARTING, LayerInstance
from kiln.domain.waiting import InstanceGone, InstanceRunning, StackSettled, TargetsDrained
from kiln.errors import BuilderUnreachable, KilnError, StopFailed, TrafficRefused

if TYPE_CHECKING:
    from kiln.ports import World
    from kiln.steps._sight import Sight

LayerWait = InstanceRunning | InstanceGone | TargetsDrained | StackSettled
# Longer than any step of a start takes without a word; only recipes may take more.
_STUCK = timedelta(minutes=15)
_ENDED = frozenset({"shutting-down", "terminated", "stopping", "stopped"})


def look_layer(wait: LayerWait, world: World, sight: Sight) -> dict[str, Any] | None:
    """The output if the wait is over, None if it is not. Raises the error that ends it badly."""
    if isinstance(wait, StackSettled):
        return _look_settled(wait, world)
    if isinstance(wait, TargetsDrained):
        return _look_drained(wait, world)
    known = sight.instance(wait.instance)
    if isinstance(wait, InstanceGone):
        gone = known is None or known.state == "terminated"
        return {"instance": wait.instance} if gone else None
    if known and known.state in _ENDED:
        reason = known.state_reason or "no reason given"
        raise BuilderUnreachable(f"{wait.instance} is {known.state} ({reason}) and never ran")
    return {"instance": wait.instance} if known and known.state == "running" else None


def _look_settled(wait: StackSettled, world: World) -> dict[str, Any] | None:
    entries = world.records.instances(wait.stack)
    settled = is_settled(wait, entries, world.clock.now())
    return {"stack": wait.stack} if settled else None


def is_settled(wait: StackSettled, entries: tuple[LayerInstance, ...], now: datetime) -> bool:
    """Whether no instance is on its way to or from `online`, or nobody need wait for those that
    are: they have not moved for a while."""
    moving = (entry for entry in entries if entry.state in STARTING | LEAVING)
    since = [datetime.fromisoformat(entry.changed_at or wait.since) for entry in moving]
    return wait.is_over(now) or all(now - moved > _STUCK for moved in since)


def _look_drained(wait: TargetsDrained, world: World) -> dict[str, Any] | None:
    states = {world.traffic.health(group, wait.instance)[0] for group in wait.groups}
    # `unused`: the group does not know the target, or no longer (Elastic Load Balancing API,
    # TargetHealth, State).
    return None if states - {"unused"} else {"instance": wait.instance}


def too_late(wait: LayerWait, after: str) -> KilnError:
    """The error of a wait whose time is over."""
    if isinstance(wait, TargetsDrained):
        return TrafficRefused(
            f"{wait.instance} was not drained {after}; look at the deregistration delay of its "
            "target groups"
        )
    if isinstance(wait, InstanceGone):
        return StopFailed(f"{wait.instance} was not terminated {after}; look at it in EC2")
    if isinstance(wait, InstanceRunning):
        return BuilderUnreachable(
            f"{wait.instance} did not run {after}; look at its console output"
        )
    return StopFailed(f"stack {wait.stack} did not settle {after}")
