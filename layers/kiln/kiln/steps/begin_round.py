"""BeginRound: the next round of Configure in a stack, if there is one to run. Ended by EndRound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kiln.domain.configure import Round, covered
from kiln.domain.instance import InstanceState
from kiln.domain.model import Model
from kiln.domain.waiting import StackSettled
from kiln.steps._holding import take
from kiln.steps._looking_at_layers import is_settled
from kiln.steps._taking_over import row_of

if TYPE_CHECKING:
    from kiln.ports import World

# How long a round waits for instances that are on their way, so that it covers them all.
PATIENCE_S = 4 * 3600


class BeginRound(Model):
    """The stack; `first` is whether this execution has run none yet."""

    stack: str
    execution: str
    first: bool
    since: str


class RoundBegun(Model):
    """Run it on `instances`, wait before it, or leave it: another execution has the stack's
    rounds, or everything asked for is covered."""

    path: Literal["run", "wait", "over"]
    round: int = 0
    instances: tuple[str, ...] = ()
    wait: StackSettled | None = None


def begin_round(request: BeginRound, world: World) -> RoundBegun:
    """Begin, once per round. AwsBusy."""
    if not _holds(request, world):
        return RoundBegun(path="over")
    rounds = world.rounds.rounds(request.stack)
    last = rounds[-1] if rounds else None
    if last and last.ended is None and last.execution == request.execution:
        return RoundBegun(path="run", round=last.number, instances=last.instances)
    if last and last.ended is None and not last.stopped:
        # Its wishes are answered by the round that begins now.
        why = row_of("configure", last.execution, world).why.cause
        world.rounds.put_round(last.model_copy(update={"stopped": why}))
    asked = world.rounds.asked(request.stack)
    if asked == covered(rounds):
        freed = world.rounds.free(request.stack, request.execution, asked)
        return RoundBegun(path="over") if freed else begin_round(request, world)
    entries = world.records.instances(request.stack)
    if not request.first:
        waited = StackSettled(
            kind="stack-settled",
            bake=request.execution,
            since=request.since,
            timeout_s=PATIENCE_S,
            stack=request.stack,
        )
        if not is_settled(waited, entries, world.clock.now()):
            return RoundBegun(path="wait", wait=waited)
    begun = Round(
        stack=request.stack,
        number=(last.number if last else 0) + 1,
        covers=asked,
        execution=request.execution,
        began=world.clock.now().isoformat(),
        instances=tuple(e.id for e in entries if e.state is InstanceState.ONLINE),
    )
    world.rounds.put_round(begun)
    return RoundBegun(path="run", round=begun.number, instances=begun.instances)


def _holds(request: BeginRound, world: World) -> bool:
    stack, rounds = request.stack, world.rounds
    return take(
        "configure",
        lambda other: rounds.hold(stack, request.execution, instead_of=other),
        lambda: rounds.holder(stack),
        world,
    )
