"""Executions of layers' state machines that are stopped, on the fakes, and who ends their work."""

from __future__ import annotations

from typing import Any

from kiln.domain.instance import LayerInstance
from kiln.ports import ExecutionFacts
from kiln.steps._instances import change_by_hand
from kiln.steps.begin_change import BeginChange, begin_change
from kiln.steps.enter_service import EnterService, enter_service
from kiln.steps.mark_instance import MarkInstance, mark_instance
from kiln.steps.start_instance import StartInstance, start_instance
from kiln.steps.take_over import TakeOver, take_over
from tests.unit.steps.playing import Player

ABORTED = ExecutionFacts("ABORTED", cause="the wrong one")


def abort(player: Player, name: str, facts: ExecutionFacts = ABORTED) -> None:
    """An execution is stopped."""
    player.played.add(name)
    player.fake.machines.over.add(name)
    player.fake.machines.ended[name] = facts


def told(player: Player, machine: Any, name: str) -> str | None:
    """What EventBridge's event of an end starts."""
    return take_over(TakeOver(machine=machine, execution=name), player.fake.world).started


def asked(player: Player, name: str, stopped: str | None = None) -> BeginChange:
    """What a change's first function is asked."""
    payload = player.fake.machines.started[name]
    keys = ("stack", "instance", "change", "by", "rollout", "stopped")
    return BeginChange(**{k: payload[k] for k in keys if k in payload}, execution=name)


def started(
    player: Player, entry: LayerInstance, upto: str, change: str = "start", **more: Any
) -> str:
    """A start that is stopped after one of its steps."""
    name = change_by_hand(player.now(entry), change, player.fake.world, f"w-{upto}", **more)
    world, who = player.fake.world, {"stack": "shop", "instance": entry.id}
    steps = {
        "nothing": lambda: None,
        "begun": lambda: begin_change(asked(player, name), world),
        "launched": lambda: start_instance(StartInstance(**who, execution=name), world),
        "booting": lambda: mark_instance(MarkInstance(**who, state="booting"), world),
        "setup": lambda: mark_instance(MarkInstance(**who, state="running_setup"), world),
        "serving": lambda: enter_service(EnterService(**who), world),
    }
    for step, act in steps.items():
        act()
        if step == upto:
            break
    abort(player, name)
    return name
