"""A layer's instance changes state: in this one place, announced, then written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.configure import Ask
from kiln.domain.events import InstanceStateChange
from kiln.domain.instance import (
    TOLD_BY_WHOM,
    Address,
    Initiator,
    InstanceState,
    LayerInstance,
    may_become,
)
from kiln.errors import AwsBusy, InstanceGone, WrongState

if TYPE_CHECKING:
    from kiln.domain.hooks import LifecycleAction
    from kiln.ports import InstanceFacts, World


def address_of(facts: InstanceFacts) -> Address:
    """Where EC2 says that an instance is."""
    return Address(
        private_ip=facts.private_ip,
        private_dns=facts.private_dns,
        public_ip=facts.public_ip,
        public_dns=facts.public_dns,
        zone=facts.zone,
    )


def found(stack: str, instance: str, world: World) -> LayerInstance:
    """The record. InstanceGone where there is none."""
    entry = world.records.instance(stack, instance)
    if entry is None:
        raise InstanceGone(f"instance {instance} of stack {stack} is gone; its record was deleted")
    return entry


def enter(
    entry: LayerInstance,
    state: InstanceState,
    world: World,
    by: Initiator | None = None,
    **changes: Any,
) -> LayerInstance:
    """Bring an instance into a state; to be there already is no change. WrongState, AwsBusy.

    Announced first: a crash in between makes the next attempt announce it again, and an event that
    comes twice harms nobody, while one that never comes would.
    """
    if entry.state is not state:
        if not may_become(entry.state, state):
            raise WrongState(
                f"{entry.hostname} of stack {entry.stack} is {entry.state} and cannot become "
                f"{state} now"
            )
        world.bus.publish(_told(entry, state, by, changes))
        changes["changed_at"] = world.clock.now().isoformat()
    return write(entry, world, state=state, **changes)


def _told(
    entry: LayerInstance, state: InstanceState, by: Initiator | None, changes: dict[str, Any]
) -> InstanceStateChange:
    return InstanceStateChange(
        initiated_by=by or "user" if state in TOLD_BY_WHOM else None,
        hostname=entry.hostname,
        stack_id=entry.stack,
        layer_ids=entry.layers,
        instance_id=entry.id,
        ec2_instance_id=changes.get("ec2_id", entry.ec2_id),
        status=state.value,
    )


def write(entry: LayerInstance, world: World, **changes: Any) -> LayerInstance:
    """Write changed fields. AwsBusy where somebody else wrote since it was read."""
    changed = entry.model_copy(update=changes)
    if changed == entry:
        return entry
    written = world.records.replace_instance(changed)
    if written is None:
        raise AwsBusy(
            f"the record of {entry.hostname} of stack {entry.stack} changed while it was read"
        )
    return written


def through(
    entry: LayerInstance, states: tuple[InstanceState, ...], world: World, **changes: Any
) -> LayerInstance:
    """Bring an instance through several states, those behind it passed over."""
    for state in states[_passed(entry, states) :]:
        entry = enter(entry, state, world, **changes)
    return entry


def _passed(entry: LayerInstance, states: tuple[InstanceState, ...]) -> int:
    return states.index(entry.state) + 1 if entry.state in states else 0


def change_instance(
    entry: LayerInstance, change: str, world: World, by: Initiator = "user", rollout: str = ""
) -> str:
    """Start an execution that changes an instance, for a rollout if one is named; its name.

    The record's revision is in the name: who asks again before anything happened means the same
    change, and who asks afterwards another one.
    """
    name = f"{entry.hostname[:30]}-{entry.id[:8]}-{change}-{entry.revision}"
    payload = {"stack": entry.stack, "instance": entry.id, "change": change, "by": by}
    world.machines.start("instance", name, payload | ({"rollout": rollout} if rollout else {}))
    return name


def change_by_hand(entry: LayerInstance, change: str, world: World, wish: str, **more: Any) -> str:
    """Start a change that a person asked for; the execution's name. A `wish` is one of its own,
    whatever was asked before: it stands in the name where the revision would."""
    name = f"{entry.hostname[:30]}-{entry.id[:8]}-{change}-{wish}"
    payload = {"stack": entry.stack, "instance": entry.id, "change": change, "by": "user"}
    world.machines.start("instance", name, payload | more)
    return name


def follow_member(
    change: str, who: tuple[str, str], what: str, hook: LifecycleAction | None, world: World
) -> str | None:
    """Start the change by which an instance (its stack and own id) of an Auto Scaling group joins
    or leaves; its name, None where it was started before. `what` tells one occasion from
    another."""
    stack, own = who
    name = f"{change}-{own[:8]}-{what}"
    payload: dict[str, Any] = {
        "stack": stack,
        "instance": own,
        "change": change,
        "by": "auto-scaling",
        "hook": hook.model_dump() if hook else None,
    }
    return name if world.machines.start("instance", name, payload) else None


def remove(entry: LayerInstance, world: World) -> None:
    """Drop the record of an instance that is terminated."""
    world.records.remove_instance(entry)


def ask_configure(entry: LayerInstance, reason: Any, world: World) -> int:
    """Let the stack's online instances learn of a change; the number of the wish.

    A round that runs finds the wish at its end. Where none runs, an execution begins one; the
    first of several to be started holds the stack's rounds, and the others end at once.
    """
    number = world.rounds.next_number(entry.stack)
    at = world.clock.now().isoformat()
    world.rounds.put_ask(
        Ask(stack=entry.stack, number=number, instance=entry.id, reason=reason, at=at)
    )
    world.machines.start("configure", f"{entry.stack}-{number}", {"stack": entry.stack})
    return number
