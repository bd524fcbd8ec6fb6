"""CreateImage: one image of the stopped builder, or of the bundle that it has made. Neither call
takes a client token: the name is the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.bake import BakePlan, Seal
from kiln.domain.bundle import manifest_of
from kiln.domain.durations import seconds
from kiln.domain.model import Model
from kiln.domain.naming import TAG_BAKE, TAG_PLATFORM, bake_tags
from kiln.errors import AwsBusy, AwsRefused, ImageRefused
from kiln.ports import ImageOrder, World
from kiln.steps._bakes import record_of, seconds_left

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts


class CreateImage(Model):
    """The bake and its builder."""

    bake: str
    instance: str


class ImageCreated(Model):
    """The image, and how long it may take to become available (seconds)."""

    image: str
    wait_s: int


def create_image(request: CreateImage, world: World) -> ImageCreated:
    """The bake's image, made now or by an earlier call. Raises ImageRefused."""
    record = record_of(request.bake, world)
    plan = record.plan
    image = _mine(world.images.named(plan.image_name), plan) or _create(request, plan, world)
    world.records.update_bake(record.model_copy(update={"image": image}))
    if plan.seal is Seal.BUNDLE and plan.blueprint.on_failure != "keep":
        # It cannot be stopped; what was bundled no longer needs it.
        world.fleet.terminate([request.instance])
    limit = seconds(plan.blueprint.deadline)
    return ImageCreated(image=image, wait_s=seconds_left(plan, limit, world))


def _mine(found: ImageFacts | None, plan: BakePlan) -> str | None:
    if found is None:
        return None
    if found.tags.get(TAG_BAKE) != plan.bake:
        raise ImageRefused(
            f"image.name: {plan.image_name!r} is taken by {found.id}; use {{date}} and {{time}} "
            "in the name"
        )
    return found.id


def _create(request: CreateImage, plan: BakePlan, world: World) -> str:
    tags = bake_tags(plan.bake, "image") | {TAG_PLATFORM: plan.blueprint.platform}
    manifest = _manifest(plan, world)
    order = ImageOrder(
        instance=request.instance,
        name=plan.image_name,
        description=description(plan),
        tags=tags | plan.blueprint.image.tags,
        without=() if manifest else _added(request.instance, plan, world),
        manifest=manifest,
        virtualization=plan.base.virtualization,
        ena=plan.base.ena,
    )
    try:
        return world.images.create(order)
    except AwsRefused as error:
        # A first call whose answer was lost has made it meanwhile.
        if error.code == "InvalidAMIName.Duplicate":
            return _made_before(plan, world)
        raise ImageRefused(f"{request.instance} could not be made an image: {error}") from error


def _made_before(plan: BakePlan, world: World) -> str:
    """The image that has the name. AwsBusy where EC2 does not tell of it yet: its descriptions are
    eventually consistent (EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API")."""
    mine = _mine(world.images.named(plan.image_name), plan)
    if mine is None:
        raise AwsBusy(f"{plan.image_name} is taken by an image that EC2 does not tell of yet")
    return mine


def _added(instance: str, plan: BakePlan, world: World) -> tuple[str, ...]:
    """Devices that the base does not have: a volume that came later holds one machine's data."""
    facts = world.fleet.describe(instance)
    return tuple(sorted(facts.volumes.keys() - plan.base.mapped)) if facts else ()


def _manifest(plan: BakePlan, world: World) -> str | None:
    bundled = plan.seal is Seal.BUNDLE
    return manifest_of(world.bundles.location(plan.bake)) if bundled else None


def description(plan: BakePlan) -> str:
    """What EC2 is told of a bake's image and of its copies."""
    # EC2 takes 255 printable ASCII characters in a description.
    text = plan.blueprint.description or f"{plan.blueprint.name}, baked from {plan.base.id}"
    return "".join(c if " " <= c <= "~" else " " for c in text)[:255]
