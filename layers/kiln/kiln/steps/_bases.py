"""What a base stands for at this moment: a parameter's image, the newest of a name, the newest of
another blueprint or the one in its channel.

PlanBake asks for one blueprint, FollowBases for all at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kiln.domain.platforms import ImageName
from kiln.errors import BaseImageNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kiln.domain.blueprint import Base
    from kiln.domain.image import ImageFacts
    from kiln.ports import World

_IMAGE = re.compile(r"ami-[0-9a-f]{8,17}")


def resolve(base: Base, world: World) -> ImageFacts:
    """The image that a base stands for, as EC2 describes it. BaseImageNotFound."""
    if base.lookup:
        return _looked_up(base, world)
    key, image = _image_id(base, world.parameters.read, world)
    return found_or(
        world.images.describe(image),
        f"{key} does not exist in this Region; name an image that this account may launch here",
    )


class Bases:
    """The ids of the images that many bases stand for. Each is asked for once, however many
    blueprints have it: parameters ten a call, a lookup by one DescribeImages."""

    def __init__(self, bases: Iterable[Base], world: World) -> None:
        self._world = world
        self._values = world.parameters.read_all(b.parameter for b in bases if b.parameter)
        self._known: dict[Base, str | BaseImageNotFound] = {}

    def image(self, base: Base) -> str:
        """The image's id; whether EC2 has it is for PlanBake to see. BaseImageNotFound."""
        if base not in self._known:
            self._known[base] = self._ask(base)
        found = self._known[base]
        if isinstance(found, BaseImageNotFound):
            raise found
        return found

    def _ask(self, base: Base) -> str | BaseImageNotFound:
        try:
            if base.lookup:
                return _looked_up(base, self._world).id
            key, image = _image_id(base, self._values.get, self._world)
        except BaseImageNotFound as error:
            return error
        return image if _IMAGE.fullmatch(image) else BaseImageNotFound(f"{key} is no image's id")


def found_or(image: ImageFacts | None, otherwise: str) -> ImageFacts:
    """The image, or BaseImageNotFound with these words."""
    if image is None:
        raise BaseImageNotFound(otherwise)
    return image


def _looked_up(base: Base, world: World) -> ImageFacts:
    if base.lookup is None:
        raise AssertionError("only a base with a lookup is looked up")
    pattern = ImageName(base.lookup.owner, base.lookup.name)
    return found_or(
        world.images.newest(pattern, deprecated=base.allow_deprecated),
        f"base.lookup: no image of {pattern.owner} is named {pattern.name!r}"
        + ("" if base.allow_deprecated else " and not deprecated; see base.allow_deprecated"),
    )


def _image_id(base: Base, read: Callable[[str], str | None], world: World) -> tuple[str, str]:
    """What to call the image in a message, and its id. `read` gives a parameter's value."""
    if base.parameter:
        value = read(base.parameter)
        if not value:
            raise BaseImageNotFound(
                f"base.parameter: {base.parameter} does not exist; name one that holds an image's "
                "id, as those of AWS below /aws/service do"
            )
        return f"base.parameter: {base.parameter} is {value}, which", value
    if base.blueprint and base.channel:
        there = world.channels.current(base.blueprint, base.channel)
        if there is None:
            raise BaseImageNotFound(
                f"base.channel: nothing is in {base.channel} of {base.blueprint}; `kiln promote "
                f"{base.blueprint} --to {base.channel}` brings an image there"
            )
        return f"base.channel: {there.image}, in {there.label},", there.image
    if base.blueprint:
        made = world.records.images(base.blueprint)
        if not made:
            raise BaseImageNotFound(
                f"base.blueprint: {base.blueprint} has no image yet; bake it first"
            )
        return f"base.blueprint: {made[-1].id}, the newest of {base.blueprint},", made[-1].id
    return f"base.image: {base.image}", base.image or ""
