"""What the self-acting steps of layers share: one stack as it is at one tick."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kiln.steps._instances import change_instance
from kiln.steps._stacks import stack_of
from kiln.steps._taking_over import change_payload, row_of, take_over, under_way

if TYPE_CHECKING:
    from kiln.domain.healing import Ping
    from kiln.domain.instance import Initiator, LayerInstance
    from kiln.domain.stack import Stack
    from kiln.ports import World


@dataclass
class Tending:
    """A stack's instances at one tick, what was begun with them, and what was left and why."""

    name: str
    entries: tuple[LayerInstance, ...]
    pings: dict[str, Ping]
    world: World
    begun: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    healing: set[str] = field(default_factory=set)
    _taken: set[str] = field(default_factory=set)
    _rolling: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def stack(self) -> Stack:
        """The stack, read when there is something to decide. InstanceGone."""
        return stack_of(self.name, self.world)

    def is_free(self, entry: LayerInstance) -> bool:
        """Whether nobody else works on an instance: no change, no rollout of one of its layers."""
        if entry.id in self._taken:
            return False
        if entry.change and self._is_busy(entry.change):
            return False
        return not any(self.is_rolling(layer) for layer in entry.layers)

    def _is_busy(self, change: str) -> bool:
        """Whether a change runs, or another one has to end it first."""
        if self.world.machines.running("instance", change):
            return True
        row = row_of("instance", change, self.world)
        payload = change_payload(row)
        return row.runs or bool(payload and take_over(row, payload, self.world))

    def is_rolling(self, layer: str) -> bool:
        """Whether a rollout has a layer; one whose execution was lost has not."""
        if layer not in self._rolling:
            holder = self.world.records.layer_holder(f"{self.name}/{layer}")
            self._rolling[layer] = bool(holder) and under_way("rollout", holder or "", self.world)
        return self._rolling[layer]

    def begin(self, entry: LayerInstance, change: str, by: Initiator) -> None:
        """Begin a change of an instance, which is then no longer free."""
        self._taken.add(entry.id)
        if change == "heal":
            self.healing.add(entry.id)
        self.begun.append(change_instance(entry, change, self.world, by))
