"""Whether a bake has anything to make: what its image would be made of, against the newest one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from kiln.domain.bake import BakePlan, ImageRecord, Skipped
from kiln.domain.fingerprint import Origin, fingerprint, origins_of

if TYPE_CHECKING:
    from kiln.domain.blueprint import Blueprint
    from kiln.ports import World


def fingerprint_of(plan: BakePlan, world: World) -> tuple[str | None, tuple[str, ...]]:
    """The hash of what the image will be made of; or None, and what cannot be told."""
    blueprint = plan.blueprint
    traces = {origin: _trace(origin, world) for origin in origins_of(blueprint)}
    unknown = tuple(origin.label for origin, trace in traces.items() if trace is None)
    if unknown:
        return None, unknown
    known = {origin: trace for origin, trace in traces.items() if trace}
    return fingerprint(plan.base.id, blueprint, known), ()


def _trace(origin: Origin, world: World) -> str | None:
    if origin.kind == "unseen":
        return None
    if origin.kind == "s3":
        return world.origins.content(origin.name)
    return world.origins.document(origin.name, ours=origin.kind == "own")


def same_image(plan: BakePlan, world: World) -> Skipped | None:
    """Why the bake need not be: the blueprint's newest image that still exists is what it would
    make. One that may not be launched any more, or was never announced, is no such image."""
    if plan.fingerprint is None:
        return None
    newest = _newest(plan.blueprint, world)
    if newest is None or not newest.announced or newest.fingerprint != plan.fingerprint:
        return None
    return Skipped(
        image=newest.id,
        reason=f"nothing has changed since {newest.bake}: base {plan.base.id}, steps and documents "
        f"are those of {newest.id} ({newest.name})",
    )


def _newest(blueprint: Blueprint, world: World) -> ImageRecord | None:
    """The newest image that exists, if it may be launched."""
    for made in reversed(world.records.images(blueprint.name)):
        found = world.images.describe(made.id)
        if found:
            deprecated = found.deprecated_at
            old = deprecated and datetime.fromisoformat(deprecated) <= world.clock.now()
            return made if found.state == "available" and not old else None
    return None
