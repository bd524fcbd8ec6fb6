"""Sweep: find what belongs to no running bake and remove it, once an hour.

It is the floor below Teardown and the events that call it: an event may be lost, and a call of a
function may take effect after its execution was stopped.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kiln.domain.leftover import Leftover, Owner, grace_ends, why_leaked
from kiln.domain.model import Lenient, Model
from kiln.errors import AwsBusy, AwsRefused, TeardownFailed
from kiln.steps._unfinished import end_unfinished
from kiln.steps.teardown import Teardown, teardown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kiln.ports import World

logger = logging.getLogger(__name__)
# Instances first: their volumes and interfaces go with them. An image before its snapshots.
_ORDER = ("instance", "volume", "network-interface", "image", "snapshot", "bundle")


# Ten years; before the year 1 there is no time.
LONGEST_GRACE_S = 3650 * 86_400


class Sweep(Lenient):
    """Whatever EventBridge sends on a schedule, or what `kiln sweep` asks for: things younger than
    `grace_s` seconds are left alone."""

    dry_run: bool = False
    grace_s: Annotated[int, Field(ge=0, le=LONGEST_GRACE_S)] = 2 * 3600


class Leak(Model):
    """Something that was left behind: why it is, and what became of it (`removed`, `found` in a
    dry run, or the reason why it is still there)."""

    kind: str
    id: str
    region: str
    bake: str
    why: str
    outcome: str


class Swept(Model):
    """What was left behind, which bakes were ended because their executions had, which rollouts,
    changes of instances, rounds of Configure and distributions were taken over for the same reason
    (`rollout ami-0123-shop-web`), and the Regions that could not be looked at, with the reason."""

    leaks: tuple[Leak, ...]
    ended: tuple[str, ...]
    taken_over: tuple[str, ...]
    unseen: dict[str, str]

    def metrics(self) -> dict[str, int]:
        """For the alarm: what was left behind, what of it still is, and how many executions had
        ended without anybody's hearing of it."""
        left = [leak for leak in self.leaks if leak.outcome != "removed"]
        stopped = len(self.ended) + len(self.taken_over)
        return {"Leaks": len(self.leaks), "LeaksLeft": len(left), "Stopped": stopped}


def sweep(request: Sweep, world: World) -> Swept:
    """Look everywhere, then remove; again is harmless. What cannot be removed is said and does not
    keep the rest. Raises AwsBusy."""
    found, unseen = _found(world)
    owners = _owners(found, world)
    ended = _end_stopped(owners, request, world)
    before = grace_ends(world.clock.now(), request.grace_s)
    over = end_unfinished(before, request.dry_run, world)
    used = _used({thing.region for thing in found if thing.kind == "snapshot"}, world)
    leaks = []
    for thing in sorted(found, key=lambda thing: _ORDER.index(thing.kind)):
        owner = owners.get(thing.bake)
        in_use = used.get(thing.region, frozenset())
        why = why_leaked(thing, owner, in_use, before) if owner else None
        if why:
            leaks.append(_leak(thing, why, request, world))
    return Swept(leaks=tuple(leaks), ended=tuple(ended), taken_over=over, unseen=unseen)


def _found(world: World) -> tuple[list[Leftover], dict[str, str]]:
    found, unseen = list(world.leftovers.here()), {}
    for region in sorted(world.leftovers.regions() - {world.settings.region}):
        try:
            found += world.leftovers.there(region)
        except AwsRefused as error:
            # An organization may have forbidden the Region since.
            unseen[region] = str(error)
    return found, unseen


def _owners(found: Iterable[Leftover], world: World) -> dict[str, Owner]:
    """The bakes of this deployment among the tags, and those that have a turn and may have made
    nothing. One that is not recorded here is another deployment's: every bake is recorded before it
    makes anything."""
    owners, line = {}, world.turns.line()
    turns = (*line.running, *line.waiting)
    for bake in sorted({*(thing.bake for thing in found), *(turn.bake for turn in turns)}):
        record = world.records.bake(bake)
        if record is None:
            continue
        image = world.records.image(record.image) if record.image else None
        places = world.records.places(image.id) if image else ()
        good = {place.region: place.image for place in places if place.image}
        owners[bake] = Owner(
            record=record,
            runs=record.ended is None and world.machines.running("bake", record.execution or bake),
            image=image,
            good={**({image.region: image.id} if image else {}), **good},
        )
    return owners


def _end_stopped(owners: dict[str, Owner], request: Sweep, world: World) -> list[str]:
    """End the bakes whose executions have ended without their Teardown; its event was lost."""
    stopped = [name for name, o in owners.items() if o.record.ended is None and not o.runs]
    for bake in () if request.dry_run else stopped:
        try:
            teardown(Teardown(bake=bake, ended=True), world)
        except (AwsBusy, TeardownFailed) as error:
            # What it leaves is found below and named there, or an hour later.
            logger.warning(str(error))
    return stopped


def _used(regions: set[str], world: World) -> dict[str, frozenset[str]]:
    return {region: world.leftovers.used_snapshots(region) for region in regions}


def _leak(thing: Leftover, why: str, request: Sweep, world: World) -> Leak:
    outcome = "found" if request.dry_run else _removed(thing, world)
    told = thing.model_dump(include={"kind", "id", "region", "bake"})
    return Leak(**told, why=why, outcome=outcome)


def _removed(thing: Leftover, world: World) -> str:
    try:
        _REMOVERS[thing.kind](thing, world)
    except (AwsBusy, AwsRefused) as error:
        logger.warning("%s %s stays: %s", thing.kind, thing.id, error)
        return str(error)
    return "removed"


def _remove_image(thing: Leftover, world: World) -> None:
    world.regions.at(thing.region).images.deregister(thing.id)


def _remove_snapshot(thing: Leftover, world: World) -> None:
    world.regions.at(thing.region).images.delete_snapshot(thing.id)


_REMOVERS: dict[str, Callable[[Leftover, World], None]] = {
    "instance": lambda thing, world: world.fleet.terminate([thing.id]),
    "volume": lambda thing, world: world.fleet.delete_volume(thing.id),
    "network-interface": lambda thing, world: world.leftovers.delete_interface(thing.id),
    "image": _remove_image,
    "snapshot": _remove_snapshot,
    "bundle": lambda thing, world: world.bundles.remove(thing.id),
}
