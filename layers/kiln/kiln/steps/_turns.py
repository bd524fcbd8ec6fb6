"""Taking a turn, standing in line for it, giving it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.naming import BAKE_ID
from kiln.domain.waiting import BakeTurn, turn_of
from kiln.errors import KilnError, TokenGone, TurnMissed

if TYPE_CHECKING:
    from kiln.domain.turns import Line, Turn
    from kiln.ports import World


def take_turn(turn: Turn, world: World) -> bool:
    """Take the turn if the bake may go. One that had it already has it still."""
    line = line_for(turn, world)
    if line is None:
        return False
    if not line.has(turn) and not world.turns.take(turn, world.settings.max_bakes):
        # Somebody else was faster, or a doubled call was: it looks again where it waits.
        return False
    if turn in line.waiting:
        world.turns.leave(turn)
    return True


def line_for(turn: Turn, world: World) -> Line | None:
    """The line as it is if a bake may go, once whoever is in its way and runs no more is out of it;
    None if it may not.

    One that was stopped or timed out would hold its turn, or its place in line, for ever.
    """
    while not (line := world.turns.line()).lets(turn, world.settings.max_bakes):
        if not _drop_dead(line.in_the_way(turn), world):
            return None
    return line


def _drop_dead(others: tuple[Turn, ...], world: World) -> bool:
    dead = [o for o in others if not world.machines.running("bake", o.execution)]
    for other in dead:
        drop_turn(other, world)
    return bool(dead)


def drop_turn(turn: Turn, world: World) -> None:
    """Take a bake's turn and its place in line from it; whoever waits finds that at its next
    look."""
    world.turns.free(turn.bake)
    world.turns.leave(turn)


def give_back(bake: str, world: World) -> None:
    """Free the bake's turn or its place in line, and wake those that may go now. Again is
    harmless."""
    if not BAKE_ID.match(bake):
        return
    world.turns.free(bake)
    # Read only now: whoever stood in line before and looked has found the turn taken.
    line = world.turns.line()
    own = line.of(bake)
    if own:
        world.turns.leave(own)
        line = world.turns.line()
    _wake_next(line, world)


def _wake_next(line: Line, world: World) -> None:
    """Wake those in line that may go, oldest first; whoever is dead makes room for the next."""
    most = world.settings.max_bakes
    while _drop_dead(line.next_up(most), world):
        line = world.turns.line()
    for turn in line.next_up(most):
        resource = turn_of(turn.bake)
        for token in world.waits.of(resource):
            _wake(token.token, turn, world)
            world.waits.drop(resource, token)


def _wake(token: str, turn: Turn, world: World) -> None:
    try:
        world.machines.succeed(token, {"bake": turn.bake})
    except TokenGone:
        # It has begun to look by itself.
        return


def turn_too_late(wait: BakeTurn, world: World) -> KilnError:
    """The error of a bake whose turn did not come."""
    said = world.turns.line().obstacle(wait.turn, world.settings.max_bakes)
    return TurnMissed(
        f"{wait.bake} has waited for {said}, for {wait.timeout_s // 3600} h; raise the template's "
        "MaxBakes, or bake less often"
    )
