"""What writes down the contents of an image for others to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from kiln.domain.packages import Manifest


class Bills(Protocol):
    """Bills of materials."""

    def write(self, manifest: Manifest, at: datetime) -> bytes:
        """CycloneDX JSON of an image: the same bytes for the same manifest and time."""
        ...
