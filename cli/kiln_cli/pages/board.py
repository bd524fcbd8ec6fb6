"""What the dashboard tells: images, layers and their drift, bakes under way and failed, storage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kiln.domain.bake import ImageRecord
from kiln.domain.channel import CHANNELS
from kiln.domain.prices import monthly_usd
from kiln.errors import AwsRefused
from kiln.ports import World
from kiln.steps._estate import Estate, survey
from kiln_cli import standing
from kiln_cli.place import Place
from kiln_cli.watching import View, Watch

# Older ones are in `kiln status`.
MOST_FAILURES = 20


@dataclass(frozen=True)
class Image:
    """An image that is still there somewhere, and what keeping it costs a month at most; None
    where no price is known."""

    record: ImageRecord
    age: timedelta
    newest: bool
    places: tuple[tuple[str, str], ...]
    channels: tuple[str, ...]
    size: int
    usd: float | None


@dataclass(frozen=True)
class Layer:
    """A layer: its instances by state, the images that it takes, and who serves another one."""

    path: str
    kind: str
    platform: str | None
    states: dict[str, int]
    wanted: tuple[str, ...]
    images: dict[str, int]
    drifted: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """The whole page."""

    at: datetime
    stack_name: str
    region: str
    now: View
    failures: tuple[standing.Row, ...]
    images: dict[str, tuple[Image, ...]]
    layers: tuple[Layer, ...]

    @property
    def storage_bytes(self) -> int:
        """Of all images, at most."""
        return sum(image.size for made in self.images.values() for image in made)

    @property
    def storage_usd(self) -> float:
        """A month at most, without those of which no price is known."""
        return sum(image.usd or 0.0 for made in self.images.values() for image in made)

    @property
    def unpriced(self) -> int:
        """How many images have no known price."""
        return sum(image.usd is None for made in self.images.values() for image in made)


def look(place: Place) -> Board:
    """Everything as it stands. AwsBusy, AwsRefused."""
    estate = survey(place.world)
    failed = [row for row in standing.bakes(place) if row["status"] == "FAILED"]
    return Board(
        at=place.world.clock.now(),
        stack_name=place.stack_name,
        region=place.world.settings.region,
        now=look_now(place),
        failures=tuple(reversed(failed[-MOST_FAILURES:])),
        images=_images(estate, place.world),
        layers=tuple(_layer(row) for row in standing.layers(place.world)),
    )


def look_now(place: Place) -> View:
    """What changes by the second alone. AwsBusy, AwsRefused."""
    return Watch(place, listens=False).look()


def _images(estate: Estate, world: World) -> dict[str, tuple[Image, ...]]:
    """By blueprint, newest first."""
    sizes = dict(_sizes(estate, world))
    found: dict[str, tuple[Image, ...]] = {}
    for name in sorted({record.blueprint for record in estate.images.values()}):
        made = list(reversed(estate.of(name)))
        channels = _channels(name, world)
        found[name] = tuple(
            _image(record, record is made[0], (estate, sizes, channels), world) for record in made
        )
    return found


def _image(record: ImageRecord, newest: bool, known: tuple[Any, ...], world: World) -> Image:
    estate, sizes, channels = known
    places = [place for place in estate.places[record.id] if place.status != "deleted"]
    here = [(p.region, sizes.get((p.region, p.image or ""), 0)) for p in places]
    prices = [monthly_usd(region, size) for region, size in here]
    return Image(
        record=record,
        age=world.clock.now() - record.created,
        newest=newest,
        places=tuple((p.region, p.status) for p in places),
        channels=tuple(channel for channel, image in channels if image == record.id),
        size=sum(size for _, size in here),
        usd=None if None in prices else sum(price or 0.0 for price in prices),
    )


def _channels(blueprint: str, world: World) -> list[tuple[str, str]]:
    """Each channel that has an image, with its id."""
    found = ((channel, world.channels.current(blueprint, channel)) for channel in CHANNELS)
    return [(channel, current.image) for channel, current in found if current]


def _sizes(estate: Estate, world: World) -> Iterator[tuple[tuple[str, str], int]]:
    """Bytes of an image's snapshots by its Region and id there, each Region asked once."""
    for region in estate.regions:
        shelf = world.regions.at(region).shelf
        try:
            managed = shelf.managed()
            known = shelf.sizes({v.snapshot for image in managed for v in image.snapshots})
        except AwsRefused:
            # A Region that was switched off since: its images are told without a size.
            continue
        for image in managed:
            yield (region, image.id), sum(known.get(v.snapshot, 0) for v in image.snapshots)


def _layer(row: standing.Row) -> Layer:
    wanted = tuple(dict.fromkeys(t["image"] for t in row["takes"] if t["image"]))
    serving = [i for i in row["instances"] if i["state"] == "online"]
    return Layer(
        path=f"{row['stack']}/{row['layer']}",
        kind=row["kind"],
        platform=row["platform"],
        states=dict(Counter(i["state"] for i in row["instances"])),
        wanted=wanted,
        images=dict(Counter(i["image"] for i in serving if i["image"])),
        drifted=tuple(
            i["hostname"] or i["ec2_id"] for i in serving if wanted and i["image"] not in wanted
        ),
    )
