"""AwaitResource: end a waiting task as soon as what it waits for is done.

Looks first and answers at once if it can. If not, it keeps the token, so that `wake` can answer
when AWS sends an event, and looks once more: an event between the first look and the keeping would
otherwise be lost. A heartbeat that runs out makes the state call it again, so that a lost event
costs time and nothing else.
"""

from __future__ import annotations

from kiln.domain.model import Model
from kiln.domain.waiting import Wait, WaitingToken, resources_of
from kiln.errors import TokenGone
from kiln.ports import World
from kiln.steps._looking import check_time, look


class AwaitResource(Model):
    """What to wait for, the waiting state's name and its token."""

    wait: Wait
    state: str
    token: str


class Awaited(Model):
    """Whether the task was answered at once; the state machine does not read it."""

    done: bool


def await_resource(request: AwaitResource, world: World) -> Awaited:
    """Answer, or keep the token. Raises the error that ends the wait badly."""
    token = WaitingToken(wait=request.wait, state=request.state, token=request.token)
    if answer(token, world):
        return Awaited(done=True)
    check_time(request.wait, world)
    for resource in resources_of(request.wait):
        world.records.keep_token(resource, token)
    if not answer(token, world):
        return Awaited(done=False)
    forget(token, world)
    return Awaited(done=True)


def answer(token: WaitingToken, world: World) -> bool:
    """Look, and succeed the task if the wait is over. Raises the error that ends it badly."""
    output = look(token.wait, world)
    if output is None:
        return False
    try:
        world.machines.succeed(token.token, output)
    except TokenGone:
        # `wake` was faster, or the state has begun a new attempt with a token of its own.
        return True
    return True


def forget(token: WaitingToken, world: World) -> None:
    """Drop a token wherever it is kept."""
    for resource in resources_of(token.wait):
        world.records.drop_token(resource, token)
