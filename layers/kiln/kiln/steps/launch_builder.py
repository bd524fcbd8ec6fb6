"""LaunchBuilder: start the instance that an image is made on, or the clone that proves it. Undone
by Teardown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import NAMESPACE_OID, uuid5

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Model
from kiln.domain.naming import (
    TAG_CHEF,
    TAG_LAYER,
    TAG_PLATFORM,
    TAG_ROLE,
    TAG_STACK,
    bake_tags,
    client_token,
)
from kiln.errors import AwsRefused, CapacityShort, LaunchRefused, NoCapacity
from kiln.ports import LaunchOrder, World
from kiln.steps._bakes import plan_of, seconds_left
from kiln.steps._instances import found, through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiln.domain.bake import Adoption, BakePlan
    from kiln.domain.image import ImageFacts

# An instance that is not online by then never will be: EC2 starts in minutes, an agent in seconds.
ONLINE_WITHIN_S = 1_200


class LaunchBuilder(Model):
    """The bake, and whether to launch its builder or a clone of `image`."""

    bake: str
    role: Literal["builder", "clone"] = "builder"
    image: str | None = None


class BuilderLaunched(Model):
    """The instance, and how long it may take to come online (seconds)."""

    instance: str
    wait_s: int


def launch_builder(request: LaunchBuilder, world: World) -> BuilderLaunched:
    """Launch, once. Raises NoCapacity, LaunchRefused."""
    plan = plan_of(request.bake, world)
    instance = _launched_before(request, world)
    if instance is None:
        image = _image(request, plan, world)
        if request.role == "builder" and plan.adoption:
            _hold_healing(plan.adoption, plan.bake, world)
        instance = _launch(request, plan, image, world)
    if request.role == "builder" and plan.adoption:
        _enter_stack(plan, plan.adoption, instance, world)
    return BuilderLaunched(instance=instance, wait_s=seconds_left(plan, ONLINE_WITHIN_S, world))


def _launched_before(request: LaunchBuilder, world: World) -> str | None:
    # A crash after RunInstances must not lead to a second instance of another type, for which the
    # first one's client token means nothing: the tag finds it.
    running = world.fleet.of_bake(request.bake)
    return next((i.id for i in running if i.tags.get(TAG_ROLE) == request.role), None)


def _image(request: LaunchBuilder, plan: BakePlan, world: World) -> ImageFacts:
    if request.image is None:
        return plan.base
    image = world.images.describe(request.image)
    if image is None:
        raise LaunchRefused(
            f"image {request.image} is gone; someone deregistered it during the bake"
        )
    return image


def _launch(request: LaunchBuilder, plan: BakePlan, image: ImageFacts, world: World) -> str:
    short: list[str] = []
    for order in _orders(request, plan, image):
        try:
            return world.fleet.launch(order)
        except CapacityShort as error:
            short.append(
                f"{order.instance_type} in {order.subnet or 'the default subnet'}: {error.code}"
            )
        except AwsRefused as error:
            raise LaunchRefused(f"the {request.role} could not be launched: {error}") from error
    raise NoCapacity(
        f"no capacity for the {request.role}: {'; '.join(short)}; "
        "name more builder.instance_types or builder.subnets, or try again later"
    )


def _orders(request: LaunchBuilder, plan: BakePlan, image: ImageFacts) -> Iterator[LaunchOrder]:
    for kind in plan.instance_types:
        for subnet in plan.subnets or (None,):
            yield LaunchOrder(
                image=image,
                instance_type=kind,
                token=client_token(plan.bake, request.role, kind, subnet or ""),
                tags=_tags(request, plan),
                subnet=subnet,
                volume=plan.blueprint.builder.volume,
                hostname=f"{plan.bake}-{request.role}",
            )


def _tags(request: LaunchBuilder, plan: BakePlan) -> dict[str, str]:
    tags = bake_tags(plan.bake, request.role) | {TAG_PLATFORM: plan.blueprint.platform}
    adoption = plan.adoption
    if adoption and request.role == "builder":
        tags |= {TAG_STACK: adoption.stack, TAG_LAYER: f"{adoption.stack}/{adoption.layer}"}
        tags |= {TAG_CHEF: adoption.chef} if adoption.chef else {}
    return tags


def _hold_healing(adoption: Adoption, bake: str, world: World) -> None:
    # Before the agent is removed: a healer would take its silence for a failure and replace the
    # builder.
    world.records.hold_healing(f"{adoption.stack}/{adoption.layer}", bake)


def adopted_id(bake: str) -> str:
    """The id, in its stack, of the instance that a bake adopts."""
    return str(uuid5(NAMESPACE_OID, bake))


def _enter_stack(plan: BakePlan, adoption: Adoption, instance: str, world: World) -> None:
    entry = LayerInstance(
        id=adopted_id(plan.bake),
        stack=adoption.stack,
        layers=(adoption.layer,),
        hostname=adoption.hostname,
        state=InstanceState.STOPPED,
        image=plan.base.id,
    )
    world.records.add_instance(entry)
    states = (InstanceState.REQUESTED, InstanceState.PENDING)
    through(found(entry.stack, entry.id, world), states, world, ec2_id=instance)
