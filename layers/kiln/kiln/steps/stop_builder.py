"""StopBuilder: ask the builder to stop, so that its volumes are at rest when they are copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.model import Model
from kiln.errors import AwsRefused, StopFailed
from kiln.steps._bakes import plan_of, seconds_left

if TYPE_CHECKING:
    from kiln.ports import World

# EC2 forces a stop after some minutes of its own accord; what takes longer than this hangs.
STOPPED_WITHIN_S = 1_800


class StopBuilder(Model):
    """The bake and its builder."""

    bake: str
    instance: str


class StopAsked(Model):
    """The instance, and how long it may take to stop (seconds)."""

    instance: str
    wait_s: int


def stop_builder(request: StopBuilder, world: World) -> StopAsked:
    """Ask for the stop; asking twice is harmless. Raises StopFailed."""
    plan = plan_of(request.bake, world)
    try:
        world.fleet.stop(request.instance)
    except AwsRefused as error:
        raise StopFailed(f"{request.instance} could not be stopped: {error}") from error
    wait_s = seconds_left(plan, STOPPED_WITHIN_S, world)
    return StopAsked(instance=request.instance, wait_s=wait_s)
