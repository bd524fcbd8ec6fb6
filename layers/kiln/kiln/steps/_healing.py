"""Instances whose agent has fallen silent: lost, back again, or healed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.events import Alert
from kiln.domain.healing import (
    WATCHED,
    has_room,
    is_lost,
    may_be_healed,
    next_heal,
    recent_heals,
)
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.errors import AwsBusy
from kiln.steps._instances import ask_configure, enter, write

if TYPE_CHECKING:
    from kiln.steps._tending import Tending

S = InstanceState


def heal(tending: Tending) -> None:
    """Look at each instance whose agent should be heard, and at each lost one. AwsBusy."""
    suspects = [entry for entry in tending.entries if _is_suspect(entry, tending)]
    facts = tending.world.fleet.all_of(entry.ec2_id for entry in suspects if entry.ec2_id)
    states = {found.id: found.state for found in facts}
    for entry in tending.entries:
        try:
            if entry in suspects:
                _look(entry, states.get(entry.ec2_id or ""), tending)
            elif entry.state is S.CONNECTION_LOST:
                _look_again(entry, tending)
        except AwsBusy as error:
            # Of this one only: somebody else has just changed its record.
            tending.left.append(str(error))


def _is_suspect(entry: LayerInstance, tending: Tending) -> bool:
    ping = tending.pings.get(entry.ec2_id or "")
    return entry.state in WATCHED and not (ping and ping.online)


def _look(entry: LayerInstance, ec2_state: str | None, tending: Tending) -> None:
    ping = tending.pings.get(entry.ec2_id or "")
    now = tending.world.clock.now()
    if not is_lost(entry, ping, ec2_state, now) or not tending.is_free(entry):
        return
    since = f" since {ping.heard:%Y-%m-%dT%H:%M:%SZ}" if ping and ping.heard else ""
    why = f"its agent has not answered{since}; EC2 says {ec2_state or 'it is gone'}"
    # Written before it is announced: a change that has begun since the record was read, a stop
    # perhaps, is no loss, and then this fails.
    entry = write(entry, tending.world, lost_in=entry.state, change=None, error=why)
    entry = enter(entry, S.CONNECTION_LOST, tending.world)
    if entry.serving:
        # It has left `online`: its peers are to know. Its target groups judge for themselves.
        wanted = ask_configure(entry, "offline", tending.world)
        entry = write(entry, tending.world, wanted=wanted)
    _heal(entry, tending)


def _look_again(entry: LayerInstance, tending: Tending) -> None:
    ping = tending.pings.get(entry.ec2_id or "")
    if not tending.is_free(entry):
        return
    if ping and ping.online:
        _come_back(entry, tending)
    else:
        _heal(entry, tending)


def _come_back(entry: LayerInstance, tending: Tending) -> None:
    """The agent answers again: the instance is as it was. One that lost it before its Setup had
    ended runs it again."""
    world = tending.world
    if entry.serving:
        # As above: a heal may have begun.
        entry = enter(write(entry, world, error=None), S.ONLINE, world, lost_in=None)
        write(entry, world, wanted=ask_configure(entry, "online", world))
        return
    half_way = entry.lost_in is not S.SETUP_FAILED
    entry = enter(entry, S.SETUP_FAILED, world, lost_in=None)
    if half_way:
        tending.begin(entry, "setup", "auto-healing")


def _heal(entry: LayerInstance, tending: Tending) -> None:
    world = tending.world
    if not may_be_healed(tending.stack.layers_of(entry.layers)):
        return
    if any(world.records.healing_holds(f"{entry.stack}/{layer}") for layer in entry.layers):
        tending.left.append(f"{entry.hostname}: a bake holds the healing of its layer")
        return
    due = next_heal(entry)
    if due is None:
        _give_up(entry, tending)
    elif due <= world.clock.now() and _has_room(entry, tending):
        tending.begin(entry, "heal", "auto-healing")


def _has_room(entry: LayerInstance, tending: Tending) -> bool:
    begun = frozenset(tending.healing)
    return all(has_room(layer, tending.entries, begun) for layer in entry.layers)


def _give_up(entry: LayerInstance, tending: Tending) -> None:
    heals = recent_heals(entry)
    reason = (
        f"{entry.hostname} was healed {len(heals)} times since {heals[0]:%Y-%m-%dT%H:%M:%SZ} and "
        "its agent is silent again; Kiln heals it no more. Look at its network and its way to "
        "Systems Manager, then stop and start it"
    )
    if entry.error == reason:
        return
    alert = Alert(stack_id=entry.stack, instance_id=entry.id, type="AutoHealing", message=reason)
    tending.world.bus.publish(alert)
    write(entry, tending.world, error=reason)
