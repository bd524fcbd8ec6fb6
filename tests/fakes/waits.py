"""Who waits for what, in dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kiln.domain.waiting import WaitingToken, subject_of
from tests.builders import NOW


@dataclass
class FakeWaits:
    """Tasks by resource, bake and state; when each subject was last looked at."""

    tokens: dict[tuple[str, str], WaitingToken] = field(default_factory=dict)
    looks: dict[str, float] = field(default_factory=dict)
    # A world's clock, where a test has one.
    now: Callable[[], datetime] = lambda: NOW

    def keep(self, resource: str, token: WaitingToken) -> None:
        self.tokens[_key(resource, token)] = token

    def of(self, resource: str) -> tuple[WaitingToken, ...]:
        return tuple(token for (name, _), token in self.tokens.items() if name == resource)

    def drop(self, resource: str, token: WaitingToken) -> None:
        if self.tokens.get(_key(resource, token)) == token:
            del self.tokens[_key(resource, token)]

    def all_of(self, subject: str) -> tuple[WaitingToken, ...]:
        return tuple(t for t in self.tokens.values() if subject_of(t.wait) == subject)

    def begin_look(self, subject: str, pace_s: float) -> bool:
        now = self.now().timestamp()
        if now - self.looks.get(subject, 0.0) < pace_s:
            return False
        self.looks[subject] = now
        return True

    def end_look(self, subject: str) -> None:
        self.looks.pop(subject, None)


def _key(resource: str, token: WaitingToken) -> tuple[str, str]:
    return resource, f"{token.wait.bake}#{token.state}"
