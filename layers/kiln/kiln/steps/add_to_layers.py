"""AddToLayers: an image is available; start one rollout for each layer that takes it.

EventBridge delivers at least once. The rollout's record and the execution's name are both
functions of image and layer, so a second delivery finds them and starts nothing.
"""

from __future__ import annotations

from pydantic import Field

from kiln.domain.events import LayerStrategy
from kiln.domain.model import Lenient, Model
from kiln.domain.rollout import Rollout, RolloutStatus, rollout_id
from kiln.ports import World


class AnnouncedImage(Lenient):
    """The detail of `Image Available`, as far as it matters here."""

    bake: str
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
    wanted = [target for target in event.detail.layers if target.strategy == "add" and image]
    started = [_start(target, image or "", event.detail, world) for target in wanted]
    return RolloutsStarted(started=tuple(name for name in started if name))


def _start(target: LayerStrategy, image: str, detail: AnnouncedImage, world: World) -> str | None:
    rollout = Rollout(
        id=rollout_id(image, target.layer),
        image=image,
        layer=target.layer,
        strategy=target.strategy,
        bake=detail.bake,
        platform=detail.platform,
        architecture=detail.architecture,
    )
    world.records.add_rollout(rollout)
    known = world.records.rollout(image, target.layer)
    if known and known.status is not RolloutStatus.RUNNING:
        return None
    payload = {"image": image, "layer": target.layer}
    return rollout.id if world.machines.start_rollout(rollout.id, payload) else None
