"""AdvanceRollout: the next step of a rollout, or of its way back, and what to wait for then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kiln.domain.durations import seconds
from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Model
from kiln.domain.rolling import (
    AT_REST,
    Add,
    AwaitCanary,
    AwaitConfigured,
    AwaitHealthy,
    AwaitStates,
    Delete,
    Done,
    Lost,
    Move,
    Start,
    Stop,
    next_move,
    undo_move,
)
from kiln.domain.stack import Layer, next_hostname, split_layer
from kiln.domain.waiting import (
    InstancesRest,
    StackConfigured,
    TargetsHealthy,
    TimePassed,
)
from kiln.errors import RolloutFailed
from kiln.steps._instances import change_instance
from kiln.steps._rollouts import (
    added_id,
    at_rest,
    both,
    check_open,
    common,
    goes_back,
    layer_of_rollout,
    of_layer,
    rollout_of,
)

if TYPE_CHECKING:
    from kiln.domain.rollout import Rollout
    from kiln.ports import World

S = InstanceState
CONFIGURED_WITHIN_S = 3600
# Where each change ends, well or badly.
_ENDS = {
    "start": (S.ONLINE, S.SETUP_FAILED, S.START_FAILED, S.TERMINATED),
    "stop": (S.STOPPED, S.STOP_FAILED, S.TERMINATED),
    "delete": (S.TERMINATED, S.STOP_FAILED),
}


class AdvanceRollout(Model):
    """The rollout, by image and layer; `back` on its way back after a failure."""

    image: str
    layer: str
    back: bool = False
    failure: Failure | None = None


class RolloutAdvanced(Model):
    """What to wait for before the next step; nothing, where the rollout is over."""

    wait: InstancesRest | TargetsHealthy | StackConfigured | TimePassed | None


def advance_rollout(request: AdvanceRollout, world: World) -> RolloutAdvanced:
    """Decide and act, once. Raises RolloutFailed."""
    rollout = rollout_of(request.image, request.layer, world)
    if request.back and rollout.committed:
        # The layer has changed over: what is not deleted yet is said, and nothing comes back.
        return RolloutAdvanced(wait=None)
    check_open(rollout)
    entries = of_layer(rollout, world)
    old, new = both(rollout, world)
    now = world.clock.now()
    if request.back:
        rollout = _going_back(rollout, request.failure, world)
        move = undo_move(rollout, old, new, now)
    else:
        _check_alarms(rollout, world)
        move = next_move(rollout, old, new, now)
        if isinstance(move, AwaitCanary):
            rollout = _with_canary(rollout, world)
        if isinstance(move, Done) and not rollout.committed and old:
            return _commit(rollout, world)
    return RolloutAdvanced(wait=_carried_out(move, rollout, entries, world))


def _with_canary(rollout: Rollout, world: World) -> Rollout:
    """Remember when the canary began to serve."""
    if rollout.canary_since is None:
        since = {"canary_since": world.clock.now().isoformat()}
        rollout = world.records.update_rollout(rollout.model_copy(update=since))
    return rollout


def _going_back(rollout: Rollout, failure: Failure | None, world: World) -> Rollout:
    """What failed may go on failing; it must not keep the layer from its way back."""
    rollout = goes_back(rollout, failure, world)
    options = rollout.options.model_copy(update={"alarms": ()})
    return rollout.model_copy(update={"options": options})


def _commit(rollout: Rollout, world: World) -> RolloutAdvanced:
    """From here on nothing is taken back: the old ones are deleted."""
    world.records.update_rollout(rollout.model_copy(update={"committed": True}))
    return advance_rollout(AdvanceRollout(image=rollout.image, layer=rollout.layer), world)


def _check_alarms(rollout: Rollout, world: World) -> None:
    ringing = world.alarms.ringing(rollout.options.alarms)
    if ringing and not rollout.committed:
        raise RolloutFailed(f"alarm {ringing[0]} is in ALARM")


def _carried_out(
    move: Move, rollout: Rollout, entries: tuple[LayerInstance, ...], world: World
) -> Any:
    by_id = {entry.id: entry for entry in entries}
    if isinstance(move, Lost):
        raise RolloutFailed("; ".join(_why_lost(by_id[name]) for name in move.ids))
    if isinstance(move, Done):
        return None
    if isinstance(move, Add):
        added = _add(move.count, rollout, entries, world)
        return _changed(added, "start", rollout, world)
    for kind, change in ((Start, "start"), (Stop, "stop"), (Delete, "delete")):
        if isinstance(move, kind):
            chosen = tuple(by_id[name] for name in move.ids)
            return _changed(chosen, change, rollout, world)
    return _wait(move, rollout, by_id, world)


def _why_lost(entry: LayerInstance) -> str:
    return f"{entry.hostname} is {entry.state}: {entry.error or 'somebody stopped it'}"


def _changed(
    entries: tuple[LayerInstance, ...], change: Any, rollout: Rollout, world: World
) -> InstancesRest:
    names = (change_instance(entry, change, world, rollout=rollout.id) for entry in entries)
    ids = tuple(entry.id for entry in entries)
    return at_rest(rollout, ids, _ENDS[change], world, tuple(names))


def _add(
    count: int, rollout: Rollout, entries: tuple[LayerInstance, ...], world: World
) -> tuple[LayerInstance, ...]:
    """New records of the layer, each in the place of an old one where there is one."""
    layer = layer_of_rollout(rollout, world)
    old = [entry for entry in entries if entry.id in rollout.before]
    begun = sum(entry.rollout == rollout.id for entry in entries)
    taken = {entry.hostname for entry in world.records.instances(split_layer(rollout.layer)[0])}
    added = []
    for index in range(begun, begun + count):
        model = old[index] if rollout.strategy != "add" and index < len(old) else None
        entry = _record(rollout, layer, index, (model, taken), world)
        taken.add(entry.hostname)
        world.records.add_instance(entry)
        added.append(entry)
    return tuple(added)


def _record(
    rollout: Rollout,
    layer: Layer,
    index: int,
    place: tuple[LayerInstance | None, set[str]],
    world: World,
) -> LayerInstance:
    model, taken = place
    stack, name = split_layer(rollout.layer)
    kept = (
        {
            key: getattr(model, key)
            for key in ("layers", "scaling", "hours", "instance_type", "planned")
        }
        if model
        else {"layers": (name,)}
    )
    image = world.images.describe(rollout.image)
    return LayerInstance(
        id=added_id(rollout, index),
        stack=stack,
        hostname=next_hostname(name, taken),
        state=S.STOPPED,
        image=rollout.image,
        platform=rollout.platform,
        architecture=rollout.architecture,
        root_device=image.root_device_type if image else "ebs",
        created_at=world.clock.now().isoformat(),
        rollout=rollout.id,
        **({"instance_type": layer.instance_type or ""} | kept),
    )


def _wait(
    move: Move, rollout: Rollout, by_id: dict[str, LayerInstance], world: World
) -> InstancesRest | TargetsHealthy | StackConfigured | TimePassed:
    stack = split_layer(rollout.layer)[0]
    options = rollout.options
    if isinstance(move, AwaitHealthy):
        return TargetsHealthy(
            kind="targets-healthy",
            stack=stack,
            instances=move.ids,
            patient=rollout.back_since is not None,
            **common(rollout, seconds(options.health_within), world),
        )
    if isinstance(move, AwaitConfigured):
        return StackConfigured(
            kind="stack-configured",
            stack=stack,
            asked=max(by_id[name].wanted for name in move.ids),
            **common(rollout, CONFIGURED_WITHIN_S, world),
        )
    if isinstance(move, AwaitCanary):
        since = datetime.fromisoformat(rollout.canary_since or world.clock.now().isoformat())
        span = seconds(options.bake_time)
        return TimePassed(
            kind="time-passed",
            stack=stack,
            instances=move.ids,
            until=(since + timedelta(seconds=span)).isoformat(),
            **common(rollout, span + CONFIGURED_WITHIN_S, world),
        )
    if not isinstance(move, AwaitStates):
        raise RolloutFailed(f"a rollout cannot wait for {type(move).__name__}")
    return at_rest(rollout, move.ids, AT_REST, world)
