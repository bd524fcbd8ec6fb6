"""AwaitResource: end a waiting task as soon as what it waits for is done.

Keeps the token, so that `wake` can answer when AWS sends an event, and then looks: an event between
a look and the keeping would be lost. A heartbeat that runs out makes the state call it again, so
that a lost event costs time and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.model import Model
from kiln.domain.waiting import Wait, WaitingToken, resources_of
from kiln.errors import KilnError
from kiln.steps._answering import forget
from kiln.steps._looking_together import look_with_others

if TYPE_CHECKING:
    from kiln.ports import World


class AwaitResource(Model):
    """What to wait for, the waiting state's name and its token."""

    wait: Wait
    state: str
    token: str


class Awaited(Model):
    """Whether the task was answered at once; the state machine does not read it."""

    done: bool


def await_resource(request: AwaitResource, world: World) -> Awaited:
    """Answer, or leave the token kept. Raises the error that ends the wait badly."""
    token = WaitingToken(wait=request.wait, state=request.state, token=request.token)
    for resource in resources_of(request.wait):
        world.waits.keep(resource, token)
    try:
        done = look_with_others(token, world)
    except KilnError:
        forget(token, world)
        raise
    if done:
        forget(token, world)
    return Awaited(done=done)
