"""Where in which execution something happens: known in the thread that evaluates a state, and so in
the functions that it invokes and in the calls that they make."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Scene:
    """A machine by its file's name (`bake`), a state, an execution's name. All empty where an event
    or a schedule has set something off."""

    machine: str = ""
    state: str = ""
    execution: str = ""


NOWHERE = Scene()
scene: ContextVar[Scene] = ContextVar("scene", default=NOWHERE)


def scene_of(context: dict[str, Any], state: str) -> Scene:
    """The scene that an execution's context object tells."""
    return Scene(_machine(context["StateMachine"]["Name"]), state, context["Execution"]["Name"])


def _machine(name: str) -> str:
    """`bake` of `kiln-BakeStateMachine`, `rollout` of `kiln-rollout`."""
    return name.rpartition("-")[2].removesuffix("StateMachine").lower()
