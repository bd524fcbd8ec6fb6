"""An image in one Region: what is there, and what has become of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from kiln.domain.model import Model

PlaceStatus = Literal[
    "pending",
    "available",
    "incomplete",
    "failed",
    "deprecated",
    "disabled",
    "deleting",
    "deleted",
]


class ImagePlace(Model):
    """An image in one Region: `pending` until all is done there, `incomplete` where the image is
    there and something beside it failed, `failed` where there is none. The others are what its
    blueprint's rules have made of it, `since` when."""

    region: str
    image: str | None = None
    status: PlaceStatus = "pending"
    since: datetime | None = None
    error: str = ""
    cause: str = ""
    # The execution that distributes it again; empty for the bake's own.
    by: str = ""
    # Copies that came to nothing: EC2 gives the same one again for the same client token.
    lost: int = 0
    accounts: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    parameter: str | None = None
    launch_templates: dict[str, int] = {}

    @property
    def ready(self) -> bool:
        """Whether all is there, and may be launched from."""
        return self.status in ("available", "deprecated")

    @property
    def retired(self) -> bool:
        """Whether its blueprint's rules took it out of use."""
        return self.status in ("disabled", "deleting", "deleted")
