"""Ticks of TendInstances on the fakes, and what they find."""

from __future__ import annotations

from typing import Any

from kiln.domain.events import InstanceStateChange
from kiln.domain.healing import SILENCE
from kiln.domain.instance import LayerInstance
from kiln.steps.tend_instances import InstancesTended, TendInstances, tend_instances
from tests.unit.steps.playing import Player


def tend(player: Player) -> InstancesTended:
    """One tick."""
    return tend_instances(TendInstances(), player.fake.world)


def online(player: Player, *names: str, **known: Any) -> list[LayerInstance]:
    """Instances of shop/web that are online, all of it announced and forgotten."""
    entries = [player.add(name, **known) for name in names]
    for entry in entries:
        assert player.change(entry, "start") == ""
    player.run()
    player.fake.bus.events.clear()
    player.fake.commands.sent.clear()
    return [player.now(entry) for entry in entries]


def silence(player: Player, entry: LayerInstance) -> None:
    """Let an agent say nothing for five minutes."""
    ec2_id = player.now(entry).ec2_id or ""
    player.fake.agents.answering.discard(ec2_id)
    player.fake.agents.heard[ec2_id] = player.fake.clock.now()
    player.fake.clock.move(SILENCE.total_seconds())


def initiators(player: Player) -> dict[str, str | None]:
    events = player.fake.bus.events
    return {e.status: e.initiated_by for e in events if isinstance(e, InstanceStateChange)}
