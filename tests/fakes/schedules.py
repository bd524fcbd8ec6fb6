"""The schedules of blueprints, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kiln.ports import Standing, Timing


@dataclass
class FakeSchedules:
    """Schedules by blueprint; `before_put` is called when one is about to be written."""

    standing: dict[str, Standing] = field(default_factory=dict)
    before_put: Callable[[], None] = lambda: None

    def look(self, blueprint: str) -> Standing | None:
        return self.standing.get(blueprint)

    def put(self, blueprint: str, timing: Timing) -> None:
        self.before_put()
        self.standing[blueprint] = Standing(timing)

    def remove(self, blueprint: str) -> None:
        self.standing.pop(blueprint, None)
