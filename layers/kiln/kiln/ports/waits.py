"""Who waits for what, in our words. Every method may raise AwsBusy or AwsRefused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kiln.domain.waiting import WaitingToken


class Waits(Protocol):
    """Tasks that wait, each for a resource or several, and when somebody last looked for them."""

    def keep(self, resource: str, token: WaitingToken) -> None:
        """Remember a waiting task; a later token of the same state replaces it. Expires by
        itself."""
        ...

    def of(self, resource: str) -> tuple[WaitingToken, ...]:
        """The tasks that wait for a resource."""
        ...

    def drop(self, resource: str, token: WaitingToken) -> None:
        """Forget a waiting task, unless a newer token has replaced it."""
        ...

    def all_of(self, subject: str) -> tuple[WaitingToken, ...]:
        """All tasks that wait for something of a subject (`subject_of`)."""
        ...

    def begin_look(self, subject: str, pace_s: float) -> bool:
        """Begin to look for all of a subject; False where somebody began less than that long
        ago."""
        ...

    def end_look(self, subject: str) -> None:
        """Let anybody look for a subject at once."""
        ...
