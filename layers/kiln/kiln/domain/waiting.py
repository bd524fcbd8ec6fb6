"""What a state machine can wait for. One mechanism for all: look, keep the token, look again, be
woken."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from kiln.domain.documents import Purpose
from kiln.domain.model import Model
from kiln.domain.turns import Turn


class _Wait(Model):
    """`since` and `timeout_s` bound every wait; `bake` is the bake or rollout it belongs to."""

    bake: str
    since: str
    timeout_s: int

    @property
    def began(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.since)

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over."""
        return (now - self.began).total_seconds() > self.timeout_s


class InstanceOnline(_Wait):
    """An instance runs and its agent is online in Systems Manager."""

    kind: Literal["instance-online"]
    instance: str


class InstanceStopped(_Wait):
    """An instance has stopped."""

    kind: Literal["instance-stopped"]
    instance: str


class InstanceRunning(_Wait):
    """An instance runs; its agent may not answer yet."""

    kind: Literal["instance-running"]
    instance: str


class InstanceGone(_Wait):
    """An instance is terminated."""

    kind: Literal["instance-gone"]
    instance: str


class TargetsDrained(_Wait):
    """Target groups have let go of an instance."""

    kind: Literal["targets-drained"]
    instance: str
    groups: tuple[str, ...]


class StackSettled(_Wait):
    """No instance of a stack is on its way to or from `online`; once its time is over the wait
    ends well too."""

    kind: Literal["stack-settled"]
    stack: str


class _RolloutWait(_Wait):
    """Any of `alarms` in ALARM ends it badly."""

    alarms: tuple[str, ...] = ()


class InstancesRest(_RolloutWait):
    """Instances of a stack, by their own ids, are in one of `states`, or their `changes`, in the
    same order, have ended without bringing them there. One that is gone counts as terminated."""

    kind: Literal["instances-rest"]
    stack: str
    instances: tuple[str, ...]
    states: tuple[str, ...]
    changes: tuple[str, ...] = ()


class TargetsHealthy(_RolloutWait):
    """The target groups of instances, by their own ids, find them healthy. With `patient` the wait
    ends well too once its time is over."""

    kind: Literal["targets-healthy"]
    stack: str
    instances: tuple[str, ...]
    patient: bool = False


class StackConfigured(_RolloutWait):
    """A round of Configure has covered a wish."""

    kind: Literal["stack-configured"]
    stack: str
    asked: int


class TimePassed(_RolloutWait):
    """A moment has come, and the instances are still online and healthy."""

    kind: Literal["time-passed"]
    stack: str
    instances: tuple[str, ...]
    until: str


class InstanceRefresh(_Wait):
    """An instance refresh of an Auto Scaling group has ended, or goes the other way than `back`
    says: is rolled back, or is no longer. An instance of the stack that could not join ends it
    too."""

    kind: Literal["instance-refresh"]
    group: str
    refresh: str
    stack: str
    back: bool = False


class RolloutApproved(_Wait):
    """Somebody has approved a rollout."""

    kind: Literal["rollout-approved"]
    image: str
    layer: str


class LayerFree(_Wait):
    """No other rollout works on a layer."""

    kind: Literal["layer-free"]
    layer: str
    rollout: str


RolloutWait = (
    InstancesRest
    | TargetsHealthy
    | StackConfigured
    | TimePassed
    | RolloutApproved
    | LayerFree
    | InstanceRefresh
)


class CommandDone(_Wait):
    """A Run Command invocation has ended; `purpose` decides how a failure is called. One that
    seals its instance has also ended when the instance stops: Sysprep shuts it down. Recipes run
    for a `stack` and perhaps for a `deployment`, whose secrets are not to be quoted."""

    kind: Literal["command-done"]
    instance: str
    command: str
    purpose: Purpose
    label: str
    stack: str = ""
    deployment: str = ""


class ImageAvailable(_Wait):
    """An image is available; `region` is where a copy is, and none for the bake's own Region."""

    kind: Literal["image-available"]
    image: str
    region: str | None = None


class BakeTurn(_Wait):
    """A bake may go: no other one of its blueprint runs, and not too many of others do.
    `execution` and `asked` are those of its turn."""

    kind: Literal["turn"]
    execution: str
    asked: str

    @property
    def turn(self) -> Turn:
        """The turn that is waited for."""
        return Turn(bake=self.bake, execution=self.execution, asked=self.asked)


Wait = Annotated[
    InstanceOnline
    | InstanceRunning
    | InstanceStopped
    | InstanceGone
    | TargetsDrained
    | StackSettled
    | InstancesRest
    | TargetsHealthy
    | StackConfigured
    | TimePassed
    | RolloutApproved
    | LayerFree
    | InstanceRefresh
    | CommandDone
    | ImageAvailable
    | BakeTurn,
    Field(discriminator="kind"),
]


# The subject of all waits for instances.
INSTANCES = "instances"


def turn_of(bake: str) -> str:
    """What a bake waits for that stands in line."""
    return f"TURN#{bake}"


def resources_of(wait: Wait) -> tuple[str, ...]:
    """The ids of what is waited for, as AWS's events name them; a command ends with its instance
    too."""
    if isinstance(wait, BakeTurn):
        return (turn_of(wait.bake),)
    if isinstance(wait, CommandDone):
        return wait.command, wait.instance
    if isinstance(wait, InstanceRefresh):
        return wait.refresh, wait.stack
    if isinstance(wait, StackSettled | StackConfigured):
        return (wait.stack,)
    if isinstance(wait, InstancesRest | TargetsHealthy | TimePassed):
        return (*wait.instances, *wait.alarms)
    if isinstance(wait, RolloutApproved | LayerFree):
        return (wait.layer,)
    return (wait.image,) if isinstance(wait, ImageAvailable) else (wait.instance,)


def subject_of(wait: Wait) -> str | None:
    """What one call of AWS's can answer for many waits at once: waits of one subject are looked at
    together. None for a wait that is looked at alone."""
    if isinstance(wait, ImageAvailable):
        return f"images#{wait.region}" if wait.region else "images"
    shared = InstanceOnline | InstanceRunning | InstanceStopped | InstanceGone
    return INSTANCES if isinstance(wait, shared) else None


def subject_for(resource: str) -> str | None:
    """The subject of the waits for a resource that an event names: its id begins with its kind."""
    if resource.startswith("ami-"):
        return "images"
    return INSTANCES if resource.startswith("i-") else None


class WaitingToken(Model):
    """A waiting task: what it waits for and the token that ends it."""

    wait: Wait
    state: str
    token: str
