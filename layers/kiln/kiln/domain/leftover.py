"""What carries Kiln's tag, and whether it may: the decisions of the sweep."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from kiln.domain.bake import BakeRecord, BakeStatus, ImageRecord
from kiln.domain.model import Model

Kind = Literal["instance", "volume", "network-interface", "image", "snapshot", "bundle"]
# What is on its way out.
_GOING = frozenset({"terminated", "shutting-down", "deleting", "deregistered"})
# EC2 refuses to remove these while they are made.
_MADE_WHOLE = frozenset({"image", "snapshot"})
_FREE = frozenset({"available", "error", "failed"})


class Leftover(Model):
    """A resource with a bake's tag. `state` as its service names it; `made` is when, where the
    service tells; `role` is the tag that says builder, clone or image."""

    kind: Kind
    id: str
    region: str
    bake: str
    role: str = ""
    state: str = ""
    made: datetime | None = None


class Owner(Model):
    """The bake of a leftover: its record, whether its execution still runs, the image that came of
    it, and by Region what images of it are good."""

    record: BakeRecord
    runs: bool
    image: ImageRecord | None = None
    good: dict[str, str] = {}

    @property
    def keeps_builder(self) -> bool:
        """Whether its blueprint asks for the builder to be kept after a failure, which a bake that
        runs no more and has not ended is too."""
        failed = self.record.status is not BakeStatus.SUCCEEDED
        return failed and self.record.plan.blueprint.on_failure == "keep"

    def wants(self, region: str) -> bool:
        """Whether its image is to be in a Region, so that what is there may be a copy on its way
        that another distribution finishes."""
        if self.image is None:
            return False
        wish = self.image.distribute or self.record.plan.blueprint.distribute
        return region in {target.region for target in wish.regions}


def why_leaked(found: Leftover, owner: Owner, used: frozenset[str], before: datetime) -> str | None:
    """Why a resource is left behind; None for one that may stay. `used` are the snapshots of
    images that exist; nothing made after `before` counts, for it may be of a call just made."""
    if owner.runs or _is_passing(found) or (found.made and found.made > before):
        return None
    if found.kind in ("volume", "network-interface"):
        # One that is attached goes with its instance.
        leaked = found.state in _FREE
    elif found.kind == "instance":
        leaked = not (owner.keeps_builder and found.role == "builder")
    elif found.kind == "snapshot":
        leaked = found.id not in used
    elif found.kind == "bundle":
        leaked = owner.image is None
    else:
        leaked = not _is_good(found, owner)
    if not leaked:
        return None
    ended = owner.record.status.value if owner.record.ended else "stopped from outside"
    return f"bake {found.bake} has ended ({ended}) and does not need it"


def _is_passing(found: Leftover) -> bool:
    being_made = found.kind in _MADE_WHOLE and found.state == "pending"
    return being_made or found.state in _GOING


def _is_good(found: Leftover, owner: Owner) -> bool:
    """Whether an image is the bake's result, a copy of it, or a copy that may become one."""
    if found.id in owner.good.values():
        return True
    return found.state == "available" and owner.wants(found.region)


def grace_ends(now: datetime, grace_s: int) -> datetime:
    """The moment before which a thing must have been made to count."""
    return now - timedelta(seconds=grace_s)
