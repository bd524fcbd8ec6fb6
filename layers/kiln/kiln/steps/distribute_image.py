"""DistributeImage: tags on the image and its snapshots, deprecation date, pointer in Parameter
Store."""

from __future__ import annotations

from datetime import timedelta

from kiln.domain.bake import BakePlan
from kiln.domain.durations import seconds
from kiln.domain.image import ImageFacts
from kiln.domain.model import Model
from kiln.domain.naming import TAG_PLATFORM, bake_tags
from kiln.errors import AwsBusy, AwsRefused, DistributionFailed
from kiln.ports import World
from kiln.steps._bakes import plan_of


class DistributeImage(Model):
    """The bake and its verified image."""

    bake: str
    image: str


class ImageDistributed(Model):
    """Where the image is now, by Region."""

    images: dict[str, str]


def distribute_image(request: DistributeImage, world: World) -> ImageDistributed:
    """Put the image in its place; again is harmless. Raises DistributionFailed, AwsBusy."""
    plan = plan_of(request.bake, world)
    image = world.images.describe(request.image)
    if image is None or image.state != "available":
        state = image.state if image else "gone"
        raise DistributionFailed(f"{request.image} is {state}, not available; it is not pointed at")
    try:
        _mark(plan, image, world)
    except AwsRefused as error:
        raise DistributionFailed(f"{image.id} could not be distributed: {error}") from error
    return ImageDistributed(images={world.settings.region: image.id})


def _mark(plan: BakePlan, image: ImageFacts, world: World) -> None:
    spec = plan.blueprint.image
    tags = bake_tags(plan.bake, "image") | {TAG_PLATFORM: plan.blueprint.platform} | spec.tags
    world.images.tag((image.id, *(s.snapshot for s in image.snapshots)), tags)
    if spec.deprecate_after:
        age = timedelta(seconds=seconds(spec.deprecate_after))
        world.images.deprecate(image.id, world.clock.now() + age)
    if plan.blueprint.distribute.parameter:
        _point(plan.blueprint.distribute.parameter, image.id, world)


def _point(name: str, image: str, world: World) -> None:
    """Write the pointer and read it back.

    PutParameter of type aws:ec2:image answers before the value is checked, and drops it if the
    check fails (Systems Manager User Guide, "Native parameter support for AMI IDs").
    """
    if world.parameters.read(name) != image:
        world.parameters.point(name, image)
    if world.parameters.read(name) != image:
        raise AwsBusy(f"parameter {name} does not name {image} yet")
