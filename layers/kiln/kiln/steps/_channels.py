"""What the steps share that let an image into a channel, or take one from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.channel import CHANNELS, Channel, ChannelImage, History, enters_dev
from kiln.domain.events import ImagePromoted, LayerStrategy
from kiln.domain.stack import takers
from kiln.errors import AwsBusy, InvalidBlueprint
from kiln.steps._bakes import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiln.domain.bake import ImageRecord
    from kiln.domain.blueprint import Blueprint
    from kiln.domain.feed import Feed
    from kiln.ports import World

# Each of them means that somebody else has promoted just now.
_TRIES = 5


def histories(blueprint: str, world: World) -> dict[Channel, History]:
    """All that every channel of a blueprint holds and has held."""
    return {channel: world.channels.history(blueprint, channel) for channel in CHANNELS}


def standing(record: ImageRecord, world: World) -> Blueprint:
    """An image's blueprint as it is now; as it was baked where it is not stored.

    Who takes a channel's images, and which pointers name them, belongs to the channel. The image to
    which it goes back may be of a version that knew neither.
    """
    latest = world.versions.get(record.blueprint)
    try:
        return latest.parsed if latest else plan_of(record.bake, world).blueprint
    except InvalidBlueprint:
        # A rule has come since that the stored one breaks; what was baked broke none.
        return plan_of(record.bake, world).blueprint


def subscribers(blueprint: Blueprint, channel: Channel, world: World) -> dict[str, Feed]:
    """The layers, as stack/layer, that take the images of a channel, and how."""
    found = takers(blueprint.name, blueprint.layers, world.records.stacks())
    return {
        layer: feed
        for layer, feed in found.items()
        if feed.channel == channel and feed.strategy != "none"
    }


def let_in(decide: Callable[[], ChannelImage | None], world: World) -> ChannelImage | None:
    """Let in what is decided, anew whenever somebody else has let another one in meanwhile; None
    where nothing is to change. AwsBusy."""
    for _ in range(_TRIES):
        entry = decide()
        if entry is None or world.channels.add(entry):
            return entry
    raise AwsBusy("others promote images to this channel all the time; try again")


def enter_dev(record: ImageRecord, world: World) -> ChannelImage | None:
    """Let an image that is announced into dev. What is in dev with this image then, None where a
    newer one is, or where it has left again."""

    def decide() -> ChannelImage | None:
        history = world.channels.history(record.blueprint, "dev")
        known = world.records.images(record.blueprint)
        return (
            next_entry(record, "dev", history, world)
            if enters_dev(record, known, history)
            else None
        )

    let_in(decide, world)
    current = world.channels.current(record.blueprint, "dev")
    return current if current and current.image == record.id else None


def next_entry(
    record: ImageRecord, channel: Channel, history: History, world: World
) -> ChannelImage:
    """The next entry of a channel."""
    return ChannelImage(
        blueprint=record.blueprint,
        channel=channel,
        number=history[-1].number + 1 if history else 1,
        image=record.id,
        bake=record.bake,
        version=record.version,
        at=world.clock.now().isoformat(),
    )


def available_in(record: ImageRecord, world: World) -> dict[str, str]:
    """The Regions in which an image is complete, with its id there."""
    places = world.records.places(record.id)
    if not places:
        # Made before Kiln kept places.
        return {record.region: record.id}
    return {p.region: p.image for p in places if p.image and p.status == "available"}


def is_told(entry: ChannelImage, world: World) -> bool:
    """Whether the bus knows of an entry."""
    return world.records.claimed(_told(entry)) is not None


def _told(entry: ChannelImage) -> str:
    return f"promoted/{entry.blueprint}/{entry.channel}/{entry.number}"


def tell(entry: ChannelImage, record: ImageRecord, world: World) -> None:
    """Publish `Image Promoted`, then note that it is: more than once is harmless, never is not."""
    if is_told(entry, world):
        return
    targets = standing(record, world).layers
    former = world.channels.history(entry.blueprint, entry.channel)[: entry.number - 1]
    world.bus.publish(
        ImagePromoted(
            bake=entry.bake,
            blueprint=entry.blueprint,
            version=entry.version,
            channel=entry.channel,
            promotion=entry.number,
            image=entry.image,
            images=available_in(record, world),
            name=record.name,
            platform=record.platform,
            architecture=record.architecture,
            layers=tuple(
                LayerStrategy(layer=t.layer, strategy=t.strategy, channel=t.channel)
                for t in targets
            ),
            former=former[-1].image if former else "",
            source=entry.source or "",
            back=entry.back,
            by=entry.by,
        )
    )
    world.records.claim(_told(entry), world.clock.now().isoformat())
