"""Whose turn it is to bake: one bake of a blueprint at a time, and so many of a deployment at once.

Bakes that cannot go yet stand in line by the time at which their executions began. One that waits
for another bake of its blueprint holds up nobody else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kiln.domain.model import Model
from kiln.domain.naming import blueprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# How long a bake may stand in line. A day: what a nightly bake waits for has ended by then, or the
# next one takes its place.
LONGEST_WAIT_S = 86_400
# Bakes that may go begin one after the other, so that all their launches together ask EC2 for no
# more than it grants: RunInstances has a bucket of 5 calls that gets 2 a second (EC2 Developer
# Guide, "Request throttling for the Amazon EC2 API"), a bake launches a builder and later a clone.
# A twentieth is left to whoever else launches.
BEGIN_EVERY_S = 2 / 2 * 1.05
# So many begin at once after a while without any.
BEGIN_AT_ONCE = 4


class Turn(Model):
    """A bake that has its turn, or stands in line for it. `execution` is the name of its execution,
    `asked` when that began (ISO 8601 of one length, so that texts sort as times do)."""

    bake: str
    execution: str
    asked: str

    @property
    def blueprint(self) -> str:
        """The blueprint's name, of inline ones too."""
        return blueprint_of(self.bake)

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands in line: first come, first served."""
        return self.asked, self.bake


def turn_for(bake: str, execution: str, started: datetime) -> Turn:
    """The turn that a bake asks for."""
    asked = f"{started.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return Turn(bake=bake, execution=execution, asked=asked)


class Line(Model):
    """The bakes that have their turn, and those that wait for it."""

    running: tuple[Turn, ...] = ()
    waiting: tuple[Turn, ...] = ()

    def of(self, bake: str) -> Turn | None:
        """A bake's turn, had or waited for."""
        return next((t for t in (*self.running, *self.waiting) if t.bake == bake), None)

    def by_execution(self, name: str) -> Turn | None:
        """The turn of an execution, had or waited for."""
        return next((t for t in (*self.running, *self.waiting) if t.execution == name), None)

    def has(self, turn: Turn) -> bool:
        """Whether a bake has its turn."""
        return any(other.bake == turn.bake for other in self.running)

    def lets(self, turn: Turn, most: int) -> bool:
        """Whether a bake may go, of at most `most` at once."""
        if self.has(turn):
            return True
        ahead = list(self._able(turn))
        return self._own(turn) is None and len(self.running) + len(ahead) < most

    def next_up(self, most: int) -> tuple[Turn, ...]:
        """Those in line that may go now, in their order."""
        return tuple(turn for turn in self.waiting if self.lets(turn, most))

    def in_the_way(self, turn: Turn) -> tuple[Turn, ...]:
        """Whom a waiting bake had better look at: any of these may be dead.

        Not all that are before it, for that would be many looks for many that wait: each looks at
        the one right before it, and the first in line at those that have their turns. So whoever is
        dead is found by somebody.
        """
        own = self._own(turn)
        if own:
            return (own,)
        ahead = list(self._able(turn))
        return (ahead[-1],) if ahead else self.running

    def obstacle(self, turn: Turn, most: int) -> str:
        """What a waiting bake waits for, in words."""
        own = self._own(turn)
        if own:
            return f"{own.bake}, of the same blueprint"
        return f"one of {most} turns, {len(list(self._able(turn)))} in line before it"

    def _own(self, turn: Turn) -> Turn | None:
        """The bake of the same blueprint that it waits for."""
        others = (*self._ahead(turn)[::-1], *self.running)
        return next((other for other in others if other.blueprint == turn.blueprint), None)

    def _ahead(self, turn: Turn) -> list[Turn]:
        running = {other.bake for other in self.running}
        waiting = sorted(self.waiting, key=lambda other: other.place)
        return [o for o in waiting if o.place < turn.place and o.bake not in running]

    def _able(self, turn: Turn) -> Iterator[Turn]:
        """Those ahead of it that wait for no other bake of their blueprint."""
        taken = {other.blueprint for other in self.running}
        for other in self._ahead(turn):
            if other.blueprint not in taken:
                taken.add(other.blueprint)
                yield other
