"""The life of an image after it was distributed, as far as a step needs it: what uses it in a
Region, and taking it out of use there. Every method may raise AwsBusy or AwsRefused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kiln.domain.bake import BakeRecord
    from kiln.domain.image import ImageFacts
    from kiln.domain.uses import Use


@dataclass(frozen=True)
class Reach:
    """Who besides its owner may launch an image now: accounts by id, organizations and units by
    ARN, or everybody."""

    accounts: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    public: bool = False

    @property
    def shared(self) -> bool:
        """Whether anybody may."""
        wide = self.organizations or self.organizational_units
        return bool(self.public or self.accounts or wide)


class Uses(Protocol):
    """What AWS itself knows to use images in one Region: instances, launch templates, groups,
    fleets, parameters."""

    def of(self, images: Iterable[str]) -> tuple[Use, ...]:
        """Everything that uses one of these images."""
        ...


class Shelf(Protocol):
    """The images of one Region that carry Kiln's tag, those that are out of use too."""

    def managed(self) -> tuple[ImageFacts, ...]:
        """All of them, deprecated and disabled ones among them."""
        ...

    def disable(self, image: str) -> None:
        """Let nobody launch an image any more; whoever it was shared with loses it."""
        ...

    def enable(self, image: str) -> None:
        """Let its owner launch it again; it is shared with nobody then."""
        ...

    def launched(self, image: str) -> datetime | None:
        """When anybody last launched it, as EC2 reports a day later."""
        ...

    def reach(self, image: str) -> Reach:
        """Who may launch it."""
        ...

    def sizes(self, snapshots: Iterable[str]) -> dict[str, int]:
        """The full sizes of snapshots in bytes; those that are gone are left out."""
        ...


class Workshop(Protocol):
    """The bakes that may still be under way."""

    def lately(self, blueprint: str, now: datetime) -> tuple[BakeRecord, ...]:
        """A blueprint's bakes of this month and the one before: none waits longer."""
        ...
