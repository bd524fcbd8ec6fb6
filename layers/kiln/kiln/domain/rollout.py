"""A rollout: the delivery of one image to one layer."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

from kiln.domain.channel import Channel
from kiln.domain.feed import RolloutOptions, Strategy
from kiln.domain.model import Model


class RolloutStatus(StrEnum):
    """Where a rollout stands. SKIPPED: the layer runs a newer image already."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class GroupRollout(Model):
    """What a rollout to an Auto Scaling group found and did.

    `template` was set at version `setting`, which stood for number `former`; `made` is the number
    of the version with the new image, `refresh` the refresh to it and `back` the one that led back.
    `reversible` says whether Auto Scaling itself rolls back.
    """

    group: str
    template: str
    setting: str
    former: int
    reversible: bool
    made: int | None = None
    refresh: str | None = None
    back: str | None = None


class Rollout(Model):
    """One per image, layer and attempt; `id` names the execution, so that a second start is refused
    by AWS. A further attempt is made by hand alone, once the one before has ended.

    `execution` is its execution's name where somebody gave it one of his own. `asked` is when it
    was asked for and `by` who asked, empty for an image that was announced. `channel` and
    `promotion` say which entry of its blueprint's channel it brings, if any does. `before` are the
    own ids of the instances that served when it began, `size` how many it is to leave serving;
    `canary_since` is when its canary began to serve, `back_since` when its way back began, and
    from then on `error` and `cause` say why; `committed` says that the layer has changed over and
    only what it no longer needs is left to delete; `revision` counts its writes. Times are ISO
    8601, UTC.
    """

    id: str
    image: str
    layer: str
    strategy: Strategy
    bake: str
    platform: str
    architecture: str
    options: RolloutOptions = RolloutOptions()
    attempt: int = 1
    execution: str = ""
    asked: str = ""
    by: str = ""
    forced: bool = False
    channel: Channel | None = None
    promotion: int = 0
    blueprint: str = ""
    status: RolloutStatus = RolloutStatus.RUNNING
    begun: str | None = None
    approved: bool = False
    before: tuple[str, ...] = ()
    size: int = 0
    canary_since: str | None = None
    back_since: str | None = None
    committed: bool = False
    group: GroupRollout | None = None
    error: str | None = None
    cause: str | None = None
    revision: int = 0


class LayerImage(Model):
    """An image that a layer has taken whole. `created` is the image's own time, `at` when the
    layer had changed over."""

    layer: str
    image: str
    created: str
    rollout: str
    at: str


def rollout_id(image: str, layer: str, attempt: int = 1) -> str:
    """A name that Step Functions accepts (at most 80 of A-Z a-z 0-9 - _), the same for the same
    three; what does not fit is told apart by a digest."""
    name = f"{image}-{re.sub(r'[^A-Za-z0-9_-]', '-', layer)}"
    plain = layer.replace("/", "-", 1)
    if len(name) > 70 or not re.fullmatch(r"[A-Za-z0-9_-]+", plain) or "-" in layer:
        digest = hashlib.sha256(layer.encode()).hexdigest()[:8]
        name = f"{name[:61]}-{digest}"
    return name if attempt == 1 else f"{name}-{attempt}"
