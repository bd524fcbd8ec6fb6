"""MarkInstance: an instance has come as far as its wait said: it boots, runs its Setup, goes down,
or is down and to start again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Model
from kiln.errors import InstanceGone
from kiln.steps._instances import address_of, enter, found, through

if TYPE_CHECKING:
    from kiln.ports import World

S = InstanceState


class MarkInstance(Model):
    """The instance, by its own id, and the state that it has come to."""

    stack: str
    instance: str
    state: Literal["booting", "running_setup", "shutting_down", "requested"]


class InstanceMarked(Model):
    """The EC2 instance."""

    ec2_id: str


def mark_instance(request: MarkInstance, world: World) -> InstanceMarked:
    """Record the state; with `booting`, where the instance is to be found. Raises WrongState."""
    entry = found(request.stack, request.instance, world)
    if request.state == "requested":
        return InstanceMarked(ec2_id=_start_again(entry, world).ec2_id or "")
    changes: dict[str, Any] = {}
    if request.state == "booting":
        facts = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
        if facts is None:
            raise InstanceGone(f"{entry.hostname}: its EC2 instance {entry.ec2_id} is gone")
        changes = {
            "private_ip": facts.private_ip,
            "address": address_of(facts),
            "booted_at": world.clock.now().isoformat(),
        }
    entry = enter(entry, InstanceState(request.state), world, **changes)
    return InstanceMarked(ec2_id=entry.ec2_id or "")


def _start_again(entry: LayerInstance, world: World) -> LayerInstance:
    """One that is healed has stopped, or is gone with its root; it is started as any other."""
    facts = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
    gone = facts is None or facts.state == "terminated"
    stopped = (S.TERMINATED, S.STOPPED) if gone else (S.STOPPED,)
    states = (S.SHUTTING_DOWN, *stopped, S.REQUESTED)
    changes: dict[str, Any] = {"ec2_id": None} if gone else {}
    return through(entry, states, world, by="auto-healing", **changes)
