"""Channels of a blueprint: dev, then staging, then prod, each with the image that is in it and
those that were. An image enters dev when it is announced, and goes on where somebody promotes
it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from kiln.domain.model import Model
from kiln.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiln.domain.bake import ImageRecord

Channel = Literal["dev", "staging", "prod"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)


class ChannelImage(Model):
    """The `number`-th image of a channel, from 1 on. `at` is when it came, ISO 8601 in UTC, `by`
    who promoted it, empty for one that entered dev when it was announced; `source` is the channel
    that it came from, `back` says that the channel went back to it from a newer one. By its `token`
    a request that is made again knows what it has done."""

    blueprint: str
    channel: Channel
    number: int
    image: str
    bake: str
    version: int
    at: str
    by: str = ""
    source: Channel | None = None
    back: bool = False
    token: str = ""

    @property
    def label(self) -> str:
        """`prod of web`."""
        return f"{self.channel} of {self.blueprint}"


History = tuple[ChannelImage, ...]


def before(channel: Channel) -> Channel | None:
    """The channel that an image comes from, None for the first one."""
    place = CHANNELS.index(channel)
    return CHANNELS[place - 1] if place else None


def check_entry(image: ImageRecord, to: Channel, histories: Mapping[Channel, History]) -> None:
    """Raise InvalidRequest for an image that may not enter a channel: one that was never in the
    channel before."""
    source = before(to)
    if source is None:
        if image.announced is None:
            raise InvalidRequest(
                f"{image.id} ({image.name}) was never announced: its distribution has not come to "
                f"an end; `kiln distribute {image.id}` goes on with it"
            )
        return
    # What was in a channel has been in those before, whatever the table still knows of them.
    were = {entry.image for channel in (source, to) for entry in histories[channel]}
    if image.id not in were:
        raise InvalidRequest(
            f"{image.id} ({image.name}) is not in {source} of {image.blueprint} and never was; "
            f"`kiln promote {image.id} --to {source}` comes first"
        )


def is_back(image: ImageRecord, history: History) -> bool:
    """Whether a channel would go back to an image: it was there, and a newer one is there now. The
    newer one is that of the bake that began later."""
    was_there = any(entry.image == image.id for entry in history)
    return was_there and image.bake < history[-1].bake


def enters_dev(image: ImageRecord, known: tuple[ImageRecord, ...], history: History) -> bool:
    """Whether an image that is announced enters dev: once, and only while no image of a bake that
    began later was announced. A bake that took longer than the one after it would otherwise
    replace a newer image by an older one."""
    if any(entry.image == image.id for entry in history):
        return False
    newer = (other for other in known if other.announced and other.bake > image.bake)
    return next(newer, None) is None
