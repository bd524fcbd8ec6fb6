"""AnnounceImage: complete the image's record, then tell the bus. Consumers may read the record at
once."""

from __future__ import annotations

from kiln.domain.bake import BakePlan, ImageRecord
from kiln.domain.events import ImageAvailable, LayerStrategy
from kiln.domain.model import Model
from kiln.domain.packages import Contents
from kiln.ports import World
from kiln.steps._bakes import plan_of


class AnnounceImage(Model):
    """The bake, its image in every Region, its release, and where its contents are recorded."""

    bake: str
    image: str
    images: dict[str, str]
    release: str
    contents: Contents


class ImageAnnounced(Model):
    """The image and the layers that are to take it."""

    image: str
    layers: tuple[str, ...]


def announce_image(request: AnnounceImage, world: World) -> ImageAnnounced:
    """Record, then publish. Publishing twice is allowed: consumers act once per image and layer."""
    plan = plan_of(request.bake, world)
    record = _record(request, plan, world)
    world.records.put_image(record)
    world.bus.publish(_event(request, plan, record))
    return ImageAnnounced(image=request.image, layers=record.layers)


def _record(request: AnnounceImage, plan: BakePlan, world: World) -> ImageRecord:
    blueprint = plan.blueprint
    return ImageRecord(
        id=request.image,
        name=plan.image_name,
        bake=plan.bake,
        blueprint=blueprint.name,
        version=plan.version,
        platform=blueprint.platform,
        architecture=plan.base.architecture,
        root_device=blueprint.root_device,
        base=plan.base.id,
        region=world.settings.region,
        created=world.clock.now(),
        release=request.release,
        manifest=request.contents.manifest,
        sbom=request.contents.sbom,
        contents=request.contents,
        layers=tuple(target.layer for target in blueprint.layers),
    )


def _event(request: AnnounceImage, plan: BakePlan, record: ImageRecord) -> ImageAvailable:
    targets = plan.blueprint.layers
    return ImageAvailable(
        bake=record.bake,
        blueprint=record.blueprint,
        version=record.version,
        images=request.images,
        name=record.name,
        base=record.base,
        release=record.release,
        platform=record.platform,
        architecture=record.architecture,
        root_device=record.root_device,
        manifest=record.manifest,
        sbom=record.sbom,
        layers=tuple(LayerStrategy(layer=t.layer, strategy=t.strategy) for t in targets),
    )
