"""What the steps of a rollout share: its record, its layer, its instances old and new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from kiln.domain.configure import covered
from kiln.domain.events import RolloutApproved
from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rolling import Member
from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.domain.stack import Layer, split_layer
from kiln.domain.waiting import InstancesRest
from kiln.errors import RolloutFailed
from kiln.steps._stacks import target_groups

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiln.ports import World

# Setup and Deploy have time-outs of their own; this bounds what has none.
RESTS_WITHIN_S = 6 * 3600


def rollout_of(image: str, layer: str, world: World) -> Rollout:
    """The rollout's record. RolloutFailed where there is none."""
    rollout = world.records.rollout(image, layer)
    if rollout is None:
        raise RolloutFailed(f"no rollout of {image} to {layer} is recorded; start it by its event")
    return rollout


def layer_of_rollout(rollout: Rollout, world: World) -> Layer:
    """The layer. RolloutFailed where it is gone."""
    stack_name, layer_name = split_layer(rollout.layer)
    stack = world.records.stack(stack_name)
    layer = stack.layer(layer_name) if stack else None
    if layer is None:
        raise RolloutFailed(f"layer {rollout.layer} is gone; nothing was changed")
    return layer


def added_id(rollout: Rollout, index: int) -> str:
    """The own id of the instance that a rollout adds as its n-th."""
    return str(uuid5(NAMESPACE_OID, f"{rollout.id}/{index}"))


def of_layer(rollout: Rollout, world: World) -> tuple[LayerInstance, ...]:
    """The layer's instances, in the order of their hostnames' numbers."""
    stack, layer = split_layer(rollout.layer)
    found = (i for i in world.records.instances(stack) if i.layer == layer)
    return tuple(sorted(found, key=lambda i: (len(i.hostname), i.hostname)))


def note_failed_join(rollout: str, why: str, world: World) -> None:
    """Remember that an instance which an Auto Scaling group launched for a rollout could not be set
    up; the first one counts."""
    world.records.claim(f"failed-join/{rollout}", why)


def failed_join(rollout: str, world: World) -> str | None:
    """Why an instance of a rollout could not be set up, if one could not."""
    return world.records.claimed(f"failed-join/{rollout}")


def members(entries: tuple[LayerInstance, ...], world: World) -> tuple[Member, ...]:
    """Instances as a decision needs them."""
    answered = covered(world.rounds.rounds(entries[0].stack)) if entries else 0
    return tuple(
        Member(
            id=entry.id,
            state=entry.state,
            healthy=entry.state is not InstanceState.ONLINE or not sickness(entry, world),
            configured=entry.wanted <= answered,
        )
        for entry in entries
    )


def both(rollout: Rollout, world: World) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """The instances that served when a rollout began, and those that it has added."""
    entries = of_layer(rollout, world)
    old = tuple(entry for entry in entries if entry.id in rollout.before)
    new = tuple(entry for entry in entries if entry.rollout == rollout.id)
    return members(old, world), members(new, world)


def failure_of(rollout: Rollout) -> Failure | None:
    """Why a rollout is on its way back, where it is: whatever stops it there is not the reason."""
    if rollout.back_since is None or not rollout.error:
        return None
    return Failure(error=rollout.error, cause=rollout.cause or "")


def goes_back(rollout: Rollout, failure: Failure | None, world: World) -> Rollout:
    """Note that a rollout is on its way back from now on, and why."""
    if rollout.back_since:
        return rollout
    why = {"error": failure.name, "cause": failure.reason} if failure else {}
    change = {"back_since": world.clock.now().isoformat()} | why
    return world.records.update_rollout(rollout.model_copy(update=change))


def check_open(rollout: Rollout) -> None:
    """Raise RolloutFailed for one that has ended: an execution that somebody starts again where it
    failed must not begin anew what is over."""
    if rollout.status is not RolloutStatus.RUNNING:
        raise RolloutFailed(f"{rollout.id} has ended as {rollout.status}; start another one")


def at_rest(
    rollout: Rollout,
    ids: tuple[str, ...],
    states: Iterable[InstanceState],
    world: World,
    changes: tuple[str, ...] = (),
) -> InstancesRest:
    """The wait for instances, by their own ids, to come into one of these states, or until the
    changes that should bring them there have ended without."""
    return InstancesRest(
        kind="instances-rest",
        stack=split_layer(rollout.layer)[0],
        instances=ids,
        states=tuple(sorted(state.value for state in states)),
        changes=changes,
        **common(rollout, RESTS_WITHIN_S, world),
    )


def common(rollout: Rollout, timeout_s: int, world: World) -> dict[str, Any]:
    """What every wait of a rollout says."""
    return {
        "bake": rollout.id,
        "since": world.clock.now().isoformat(),
        "timeout_s": timeout_s,
        "alarms": rollout.options.alarms,
    }


def sickness(entry: LayerInstance, world: World) -> str:
    """Why a target group does not send an instance requests; empty where all of them do.

    `unused` with no load balancer in front is as good as it gets (TargetHealth, Reason
    Target.NotInUse).
    """
    for group in target_groups(entry, world):
        state, reason = world.traffic.health(group, entry.ec2_id or "")
        if state != "healthy" and reason != "Target.NotInUse":
            return f"{group.rpartition('targetgroup/')[2]} finds it {state} ({reason})"
    return ""


def approve(rollout: Rollout, by: str, world: World) -> None:
    """Let a rollout that waits for it go on. The event wakes its task at once; the record is what
    it then looks at, so it is written first."""
    world.records.update_rollout(rollout.model_copy(update={"approved": True}))
    world.bus.publish(
        RolloutApproved(rollout=rollout.id, image=rollout.image, layer=rollout.layer, by=by)
    )


def needless(rollout: Rollout, world: World) -> str:
    """Why what a channel's entry brings need not be brought any more; empty where it must. Asked
    once the rollout has the layer, so that what was under way before has ended."""
    if rollout.channel is None:
        return ""
    current = world.channels.current(rollout.blueprint, rollout.channel)
    if current is None or current.number != rollout.promotion:
        now = current.image if current else "nothing"
        return f"{rollout.channel} of {rollout.blueprint} has gone on to {now}"
    taken = world.records.layer_images(rollout.layer)
    if taken and taken[-1].image == rollout.image:
        return f"{rollout.layer} runs {rollout.image} already"
    return ""


def under_way(rollout: Rollout, world: World) -> bool:
    """Whether a rollout has begun and not ended. One whose execution was stopped has not: another
    one puts its layer right."""
    started = world.machines.look("rollout", rollout.execution or rollout.id) is not None
    return rollout.status is RolloutStatus.RUNNING and started


def begin_by_hand(rollout: Rollout, world: World) -> bool:
    """Store a rollout and start it; False where somebody else has begun this attempt just now."""
    if not world.records.add_rollout(rollout):
        return False
    payload = {"image": rollout.image, "layer": rollout.layer}
    return world.machines.start("rollout", rollout.id, payload)
