"""Rows of failures of bakes that nobody asked for, and the pause at their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.bake import BakeRecord, Skipped
from kiln.domain.blueprint import blueprint_from
from kiln.domain.events import BlueprintPaused
from kiln.domain.naming import blueprint_of
from kiln.domain.pausing import Pause
from kiln.domain.rebuild import Rebuild, Trigger
from kiln.errors import InvalidBlueprint

if TYPE_CHECKING:
    from kiln.ports import World

# They say nothing of the blueprint: it was not its turn.
_NO_FAILURE = ("BakeRefused", "TurnMissed")
_UNASKED = (Trigger.SCHEDULE.value, Trigger.BASE.value)


def stopped_by_pause(
    blueprint: str, version: int, trigger: Trigger, world: World
) -> Skipped | None:
    """Why a bake that nobody asked for is not made; None where it may be."""
    if trigger is Trigger.MANUAL:
        return None
    pause = world.pauses.paused(blueprint)
    if pause is None or not pause.holds(version):
        return None
    return Skipped(
        reason=f"{blueprint} is paused since {pause.since[:19]} by {pause.by}: {pause.reason}; "
        f"`kiln blueprints resume {blueprint}` lifts that"
    )


def note_failure(
    bake: str, error: str, record: BakeRecord | None, asked: dict[str, Any], world: World
) -> None:
    """Add a failed bake that nobody asked for to its blueprint's row; pause the blueprint and
    announce that once the row is long enough. `asked` is the execution's input: a bake whose base
    is gone has no record. Again is harmless."""
    trigger = record.trigger if record else asked.get("trigger")
    if trigger not in _UNASKED or error in _NO_FAILURE:
        return
    name = blueprint_of(bake)
    version, rebuild = _rebuild(name, record, asked, world)
    row = world.pauses.failed(name, version, bake)
    if len(row) < rebuild.pause_after or world.pauses.paused(name):
        return
    reason = f"{len(row)} bakes that nobody asked for failed in a row, the last with {error}"
    event = BlueprintPaused(blueprint=name, version=version, bakes=row, error=error, reason=reason)
    # First the event: a crash in between tells it twice rather than never.
    world.bus.publish(event)
    since = world.clock.now().isoformat()
    world.pauses.pause(name, Pause(reason=reason, since=since, by="kiln", version=version))


def _rebuild(
    name: str, record: BakeRecord | None, asked: dict[str, Any], world: World
) -> tuple[int, Rebuild]:
    """The version that failed and what it says of rebuilds."""
    if record:
        return record.plan.version, record.plan.blueprint.rebuild
    given = asked.get("blueprint"), asked.get("version")
    version, document = (given[1] or 0, given[0])
    if isinstance(document, str):
        stored = world.versions.get(name, given[1])
        version, document = (stored.number, stored.document) if stored else (0, {})
    try:
        return version, blueprint_from(document).rebuild
    except InvalidBlueprint:
        return version, Rebuild()


def end_row(record: BakeRecord, world: World) -> None:
    """A bake has succeeded: its version's row is over, and so is Kiln's own pause of it."""
    name, version = record.plan.blueprint.name, record.plan.version
    world.pauses.clear(name, version)
    pause = world.pauses.paused(name)
    if pause and pause.version is not None and pause.version <= version:
        world.pauses.lift(name)
