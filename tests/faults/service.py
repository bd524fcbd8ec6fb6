"""How many instances of a layer serve: counted whenever something happens to one of them."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.models import autoscaling_backends

from kiln.domain.instance import InstanceState
from kiln.wiring import world
from kiln_local.own_calls import in_nobodys_name
from kiln_local.world import LocalAws


class Service:
    """Counts after each state of an EC2 instance and each event on Kiln's bus. `fewest` is the
    least since `begin`."""

    def __init__(self, aws: LocalAws, stack: str) -> None:
        self._aws = aws
        self._stack = stack
        self._layer = ""
        self.fewest = 0
        aws.ec2.watchers.append(lambda *_: self._look())
        put = aws._events.put

        def heard(entry: dict[str, Any]) -> None:
            put(entry)
            self._look()

        aws._events.put = heard  # type: ignore[method-assign]

    def begin(self, layer: str) -> int:
        """Count a layer from now on; how many serve."""
        self._layer = layer
        self.fewest = self.count()
        return self.fewest

    def _look(self) -> None:
        if self._layer:
            self.fewest = min(self.fewest, self.count())

    def count(self) -> int:
        """Instances of the layer that are online and run."""
        with in_nobodys_name():
            entries = world().records.instances(self._stack)
        return sum(
            entry.layer == self._layer
            and entry.state is InstanceState.ONLINE
            and self._runs(entry.ec2_id)
            for entry in entries
        )

    def _runs(self, instance: str | None) -> bool:
        found = self._aws.ec2.backend.get_instance_by_id(instance) if instance else None
        return found is not None and found._state.name == "running"


class GroupService(Service):
    """The same of a layer that is an Auto Scaling group."""

    def count(self) -> int:
        groups = autoscaling_backends[self._aws.account][self._aws.region].autoscaling_groups
        members = groups[self._layer].instance_states if self._layer in groups else []
        return sum(m.lifecycle_state == "InService" and self._runs(m.instance_id) for m in members)
