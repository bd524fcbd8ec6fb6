"""AddInstance: one new instance of a layer, launched from an image. Undone by FinishRollout."""

from __future__ import annotations

from kiln.domain.events import RolloutChanged
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
from kiln.domain.rollout import Rollout
from kiln.domain.stack import Layer, next_hostname, split_layer
from kiln.errors import AwsRefused, CapacityShort, RolloutFailed
from kiln.ports import LaunchOrder, World
from kiln.steps._rollouts import added_id, added_instance, rollout_of
from kiln.steps._stack_instances import change_state
from kiln.steps.launch_builder import ONLINE_WITHIN_S


class AddInstance(Model):
    """The rollout, by image and layer."""

    image: str
    layer: str


class InstanceAdded(Model):
    """The EC2 instance, and how long it may take to come online (seconds)."""

    instance: str
    wait_s: int


def add_instance(request: AddInstance, world: World) -> InstanceAdded:
    """Launch, once per rollout. Raises RolloutFailed."""
    rollout = rollout_of(request.image, request.layer, world)
    entry = added_instance(rollout, world) or _request(rollout, world)
    if entry.ec2_id is None:
        entry = entry.model_copy(update={"ec2_id": _launch(rollout, entry, world)})
        entry = change_state(entry, InstanceState.PENDING, world)
        world.records.update_rollout(rollout.model_copy(update={"instance": entry.id}))
    return InstanceAdded(instance=entry.ec2_id or "", wait_s=ONLINE_WITHIN_S)


def _request(rollout: Rollout, world: World) -> LayerInstance:
    stack, layer = split_layer(rollout.layer)
    taken = {instance.hostname for instance in world.records.instances(stack)}
    entry = LayerInstance(
        id=added_id(rollout),
        stack=stack,
        layers=(layer,),
        hostname=next_hostname(layer, taken),
        state=InstanceState.REQUESTED,
        image=rollout.image,
    )
    changed = RolloutChanged(
        rollout=rollout.id, image=rollout.image, layer=rollout.layer, status="Started"
    )
    world.bus.publish(changed)
    return change_state(entry, InstanceState.REQUESTED, world)


def _launch(rollout: Rollout, entry: LayerInstance, world: World) -> str:
    image = world.images.describe(rollout.image)
    layer = _layer(rollout, world)
    if image is None or layer is None:
        gone = f"image {rollout.image}" if image is None else f"layer {rollout.layer}"
        raise RolloutFailed(f"{gone} is gone; nothing was launched")
    short: list[str] = []
    for subnet in world.settings.subnets or (None,):
        try:
            return world.fleet.launch(_order(rollout, entry, layer, image, subnet))
        except CapacityShort as error:
            short.append(f"{subnet or 'the default subnet'}: {error.code}")
        except AwsRefused as error:
            raise RolloutFailed(f"{rollout.layer} gained no instance: {error}") from error
    raise RolloutFailed(
        f"no capacity for {layer.instance_type}: {'; '.join(short)}; try again later"
    )


def _layer(rollout: Rollout, world: World) -> Layer | None:
    stack_name, layer_name = split_layer(rollout.layer)
    stack = world.records.stack(stack_name)
    return stack.layer(layer_name) if stack else None


def _order(
    rollout: Rollout, entry: LayerInstance, layer: Layer, image: ImageFacts, subnet: str | None
) -> LaunchOrder:
    return LaunchOrder(
        image=image,
        instance_type=layer.instance_type or "",
        token=client_token(rollout.id, subnet or ""),
        tags={
            TAG_MANAGED: "true",
            TAG_STACK: entry.stack,
            TAG_LAYER: rollout.layer,
            TAG_ROLLOUT: rollout.id,
            TAG_PLATFORM: rollout.platform,
        },
        subnet=subnet,
        hostname=entry.hostname,
    )
