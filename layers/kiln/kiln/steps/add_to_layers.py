"""AddToLayers: an image is available; start one rollout for each layer that takes it.

EventBridge delivers at least once. The rollout's record and the execution's name are both
functions of image and layer, so a second delivery finds them and starts nothing.
"""

from __future__ import annotations

from pydantic import Field

from kiln.domain.events import LayerStrategy
from kiln.domain.feed import Feed
from kiln.domain.model import Lenient, Model
from kiln.domain.rollout import Rollout, RolloutStatus, rollout_id
from kiln.domain.stack import takers
from kiln.ports import World


class AnnouncedImage(Lenient):
    """The detail of `Image Available`, as far as it matters here."""

    bake: str
    blueprint: str = ""
    images: dict[str, str]
    platform: str
    architecture: str
    layers: tuple[LayerStrategy, ...] = ()


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
    own = {target.layer: target.strategy for target in event.detail.layers}
    wanted = takers(event.detail.blueprint, own, world.records.stacks())
    started = [
        _start(layer, how, image, event.detail, world)
        for layer, how in wanted.items()
        if how.strategy != "none"
    ]
    return RolloutsStarted(started=tuple(name for name in started if name))


def _start(layer: str, feed: Feed, image: str, detail: AnnouncedImage, world: World) -> str | None:
    rollout = Rollout(
        asked=world.clock.now().isoformat(),
        id=rollout_id(image, layer),
        image=image,
        layer=layer,
        strategy=feed.strategy,
        options=feed.options,
        bake=detail.bake,
        platform=detail.platform,
        architecture=detail.architecture,
    )
    world.records.add_rollout(rollout)
    known = world.records.rollout(image, layer)
    # One that was started by hand since then is the same image's next attempt: the last word.
    if known and (known.id != rollout.id or known.status is not RolloutStatus.RUNNING):
        return None
    payload = {"image": image, "layer": layer}
    return rollout.id if world.machines.start("rollout", rollout.id, payload) else None
