"""A deployment on its way: what its recipes are given, and what became of it on each instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.deployment import Command, CommandStatus, Deployment, status_of
from kiln.domain.events import CommandStateChange, DeploymentStateChange
from kiln.errors import AwsRefused, InstanceBusy, InstanceGone, WrongState
from kiln.steps._instances import change_by_hand
from kiln.steps._masking import secrets_of_stack
from kiln.steps._output import ends

if TYPE_CHECKING:
    from kiln.domain.failure import Failure
    from kiln.domain.instance import LayerInstance
    from kiln.ports import World

# Its state did not allow it: nothing ran.
_SKIPPED = frozenset(error.__name__ for error in (WrongState, InstanceBusy, InstanceGone))


def deploy(deployment: Deployment, world: World) -> dict[str, str]:
    """Announce a deployment and start it on each of its instances; the executions' names by the
    instances' own ids."""
    world.deployments.put(deployment)
    world.bus.publish(_told(deployment, "running"))
    change = "setup" if deployment.command == "setup" else "run"
    entries = {entry.id: entry for entry in world.records.instances(deployment.stack)}
    more = {"deployment": deployment.id, "events": [deployment.command]}
    wish = deployment.id[:8]
    return {
        name: change_by_hand(entries[name], change, world, wish, **more)
        for name in deployment.instances
    }


def sent_key(execution: str, instance: str, events: tuple[str, ...], at: int) -> str:
    """The claim under which the id of an execution's n-th command is kept."""
    return f"{execution}/{instance}/{'-'.join(events)}/{at}"


def record_command(
    deployment: Deployment,
    entry: LayerInstance | str,
    outcome: tuple[Failure | None, str],
    world: World,
) -> None:
    """Keep and announce how a deployment ended on an instance, and its end with the last one.

    Written first and then counted, so that of two that end at once at least one sees both.
    """
    failure, log = outcome
    name, hostname = (entry, "") if isinstance(entry, str) else (entry.id, entry.hostname)
    command = Command(
        deployment=deployment.id,
        instance=name,
        hostname=hostname,
        status=_judged(failure),
        error=failure.name if failure else "",
        cause=failure.reason if failure else "",
        log=log,
    )
    world.deployments.put_command(deployment.stack, command)
    world.bus.publish(
        CommandStateChange(
            command_id=f"{deployment.id}/{name}",
            instance_id=name,
            type=deployment.command,
            status=command.status.value,
        )
    )
    status = status_of(deployment, world.deployments.commands(deployment.stack, deployment.id))
    if status != "running":
        world.bus.publish(_told(deployment, status, deployment.duration_s(world.clock.now())))


def _judged(failure: Failure | None) -> CommandStatus:
    if failure is None:
        return CommandStatus.SUCCESSFUL
    return CommandStatus.SKIPPED if failure.error in _SKIPPED else CommandStatus.FAILED


def _told(
    deployment: Deployment, status: str, duration: int | None = None
) -> DeploymentStateChange:
    return DeploymentStateChange(
        duration=duration,
        stack_id=deployment.stack,
        instance_ids=deployment.instances,
        deployment_id=deployment.id,
        command=deployment.command,
        status=status,  # type: ignore[arg-type]
    )


def log_of(
    entry: LayerInstance,
    execution: str,
    events: tuple[str, ...],
    deployment: Deployment,
    world: World,
) -> str:
    """The end of what the last command of a deployment's execution said, without its secrets;
    nothing, where none was sent."""
    sent, at = None, 0
    while found := world.records.claimed(sent_key(execution, entry.id, events, at)):
        sent, at = found, at + 1
    facts = world.commands.look(sent, entry.ec2_id or "") if sent else None
    ran = [step for step in facts.steps if step.exit_code != -1] if facts else []
    if not sent or not ran:
        return ""
    try:
        output = world.commands.output(sent, entry.ec2_id or "", ran[-1].name)
    except AwsRefused:
        # Run Command forgets after 30 days, and what it cannot show is no reason to fail.
        return ""
    secrets = secrets_of_stack(entry.stack, deployment, world)
    return "\n".join(text for text in ends(output, secrets, world) if text)
