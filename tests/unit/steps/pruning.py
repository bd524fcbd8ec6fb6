"""A world of images with their ages, and the daily run on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from kiln.domain.bake import BakeStatus, ImageRecord
from kiln.domain.image import Snapshot
from kiln.domain.naming import bake_tags
from kiln.domain.place import ImagePlace
from kiln.domain.uses import Kind, Use
from kiln.ports import Place
from kiln.steps.prune_images import ImagesPruned, PruneImages, prune_images
from tests.builders import NOW, a_document, a_plan, a_record, an_image, keep_version
from tests.fakes import FakeImages, FakeOutlet, FakeShelf, FakeUses, FakeWorld

HOME, FAR = "eu-west-1", "us-east-1"
RULES = {"disable": {"after": "60d"}, "delete": {"after": "90d"}}
FRIEND = "210987654321"


class Album:
    """Images of blueprint `web`, by their age in days."""

    def __init__(self, lifecycle: dict[str, Any] | None = None, **document: Any) -> None:
        self.fake = FakeWorld()
        rules = RULES if lifecycle is None else lifecycle
        keep_version(a_document(lifecycle=rules, **document), self.fake.world)

    def add(self, days: int, *regions: str, **record: Any) -> str:
        """An image of that age at home and in other Regions; its id at home."""
        created = NOW - timedelta(days=days)
        made = self._record(created, record)
        document = a_document(name=made.blueprint)
        plan = a_plan(document, bake=made.bake, started=created)
        ended = a_record(plan, status=BakeStatus.SUCCEEDED, image=made.id)
        self.fake.records.add_bake(ended)
        self.fake.records.put_image(made)
        for region in (HOME, *regions):
            self._place(made, region)
        return made.id

    def _record(self, created: datetime, more: dict[str, Any]) -> ImageRecord:
        blueprint = more.get("blueprint", "web")
        bake = f"{blueprint}-{created:%Y%m%d-%H%M%S}-0000"
        values: dict[str, Any] = {
            "id": f"ami-{created:%Y%m%d}0",
            "name": bake,
            "bake": bake,
            "blueprint": "web",
            "version": 1,
            "platform": "amazon-linux-2023",
            "architecture": "x86_64",
            "root_device": "ebs",
            "base": "ami-0000000000000ba5e",
            "region": HOME,
            "created": created,
        }
        return ImageRecord(**(values | more))

    def _place(self, made: ImageRecord, region: str) -> None:
        here = made.id if region == HOME else copy_of(made.id)
        volume = Snapshot(device="/dev/xvda", snapshot=f"snap-{here}", size_gib=8)
        tags = bake_tags(made.bake, "image")
        self.images(region).add(an_image(id=here, name=made.name, tags=tags, snapshots=(volume,)))
        self.images(region).snapshots[volume.snapshot] = made.bake
        place = ImagePlace(region=region, image=here, status="available")
        self.fake.records.put_place(made.id, place)

    # ------------------------------------------------------------ the ports, as fakes

    def at(self, region: str = HOME) -> Place:
        return self.fake.regions.at(region)

    def images(self, region: str = HOME) -> FakeImages:
        images = self.at(region).images
        assert isinstance(images, FakeImages)
        return images

    def shelf(self, region: str = HOME) -> FakeShelf:
        shelf = self.at(region).shelf
        assert isinstance(shelf, FakeShelf)
        return shelf

    def uses(self, region: str = HOME) -> FakeUses:
        uses = self.at(region).uses
        assert isinstance(uses, FakeUses)
        return uses

    def outlet(self, region: str = HOME) -> FakeOutlet:
        outlet = self.at(region).outlet
        assert isinstance(outlet, FakeOutlet)
        return outlet

    def use(self, image: str, kind: Kind = "instance", region: str = HOME) -> None:
        """Let something use an image."""
        self.uses(region).known.append(Use(kind=kind, name="i-1", image=image))

    # ------------------------------------------------------------ what came of it

    def prune(self, **request: Any) -> ImagesPruned:
        return prune_images(PruneImages(**request), self.fake.world)

    def state(self, image: str, region: str = HOME) -> str:
        """EC2's, `gone` for one that is not there."""
        found = self.images(region).images.get(image)
        return found.state if found else "gone"

    def status(self, image: str) -> dict[str, str]:
        """What is written down, by Region."""
        return {place.region: place.status for place in self.fake.records.places(image)}

    def became(self) -> list[tuple[str, str, str]]:
        """What was announced."""
        events = (event.detail() for event in self.fake.bus.events)
        return [(event["here"], event["region"], event["became"]) for event in events]


def copy_of(image: str) -> str:
    """The id of an image's copy in another Region."""
    return f"ami-c{image.removeprefix('ami-')}"


def done(pruned: ImagesPruned) -> dict[str, str]:
    """What was done, by the image's id in its Region."""
    return {row.here: row.action for row in pruned.images}
