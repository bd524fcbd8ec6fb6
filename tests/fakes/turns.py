"""Turns, pauses and what bakes read from elsewhere, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kiln.domain.naming import blueprint_of
from kiln.domain.pausing import Pause
from kiln.domain.turns import Line, Turn
from tests.builders import NOW


@dataclass
class FakeTurns:
    """Who has a turn, by blueprint, and who waits for one."""

    running: dict[str, Turn] = field(default_factory=dict)
    waiting: dict[tuple[str, str], Turn] = field(default_factory=dict)
    # A world's clock, where a test has one.
    now: Callable[[], datetime] = lambda: NOW
    begins: float = 0.0

    def line(self) -> Line:
        having = {turn.bake for turn in self.running.values()}
        inline = [self.waiting[place] for place in sorted(self.waiting)]
        return Line(
            running=tuple(self.running.values()),
            waiting=tuple(turn for turn in inline if turn.bake not in having),
        )

    def stand(self, turn: Turn) -> None:
        self.waiting[turn.place] = turn

    def leave(self, turn: Turn) -> None:
        self.waiting.pop(turn.place, None)

    def take(self, turn: Turn, most: int) -> bool:
        if turn.blueprint in self.running or len(self.running) >= most:
            return False
        self.running[turn.blueprint] = turn
        return True

    def next_begin(self, every_s: float, at_once: int) -> float:
        now = self.now().timestamp()
        booked = max(self.begins, now - (at_once - 1) * every_s)
        self.begins = booked + every_s
        return booked - now

    def free(self, bake: str) -> None:
        name = blueprint_of(bake)
        if name in self.running and self.running[name].bake == bake:
            del self.running[name]


@dataclass
class FakePauses:
    """Pauses by blueprint, rows by version."""

    pauses: dict[str, Pause] = field(default_factory=dict)
    rows: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def paused(self, blueprint: str) -> Pause | None:
        return self.pauses.get(blueprint)

    def pause(self, blueprint: str, pause: Pause) -> None:
        self.pauses[blueprint] = pause

    def lift(self, blueprint: str) -> None:
        self.pauses.pop(blueprint, None)

    def failed(self, blueprint: str, version: int, bake: str) -> tuple[str, ...]:
        row = self.rows.setdefault((blueprint, version), set())
        row.add(bake)
        return tuple(sorted(row))

    def clear(self, blueprint: str, version: int) -> None:
        self.rows.pop((blueprint, version), None)


@dataclass
class FakeOrigins:
    """Contents by their names; every document of Kiln is there unless a test says otherwise."""

    documents: dict[str, str | None] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)

    def document(self, name: str, *, ours: bool) -> str | None:
        return self.documents.get(name, f"hash of {name}" if ours else None)

    def content(self, uri: str) -> str | None:
        return self.contents.get(uri)
