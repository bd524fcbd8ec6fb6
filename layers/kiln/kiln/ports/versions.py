"""What is kept of blueprints, in our words. Every method may raise AwsBusy or AwsRefused."""

from __future__ import annotations

from typing import Protocol

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
