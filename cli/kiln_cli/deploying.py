"""`kiln layers run`: one lifecycle event on a layer's or on single instances, as OpsWorks's
commands did."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from kiln.domain.confidential import hidden
from kiln.domain.deployment import Command, Deployment, status_of
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import explain
from kiln.errors import InvalidRequest
from kiln.ports import World
from kiln.steps._deployments import deploy
from kiln_cli.baking import Pace
from kiln_cli.changing import Outcome, follow
from kiln_cli.finding import Found, find_instances, find_layer

S = InstanceState


@dataclass(frozen=True)
class Asked:
    """What to run: the event's name and the deployment's own custom JSON."""

    event: str
    custom_json: dict[str, Any]
    by: str


@dataclass(frozen=True)
class Deployed:
    """A deployment and what is known of it: its commands, and the ends of its executions."""

    deployment: Deployment
    commands: tuple[Command, ...]
    status: str

    @property
    def failed(self) -> bool:
        """Whether it has ended badly."""
        return self.status == "failed"

    def as_json(self) -> dict[str, Any]:
        """JSON-ready."""
        commands = [command.model_dump(mode="json") for command in self.commands]
        for row in commands:
            del row["deployment"]
        return {
            # A terminal is often the log of a pipeline.
            "deployment": hidden(self.deployment.model_dump(mode="json")),
            "status": self.status,
            "commands": commands,
        }


def targets(target: str, event: str, world: World) -> tuple[LayerInstance, ...]:
    """The online instances of a layer, or one instance that can run the event as it is."""
    layer = _layer(target, world)
    if layer is None:
        (entry,) = find_instances([target], world)
        may = {S.ONLINE, S.SETUP_FAILED} if event == "setup" else {S.ONLINE}
        if entry.state not in may:
            allowed = " or ".join(sorted(state.value for state in may))
            raise InvalidRequest(
                f"{entry.hostname} is {entry.state}; {event} runs on one that is {allowed}"
            )
        return (entry,)
    if layer.layer.kind != "instances":
        raise InvalidRequest(
            f"{layer.path} is of kind {layer.layer.kind}; name one of its instances"
        )
    online = tuple(entry for entry in layer.members(world) if entry.state is S.ONLINE)
    if not online:
        raise InvalidRequest(f"{layer.path} has no instance that is online; nothing can run")
    return online


def _layer(target: str, world: World) -> Found | None:
    names = {f"{s.name}/{layer.name}" for s in world.records.stacks() for layer in s.layers}
    bare = {name.partition("/")[2] for name in names}
    return find_layer(target, world) if target in names | bare else None


def begin(
    entries: tuple[LayerInstance, ...], asked: Asked, world: World
) -> tuple[Deployment, dict[str, str]]:
    """Start a deployment; its executions' names by the instances' own ids."""
    try:
        deployment = Deployment.model_validate(
            {
                "id": str(uuid4()),
                "stack": entries[0].stack,
                "command": asked.event,
                "instances": tuple(entry.id for entry in entries),
                "by": asked.by,
                "at": world.clock.now().isoformat(),
                # What JSON cannot say would fail on its way.
                "custom_json": json.loads(json.dumps(asked.custom_json)),
            }
        )
    except ValidationError as error:
        raise InvalidRequest(explain(error, Deployment)) from error
    return deployment, deploy(deployment, world)


def gathered(deployment: Deployment, world: World) -> Deployed:
    """A deployment as it stands now."""
    commands = world.deployments.commands(deployment.stack, deployment.id)
    return Deployed(deployment, commands, status_of(deployment, commands))


def finish(
    entries: tuple[LayerInstance, ...],
    deployment: Deployment,
    executions: dict[str, str],
    at: tuple[World, Pace],
) -> Deployed:
    """Wait for the end of a deployment on all of its instances."""
    world, pace = at
    outcomes = follow(entries, executions, world, pace)
    found = gathered(deployment, world)
    return found if found.status != "running" else _cut_short(found, outcomes)


def _cut_short(found: Deployed, outcomes: list[Outcome]) -> Deployed:
    """An execution that was ended from outside has told nobody."""
    known = {command.instance for command in found.commands}
    missing = tuple(
        Command(
            deployment=found.deployment.id,
            instance=outcome.id,
            hostname=outcome.hostname,
            status="failed",  # type: ignore[arg-type]
            error=outcome.error,
            cause=outcome.cause,
        )
        for outcome in outcomes
        if outcome.id not in known
    )
    return Deployed(found.deployment, found.commands + missing, "failed")
