"""AnnounceImage: tell the bus where an image is. Consumers may read its record at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.events import ImageAvailable, ImageDistributed, LayerStrategy
from kiln.domain.failure import Failure
from kiln.domain.model import Model
from kiln.errors import DistributionFailed
from kiln.steps._bakes import plan_of
from kiln.steps._channels import enter_dev, tell
from kiln.steps._distribution import image_record

if TYPE_CHECKING:
    from kiln.domain.bake import ImageRecord
    from kiln.domain.place import ImagePlace
    from kiln.ports import World


class AnnounceImage(Model):
    """An image and the Regions to which it was just distributed; `distribution` is the execution
    that did it again, none for the bake's own."""

    image: str
    regions: tuple[str, ...]
    distribution: str | None = None


class ImageAnnounced(Model):
    """The image, where it is by Region, the layers that are to take it, and, if it is missing in a
    Region to which it was to go, which and why."""

    image: str
    images: dict[str, str]
    layers: tuple[str, ...]
    failure: Failure | None


def announce_image(request: AnnounceImage, world: World) -> ImageAnnounced:
    """Publish, then note that it is, then let it into dev. Publishing twice is allowed: consumers
    act once per image and layer. An image that its own Region lacks something for is not
    announced."""
    record = image_record(request.image, world)
    places = world.records.places(record.id)
    images = {p.region: p.image for p in places if p.image and p.ready}
    missing = {p.region: _why(p) for p in places if not (p.ready or p.retired)}
    if record.announced:
        world.bus.publish(_distributed(record, images, missing))
    elif record.region in images:
        world.bus.publish(_available(record, images, missing, world))
        record = record.model_copy(update={"announced": world.clock.now()})
        world.records.put_image(record)
    if record.announced and record.region in images and (entry := enter_dev(record, world)):
        tell(entry, record, world)
    if request.distribution:
        world.records.drop_distribution(record.id, request.distribution)
    failed = {region: why for region, why in missing.items() if region in request.regions}
    return ImageAnnounced(
        image=record.id,
        images=images,
        layers=record.layers,
        failure=_failure(record, images, failed) if failed else None,
    )


def _why(place: ImagePlace) -> str:
    return f"{place.error}: {place.cause}" if place.error else "it did not come to an end"


def _available(
    record: ImageRecord, images: dict[str, str], missing: dict[str, str], world: World
) -> ImageAvailable:
    targets = plan_of(record.bake, world).blueprint.layers
    return ImageAvailable(
        bake=record.bake,
        blueprint=record.blueprint,
        version=record.version,
        images=images,
        name=record.name,
        base=record.base,
        release=record.release,
        platform=record.platform,
        architecture=record.architecture,
        root_device=record.root_device,
        manifest=record.manifest,
        sbom=record.sbom,
        layers=tuple(
            LayerStrategy(layer=t.layer, strategy=t.strategy, channel=t.channel) for t in targets
        ),
        missing=missing,
    )


def _distributed(
    record: ImageRecord, images: dict[str, str], missing: dict[str, str]
) -> ImageDistributed:
    return ImageDistributed(
        bake=record.bake,
        blueprint=record.blueprint,
        version=record.version,
        image=record.id,
        images=images,
        missing=missing,
    )


def _failure(record: ImageRecord, images: dict[str, str], failed: dict[str, str]) -> Failure:
    reasons = "".join(f"\n{region}: {why}" for region, why in failed.items())
    there = f"It is ready in {', '.join(images)}; once" if images else "Once"
    return Failure(
        error=DistributionFailed.__name__,
        cause=f"{record.id} ({record.name}) is not ready in {', '.join(failed)}:{reasons}\n{there} "
        f"that is mended, `kiln distribute {record.id}` does what is missing, without a new bake.",
        state="Distribute",
    )
