"""Other Regions and other accounts, as far as a step needs them. Every method may raise AwsBusy or
AwsRefused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiln.domain.distribution import FastLaunch, TemplateTarget
    from kiln.ports.aws import Images, Parameters
    from kiln.ports.life import Shelf, Uses


@dataclass(frozen=True)
class CopyOrder:
    """One CopyImage call. `token` makes it repeatable; `tags` are in the call itself."""

    image: str
    source: str
    name: str
    description: str
    tags: dict[str, str]
    token: str
    kms_key: str | None = None


@dataclass(frozen=True)
class Sharing:
    """Who may launch an image besides its owner: accounts by id, organizations and units by ARN."""

    accounts: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()


class Outlet(Protocol):
    """What EC2 does with an image of one Region for those who are to launch it."""

    def copy(self, order: CopyOrder) -> str:
        """The id of a copy made here of another Region's image; the same token gives the same
        one."""
        ...

    def share(self, image: str, sharing: Sharing) -> None:
        """Let others launch an image; again is harmless."""
        ...

    def share_snapshots(self, snapshots: Iterable[str], accounts: Iterable[str]) -> None:
        """Let accounts make volumes of snapshots, and so copy an image; again is harmless."""
        ...

    def knows_template(self, template: TemplateTarget) -> bool:
        """Whether there is such a launch template here."""
        ...

    def add_version(self, template: TemplateTarget, image: str, token: str) -> int:
        """A version of a launch template that differs from the latest one by its image; its number,
        the former one where there is one with this image."""
        ...

    def make_default(self, template: TemplateTarget, version: int) -> None:
        """Let launches that name no version use this one."""
        ...

    def enable_fast_launch(self, image: str, wish: FastLaunch) -> None:
        """Ask EC2 to keep snapshots past Sysprep; it goes on by itself."""
        ...

    def enable_fast_restore(self, snapshots: Iterable[str], zones: Iterable[str]) -> None:
        """Ask EBS to keep snapshots ready in Availability Zones; it goes on by itself."""
        ...


@dataclass(frozen=True)
class Place:
    """One Region of one account."""

    images: Images
    parameters: Parameters
    outlet: Outlet
    uses: Uses
    shelf: Shelf


class Regions(Protocol):
    """Every Region of the account, and of accounts that gave Kiln a role."""

    def at(self, region: str, account: str | None = None) -> Place:
        """A Region, of this account or by the role of another one."""
        ...

    def enabled(self) -> frozenset[str]:
        """The Regions that this account can use."""
        ...
