"""What several steps ask of a bake's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.errors import InvalidBlueprint

if TYPE_CHECKING:
    from kiln.domain.bake import BakePlan, BakeRecord
    from kiln.ports import World


def record_of(bake: str, world: World) -> BakeRecord:
    """The record of a bake. InvalidBlueprint for one that PlanBake never wrote."""
    record = world.records.bake(bake)
    if record is None:
        raise InvalidBlueprint(f"bake {bake} has no record; was its table replaced while it ran?")
    return record


def plan_of(bake: str, world: World) -> BakePlan:
    """The plan of a bake."""
    return record_of(bake, world).plan


def seconds_left(plan: BakePlan, limit_s: int, world: World) -> int:
    """How long a wait may take: its own limit, cut by the bake's deadline, never below a second."""
    left = (plan.deadline - world.clock.now()).total_seconds()
    return max(1, min(limit_s, int(left)))
