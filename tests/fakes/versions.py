"""What is kept of blueprints, in dictionaries."""

from __future__ import annotations

from kiln.domain.channel import Channel, ChannelImage
from kiln.domain.version import BlueprintVersion


class FakeVersions:
    """Versions by name and number."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int], BlueprintVersion] = {}

    def add(self, version: BlueprintVersion) -> bool:
        key = version.blueprint, version.number
        return self._versions.setdefault(key, version) is version

    def get(self, blueprint: str, number: int | None = None) -> BlueprintVersion | None:
        versions = self.all_of(blueprint)
        if number is None:
            return versions[-1] if versions else None
        return self._versions.get((blueprint, number))

    def all_of(self, blueprint: str) -> tuple[BlueprintVersion, ...]:
        return tuple(self._versions[key] for key in sorted(self._versions) if key[0] == blueprint)

    def names(self) -> tuple[str, ...]:
        return tuple(sorted({name for name, _ in self._versions}))


class FakeChannels:
    """Images of channels, by number."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, Channel, int], ChannelImage] = {}

    def add(self, entry: ChannelImage) -> bool:
        key = entry.blueprint, entry.channel, entry.number
        return self._entries.setdefault(key, entry) is entry

    def current(self, blueprint: str, channel: Channel) -> ChannelImage | None:
        return next(reversed(self.history(blueprint, channel)), None)

    def history(self, blueprint: str, channel: Channel) -> tuple[ChannelImage, ...]:
        keys = sorted(key for key in self._entries if key[:2] == (blueprint, channel))
        return tuple(self._entries[key] for key in keys)
