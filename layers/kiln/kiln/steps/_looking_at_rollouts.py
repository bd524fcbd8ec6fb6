"""One look at what a rollout waits for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from kiln.domain.configure import covered
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.refreshing import TURNING, UNDER_WAY
from kiln.domain.rolling import MOVING
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
from kiln.steps._rollouts import failed_join, sickness
from kiln.steps._taking_over import holder_of, row_of

if TYPE_CHECKING:
    from kiln.ports import Machine, World

S = InstanceState


def look_rollout(wait: RolloutWait, world: World) -> dict[str, Any] | None:
    """The output if the wait is over, None if it is not. Raises RolloutFailed."""
    if isinstance(wait, RolloutApproved):
        rollout = world.records.rollout(wait.image, wait.layer)
        return {"layer": wait.layer} if rollout and rollout.approved else None
    if isinstance(wait, LayerFree):
        return None if holder_of(wait.layer, world) else {"layer": wait.layer}
    if isinstance(wait, InstanceRefresh):
        return _look_refresh(wait, world)
    ringing = world.alarms.ringing(wait.alarms)
    if ringing:
        raise RolloutFailed(f"alarm {ringing[0]} is in ALARM")
    if isinstance(wait, StackConfigured):
        return _look_configured(wait, world)
    return _look_instances(wait, world)


def _look_configured(wait: StackConfigured, world: World) -> dict[str, Any] | None:
    if covered(world.rounds.rounds(wait.stack)) >= wait.asked:
        return {"stack": wait.stack}
    holder = world.rounds.holder(wait.stack)
    if holder:
        _check_hope("configure", holder, f"Configure does not reach stack {wait.stack}", world)
    return None


def _check_hope(machine: Machine, execution: str, what: str, world: World) -> None:
    """Raise RolloutFailed where work was ended neither by itself nor by those that took it over."""
    row = row_of(machine, execution, world)
    if row.given_up:
        raise RolloutFailed(f"{what}: {row.said}")


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
        return done if _have_come_to_rest(wait, entries, world) else None
    for name in wait.instances:
        if name not in entries or entries[name].state is not S.ONLINE:
            # The next decision finds it lost and says why.
            return done
    sick = [entry for entry in entries.values() if sickness(entry, world)]
    if isinstance(wait, TargetsHealthy):
        return None if sick and not _is_enough(wait, world) else done
    _check_canary(sick, world)
    return done if world.clock.now() >= datetime.fromisoformat(wait.until) else None


def _have_come_to_rest(
    wait: InstancesRest, entries: dict[str, LayerInstance], world: World
) -> bool:
    states = {
        name: entries[name].state if name in entries else S.TERMINATED for name in wait.instances
    }
    late = [name for name, state in states.items() if state.value not in wait.states]
    worked_on = [entries[name] for name in late if name in entries and _is_worked_on(entries[name])]
    if worked_on:
        # One at a time: of the others the next look tells.
        first = worked_on[0]
        if first.change:
            _check_hope("instance", first.change, f"{first.hostname} stays {first.state}", world)
        return False
    changes = dict(zip(wait.instances, wait.changes, strict=False))
    return all(name in changes and _came_to_its_end(changes[name], world) for name in late)


def _is_worked_on(entry: LayerInstance) -> bool:
    return entry.change is not None or entry.state in MOVING


def _came_to_its_end(change: str, world: World) -> bool:
    """Whether a change has ended, by itself or by another one that took it over."""
    ends = ("SUCCEEDED", "FAILED")
    known = row_of("instance", change, world).known.values()
    return bool(known) and list(known)[-1].status in ends


def _is_enough(wait: TargetsHealthy, world: World) -> bool:
    return wait.patient and wait.is_over(world.clock.now())


def _check_canary(sick: list[LayerInstance], world: World) -> None:
    if sick:
        raise RolloutFailed(f"the canary {sick[0].hostname}: {sickness(sick[0], world)}")


def rollout_too_late(wait: RolloutWait, after: str, world: World) -> KilnError:
    """The error of a wait whose time is over, with what stopped those that it waited for."""
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
            f"{after}; look at the health check and at what listens on its port{_sick(wait, world)}"
        )
    if isinstance(wait, StackConfigured):
        holder = world.rounds.holder(wait.stack)
        why = _failures("configure", (holder,) if holder else (), world)
        return RolloutFailed(f"Configure had not reached stack {wait.stack} {after}{why}")
    changes = _changes_late(wait, world) if isinstance(wait, InstancesRest) else ()
    why = _failures("instance", changes, world)
    return RolloutFailed(f"instances of stack {wait.stack} had not come to rest {after}{why}")


def _sick(wait: TargetsHealthy, world: World) -> str:
    """Of the first that is not healthy what EC2, or else its target group, says."""
    for entry in world.records.instances(wait.stack):
        if entry.id not in wait.instances or not (why := sickness(entry, world)):
            continue
        facts = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
        state = facts.state if facts else "gone"
        return f"; {entry.hostname}: {why if state == 'running' else f'{entry.ec2_id} is {state}'}"
    return ""


def _changes_late(wait: InstancesRest, world: World) -> tuple[str, ...]:
    states = {entry.id: entry.state.value for entry in world.records.instances(wait.stack)}
    changes = zip(wait.instances, wait.changes, strict=False)
    return tuple(change for name, change in changes if states.get(name) not in wait.states)


def _failures(machine: Machine, executions: tuple[str, ...], world: World) -> str:
    """What work that was not done ended with, as words to add: none of what still runs."""
    rows = (row_of(machine, execution, world) for execution in executions)
    return "".join(f"; {row.said}" for row in rows if row.failed)
