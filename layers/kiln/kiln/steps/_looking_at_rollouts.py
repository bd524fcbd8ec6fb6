"""One look at what a rollout waits for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kiln.domain.configure import covered
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.refreshing import TURNING, UNDER_WAY
from kiln.domain.waiting import (
    InstanceRefresh,
    InstancesRest,
    LayerFree,
    RolloutApproved,
    RolloutWait,
    StackConfigured,
    TargetsHealthy,
    TimePassed,
)
from kiln.errors import KilnError, RolloutFailed
from kiln.ports import World
from kiln.steps._rollouts import failed_join, sickness

S = InstanceState


def look_rollout(wait: RolloutWait, world: World) -> dict[str, Any] | None:
    """The output if the wait is over, None if it is not. Raises RolloutFailed."""
    if isinstance(wait, RolloutApproved):
        rollout = world.records.rollout(wait.image, wait.layer)
        return {"layer": wait.layer} if rollout and rollout.approved else None
    if isinstance(wait, LayerFree):
        holder = world.records.layer_holder(wait.layer)
        free = holder is None or not world.machines.running("rollout", holder)
        return {"layer": wait.layer} if free else None
    if isinstance(wait, InstanceRefresh):
        return _look_refresh(wait, world)
    ringing = world.alarms.ringing(wait.alarms)
    if ringing:
        raise RolloutFailed(f"alarm {ringing[0]} is in ALARM")
    if isinstance(wait, StackConfigured):
        answered = covered(world.rounds.rounds(wait.stack)) >= wait.asked
        return {"stack": wait.stack} if answered else None
    return _look_instances(wait, world)


def _look_refresh(wait: InstanceRefresh, world: World) -> dict[str, Any] | None:
    """Over as soon as the next turn has something to decide."""
    why = None if wait.back else failed_join(wait.bake, world)
    if why:
        raise RolloutFailed(why)
    known = world.groups.refresh(wait.group, wait.refresh)
    expected = UNDER_WAY | TURNING if wait.back else UNDER_WAY
    if known is None or known.status in expected:
        return None
    return {"refresh": wait.refresh, "status": known.status}


def _look_instances(
    wait: InstancesRest | TargetsHealthy | TimePassed, world: World
) -> dict[str, Any] | None:
    entries = {e.id: e for e in world.records.instances(wait.stack) if e.id in wait.instances}
    done = {"instances": list(wait.instances)}
    if isinstance(wait, InstancesRest):
        states = {
            entries[name].state.value if name in entries else S.TERMINATED.value
            for name in wait.instances
        }
        return done if states <= set(wait.states) else None
    for name in wait.instances:
        if name not in entries or entries[name].state is not S.ONLINE:
            # The next decision finds it lost and says why.
            return done
    sick = [entry for entry in entries.values() if sickness(entry, world)]
    if isinstance(wait, TargetsHealthy):
        return None if sick and not _is_enough(wait, world) else done
    _check_canary(sick, world)
    return done if world.clock.now() >= datetime.fromisoformat(wait.until) else None


def _is_enough(wait: TargetsHealthy, world: World) -> bool:
    return wait.patient and wait.is_over(world.clock.now())


def _check_canary(sick: list[LayerInstance], world: World) -> None:
    if sick:
        raise RolloutFailed(f"the canary {sick[0].hostname}: {sickness(sick[0], world)}")


def rollout_too_late(wait: RolloutWait, after: str) -> KilnError:
    """The error of a wait whose time is over."""
    if isinstance(wait, RolloutApproved):
        return RolloutFailed(f"nobody approved {wait.image} for {wait.layer} {after}")
    if isinstance(wait, LayerFree):
        return RolloutFailed(f"another rollout still held {wait.layer} {after}")
    if isinstance(wait, InstanceRefresh):
        return RolloutFailed(
            f"instance refresh {wait.refresh} of Auto Scaling group {wait.group} had not ended "
            f"{after}"
        )
    if isinstance(wait, TargetsHealthy):
        return RolloutFailed(
            f"{len(wait.instances)} new instance(s) were not found healthy by their target groups "
            f"{after}; look at the health check and at what listens on its port"
        )
    if isinstance(wait, StackConfigured):
        return RolloutFailed(f"Configure had not reached stack {wait.stack} {after}")
    return RolloutFailed(f"instances of stack {wait.stack} had not come to rest {after}")
