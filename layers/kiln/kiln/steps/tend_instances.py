"""TendInstances: once a minute, what layers do of themselves: silent agents, hours that come, load
that rises. It decides and begins; what it begins are changes as any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.healing import WATCHED
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import Lenient, Model
from kiln.errors import AwsBusy, InstanceGone
from kiln.steps._healing import heal
from kiln.steps._scaling import scale
from kiln.steps._tending import Tending

if TYPE_CHECKING:
    from kiln.ports import World


class TendInstances(Lenient):
    """A tick of EventBridge's; only that it came matters."""


class InstancesTended(Model):
    """What was begun: the executions by name, and what could not be done, with its reason."""

    begun: tuple[str, ...]
    left: tuple[str, ...]


def tend_instances(_: TendInstances, world: World) -> InstancesTended:
    """Look at every stack once. A tick that comes twice, or beside another, begins nothing twice:
    a change is named after the record's revision. AwsBusy, AwsRefused."""
    stacks = {name: world.records.instances(name) for name in world.records.stack_names()}
    watched = [entry for entries in stacks.values() for entry in entries if _is_watched(entry)]
    pings = world.agents.pings(entry.ec2_id for entry in watched if entry.ec2_id)
    begun: list[str] = []
    left: list[str] = []
    for name, entries in stacks.items():
        if not entries:
            continue
        tending = Tending(name, entries, pings, world)
        for act in (scale, heal):
            try:
                act(tending)
            except (AwsBusy, InstanceGone) as error:
                # Of this stack only: somebody else has just changed it. The next tick looks again.
                tending.left.append(str(error))
        begun += tending.begun
        left += tending.left
    return InstancesTended(begun=tuple(begun), left=tuple(left))


def _is_watched(entry: LayerInstance) -> bool:
    return entry.state in WATCHED or entry.state is InstanceState.CONNECTION_LOST
