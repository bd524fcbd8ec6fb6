"""What uses images: what AWS knows, and what only Kiln knows of layers, rollouts, channels and
bakes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kiln.domain.bake import BakeStatus
from kiln.domain.channel import CHANNELS, ChannelImage
from kiln.domain.rollout import LayerImage, RolloutStatus
from kiln.domain.uses import Use, by_image
from kiln.steps._estate import Estate, blueprint_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kiln.domain.instance import LayerInstance
    from kiln.ports import World

# Bakes that still need their base, and what they are making.
_UNDER_WAY = (BakeStatus.RUNNING, BakeStatus.WAITING)


class Lookout:
    """Looks for uses. What it reads of Kiln's own records it reads once; a second look is another
    one."""

    def __init__(self, estate: Estate, world: World) -> None:
        self._estate = estate
        self._world = world

    def uses(self, region: str, images: Iterable[str]) -> dict[str, tuple[Use, ...]]:
        """Uses by the image's id in a Region."""
        wanted = list(dict.fromkeys(images))
        found = [self._known(use) for use in self._world.regions.at(region).uses.of(wanted)]
        # Layers, bakes and bases are in Kiln's own Region; a channel is of an image wherever it is.
        if region == self._world.settings.region:
            found += [use for use in self._own if use.image in wanted]
            found += [use for image in wanted for use in self._rollouts(image)]
        found += self._in_channels(region, set(wanted))
        return by_image(found)

    def _known(self, use: Use) -> Use:
        """An instance with the layer and the hostname that its record has."""
        entry = self._entries.get(use.name) if use.kind == "instance" else None
        if entry is None:
            return use
        return use.model_copy(update={"layer": entry.place, "hostname": entry.hostname})

    @cached_property
    def _entries(self) -> Mapping[str, LayerInstance]:
        return {entry.ec2_id: entry for entry in self._instances if entry.ec2_id}

    @cached_property
    def _instances(self) -> tuple[LayerInstance, ...]:
        records = self._world.records
        return tuple(i for name in records.stack_names() for i in records.instances(name))

    @cached_property
    def _own(self) -> tuple[Use, ...]:
        return (*self._layers(), *self._layer_instances(), *self._bases(), *self._bakes())

    def _layers(self) -> Iterator[Use]:
        for stack in self._world.records.stacks():
            for layer in stack.layers:
                path = f"{stack.name}/{layer.name}"
                yield from _taken(path, self._world.records.layer_images(path))

    def _layer_instances(self) -> Iterator[Use]:
        """What the records of instances say, of planned and stopped ones too: it is what they are
        launched from."""
        for entry in self._instances:
            if entry.image:
                yield Use(
                    kind="layer-instance",
                    name=entry.hostname,
                    image=entry.image,
                    detail=entry.state.value,
                    layer=entry.place,
                )

    def _bases(self) -> Iterator[Use]:
        for name, blueprint in self._estate.blueprints.items():
            if blueprint.base.image:
                yield Use(
                    kind="blueprint", name=name, image=blueprint.base.image, detail="its base"
                )
        for child in self._estate.images.values():
            if child.retired is None:
                yield Use(kind="image", name=child.id, image=child.base, detail="made from it")

    def _bakes(self) -> Iterator[Use]:
        now = self._world.clock.now()
        for name in sorted({*self._estate.blueprints, *self._world.records.baked()}):
            for bake in self._world.workshop.lately(name, now):
                if bake.status not in _UNDER_WAY:
                    continue
                for image, how in ((bake.plan.base.id, "its base"), (bake.image, "made by it")):
                    if image:
                        yield Use(kind="bake", name=bake.plan.bake, image=image, detail=how)

    def _rollouts(self, image: str) -> Iterator[Use]:
        for rollout in self._world.records.rollouts(image):
            if rollout.status is RolloutStatus.RUNNING:
                yield Use(kind="rollout", name=rollout.id, image=image, layer=rollout.layer)

    def _in_channels(self, region: str, wanted: set[str]) -> Iterator[Use]:
        for entry in self._channels:
            for place in self._estate.places.get(entry.image, ()):
                if place.region == region and place.image in wanted:
                    name = f"{entry.blueprint}/{entry.channel}"
                    yield Use(kind="channel", name=name, image=place.image or "")

    @cached_property
    def _channels(self) -> tuple[ChannelImage, ...]:
        """What every channel holds now, by the image's id where it was baked."""
        current = (
            self._world.channels.current(name, channel)
            for name in blueprint_names(self._world)
            for channel in CHANNELS
        )
        return tuple(entry for entry in current if entry)


def _taken(layer: str, taken: tuple[LayerImage, ...]) -> Iterator[Use]:
    """The image that a layer runs, and the one that `kiln rollback` goes back to."""
    if not taken:
        return
    yield Use(kind="layer", name=layer, image=taken[-1].image)
    before = [entry.image for entry in taken if entry.image != taken[-1].image]
    if before:
        yield Use(kind="rollback", name=layer, image=before[-1])
