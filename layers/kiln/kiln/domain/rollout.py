"""A rollout: the delivery of one image to one layer."""

from __future__ import annotations

import re
from enum import StrEnum

from kiln.domain.model import Model


class RolloutStatus(StrEnum):
    """Where a rollout stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Rollout(Model):
    """One per image and layer; `id` names the execution, so that a second start is refused by
    AWS."""

    id: str
    image: str
    layer: str
    strategy: str
    bake: str
    platform: str
    architecture: str
    status: RolloutStatus = RolloutStatus.RUNNING
    instance: str | None = None
    error: str | None = None
    cause: str | None = None


def rollout_id(image: str, layer: str) -> str:
    """A name that Step Functions accepts (at most 80 of A-Z a-z 0-9 - _), the same for the same
    pair."""
    return f"{image}-{re.sub(r'[^A-Za-z0-9_-]', '-', layer)}"[:80]
