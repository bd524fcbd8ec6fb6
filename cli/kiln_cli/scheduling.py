"""The schedules of blueprints: what `kiln apply` shows of them, and how it makes them so."""

from __future__ import annotations

from kiln.domain.blueprint import Blueprint
from kiln.errors import AwsBusy
from kiln.ports import Standing, Timing, World
from kiln_cli.difference import Difference

# Two who apply the same blueprint by turns would never end.
_ROUNDS = 5


def wanted(blueprint: Blueprint) -> Timing | None:
    """The schedule that a blueprint asks for."""
    rebuild = blueprint.rebuild
    return Timing(rebuild.schedule, rebuild.time_zone) if rebuild.schedule else None


def difference(blueprint: Blueprint, world: World) -> tuple[Difference, ...]:
    """How the schedule that stands differs from what a blueprint asks for: nothing where it does
    not. One that somebody changed by hand, or removed, differs too."""
    stands, asked = world.schedules.look(blueprint.name), wanted(blueprint)
    if _is(stands, asked):
        return ()
    old, new = _text(stands), _text(asked)
    if stands and asked:
        return (Difference("schedule", "changed", old, new),)
    return (Difference("schedule", "added" if asked else "removed", old, new),)


def settle(name: str, world: World) -> None:
    """Make a blueprint's schedule what its newest stored version asks for.

    Somebody else may apply another version meanwhile. Each looks again once it has written, and
    whoever is last has seen the newest one. AwsBusy where that does not come to an end.
    """
    for _ in range(_ROUNDS):
        before = world.versions.get(name)
        if before is None:
            return
        _make_so(name, wanted(before.parsed), world)
        if world.versions.get(name) == before:
            return
    raise AwsBusy(f"blueprint {name} changes again and again; apply again")


def _make_so(name: str, asked: Timing | None, world: World) -> None:
    if _is(world.schedules.look(name), asked):
        return
    if asked is None:
        world.schedules.remove(name)
    else:
        world.schedules.put(name, asked)


def _is(stands: Standing | None, asked: Timing | None) -> bool:
    if stands is None or asked is None:
        return stands is None and asked is None
    return stands.timing == asked and not stands.altered


def _text(found: Standing | Timing | None) -> str | None:
    if found is None:
        return None
    timing = found.timing if isinstance(found, Standing) else found
    altered = found.altered if isinstance(found, Standing) else ()
    by_hand = f", changed by hand: {', '.join(altered)}" if altered else ""
    return f"{timing.expression} {timing.time_zone}{by_hand}"
