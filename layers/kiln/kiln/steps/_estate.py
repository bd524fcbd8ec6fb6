"""Every image that Kiln has made, with its places and the rules by which it lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kiln.domain.blueprint import Blueprint, blueprint_from
from kiln.domain.place import ImagePlace
from kiln.errors import InvalidBlueprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiln.domain.bake import ImageRecord
    from kiln.ports import World


@dataclass(frozen=True)
class Estate:
    """Images by their ids where they were baked, their places, and the last version of each
    blueprint, one that is no longer stored too."""

    images: dict[str, ImageRecord] = field(default_factory=dict)
    places: dict[str, tuple[ImagePlace, ...]] = field(default_factory=dict)
    blueprints: dict[str, Blueprint] = field(default_factory=dict)

    def of(self, blueprint: str) -> list[ImageRecord]:
        """A blueprint's images, oldest first."""
        found = (image for image in self.images.values() if image.blueprint == blueprint)
        return sorted(found, key=lambda image: (image.created, image.id))

    @property
    def regions(self) -> tuple[str, ...]:
        """Every Region where there is or was one."""
        return tuple(sorted({p.region for places in self.places.values() for p in places}))


def blueprint_names(world: World) -> tuple[str, ...]:
    """The names of all blueprints that are stored or were baked."""
    return tuple(sorted({*world.versions.names(), *world.records.baked()}))


def survey(world: World, retired: bool = False) -> Estate:
    """All images that are left, or all that ever were."""
    estate = Estate()
    for name in blueprint_names(world):
        images = [i for i in world.records.images(name) if retired or i.retired is None]
        estate.images.update({image.id: image for image in images})
        estate.places.update({image.id: places_of(image, world) for image in images})
        blueprint = _last_version(name, images, world)
        if blueprint:
            estate.blueprints[name] = blueprint
    return estate


def places_of(image: ImageRecord, world: World) -> tuple[ImagePlace, ...]:
    """Where an image is; one of an older Kiln, which kept no places, where it was baked."""
    places = world.records.places(image.id)
    return places or (ImagePlace(region=image.region, image=image.id, status="available"),)


def _last_version(name: str, images: Iterable[ImageRecord], world: World) -> Blueprint | None:
    """A blueprint as it was stored last, or baked last where it never was stored."""
    stored = world.versions.get(name)
    document = stored.document if stored else None
    if document is None and (last := max(images, key=lambda i: i.created, default=None)):
        bake = world.records.bake(last.bake)
        document = bake.plan.document if bake else None
    try:
        return blueprint_from(document) if document else None
    except InvalidBlueprint:
        # One of an older Kiln that this one does not read: it says nothing of how long to keep.
        return None
