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
    wanted = _targets(event.detail, world)
    started = [_start(layer, how, image, event.detail, world) for layer, how in wanted.items()]
    return RolloutsStarted(started=tuple(name for name in started if name))


def _targets(detail: AnnouncedImage, world: World) -> dict[str, Feed]:
    """How each layer takes the image: as its stack says, or else as the blueprint did."""
    found = {
        target.layer: Feed(blueprint=detail.blueprint or "-", strategy=target.strategy)
        for target in detail.layers
    }
    for stack in world.records.stacks():
        for layer in stack.layers:
            for feed in layer.blueprints:
                if feed.blueprint == detail.blueprint:
                    found[f"{stack.name}/{layer.name}"] = feed
    return {layer: feed for layer, feed in found.items() if feed.strategy != "none"}


def _start(layer: str, feed: Feed, image: str, detail: AnnouncedImage, world: World) -> str | None:
    rollout = Rollout(
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
    if known and known.status is not RolloutStatus.RUNNING:
        return None
    payload = {"image": image, "layer": layer}
    return rollout.id if world.machines.start("rollout", rollout.id, payload) else None
