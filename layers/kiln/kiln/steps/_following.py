"""Blueprints whose base has changed since their newest image was made, and a bake for each."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kiln.domain.cascade import circle
from kiln.domain.following import Change, Follow, Stand, next_follow
from kiln.errors import AwsRefused, BaseImageNotFound, InvalidBlueprint
from kiln.steps._bases import Bases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiln.domain.bake import BakeRecord
    from kiln.domain.blueprint import Blueprint
    from kiln.ports import World

_log = logging.getLogger(__name__)


@dataclass
class Following:
    """One look at the bases: of all blueprints, or of those whose base is the blueprint `parent`.
    `again` repeats bakes that have failed. `started` are bakes, `left` says of a blueprint why
    nothing could be told or begun."""

    world: World
    parent: str | None = None
    again: bool = False
    started: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Start what is not started. Nothing is believed: each base is resolved anew."""
        blueprints = list(self._blueprints())
        bases = Bases((blueprint.base for blueprint in blueprints), self.world)
        for blueprint in blueprints:
            try:
                self._look_at(blueprint, bases)
            except (BaseImageNotFound, AwsRefused) as error:
                # Of this one alone; the others have bases of their own.
                self._leave(blueprint.name, str(error))

    def _blueprints(self) -> Iterator[Blueprint]:
        """Those that follow a base which can change."""
        found = dict(self._stored())
        below = {name: blueprint.base.blueprint for name, blueprint in found.items()}
        for name, blueprint in found.items():
            if not blueprint.rebuild.on_base_change or self.parent not in (None, below[name]):
                continue
            base = blueprint.base
            if path := circle(name, below.get):
                self._leave(name, f"each is the base of the one before it: {' -> '.join(path)}")
            elif base.parameter or base.lookup or base.blueprint:
                yield blueprint

    def _stored(self) -> Iterator[tuple[str, Blueprint]]:
        for name in self.world.versions.names():
            stored = self.world.versions.get(name)
            try:
                if stored:
                    yield name, stored.parsed
            except InvalidBlueprint as error:
                self._leave(name, f"it is none that this Kiln knows: {error}")

    def _look_at(self, blueprint: Blueprint, bases: Bases) -> None:
        made = self.world.records.images(blueprint.name)
        if not made:
            # The first image is somebody's wish, not a rebuild.
            return
        base = bases.image(blueprint.base)
        if base == made[-1].base:
            return
        change = Change(blueprint=blueprint.name, base=base, image=made[-1].id)
        if not self._is_baking(change):
            self._begin(change)

    def _begin(self, change: Change) -> None:
        world = self.world
        last = world.follows.last(change.blueprint, change.base)
        stand = self._stand(last) if last else "unbegun"
        follow = next_follow(change, last, stand, world.clock.now(), self.again)
        if follow is None or (follow != last and not world.follows.put(follow)):
            # Done before, or somebody else does it at this moment.
            return
        payload = {"blueprint": follow.blueprint, "trigger": "base"}
        if world.machines.start("bake", follow.bake, payload):
            _log.info(
                "%s is baked on %s, attempt %d", follow.blueprint, follow.base, follow.attempt
            )
            self.started.append(follow.bake)

    def _stand(self, follow: Follow) -> Stand:
        """How the bake of a Follow stands. Step Functions forgets executions after 90 days, the
        record stays."""
        execution = self.world.machines.look("bake", follow.bake)
        if execution is None:
            return "ended" if self.world.records.bake(follow.bake) else "unbegun"
        return "running" if execution.status == "RUNNING" else "ended"

    def _is_baking(self, change: Change) -> bool:
        """Whether somebody's bake of the blueprint is at that base just now."""
        bakes = self.world.records.bakes(change.blueprint)
        return any(b.plan.base.id == change.base and self._is_alive(b) for b in bakes)

    def _is_alive(self, bake: BakeRecord) -> bool:
        """A record without an end may be of an execution that was stopped. One of an older Kiln
        does not tell the name of its execution, which may not be the bake's: it is given its
        time."""
        if bake.ended is not None:
            return False
        execution = self.world.machines.look("bake", bake.execution or bake.plan.bake)
        if execution is None:
            return self.world.clock.now() < bake.plan.deadline
        return execution.status == "RUNNING"

    def _leave(self, name: str, why: str) -> None:
        _log.warning("%s does not follow its base for now: %s", name, why)
        self.left.append(f"{name}: {why}")
