"""What the steps of a distribution share: an image's record, its places, what is undone there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.distribution import Distribute, check_regions
from kiln.domain.naming import TAG_PLATFORM, TAG_RELEASE, bake_tags
from kiln.domain.place import ImagePlace
from kiln.errors import DistributionFailed, InvalidBlueprint
from kiln.steps._bakes import plan_of

if TYPE_CHECKING:
    from kiln.domain.bake import BakePlan, ImageRecord
    from kiln.domain.image import ImageFacts
    from kiln.ports import World


def check_distribution(wish: Distribute, world: World) -> None:
    """Raise InvalidBlueprint for a Region or a launch template that this account does not have."""
    own = world.settings.region
    check_regions(wish, own, world.regions.enabled() if wish.regions else ())
    for template in wish.launch_templates:
        region = template.region or own
        if not world.regions.at(region).outlet.knows_template(template):
            raise InvalidBlueprint(
                f"distribute.launch_templates: {template.label} does not exist in {region}; make "
                "it first, a version of it is all that Kiln adds"
            )


def image_record(image: str, world: World) -> ImageRecord:
    """The record of an image. DistributionFailed for one that Kiln did not make."""
    record = world.records.image(image)
    if record is None:
        raise DistributionFailed(f"{image} has no record; distribute an image that Kiln has made")
    return record


def wish_of(record: ImageRecord, plan: BakePlan) -> Distribute:
    """Where an image is to go: as its bake's blueprint says, unless it was told otherwise since."""
    return record.distribute or plan.blueprint.distribute


def place_of(image: str, region: str, world: World) -> ImagePlace:
    """What is known of an image in a Region."""
    known = {place.region: place for place in world.records.places(image)}
    return known.get(region) or ImagePlace(region=region)


def image_tags(record: ImageRecord, plan: BakePlan) -> dict[str, str]:
    """The tags of an image and its snapshots wherever they are."""
    own = {TAG_PLATFORM: record.platform} | (
        {TAG_RELEASE: record.release} if record.release else {}
    )
    return bake_tags(record.bake, "image") | own | plan.blueprint.image.tags


def keep_good(image: str, bake: str, region: str, world: World) -> str | None:
    """Remove what copies of an image came to nothing in another Region, with their snapshots; the
    copy that is available there. Again is harmless."""
    images = world.regions.at(region).images
    place = place_of(image, region, world)
    copies = {copy.id: copy for copy in images.of_bake(bake)}
    # A failed copy may have lost its name and tags; its id was written down.
    if place.image and place.image not in copies and (found := images.describe(place.image)):
        copies[found.id] = found
    lost = [copy for copy in copies.values() if copy.state != "available"]
    good = [copy for copy in copies.values() if copy.state == "available"]
    if lost:
        # Counted first: the next copy needs another client token whatever happens here.
        changed = {"lost": place.lost + len(lost), "image": good[0].id if good else None}
        world.records.put_place(image, place.model_copy(update=changed))
    for copy in lost:
        images.deregister(copy.id)
    _delete_others(bake, good, region, world)
    return good[0].id if good else None


def _delete_others(bake: str, good: list[ImageFacts], region: str, world: World) -> None:
    images = world.regions.at(region).images
    wanted = {volume.snapshot for copy in good for volume in copy.snapshots}
    for snapshot in images.snapshots_of_bake(bake):
        if snapshot not in wanted:
            images.delete_snapshot(snapshot)


def undo_copies(record: ImageRecord, world: World) -> None:
    """Remove what copies of an image came to nothing in any Region."""
    plan = plan_of(record.bake, world)
    for target in wish_of(record, plan).regions:
        keep_good(record.id, record.bake, target.region, world)
