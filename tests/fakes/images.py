"""EC2's images, in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from kiln.domain.image import ImageFacts
from kiln.domain.naming import TAG_BAKE
from kiln.domain.platforms import ImageName
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import ImageOrder
from tests.builders import an_image


@dataclass
class FakeImages:
    """Images with their snapshots. Names of own images are unique; those in `busy` stay for now."""

    images: dict[str, ImageFacts] = field(default_factory=lambda: {an_image().id: an_image()})
    owners: dict[str, str] = field(default_factory=lambda: {an_image().id: "137112412989"})
    refusal: AwsRefused | None = None
    busy: set[str] = field(default_factory=set)
    orders: list[ImageOrder] = field(default_factory=list)
    snapshots: dict[str, str] = field(default_factory=dict)
    deprecated: dict[str, datetime] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def add(self, image: ImageFacts, owner: str = "self") -> None:
        """Put an image in place."""
        self.images[image.id], self.owners[image.id] = image, owner

    def describe(self, image: str) -> ImageFacts | None:
        return self.images.get(image)

    def all_of(self, images: Iterable[str]) -> tuple[ImageFacts, ...]:
        own = {name for name, owner in self.owners.items() if owner == "self"}
        return tuple(self.images[name] for name in images if name in own)

    def newest(self, pattern: ImageName, *, deprecated: bool = False) -> ImageFacts | None:
        found = (
            image
            for image in self.images.values()
            if self.owners[image.id] == pattern.owner
            and image.state == "available"
            and (deprecated or image.deprecated_at is None)
            and fnmatchcase(image.name, pattern.name)
        )
        return max(found, key=lambda image: image.created, default=None)

    def named(self, name: str) -> ImageFacts | None:
        return next((image for image in self._own() if image.name == name), None)

    def of_bake(self, bake: str) -> tuple[ImageFacts, ...]:
        return tuple(image for image in self._own() if image.tags.get(TAG_BAKE) == bake)

    def _own(self) -> list[ImageFacts]:
        # EC2 lists no disabled image unless it is asked for it.
        own = (i for i in self.images.values() if self.owners[i.id] == "self")
        return [image for image in own if image.state != "disabled"]

    def create(self, order: ImageOrder) -> str:
        if self.refusal:
            raise self.refusal
        if self.named(order.name):
            raise AwsRefused("ec2", "CreateImage", "InvalidAMIName.Duplicate", "taken")
        self.orders.append(order)
        identifier = f"ami-{next(self._ids):017x}"
        self.add(an_image(id=identifier, name=order.name, state="pending", tags=order.tags))
        self.snapshots[f"snap-{identifier}"] = order.tags[TAG_BAKE]
        return identifier

    def deregister(self, image: str) -> None:
        if image in self.busy:
            raise AwsBusy(f"{image} is pending and stays for now")
        found = self.images.pop(image, None)
        for snapshot in (
            f"snap-{image}",
            *(s.snapshot for s in (found.snapshots if found else ())),
        ):
            self.snapshots.pop(snapshot, None)

    def snapshots_of_bake(self, bake: str) -> tuple[str, ...]:
        return tuple(snap for snap, owner in self.snapshots.items() if owner == bake)

    def delete_snapshot(self, snapshot: str) -> None:
        self.snapshots.pop(snapshot, None)

    def tag(self, resources: Iterable[str], tags: dict[str, str]) -> None:
        if self.refusal:
            raise self.refusal
        for name in resources:
            if name in self.images:
                found = self.images[name]
                self.images[name] = found.model_copy(update={"tags": found.tags | tags})

    def deprecate(self, image: str, at: datetime) -> None:
        self.deprecated[image] = at
