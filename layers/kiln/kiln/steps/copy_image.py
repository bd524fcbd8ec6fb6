"""CopyImage: the image in another Region, copied now or by an earlier call. Undone by UndoCopy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.model import Model
from kiln.domain.naming import TAG_BAKE, client_token
from kiln.errors import AwsRefused, DistributionFailed
from kiln.ports import CopyOrder, World
from kiln.steps._bakes import plan_of
from kiln.steps._distribution import image_record, image_tags, keep_good, place_of, wish_of
from kiln.steps.create_image import description

if TYPE_CHECKING:
    from kiln.domain.bake import BakePlan, ImageRecord


class CopyImage(Model):
    """The bake's image and the Region that gets it."""

    image: str
    region: str


class ImageCopied(Model):
    """The image there; it may not be available yet."""

    image: str
    region: str


def copy_image(request: CopyImage, world: World) -> ImageCopied:
    """Start a copy, or find the one that is there. Raises DistributionFailed, AwsBusy."""
    record = image_record(request.image, world)
    plan = plan_of(record.bake, world)
    found = _under_way(record, request.region, world)
    image = found or _copy(record, plan, request.region, world)
    place = place_of(record.id, request.region, world)
    world.records.put_place(record.id, place.model_copy(update={"image": image}))
    return ImageCopied(image=image, region=request.region)


def _under_way(record: ImageRecord, region: str, world: World) -> str | None:
    """A copy of an earlier call; what failed before is removed, and its token with it."""
    copies = world.regions.at(region).images.of_bake(record.bake)
    pending = next((copy.id for copy in copies if copy.state == "pending"), None)
    return pending or keep_good(record.id, record.bake, region, world)


def _copy(record: ImageRecord, plan: BakePlan, region: str, world: World) -> str:
    there = world.regions.at(region)
    target = wish_of(record, plan).target(region)
    lost = place_of(record.id, region, world).lost
    order = CopyOrder(
        image=record.id,
        source=record.region,
        name=record.name,
        description=description(plan),
        tags=image_tags(record, plan),
        token=client_token(record.bake, "copy", region, str(lost)),
        kms_key=target.kms_key if target else None,
    )
    taken = there.images.named(record.name)
    if taken and taken.tags.get(TAG_BAKE) != record.bake:
        # Whether EC2 lets two copies have one name or not: who looks one up by name must not find
        # another.
        raise DistributionFailed(
            f"image.name: {record.name!r} is taken by {taken.id} in {region}; use {{date}} and "
            "{time} in the name"
        )
    # Before the call: what it makes must be found whatever happens then.
    world.leftovers.note_region(region)
    try:
        return there.outlet.copy(order)
    except AwsRefused as error:
        raise DistributionFailed(f"{record.id} was not copied to {region}: {error}") from error
