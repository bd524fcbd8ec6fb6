"""Images out of use, what uses them, channels and recent bakes, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kiln.domain.bake import BakeRecord
from kiln.domain.image import ImageFacts
from kiln.domain.naming import TAG_MANAGED
from kiln.domain.uses import Use
from kiln.errors import AwsRefused
from kiln.ports import Reach
from tests.fakes.images import FakeImages
from tests.fakes.records import FakeRecords


@dataclass
class FakeUses:
    """Uses as a test lists them; `asked` are the images of each look. `later` come to light with
    the second look: somebody was faster than Kiln."""

    known: list[Use] = field(default_factory=list)
    later: list[Use] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def of(self, images: Iterable[str]) -> tuple[Use, ...]:
        wanted = tuple(images)
        self.asked.append(wanted)
        if len(self.asked) > 1:
            self.known, self.later = [*self.known, *self.later], []
        return tuple(use for use in self.known if use.image in wanted)


@dataclass
class FakeShelf:
    """The images of a Region, as those of `FakeImages` are. A refusal is raised for its image."""

    images: FakeImages
    reaches: dict[str, Reach] = field(default_factory=dict)
    launches: dict[str, datetime] = field(default_factory=dict)
    refusals: dict[str, AwsRefused] = field(default_factory=dict)

    def managed(self) -> tuple[ImageFacts, ...]:
        own = (i for i in self.images.images.values() if self.images.owners[i.id] == "self")
        return tuple(image for image in own if image.tags.get(TAG_MANAGED) == "true")

    def disable(self, image: str) -> None:
        self._become(image, "disabled")
        self.reaches.pop(image, None)

    def enable(self, image: str) -> None:
        self._become(image, "available")

    def _become(self, image: str, state: str) -> None:
        if image in self.refusals:
            raise self.refusals[image]
        found = self.images.images[image]
        self.images.images[image] = found.model_copy(update={"state": state})

    def launched(self, image: str) -> datetime | None:
        return self.launches.get(image)

    def reach(self, image: str) -> Reach:
        return self.reaches.get(image, Reach())

    def sizes(self, snapshots: Iterable[str]) -> dict[str, int]:
        every = {v.snapshot: v for i in self.images.images.values() for v in i.snapshots}
        return {name: every[name].size_gib * 2**30 for name in snapshots if name in every}


@dataclass
class FakeWorkshop:
    """The bakes of two months among all that were ever recorded."""

    records: FakeRecords

    def lately(self, blueprint: str, now: datetime) -> tuple[BakeRecord, ...]:
        since = (now.replace(day=1) - timedelta(days=1)).replace(day=1)
        day = f"{since:%Y%m}"
        found = self.records.bakes(blueprint)
        return tuple(b for b in found if b.plan.bake[-20:-14] >= day)
