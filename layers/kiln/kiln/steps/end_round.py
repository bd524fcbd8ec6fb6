"""EndRound: a round of Configure has reached every instance; those who asked for it get to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.configure import covered, judged
from kiln.domain.failure import Failure
from kiln.domain.model import Model
from kiln.errors import WrongState

if TYPE_CHECKING:
    from kiln.ports import World


class InstanceConfigured(Model):
    """How Configure ended on one instance, by its own id."""

    instance: str
    failure: Failure | None = None


class EndRound(Model):
    """The round and how it ended on each of its instances."""

    stack: str
    round: int
    results: tuple[InstanceConfigured, ...]


class RoundEnded(Model):
    """On how many instances Configure failed; they stay online."""

    failed: int


def end_round(request: EndRound, world: World) -> RoundEnded:
    """Record; again is harmless. AwsBusy."""
    rounds = {found.number: found for found in world.rounds.rounds(request.stack)}
    if request.round not in rounds:
        raise WrongState(f"stack {request.stack} has no round {request.round} of Configure")
    earlier = tuple(found for found in rounds.values() if found.number < request.round)
    failures = {r.instance: r.failure.reason for r in request.results if r.failure}
    ended = rounds[request.round].model_copy(
        update={"ended": world.clock.now().isoformat(), "failures": failures}
    )
    answered = range(covered(earlier) + 1, ended.covers + 1)
    asks = tuple(ask for ask in world.rounds.asks(request.stack) if ask.number in answered)
    for ask in judged(asks, ended):
        world.rounds.put_ask(ask)
    # Last: a round that has ended is never looked at again.
    world.rounds.put_round(ended)
    return RoundEnded(failed=len(failures))
