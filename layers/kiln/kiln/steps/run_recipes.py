"""RunRecipes: send the next command of lifecycle events to an instance, once. The wait for its end
is AwaitResource's. A Setup begins with the instance's volumes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiln.domain.documents import DocumentCall, Purpose
from kiln.domain.hooks import LifecycleAction
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.model import Model
from kiln.domain.platforms import PLATFORMS, Family
from kiln.domain.recipes import Payload, calls_for, fits, how_many, to_upload
from kiln.domain.volumes import mount_call
from kiln.domain.waiting import CommandDone
from kiln.errors import AwsRefused, SetupFailed
from kiln.ports import CommandOrder, World
from kiln.steps._deployments import sent_key
from kiln.steps._instances import found
from kiln.steps._sending import sent_once
from kiln.steps._snapshot import Command, files_for
from kiln.steps._stacks import layers_of
from kiln.steps.run_step import DELIVERY_S

if TYPE_CHECKING:
    from kiln.domain.stack import Layer

# A presigned address ends with the role that signed it; an agent reads it within minutes.
LINK_S = 3600


class RunRecipes(Model):
    """Which events on which instance, by its own id; `at` counts the commands sent before. With
    `reboot` there is one command, and no event; a `deployment` brings custom JSON of its own. An
    Auto Scaling group that waits for `hook` is asked for more time before each command."""

    stack: str
    instance: str
    events: tuple[LifecycleEvent, ...]
    at: int
    execution: str
    reboot: bool = False
    deployment: str | None = None
    hook: LifecycleAction | None = None


class RecipesRun(Model):
    """What to wait for, and the number of the command after it; nothing, where all have run."""

    wait: CommandDone | None
    at: int


@dataclass(frozen=True)
class _Planned:
    """A command before it is made: the n-th of its layer's for an event, or without a layer the
    one that mounts the instance's volumes."""

    event: LifecycleEvent
    layer: Layer | None = None
    part: int = 0

    @property
    def label(self) -> str:
        """What it is called where it is spoken of."""
        return f"{self.event.value} of layer {self.layer.name}" if self.layer else "the volumes"


def run_recipes(request: RunRecipes, world: World) -> RecipesRun:
    """Send the next command, or find the one sent before. Raises SetupFailed, AwsBusy."""
    entry = found(request.stack, request.instance, world)
    if request.reboot:
        return _reboot(request, entry, world)
    gone = entry.state is not InstanceState.ONLINE and LifecycleEvent.CONFIGURE in request.events
    if gone:
        # It left while the round was under way; there is nobody to tell.
        return RecipesRun(wait=None, at=request.at)
    planned = _planned(request, entry, world)
    if request.at >= len(planned):
        return RecipesRun(wait=None, at=request.at)
    if request.hook:
        world.groups.beat(request.hook)
    return _sent(request, entry, planned[request.at], world)


def _planned(request: RunRecipes, entry: LayerInstance, world: World) -> list[_Planned]:
    """All commands of the events, in order: the volumes first, then event by event, layer by
    layer."""
    layers = layers_of(entry, world)
    recipes = [
        _Planned(event, layer, part)
        for event in request.events
        for layer in layers
        for part in range(how_many(layer, event))
    ]
    mounts = LifecycleEvent.SETUP in request.events and entry.volumes
    return [_Planned(LifecycleEvent.SETUP), *recipes] if mounts else recipes


def _call(
    request: RunRecipes, entry: LayerInstance, planned: _Planned, world: World
) -> DocumentCall:
    """A command with what its recipes read: the stack as it is at this moment."""
    event, layer = planned.event, planned.layer
    if layer is None:
        return _mounting(entry, world)
    wanted = request.deployment
    deployment = world.deployments.get(entry.stack, wanted) if wanted else None
    name = f"{request.execution}/{event.value}/{layer.name}"
    command = Command(name, event, layer, deployment)
    return calls_for(layer, event, _payload(command, entry, world))[planned.part]


def _mounting(entry: LayerInstance, world: World) -> DocumentCall:
    """The volumes that the instance was launched with, as EC2 knows them now."""
    facts = world.fleet.describe(entry.ec2_id) if entry.ec2_id else None
    if facts is None:
        raise SetupFailed(f"{entry.hostname}: its EC2 instance {entry.ec2_id} is gone")
    for volume in entry.volumes:
        if volume.device not in facts.volumes:
            raise SetupFailed(
                f"{entry.hostname}: the volume of {volume.mount_point} is no longer attached to "
                f"{facts.id} as {volume.device}; attach it and run Setup again, or replace the "
                "instance"
            )
    return mount_call(entry.volumes, facts.volumes)


def _payload(command: Command, entry: LayerInstance, world: World) -> Payload:
    """What the recipes read, in the command itself or, where that is too long, in the bucket."""
    files = files_for(command, entry, world)
    if fits(command.layer, command.event, files):
        return Payload(files)
    body = to_upload(command.layer, command.event, files)
    digest = hashlib.sha256(body).hexdigest()
    key = f"stacks/{entry.stack}/{entry.hostname}/{digest}"
    world.objects.write(key, body, "application/gzip")
    return Payload(files, world.objects.link(key, LINK_S), digest)


def _sent(request: RunRecipes, entry: LayerInstance, planned: _Planned, world: World) -> RecipesRun:
    purpose: Purpose = planned.event.value
    call = _call(request, entry, planned, world)
    command = _sent_once(request, entry, (call, planned.label), world)
    wait = _wait(request, entry, (command, purpose, planned.label), call.timeout_s, world)
    return RecipesRun(wait=wait, at=request.at + 1)


def _wait(
    request: RunRecipes,
    entry: LayerInstance,
    sent: tuple[str, Purpose, str],
    timeout_s: int,
    world: World,
) -> CommandDone:
    command, purpose, label = sent
    return CommandDone(
        kind="command-done",
        bake=f"{request.execution}/{entry.hostname}",
        since=world.clock.now().isoformat(),
        timeout_s=timeout_s + DELIVERY_S,
        instance=entry.ec2_id or "",
        command=command,
        purpose=purpose,
        label=label,
        stack=entry.stack,
        deployment=request.deployment or "",
    )


def _reboot(request: RunRecipes, entry: LayerInstance, world: World) -> RecipesRun:
    layer = layers_of(entry, world)[0]
    platform = entry.platform or layer.platform or ""
    windows = platform in PLATFORMS and PLATFORMS[platform].family is Family.WINDOWS
    call = DocumentCall("reboot-windows" if windows else "reboot-linux", {}, 1800)
    command = _sent_once(request, entry, (call, "the reboot"), world)
    wait = _wait(request, entry, (command, "step", "the reboot"), call.timeout_s, world)
    return RecipesRun(wait=wait, at=1)


def _sent_once(
    request: RunRecipes, entry: LayerInstance, what: tuple[DocumentCall, str], world: World
) -> str:
    """Send unless this very command was sent before."""
    call, label = what
    key = sent_key(request.execution, entry.id, request.events, request.at)
    # Run Command's Comment holds 100 characters.
    comment = f"kiln {hashlib.sha256(key.encode()).hexdigest()[:32]} {label}"[:100]
    instance = entry.ec2_id or ""
    # Apart from what recipes read (`stacks/`): there no instance may write.
    prefix = f"outputs/{entry.stack}/{entry.hostname}/{request.execution}"
    try:
        return sent_once(key, CommandOrder(instance, call, comment, prefix), world)
    except AwsRefused as error:
        raise SetupFailed(
            f"{label}: document {call.name} could not be sent to {entry.hostname}: {error}"
        ) from error
