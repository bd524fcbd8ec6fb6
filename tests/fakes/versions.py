"""What is kept of blueprints, in dictionaries."""

from __future__ import annotations

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
