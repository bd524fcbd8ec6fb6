"""What is kept of blueprints, in our words. Every method may raise AwsBusy or AwsRefused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kiln.domain.channel import Channel, ChannelImage
    from kiln.domain.version import BlueprintVersion


class Versions(Protocol):
    """Versions of blueprints. What is stored once never changes."""

    def add(self, version: BlueprintVersion) -> bool:
        """Store a version; False where its number is taken."""
        ...

    def get(self, blueprint: str, number: int | None = None) -> BlueprintVersion | None:
        """A version, the latest where no number is named."""
        ...

    def all_of(self, blueprint: str) -> tuple[BlueprintVersion, ...]:
        """A blueprint's versions, oldest first."""
        ...

    def names(self) -> tuple[str, ...]:
        """The names of all blueprints with a version, sorted."""
        ...


class Channels(Protocol):
    """What the channels of blueprints hold and have held."""

    def add(self, entry: ChannelImage) -> bool:
        """Let an image into a channel as the next of its numbers; False where somebody else has
        taken that number."""
        ...

    def current(self, blueprint: str, channel: Channel) -> ChannelImage | None:
        """What is in a channel now."""
        ...

    def history(self, blueprint: str, channel: Channel) -> tuple[ChannelImage, ...]:
        """All that was in a channel, oldest first; the last one is in it now."""
        ...
