"""EnterService: Setup and Deploy are done; the instance serves, and its peers learn of it. Undone
by LeaveService."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.instance import InstanceState
from kiln.domain.model import Model
from kiln.errors import AwsRefused, TrafficRefused
from kiln.steps._instances import ask_configure, enter, found, write
from kiln.steps._stacks import target_groups

if TYPE_CHECKING:
    from kiln.ports import World


class EnterService(Model):
    """The instance, by its own id."""

    stack: str
    instance: str


class ServiceEntered(Model):
    """The number of the wish for Configure that this caused."""

    asked: int


def enter_service(request: EnterService, world: World) -> ServiceEntered:
    """Register, record `online`, ask for Configure. Raises TrafficRefused."""
    entry = found(request.stack, request.instance, world)
    try:
        world.traffic.register(target_groups(entry, world), entry.ec2_id or "")
    except AwsRefused as error:
        raise TrafficRefused(
            f"{entry.hostname} could not be registered with a target group of its layers: {error}"
        ) from error
    entry = enter(entry, InstanceState.ONLINE, world, serving=True)
    asked = ask_configure(entry, "online", world)
    write(entry, world, wanted=asked)
    return ServiceEntered(asked=asked)
