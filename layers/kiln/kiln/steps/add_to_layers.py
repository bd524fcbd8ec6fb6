"""AddToLayers: an image is available, or has entered a channel; start one rollout for each layer
that takes it.

EventBridge delivers at least once. The rollout's record and the execution's name are both functions
of image and layer, so a second delivery finds them and starts nothing. A channel may come back to
an image: each entry of the channel has an attempt of its own, kept by a claim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from kiln.domain.channel import Channel
from kiln.domain.events import LayerStrategy
from kiln.domain.model import Lenient, Model
from kiln.domain.rollout import Rollout, RolloutStatus, rollout_id
from kiln.domain.stack import takers

if TYPE_CHECKING:
    from kiln.domain.feed import Feed
    from kiln.ports import World


class AnnouncedImage(Lenient):
    """The detail of `Image Available` or `Image Promoted`, as far as it matters here."""

    bake: str
    # Empty in events of before it was told.
    blueprint: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,48}$")] = ""
    images: dict[str, str]
    platform: str
    architecture: str
    layers: tuple[LayerStrategy, ...] = ()
    channel: Channel | None = None
    promotion: int = 0
    back: bool = False
    by: str = ""


class ImageAvailableEvent(Lenient):
    """The event as EventBridge delivers it."""

    detail_type: str = Field(alias="detail-type")
    region: str
    detail: AnnouncedImage


class RolloutsStarted(Model):
    """The rollouts that this delivery started."""

    started: tuple[str, ...]


def add_to_layers(event: ImageAvailableEvent, world: World) -> RolloutsStarted:
    """Start what is not started yet."""
    image = event.detail.images.get(event.region)
    if image is None:
        return RolloutsStarted(started=())
    detail = event.detail
    if detail.channel and not _is_there(detail, detail.channel, world):
        return RolloutsStarted(started=())
    wanted = takers(detail.blueprint, detail.layers, world.records.stacks())
    begin = _bring if detail.channel else _start
    started = [
        begin(layer, how, image, detail, world)
        for layer, how in wanted.items()
        if how.strategy != "none" and how.channel == detail.channel
    ]
    return RolloutsStarted(started=tuple(name for name in started if name))


def _is_there(detail: AnnouncedImage, channel: Channel, world: World) -> bool:
    """Whether the channel still has what the event told of: events come late and out of order, and
    a newer entry has an event of its own."""
    current = world.channels.current(detail.blueprint, channel)
    return current is not None and current.number == detail.promotion


def _bring(layer: str, feed: Feed, image: str, detail: AnnouncedImage, world: World) -> str | None:
    """Start the attempt of this entry of the channel, whatever the layer runs now."""
    before = world.records.rollout(image, layer)
    key = f"promotion/{detail.blueprint}/{detail.channel}/{detail.promotion}/{layer}"
    attempt = int(world.records.claim(key, str(before.attempt + 1 if before else 1)))
    rollout = _rollout(layer, feed, image, detail, world).model_copy(
        update={
            "id": rollout_id(image, layer, attempt),
            "attempt": attempt,
            "channel": detail.channel,
            "promotion": detail.promotion,
            "by": detail.by,
            # The channel says which image is the right one, not its age.
            "forced": True,
            **(_way_back(feed) if detail.back else {}),
        }
    )
    return _begin(rollout, world)


def _way_back(feed: Feed) -> dict[str, Any]:
    """As `kiln rollback` goes: the image that the layer leaves may be why the alarms ring."""
    options = feed.options.model_copy(update={"approval": "none", "alarms": ()})
    return {"strategy": "replace", "options": options}


def _start(layer: str, feed: Feed, image: str, detail: AnnouncedImage, world: World) -> str | None:
    return _begin(_rollout(layer, feed, image, detail, world), world)


def _rollout(layer: str, feed: Feed, image: str, detail: AnnouncedImage, world: World) -> Rollout:
    return Rollout(
        asked=world.clock.now().isoformat(),
        id=rollout_id(image, layer),
        image=image,
        layer=layer,
        strategy=feed.strategy,
        options=feed.options,
        bake=detail.bake,
        platform=detail.platform,
        architecture=detail.architecture,
        blueprint=detail.blueprint,
    )


def _begin(rollout: Rollout, world: World) -> str | None:
    world.records.add_rollout(rollout)
    known = world.records.rollout(rollout.image, rollout.layer)
    # One that was started by hand since then is the same image's next attempt: the last word.
    if known and (known.id != rollout.id or known.status is not RolloutStatus.RUNNING):
        return None
    payload = {"image": rollout.image, "layer": rollout.layer}
    return rollout.id if world.machines.start("rollout", rollout.id, payload) else None
