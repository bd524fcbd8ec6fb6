"""Configure: every online instance of a stack learns who its peers are.

Whoever enters or leaves `online` asks for it. One round at a time runs in a stack; whatever is
asked for meanwhile is covered by the next one, whose snapshot is newer: of all those the last is
carried out and the others are superseded (opsworks guide, "Stack Configuration: bursts").
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from kiln.domain.model import Model


class AskStatus(StrEnum):
    """What became of one wish for Configure, in OpsWorks's words for a command."""

    PENDING = "pending"
    SUPERSEDED = "superseded"
    SUCCESSFUL = "successful"
    FAILED = "failed"


class Ask(Model):
    """One wish for Configure: the instance that caused it and why. `at` is ISO 8601, UTC."""

    stack: str
    number: int
    instance: str
    reason: Literal["online", "offline", "user"]
    at: str
    status: AskStatus = AskStatus.PENDING
    round: int | None = None


class Round(Model):
    """One round: it covers every wish up to `covers`. `failures` are causes by hostname; `stopped`
    is why its execution never ended it, and then it has answered no wish."""

    stack: str
    number: int
    covers: int
    execution: str
    began: str
    instances: tuple[str, ...] = ()
    ended: str | None = None
    failures: dict[str, str] = {}
    stopped: str = ""


def covered(rounds: tuple[Round, ...]) -> int:
    """The last wish that a round has answered; one whose execution was lost has answered none."""
    return max((found.covers for found in rounds if found.ended), default=0)


def judged(asks: tuple[Ask, ...], ended: Round) -> tuple[Ask, ...]:
    """The wishes of a round as they have become: the last is carried out, the others are
    superseded."""
    outcome = AskStatus.FAILED if ended.failures else AskStatus.SUCCESSFUL
    return tuple(
        ask.model_copy(
            update={
                "status": outcome if ask.number == ended.covers else AskStatus.SUPERSEDED,
                "round": ended.number,
            }
        )
        for ask in asks
    )
