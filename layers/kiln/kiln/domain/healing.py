"""Auto healing: when an instance counts as lost, and when it may be healed. Every number is here.

OpsWorks took an agent's silence of five minutes for a failure, whatever EC2 said of its instance,
and so did it a stop or a termination behind its back; it had no limit (opsworks guide, "Using auto
healing to replace failed instances").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kiln.domain.instance import LEAVING, STARTING, InstanceState, LayerInstance
from kiln.domain.model import Model

if TYPE_CHECKING:
    from kiln.domain.stack import Layer

S = InstanceState
# An agent that has said nothing for so long is lost.
SILENCE = timedelta(minutes=5)
# How long after the one before the first, second, ... heal of an instance may begin; after the last
# of them nobody heals it any more. Heals count that began within a day before it was lost.
PAUSES = (timedelta(), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
REMEMBERED = timedelta(days=1)
# Of a layer's instances one in so many is healed at a time, and one at least: a network, or Systems
# Manager itself, that fails for all of them must not take the whole layer down.
ONE_IN = 3
# For a stop, before EC2 is told to force it, and for the forced one.
STOPS_WITHIN_S = 600

# Of these an agent should be heard. What else goes up or down has a change that waits for it.
WATCHED = frozenset({S.ONLINE, S.SETUP_FAILED, S.RUNNING_SETUP, S.REBOOTING})
# Where a heal may have ended badly before Setup: the instance is lost as before.
UNHEALED = frozenset({S.STOPPING, S.SHUTTING_DOWN, S.REQUESTED, S.PENDING, S.BOOTING})
# EC2's own names of what does not run any more.
_ENDED = frozenset({"stopping", "stopped", "shutting-down", "terminated"})


class Ping(Model):
    """What is heard of an agent: whether Systems Manager calls it Online, and when it last was
    heard of."""

    online: bool
    heard: datetime | None = None


def is_lost(entry: LayerInstance, ping: Ping | None, ec2_state: str | None, now: datetime) -> bool:
    """Whether an instance has failed; `ec2_state` is None where EC2 does not know it any more.

    Systems Manager's word counts and the time counts: an agent pings every five minutes, so that
    the time alone would take a healthy one for lost, and one that reboots is called lost at once.
    """
    if ping and ping.online:
        return False
    if ec2_state is None or ec2_state in _ENDED:
        return True
    heard = ping.heard if ping and ping.heard else datetime.fromisoformat(entry.changed_at)
    return now - heard >= SILENCE


def may_be_healed(layers: tuple[Layer, ...]) -> bool:
    """Whether all layers of an instance have it healed. What belongs to an Auto Scaling group is
    the group's to replace."""
    return all(layer.kind == "instances" and layer.auto_healing for layer in layers)


def next_heal(entry: LayerInstance) -> datetime | None:
    """From when a lost instance may be healed; None where nobody will any more."""
    lost = datetime.fromisoformat(entry.changed_at)
    before = recent_heals(entry)
    if len(before) >= len(PAUSES):
        return None
    return max(lost, before[-1] + PAUSES[len(before)]) if before else lost


def recent_heals(entry: LayerInstance) -> tuple[datetime, ...]:
    """The heals that count, oldest first."""
    lost = datetime.fromisoformat(entry.changed_at)
    began = (datetime.fromisoformat(text) for text in entry.healed_at)
    return tuple(time for time in began if lost - time < REMEMBERED)


def with_heal(entry: LayerInstance, now: datetime) -> tuple[str, ...]:
    """The heals of an instance with the one that begins now; as many as may count."""
    return (*entry.healed_at, now.isoformat())[-len(PAUSES) :]


def has_room(layer: str, entries: tuple[LayerInstance, ...], begun: frozenset[str]) -> bool:
    """Whether one more instance of a layer may be healed now; `begun` are the ids of those whose
    healing begins."""
    members = [entry for entry in entries if layer in entry.layers and entry.state is not S.STOPPED]
    healing = [entry for entry in members if is_healing(entry) or entry.id in begun]
    return len(healing) < max(1, len(members) // ONE_IN)


def is_healing(entry: LayerInstance) -> bool:
    """Whether an instance is being healed."""
    return entry.asked_by == "auto-healing" and entry.state in STARTING | LEAVING
