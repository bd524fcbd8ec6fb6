"""StartInstance: start a layer's instance, or launch it where it has no root to start from. Undone
by a stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Model
from kiln.domain.naming import (
    TAG_CHANGE,
    TAG_LAYER,
    TAG_MANAGED,
    TAG_PLATFORM,
    TAG_ROLLOUT,
    TAG_STACK,
    client_token,
)
from kiln.domain.volumes import LaunchVolume, launched
from kiln.errors import AwsBusy, AwsRefused, CapacityShort, LaunchRefused, NoCapacity
from kiln.ports import LaunchOrder, World
from kiln.steps._instances import enter, found
from kiln.steps._stacks import first_of, layers_of
from kiln.steps.launch_builder import ONLINE_WITHIN_S

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts
    from kiln.domain.stack import Layer


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
    """Start or launch, once. Raises NoCapacity, LaunchRefused; AwsBusy for one that still stops."""
    entry = found(request.stack, request.instance, world)
    if entry.state is not InstanceState.REQUESTED:
        return InstanceStarted(ec2_id=entry.ec2_id or "", wait_s=ONLINE_WITHIN_S)
    try:
        ec2_id = _started(entry, world)
        changes = {"ec2_id": ec2_id} if ec2_id else _launched(entry, request.execution, world)
    except CapacityShort as error:
        raise NoCapacity(f"{entry.hostname} could not be started: {error}") from error
    except AwsRefused as error:
        raise LaunchRefused(f"{entry.hostname} could not be started: {error}") from error
    entry = enter(entry, InstanceState.PENDING, world, **changes)
    return InstanceStarted(ec2_id=entry.ec2_id or "", wait_s=ONLINE_WITHIN_S)


def _started(entry: LayerInstance, world: World) -> str | None:
    """Its EC2 instance with the root and the volumes that it had, where that still exists."""
    known = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
    if known is None or known.state in ("shutting-down", "terminated"):
        return None
    if known.state == "stopping":
        # EC2 starts what is stopped (StartInstances, IncorrectInstanceState). A stop that failed
        # here may be under way there all the same.
        raise AwsBusy(f"{known.id} is still stopping")
    if known.state == "stopped":
        wanted = entry.instance_type
        # EC2 changes the type of a stopped instance alone (ModifyInstanceAttribute).
        if wanted and wanted != known.instance_type:
            world.fleet.resize(known.id, wanted)
        world.fleet.start(known.id)
    return known.id


@dataclass(frozen=True)
class _Launch:
    """All that a launch of an instance is made of, whatever the subnet."""

    entry: LayerInstance
    layer: Layer
    image: ImageFacts
    volumes: tuple[LaunchVolume, ...]

    @property
    def instance_type(self) -> str:
        return self.entry.instance_type or self.layer.instance_type or ""


def _launched(entry: LayerInstance, execution: str, world: World) -> dict[str, Any]:
    """What a launch changes in the record: the EC2 instance and the volumes that it has."""
    launch = _prepared(entry, world)
    short: list[str] = []
    for subnet in world.settings.subnets or (None,):
        key = f"{execution}/short/{subnet or 'default'}"
        known = world.records.claimed(key)
        if known is None:
            try:
                ec2_id = world.fleet.launch(_order(launch, execution, subnet))
            except CapacityShort as error:
                # Remembered: after a crash this subnet must not be tried again, for another one
                # may hold the instance by then.
                known = world.records.claim(key, error.code)
            else:
                return {"ec2_id": ec2_id, "volumes": tuple(v.place for v in launch.volumes)}
        short.append(f"{subnet or 'the default subnet'}: {known}")
    raise NoCapacity(f"no capacity for {launch.instance_type}: {'; '.join(short)}; try again later")


def _prepared(entry: LayerInstance, world: World) -> _Launch:
    layers = layers_of(entry, world)
    layer = first_of(entry, layers)
    if layer.kind == "autoscaling":
        raise LaunchRefused(
            f"{entry.hostname}: its EC2 instance {entry.ec2_id} is gone; Auto Scaling group "
            f"{layer.group} replaces it"
        )
    image = world.images.describe(entry.image) if entry.image else None
    if image is None:
        what = f"its image {entry.image} is gone" if entry.image else "it has no image yet"
        raise LaunchRefused(f"{entry.hostname} cannot be launched: {what}; roll one out")
    try:
        volumes = launched((v for layer in layers for v in layer.volumes), image)
    except ValueError as error:
        # A stack file is checked for it; its layers may have changed under an instance of several.
        names = ", ".join(layer.name for layer in layers)
        raise LaunchRefused(
            f"{entry.hostname} of layers {names} cannot be launched: {error}; change the stack file"
        ) from error
    return _Launch(entry, layer, image, volumes)


def _order(launch: _Launch, execution: str, subnet: str | None) -> LaunchOrder:
    entry = launch.entry
    tags = {
        TAG_MANAGED: "true",
        TAG_STACK: entry.stack,
        TAG_LAYER: entry.place,
        TAG_PLATFORM: entry.platform or launch.layer.platform or "",
        # By it the launch is found where its answer was lost and the change has ended since.
        TAG_CHANGE: execution,
    }
    return LaunchOrder(
        image=launch.image,
        instance_type=launch.instance_type,
        token=client_token(entry.id, execution, subnet or ""),
        tags=tags | ({TAG_ROLLOUT: entry.rollout} if entry.rollout else {}),
        subnet=subnet,
        volumes=launch.volumes,
        hostname=entry.hostname,
    )
