"""Where images come from and where they went: what each was made from, up to the public image, what
was made from it, and what runs it now in each Region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kiln.domain.bake import ImageRecord
from kiln.domain.uses import RUNS, Use
from kiln.errors import InvalidRequest
from kiln.ports import World
from kiln.steps._estate import survey
from kiln.steps._uses import Lookout

Row = dict[str, Any]


class Lineage:
    """Every image that ever was, by its record; AWS is asked only for what runs them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._estate = survey(world, retired=True)
        self._lookout = Lookout(self._estate, world)

    def of(self, image: str) -> list[Row]:
        """One image by its id in any Region. InvalidRequest."""
        for record in self._estate.images.values():
            if image in (record.id, *(p.image for p in self._estate.places[record.id])):
                return self.told([record])
        raise InvalidRequest(
            f"{image}: is no image that Kiln has made here; `kiln images --all` lists them"
        )

    def told(self, records: Iterable[ImageRecord]) -> list[Row]:
        """Images, JSON-ready; each Region is asked once for all of them."""
        wanted = list(records)
        uses = self._uses(wanted)
        return [self._image(record, uses) for record in wanted]

    def _uses(self, records: list[ImageRecord]) -> dict[str, dict[str, tuple[Use, ...]]]:
        """By Region, then by the image's id there."""
        there: dict[str, list[str]] = {}
        for record in records:
            for place in self._estate.places[record.id]:
                if place.image and place.status != "deleted":
                    there.setdefault(place.region, []).append(place.image)
        return {region: self._lookout.uses(region, images) for region, images in there.items()}

    def _image(self, record: ImageRecord, uses: dict[str, dict[str, tuple[Use, ...]]]) -> Row:
        places = self._estate.places[record.id]
        found = {
            place.region: uses.get(place.region, {}).get(place.image or "", ())
            for place in places
            if place.image and place.status != "deleted"
        }
        return record.model_dump(mode="json", exclude={"distribute"}) | {
            "places": [place.model_dump(mode="json") for place in places],
            "made_from": list(self._made_from(record)),
            "made": [_short(child) for child in self._made(record)],
            "runs": {
                region: _rows(u for u in rows if u.kind in RUNS) for region, rows in found.items()
            },
            "kept_for": {
                region: _rows(u for u in rows if u.kind not in RUNS)
                for region, rows in found.items()
            },
        }

    def _made_from(self, record: ImageRecord) -> Iterator[Row]:
        """The chain of bases; the last one is no image of Kiln's."""
        while known := self._estate.images.get(record.base):
            yield _short(known)
            record = known
        bake = self._world.records.bake(record.bake)
        name = bake.plan.base.name if bake else None
        yield {"image": record.base, "name": name, "blueprint": None, "version": None, "bake": None}

    def _made(self, record: ImageRecord) -> list[ImageRecord]:
        found = (child for child in self._estate.images.values() if child.base == record.id)
        return sorted(found, key=lambda child: (child.created, child.id))


def _short(record: ImageRecord) -> Row:
    return {
        "image": record.id,
        "name": record.name,
        "blueprint": record.blueprint,
        "version": record.version,
        "bake": record.bake,
    }


def _rows(uses: Iterable[Use]) -> list[Row]:
    return [use.model_dump(mode="json", exclude={"image"}) | {"label": use.label} for use in uses]


def lines(image: Row) -> Iterator[str]:
    """An image for a person."""
    yield f"image    {image['id']} {image['name']}"
    yield f"made by  {image['blueprint']}@{image['version']}, bake {image['bake']}"
    yield f"created  {image['created']}"
    if image["release"]:
        yield f"release  {image['release']}"
    yield f"platform {image['platform']} {image['architecture']} ({image['root_device']})"
    for place in image["places"]:
        yield f"region   {place['region']} {place['image'] or 'no image'} {place['status']}"
        for key, word in (("runs", "runs"), ("kept_for", "kept for")):
            for use in image[key].get(place["region"], ()):
                yield f"         {word} {use['label']}"
    for depth, base in enumerate(image["made_from"]):
        yield f"{'from' if depth == 0 else '':8} {'  ' * depth}{_named(base)}"
    for child in image["made"]:
        yield f"made     {_named(child)}"


def _named(row: Row) -> str:
    if row["blueprint"] is None:
        return f"{row['image']} {row['name'] or ''} (not made by Kiln)"
    return f"{row['image']} {row['blueprint']}@{row['version']}, bake {row['bake']}"
