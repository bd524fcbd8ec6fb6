"""What a state machine can wait for. One mechanism for all: look, keep the token, look again, be
woken."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kiln.domain.documents import Purpose
from kiln.domain.model import Model


class _Wait(Model):
    """`since` and `timeout_s` bound every wait; `bake` is the bake or rollout it belongs to."""

    bake: str
    since: str
    timeout_s: int


class InstanceOnline(_Wait):
    """An instance runs and its agent is online in Systems Manager."""

    kind: Literal["instance-online"]
    instance: str


class InstanceStopped(_Wait):
    """An instance has stopped."""

    kind: Literal["instance-stopped"]
    instance: str


class CommandDone(_Wait):
    """A Run Command invocation has ended; `purpose` decides how a failure is called. One that
    seals its instance has also ended when the instance stops: Sysprep shuts it down."""

    kind: Literal["command-done"]
    instance: str
    command: str
    purpose: Purpose
    label: str


class ImageAvailable(_Wait):
    """An image is available."""

    kind: Literal["image-available"]
    image: str


Wait = Annotated[
    InstanceOnline | InstanceStopped | CommandDone | ImageAvailable, Field(discriminator="kind")
]


def resources_of(wait: Wait) -> tuple[str, ...]:
    """The ids of what is waited for, as AWS's events name them; a command ends with its instance
    too."""
    if isinstance(wait, CommandDone):
        return wait.command, wait.instance
    return (wait.image,) if isinstance(wait, ImageAvailable) else (wait.instance,)


class WaitingToken(Model):
    """A waiting task: what it waits for and the token that ends it."""

    wait: Wait
    state: str
    token: str
