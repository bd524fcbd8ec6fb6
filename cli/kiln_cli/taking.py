"""What each layer takes: of which blueprint, of which channel, and which image that is now."""

from __future__ import annotations

from typing import Any

from kiln.domain.blueprint import LayerTarget
from kiln.domain.channel import Channel
from kiln.domain.stack import Stack, takers
from kiln.errors import InvalidBlueprint, InvalidRequest
from kiln.ports import World
from kiln_cli.finding import Found


def takes(world: World) -> dict[str, list[dict[str, Any]]]:
    """By stack/layer: `blueprint`, `channel`, `strategy` and the `image` that it would take now."""
    stacks = world.records.stacks()
    found: dict[str, list[dict[str, Any]]] = {}
    for name in sorted({*world.versions.names(), *_fed(stacks)}):
        for path, feed in takers(name, own_layers(name, world), stacks).items():
            row = {
                "blueprint": name,
                "channel": feed.channel,
                "strategy": feed.strategy,
                "image": current_image(name, feed.channel, world),
            }
            found.setdefault(path, []).append(row)
    return found


def _fed(stacks: tuple[Stack, ...]) -> set[str]:
    return {feed.blueprint for s in stacks for layer in s.layers for feed in layer.blueprints}


def own_layers(blueprint: str, world: World) -> tuple[LayerTarget, ...]:
    """The layers that a blueprint itself names, as it is stored now."""
    latest = world.versions.get(blueprint)
    try:
        return latest.parsed.layers if latest else ()
    except InvalidBlueprint:
        # A rule has come since: until it is mended, nothing is made of it either.
        return ()


def current_image(blueprint: str, channel: Channel | None, world: World) -> str | None:
    """What is in a channel, without one the newest image that was announced."""
    if channel:
        current = world.channels.current(blueprint, channel)
        return current.image if current else None
    announced = [image.id for image in world.records.images(blueprint) if image.announced]
    return announced[-1] if announced else None


def image_of(target: str, found: Found, world: World) -> str:
    """An image's id, as it is, or of a blueprint the one that the layer takes: the one in its
    channel, else the newest. InvalidRequest."""
    if target.startswith("ami-"):
        return target
    feed = takers(target, own_layers(target, world), world.records.stacks()).get(found.path)
    if feed and feed.channel:
        current = world.channels.current(target, feed.channel)
        if current is None:
            raise InvalidRequest(
                f"{found.path} takes what is in {feed.channel} of {target}, and nothing is; `kiln "
                f"promote {target} --to {feed.channel}` brings an image there"
            )
        return current.image
    made = world.records.images(target)
    if not made:
        known = ", ".join(world.versions.names()) or "none"
        raise InvalidRequest(
            f"{target} is no image id and no blueprint with images; known: {known}"
        )
    return made[-1].id
