"""Everything with Kiln's tag, whosever it is. Every method may raise AwsBusy or AwsRefused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kiln.domain.leftover import Leftover


class Leftovers(Protocol):
    """What carries a bake's tag in this account."""

    def here(self) -> tuple[Leftover, ...]:
        """Instances, volumes, network interfaces, images, snapshots and bundles of the own
        Region."""
        ...

    def there(self, region: str) -> tuple[Leftover, ...]:
        """Images and snapshots of another Region: a bake makes nothing else there."""
        ...

    def note_region(self, region: str) -> None:
        """Remember that something is about to be made in a Region; again is harmless."""
        ...

    def regions(self) -> frozenset[str]:
        """The other Regions in which something was ever made."""
        ...

    def used_snapshots(self, region: str) -> frozenset[str]:
        """The snapshots of every image that the account has in a Region."""
        ...

    def delete_interface(self, interface: str) -> None:
        """Delete a network interface that is attached to nothing."""
        ...
