"""What carries a bake's tag, in memory: what the other fakes hold, and bundles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from kiln.domain.leftover import Leftover
from kiln.domain.naming import TAG_BAKE, TAG_ROLE
from kiln.errors import AwsRefused
from tests.builders import NOW
from tests.fakes.distribution import FakeRegions
from tests.fakes.fleet import FakeFleet
from tests.fakes.images import FakeImages


@dataclass
class FakeLeftovers:
    """`made` says when a thing was made, NOW where it is not named; `interfaces` are free ones by
    their bake. Regions in `forbidden` refuse to be looked at."""

    fleet: FakeFleet
    images: FakeImages
    everywhere: FakeRegions
    bundles: set[str]
    interfaces: dict[str, str] = field(default_factory=dict)
    made: dict[str, datetime] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)

    def here(self) -> tuple[Leftover, ...]:
        return (*self._here(), *self._images("eu-west-1", self.images))

    def _here(self) -> Iterator[Leftover]:
        for instance in self.fleet.instances.values():
            if TAG_BAKE in instance.tags:
                role = instance.tags.get(TAG_ROLE, "")
                yield self._thing(
                    "instance", instance.id, instance.tags[TAG_BAKE], instance.state, role
                )
        for volume, bake in self.fleet.volumes.items():
            yield self._thing("volume", volume, bake, "available")
        for interface, bake in self.interfaces.items():
            yield self._thing("network-interface", interface, bake, "available")
        for location in self.bundles:
            yield self._thing("bundle", location, location.rpartition("/")[2], "stored")

    def there(self, region: str) -> tuple[Leftover, ...]:
        if region in self.forbidden:
            raise AwsRefused("ec2", "DescribeImages", "UnauthorizedOperation", "not here")
        return tuple(self._images(region, self._at(region)))

    def _at(self, region: str) -> FakeImages:
        images = self.everywhere.at(region).images
        assert isinstance(images, FakeImages)
        return images

    def _images(self, region: str, images: FakeImages) -> Iterator[Leftover]:
        for image in images.images.values():
            if TAG_BAKE in image.tags:
                yield self._thing("image", image.id, image.tags[TAG_BAKE], image.state, "", region)
        for snapshot, bake in images.snapshots.items():
            yield self._thing("snapshot", snapshot, bake, "completed", "", region)

    def _thing(self, *what: str) -> Leftover:
        kind, name, bake, state, *more = what
        role, region = (
            more if len(more) == 2 else (*more, "eu-west-1") if more else ("", "eu-west-1")
        )
        return Leftover(
            kind=kind,
            id=name,
            region=region,
            bake=bake,
            role=role,
            state=state,
            made=self.made.get(name, NOW),
        )

    def note_region(self, region: str) -> None:
        self.noted.add(region)

    def regions(self) -> frozenset[str]:
        return frozenset(self.noted)

    def used_snapshots(self, region: str) -> frozenset[str]:
        images = self.images if region == "eu-west-1" else self._at(region)
        return frozenset(s.snapshot for i in images.images.values() for s in i.snapshots)

    def delete_interface(self, interface: str) -> None:
        self.interfaces.pop(interface, None)
