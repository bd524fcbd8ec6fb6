"""StartInstance: start a layer's instance, or launch it where it has no root to start from. Undone
by a stop."""

from __future__ import annotations

from kiln.domain.image import ImageFacts
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Model
from kiln.domain.naming import (
    TAG_LAYER,
    TAG_MANAGED,
    TAG_PLATFORM,
    TAG_ROLLOUT,
    TAG_STACK,
    client_token,
)
from kiln.domain.stack import Layer
from kiln.errors import AwsRefused, CapacityShort, LaunchRefused, NoCapacity
from kiln.ports import LaunchOrder, World
from kiln.steps._instances import enter, found
from kiln.steps._stacks import layer_of
from kiln.steps.launch_builder import ONLINE_WITHIN_S


class StartInstance(Model):
    """The instance, by its own id, and the change that starts it."""

    stack: str
    instance: str
    execution: str


class InstanceStarted(Model):
    """The EC2 instance, and how long it may take to come online (seconds)."""

    ec2_id: str
    wait_s: int


def start_instance(request: StartInstance, world: World) -> InstanceStarted:
    """Start or launch, once. Raises NoCapacity, LaunchRefused."""
    entry = found(request.stack, request.instance, world)
    if entry.state is not InstanceState.REQUESTED:
        return InstanceStarted(ec2_id=entry.ec2_id or "", wait_s=ONLINE_WITHIN_S)
    try:
        ec2_id = _started(entry, world) or _launched(entry, request.execution, world)
    except CapacityShort as error:
        raise NoCapacity(f"{entry.hostname} could not be started: {error}") from error
    except AwsRefused as error:
        raise LaunchRefused(f"{entry.hostname} could not be started: {error}") from error
    enter(entry, InstanceState.PENDING, world, ec2_id=ec2_id)
    return InstanceStarted(ec2_id=ec2_id, wait_s=ONLINE_WITHIN_S)


def _started(entry: LayerInstance, world: World) -> str | None:
    """Its EC2 instance with the root that it had, where that still exists."""
    known = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
    if known is None or known.state in ("shutting-down", "terminated"):
        return None
    if known.state in ("stopped", "stopping"):
        wanted = entry.instance_type
        # EC2 changes the type of a stopped instance alone (ModifyInstanceAttribute).
        if known.state == "stopped" and wanted and wanted != known.instance_type:
            world.fleet.resize(known.id, wanted)
        world.fleet.start(known.id)
    return known.id


def _launched(entry: LayerInstance, execution: str, world: World) -> str:
    image = world.images.describe(entry.image) if entry.image else None
    if image is None:
        what = f"its image {entry.image} is gone" if entry.image else "it has no image yet"
        raise LaunchRefused(f"{entry.hostname} cannot be launched: {what}; roll one out")
    layer = layer_of(entry, world)
    if layer.kind == "autoscaling":
        raise LaunchRefused(
            f"{entry.hostname}: its EC2 instance {entry.ec2_id} is gone; Auto Scaling group "
            f"{layer.group} replaces it"
        )
    short: list[str] = []
    for subnet in world.settings.subnets or (None,):
        key = f"{execution}/short/{subnet or 'default'}"
        known = world.records.claimed(key)
        if known is None:
            try:
                return world.fleet.launch(_order(entry, layer, image, (execution, subnet)))
            except CapacityShort as error:
                # Remembered: after a crash this subnet must not be tried again, for another one
                # may hold the instance by then.
                known = world.records.claim(key, error.code)
        short.append(f"{subnet or 'the default subnet'}: {known}")
    kind = entry.instance_type or layer.instance_type
    raise NoCapacity(f"no capacity for {kind}: {'; '.join(short)}; try again later")


def _order(
    entry: LayerInstance, layer: Layer, image: ImageFacts, place: tuple[str, str | None]
) -> LaunchOrder:
    execution, subnet = place
    tags = {
        TAG_MANAGED: "true",
        TAG_STACK: entry.stack,
        TAG_LAYER: entry.place,
        TAG_PLATFORM: entry.platform or layer.platform or "",
    }
    return LaunchOrder(
        image=image,
        instance_type=entry.instance_type or layer.instance_type or "",
        token=client_token(entry.id, execution, subnet or ""),
        tags=tags | ({TAG_ROLLOUT: entry.rollout} if entry.rollout else {}),
        subnet=subnet,
        hostname=entry.hostname,
    )
