"""LeaveService: an instance is to go; it gets no new requests, and its peers learn that it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.model import Model
from kiln.errors import AwsRefused, TrafficRefused
from kiln.steps._instances import ask_configure, found, write
from kiln.steps._stacks import target_groups

if TYPE_CHECKING:
    from kiln.ports import World

# A target group drains for an hour at most (Elastic Load Balancing API, deregistration_delay).
DRAINED_WITHIN_S = 4_000


class LeaveService(Model):
    """The instance, by its own id."""

    stack: str
    instance: str


class ServiceLeft(Model):
    """The EC2 instance, the target groups that drain, and how long they may take (seconds)."""

    ec2_id: str
    groups: tuple[str, ...]
    wait_s: int


def leave_service(request: LeaveService, world: World) -> ServiceLeft:
    """Deregister; ask for Configure if it served. Raises TrafficRefused."""
    entry = found(request.stack, request.instance, world)
    groups = target_groups(entry, world) if entry.ec2_id else ()
    try:
        world.traffic.deregister(groups, entry.ec2_id or "")
    except AwsRefused as error:
        raise TrafficRefused(
            f"{entry.hostname} could not be taken out of a target group: {error}"
        ) from error
    if entry.serving:
        # The peers of one that was lost know already.
        asked = entry.wanted if entry.lost_in else ask_configure(entry, "offline", world)
        write(entry, world, serving=False, wanted=asked)
    return ServiceLeft(ec2_id=entry.ec2_id or "", groups=groups, wait_s=DRAINED_WITHIN_S)
