"""The stack as its recipes are to see it, at the moment at which a command is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiln.domain.attributes import Snapshot
from kiln.domain.data_bags import files
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.steps._instances import address_of
from kiln.steps._stacks import stack_of

if TYPE_CHECKING:
    from kiln.domain.deployment import Deployment
    from kiln.domain.lifecycle import LifecycleEvent
    from kiln.domain.stack import Layer
    from kiln.ports import World


@dataclass(frozen=True)
class Command:
    """A command by its id: the event and the layer whose recipes it runs, and the deployment that
    it belongs to, if any."""

    id: str
    event: LifecycleEvent
    layer: Layer
    deployment: Deployment | None = None


def files_for(command: Command, target: LayerInstance, world: World) -> dict[str, str]:
    """What the recipes of a command read, by path."""
    instances = world.records.instances(target.stack)
    shown = (i for i in instances if i.state is InstanceState.ONLINE or i.id == target.id)
    # Of a hundred instances each would ask EC2 for all of them: it is asked for old records alone.
    unknown = [i.ec2_id for i in shown if i.ec2_id and not i.address]
    addresses = {facts.id: address_of(facts) for facts in world.fleet.all_of(unknown)}
    snapshot = Snapshot(
        stack=stack_of(target.stack, world),
        instances=instances,
        addresses=addresses,
        region=world.settings.region,
        target=target,
        event=command.event,
        command=command.id,
        sent_at=world.clock.now(),
        deployment=command.deployment,
    )
    return files(snapshot)
