"""Other Regions and other accounts, in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kiln.domain.distribution import FastLaunch, TemplateTarget
from kiln.domain.image import Snapshot
from kiln.errors import AwsRefused
from kiln.ports import CopyOrder, Place, Sharing
from tests.builders import an_image
from tests.fakes.images import FakeImages
from tests.fakes.life import FakeShelf, FakeUses
from tests.fakes.systems_manager import FakeParameters


@dataclass
class FakeOutlet:
    """Copies, permissions, launch templates. `refusal` is raised by every call that changes
    something, `templates` are those that exist, with the images of their versions."""

    images: FakeImages
    refusal: AwsRefused | None = None
    orders: list[CopyOrder] = field(default_factory=list)
    shared: dict[str, Sharing] = field(default_factory=dict)
    snapshots: dict[str, tuple[str, ...]] = field(default_factory=dict)
    templates: dict[str, list[str]] = field(default_factory=dict)
    defaults: dict[str, int] = field(default_factory=dict)
    fast_launch: dict[str, FastLaunch] = field(default_factory=dict)
    fast_restore: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def _check(self) -> None:
        if self.refusal:
            raise self.refusal

    def copy(self, order: CopyOrder) -> str:
        self._check()
        if order.token not in self._tokens:
            self.orders.append(order)
            number = next(self._ids)
            new, snapshot = f"ami-c{number:016x}", f"snap-c{number:016x}"
            self._tokens[order.token] = new
            volume = Snapshot(device="/dev/xvda", snapshot=snapshot, size_gib=8)
            self.images.add(
                an_image(
                    id=new,
                    name=order.name,
                    state="pending",
                    tags=order.tags,
                    snapshots=(volume,),
                )
            )
            self.images.snapshots[snapshot] = order.tags["kiln:bake"]
        return self._tokens[order.token]

    def share(self, image: str, sharing: Sharing) -> None:
        self._check()
        self.shared[image] = sharing

    def share_snapshots(self, snapshots: Iterable[str], accounts: Iterable[str]) -> None:
        self._check()
        given = tuple(accounts)
        self.snapshots |= dict.fromkeys(snapshots, given)

    def knows_template(self, template: TemplateTarget) -> bool:
        return template.label in self.templates

    def add_version(self, template: TemplateTarget, image: str, token: str) -> int:
        self._check()
        versions = self.templates[template.label]
        if image not in versions:
            versions.append(image)
        return versions.index(image) + 1

    def make_default(self, template: TemplateTarget, version: int) -> None:
        self.defaults[template.label] = version

    def enable_fast_launch(self, image: str, wish: FastLaunch) -> None:
        self._check()
        self.fast_launch[image] = wish

    def enable_fast_restore(self, snapshots: Iterable[str], zones: Iterable[str]) -> None:
        self._check()
        given = tuple(zones)
        self.fast_restore |= dict.fromkeys(snapshots, given)


def a_place() -> Place:
    """An empty Region."""
    images = FakeImages(images={}, owners={})
    return Place(images, FakeParameters(), FakeOutlet(images), FakeUses(), FakeShelf(images))


@dataclass
class FakeRegions:
    """Regions by name, and by name and account; the bake's own is `eu-west-1`."""

    places: dict[tuple[str, str | None], Place] = field(default_factory=dict)
    names: frozenset[str] = frozenset({"eu-west-1", "eu-west-2", "us-east-1", "us-east-2"})

    def at(self, region: str, account: str | None = None) -> Place:
        return self.places.setdefault((region, account), a_place())

    def enabled(self) -> frozenset[str]:
        return self.names
