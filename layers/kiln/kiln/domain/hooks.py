"""The lifecycle hooks by which an Auto Scaling group's instances run a layer's recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.model import Model

if TYPE_CHECKING:
    from kiln.domain.stack import Layer

Result = Literal["CONTINUE", "ABANDON"]
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
# The longest that a hook waits without a heartbeat (Auto Scaling API, PutLifecycleHook). A
# heartbeat comes before each command, and a command takes an hour at most.
HEARTBEAT_S = 7200


@dataclass(frozen=True)
class Hook:
    """One lifecycle hook: `result` is what happens where nobody answers."""

    name: str
    transition: str
    heartbeat_s: int
    result: Result


class LifecycleAction(Model):
    """An instance waits for a hook."""

    group: str
    hook: str
    token: str
    instance: str


def hooks_of(layer: Layer, deployment: str) -> tuple[Hook, ...]:
    """The hooks that a layer's group needs, none where nothing runs at any lifecycle event.

    An instance that nobody could set up must not serve; one that nobody could shut down goes all
    the same.
    """
    if layer.kind != "autoscaling" or not has_recipes(layer):
        return ()
    return (
        Hook(f"{deployment}-launch", LAUNCHING, HEARTBEAT_S, "ABANDON"),
        Hook(f"{deployment}-terminate", TERMINATING, HEARTBEAT_S, "CONTINUE"),
    )


def has_recipes(layer: Layer) -> bool:
    """Whether the layer runs anything at all."""
    return any(layer.recipes.of(event) for event in LifecycleEvent)
