"""Taking turns, and what keeps a blueprint from being baked. Every method may raise AwsBusy or
AwsRefused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kiln.domain.pausing import Pause
    from kiln.domain.turns import Line, Turn


class Turns(Protocol):
    """Which bakes have their turn, and which stand in line."""

    def line(self) -> Line:
        """All of them, those that wait in the order in which they came."""
        ...

    def stand(self, turn: Turn) -> None:
        """Stand in line; again is harmless."""
        ...

    def leave(self, turn: Turn) -> None:
        """Leave the line; one that stands in none is passed over."""
        ...

    def take(self, turn: Turn, most: int) -> bool:
        """Take a turn, at once for the blueprint and for one of `most`; False where either is not
        free, or it is had already."""
        ...

    def free(self, bake: str) -> None:
        """Give a bake's turn back; one that it does not have is passed over."""
        ...

    def next_begin(self, every_s: float, at_once: int) -> float:
        """Book the next time to begin: seconds until then, 0 or less for now. Times are so far
        apart; after a while without any, so many are at once."""
        ...


class Pauses(Protocol):
    """Blueprints that are baked no more until somebody has looked, and the rows of failures that
    lead there."""

    def paused(self, blueprint: str) -> Pause | None:
        """A blueprint's pause."""
        ...

    def pause(self, blueprint: str, pause: Pause) -> None:
        """Store a pause, over the one before."""
        ...

    def lift(self, blueprint: str) -> None:
        """Remove a pause; one that is not there is passed over."""
        ...

    def failed(self, blueprint: str, version: int, bake: str) -> tuple[str, ...]:
        """Add a failed bake to a version's row, once; the row then, oldest first."""
        ...

    def clear(self, blueprint: str, version: int) -> None:
        """Begin a version's row anew."""
        ...


class Origins(Protocol):
    """What a bake reads from elsewhere, told from what it was without being read."""

    def document(self, name: str, *, ours: bool) -> str | None:
        """The hash of a document's default version, None where it cannot be told; `ours` are named
        without the deployment."""
        ...

    def content(self, uri: str) -> str | None:
        """What stands for the content of `s3://bucket/key`: of the object, or, where there is none,
        of all objects below; None where it cannot be told."""
        ...
