"""MarkInstance: an instance has come as far as its wait said: it boots, or runs its Setup."""

from __future__ import annotations

from typing import Any, Literal

from kiln.domain.instance import InstanceState
from kiln.domain.model import Model
from kiln.errors import InstanceGone
from kiln.ports import World
from kiln.steps._instances import enter, found


class MarkInstance(Model):
    """The instance, by its own id, and the state that it has come to."""

    stack: str
    instance: str
    state: Literal["booting", "running_setup", "shutting_down"]


class InstanceMarked(Model):
    """The EC2 instance."""

    ec2_id: str


def mark_instance(request: MarkInstance, world: World) -> InstanceMarked:
    """Record the state; with `booting`, where the instance is to be found. Raises WrongState."""
    entry = found(request.stack, request.instance, world)
    changes: dict[str, Any] = {}
    if request.state == "booting":
        facts = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
        if facts is None:
            raise InstanceGone(f"{entry.hostname}: its EC2 instance {entry.ec2_id} is gone")
        changes = {"private_ip": facts.private_ip, "booted_at": world.clock.now().isoformat()}
    entry = enter(entry, InstanceState(request.state), world, **changes)
    return InstanceMarked(ec2_id=entry.ec2_id or "")
