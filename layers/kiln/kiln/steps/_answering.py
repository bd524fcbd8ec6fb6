"""Answering a waiting task: well or badly, once, and forgetting its token."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kiln.domain.waiting import resources_of
from kiln.errors import AwsBusy, KilnError, TokenGone
from kiln.steps._looking import check_time, look

if TYPE_CHECKING:
    from kiln.domain.waiting import WaitingToken
    from kiln.ports import World
    from kiln.steps._sight import Sight


def end(token: WaitingToken, sight: Sight, world: World) -> bool:
    """End a task, well or badly, if its wait is over or out of time. AwsBusy."""
    try:
        ended = answer(token, sight, world)
        if not ended:
            check_time(token.wait, world)
    except AwsBusy:
        raise
    except KilnError as error:
        with suppress(TokenGone):
            world.machines.fail(token.token, type(error).__name__, str(error))
        ended = True
    if ended:
        forget(token, world)
    return ended


def answer(token: WaitingToken, sight: Sight, world: World) -> bool:
    """Succeed the task if its wait is over. Raises the error that ends it badly."""
    output = look(token.wait, world, sight)
    if output is None:
        return False
    # Somebody may have been faster, or the state have begun a new attempt with a token of its own.
    with suppress(TokenGone):
        world.machines.succeed(token.token, output)
    return True


def forget(token: WaitingToken, world: World) -> None:
    """Drop a token wherever it is kept."""
    for resource in resources_of(token.wait):
        world.waits.drop(resource, token)
