"""DistributeImage: tags on the image and its snapshots, deprecation date, pointer in Parameter
Store."""

from __future__ import annotations

from datetime import timedelta

from kiln.domain.bake import BakePlan
from kiln.domain.durations import seconds
from kiln.domain.identity import parse_facts
from kiln.domain.image import ImageFacts
from kiln.domain.model import Model
from kiln.domain.naming import TAG_PLATFORM, TAG_RELEASE, bake_tags
from kiln.domain.platforms import Family
from kiln.errors import AwsBusy, AwsRefused, DistributionFailed
from kiln.ports import World
from kiln.steps._bakes import plan_of
from kiln.steps.verify_image import CommandRef


class DistributeImage(Model):
    """The bake, its verified image, and the preparation that said which release it is."""

    bake: str
    image: str
    prepared: CommandRef


class ImageDistributed(Model):
    """Where the image is now, by Region, and the release of the platform that is in it."""

    images: dict[str, str]
    release: str


def distribute_image(request: DistributeImage, world: World) -> ImageDistributed:
    """Put the image in its place; again is harmless. Raises DistributionFailed, AwsBusy."""
    plan = plan_of(request.bake, world)
    image = world.images.describe(request.image)
    if image is None or image.state != "available":
        state = image.state if image else "gone"
        raise DistributionFailed(f"{request.image} is {state}, not available; it is not pointed at")
    try:
        release = _release(request, plan, world)
        _mark(plan, image, release, world)
    except AwsRefused as error:
        raise DistributionFailed(f"{image.id} could not be distributed: {error}") from error
    return ImageDistributed(images={world.settings.region: image.id}, release=release)


def _release(request: DistributeImage, plan: BakePlan, world: World) -> str:
    """What the preparation found on the builder; nothing on Windows, which has no releases."""
    if plan.blueprint.family is Family.WINDOWS:
        return ""
    prepared = request.prepared
    said = world.commands.output(prepared.command, prepared.instance, "lock")
    return parse_facts(said.stdout).get("release", "")


def _mark(plan: BakePlan, image: ImageFacts, release: str, world: World) -> None:
    spec = plan.blueprint.image
    own = {TAG_PLATFORM: plan.blueprint.platform} | ({TAG_RELEASE: release} if release else {})
    tags = bake_tags(plan.bake, "image") | own | spec.tags
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
