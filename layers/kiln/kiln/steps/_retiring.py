"""Doing what was decided of one Region's images. Each step is written down before it is taken, so
that a crash leaves nothing that the next run does not know of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from kiln.domain.events import ImageRetired
from kiln.errors import AwsRefused
from kiln.ports import Sharing
from kiln.steps._estate import survey
from kiln.steps._wards import Ward, sharing_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiln.domain.place import PlaceStatus
    from kiln.domain.pruning import Standing, Verdict

Became = Literal["deprecated", "disabled", "enabled", "deleted"]
# EC2 takes no date in the past for a deprecation, and rounds to the minute (EC2 API,
# EnableImageDeprecation).
_SOON = timedelta(minutes=2)
# What is done only after a second look.
LEAVING = ("disable", "delete", "finish")


@dataclass(frozen=True)
class Outcome:
    """What was decided, and what came of it: `error` where AWS refused it."""

    verdict: Verdict
    error: str = ""


def carry_out(verdicts: list[Verdict], ward: Ward, most: int) -> list[Outcome]:
    """Do what was decided; of what is disabled or deleted so many at most, the oldest first."""
    leaving = [verdict for verdict in verdicts if verdict.action in LEAVING][:most]
    others = [verdict for verdict in verdicts if verdict.action not in LEAVING]
    return [*(_tried(verdict, ward) for verdict in others), *_taken_out(leaving, ward)]


def _taken_out(verdicts: list[Verdict], ward: Ward) -> Iterator[Outcome]:
    """Disable, look again, then delete what is still unused."""
    disabled = []
    for verdict in verdicts:
        try:
            if verdict.standing.state == "available":
                _disable(verdict, ward)
        except AwsRefused as error:
            yield Outcome(verdict, str(error))
        else:
            disabled.append(verdict)
    if disabled:
        again = Ward(ward.region, ward.names, survey(ward.world), ward.world)
        now = {verdict.standing.here: verdict for verdict in again.look()}
        for before in disabled:
            yield _settled(before, now.get(before.standing.here), again)


def _settled(before: Verdict, now: Verdict | None, ward: Ward) -> Outcome:
    """An image that is disabled, by what the second look has found."""
    if now is None:
        # Somebody else has finished it meanwhile.
        return Outcome(before)
    if now.action in ("delete", "finish"):
        return _tried(now, ward)
    if now.action == "none" and now.why:
        # Disabled is what its rules want of it.
        return Outcome(before)
    why = now.why or now.kept_by
    return _tried(now.model_copy(update={"action": "enable", "why": why}), ward)


def _tried(verdict: Verdict, ward: Ward) -> Outcome:
    act = {"deprecate": _deprecate, "enable": _enable, "delete": _delete, "finish": _delete}
    try:
        if verdict.action in act:
            act[verdict.action](verdict, ward)
    except AwsRefused as error:
        return Outcome(verdict, str(error))
    return Outcome(verdict)


def _deprecate(verdict: Verdict, ward: Ward) -> None:
    ward.there.images.deprecate(verdict.standing.here, ward.world.clock.now() + _SOON)
    _note(verdict, ward, "deprecated")
    _tell(verdict, ward, "deprecated")


def _disable(verdict: Verdict, ward: Ward) -> None:
    """Written down with whom it was shared, for EC2 forgets it; and before it is done, for what
    Kiln has not disabled it does not enable."""
    here, place = verdict.standing.here, ward.place(verdict.standing)
    reach = ward.there.shelf.reach(here)
    shared = {
        key: tuple(dict.fromkeys((*getattr(place, key), *getattr(reach, key))))
        for key in ("accounts", "organizations", "organizational_units")
    }
    _note(verdict, ward, "disabled", **shared)
    ward.there.shelf.disable(here)
    if verdict.action == "disable":
        _tell(verdict, ward, "disabled")


def _enable(verdict: Verdict, ward: Ward) -> None:
    here, place = verdict.standing.here, ward.place(verdict.standing)
    ward.there.shelf.enable(here)
    if sharing_of(place) != Sharing():
        ward.there.outlet.share(here, sharing_of(place))
    _note(verdict, ward, "incomplete" if place.error else "available")
    _tell(verdict, ward, "enabled")


def _delete(verdict: Verdict, ward: Ward) -> None:
    standing = verdict.standing
    _note(verdict, ward, "deleting")
    if verdict.action == "finish":
        _delete_snapshots(standing, ward)
    else:
        ward.there.images.deregister(standing.here)
    if standing.bundle:
        ward.world.bundles.remove(standing.bundle)
    # A copy that is made anew needs another client token: this one's gives the old id again.
    _note(verdict, ward, "deleted", lost=ward.place(standing).lost + 1)
    _close(standing, ward)
    _tell(verdict, ward, "deleted")


def _delete_snapshots(standing: Standing, ward: Ward) -> None:
    """Of an image that is gone, the snapshots by their tag; one that somebody else has made an
    image of stays with that."""
    images = ward.there.images
    others = (image for image in ward.managed.values() if image.id != standing.here)
    kept = {volume.snapshot for image in others for volume in image.snapshots}
    for snapshot in images.snapshots_of_bake(standing.bake):
        if snapshot in kept:
            continue
        try:
            images.delete_snapshot(snapshot)
        except AwsRefused as error:
            if error.code != "InvalidSnapshot.InUse":
                raise


def _close(standing: Standing, ward: Ward) -> None:
    """Once an image is gone everywhere its record says so."""
    records = ward.world.records
    places, record = records.places(standing.image), records.image(standing.image)
    if record and all(place.status == "deleted" or place.image is None for place in places):
        records.put_image(record.model_copy(update={"retired": ward.world.clock.now()}))


def _note(verdict: Verdict, ward: Ward, status: PlaceStatus, **more: Any) -> None:
    image = verdict.standing.image
    changed = {"status": status, "since": ward.world.clock.now(), **more}
    place = ward.place(verdict.standing).model_copy(update=changed)
    ward.world.records.put_place(image, place)
    known = ward.estate.places[image]
    ward.estate.places[image] = tuple(place if p.region == ward.region else p for p in known)


def _tell(verdict: Verdict, ward: Ward, became: Became) -> None:
    standing = verdict.standing
    event = ImageRetired(
        bake=standing.bake,
        blueprint=standing.blueprint,
        version=standing.version,
        image=standing.image,
        region=standing.region,
        here=standing.here,
        became=became,
        why=verdict.why,
    )
    ward.world.bus.publish(event)
