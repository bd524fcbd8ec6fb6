"""EC2's instances, in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from kiln.domain.fit import TypeFacts
from kiln.domain.naming import TAG_BAKE, TAG_CHANGE
from kiln.errors import AwsRefused, CapacityShort
from kiln.ports import InstanceFacts, LaunchOrder
from tests.builders import a_type

_ALIVE = ("pending", "running", "stopping", "stopped")


@dataclass
class FakeFleet:
    """Instances. `short` names types and places without capacity, `refusal` is raised by every call
    that changes something."""

    short: set[tuple[str, str | None]] = field(default_factory=set)
    refusal: AwsRefused | None = None
    orders: list[LaunchOrder] = field(default_factory=list)
    instances: dict[str, InstanceFacts] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    forced: list[str] = field(default_factory=list)
    known: dict[str, TypeFacts] = field(
        default_factory=lambda: {n: a_type(n) for n in ("m7i.large", "m6i.large", "m5.large")}
    )
    _tokens: dict[str, tuple[LaunchOrder, str]] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))
    _volume_ids: Any = field(default_factory=lambda: itertools.count(1))

    def launch(self, order: LaunchOrder) -> str:
        self._check()
        if (order.instance_type, order.subnet) in self.short:
            raise CapacityShort("ec2", "RunInstances", "InsufficientInstanceCapacity", "none here")
        if order.token not in self._tokens:
            self.orders.append(order)
            new = self.add(order.tags, "pending", order.image.id, order.instance_type)
            self.attach(new, order.image.root_device, *(v.device for v in order.volumes))
            self._tokens[order.token] = (order, new)
        earlier, instance = self._tokens[order.token]
        if earlier != order:
            raise AwsRefused("ec2", "RunInstances", "IdempotentParameterMismatch", order.token)
        return instance

    def add(
        self,
        tags: dict[str, str],
        state: str = "running",
        image: str = "ami-1",
        instance_type: str = "m7i.large",
    ) -> str:
        """Put an instance in place."""
        new = InstanceFacts(f"i-{next(self._ids):017x}", state, "", image, instance_type, tags)
        self.instances[new.id] = new
        return new.id

    def attach(self, instance: str, *devices: str) -> None:
        """Attach a new volume as each of these devices."""
        found = self.instances[instance]
        made = {device: f"vol-{next(self._volume_ids):017x}" for device in devices}
        self.instances[instance] = replace(found, volumes=found.volumes | made)

    def detach(self, instance: str, device: str) -> None:
        """Take a volume away, as somebody else may."""
        found = self.instances[instance]
        left = {name: volume for name, volume in found.volumes.items() if name != device}
        self.instances[instance] = replace(found, volumes=left)

    def become(self, instance: str, state: str, reason: str = "") -> None:
        """Change an instance's state."""
        found = self.instances[instance]
        self.instances[instance] = replace(found, state=state, state_reason=reason)

    def describe(self, instance: str) -> InstanceFacts | None:
        return self.instances.get(instance)

    def all_of(self, instances: Iterable[str]) -> tuple[InstanceFacts, ...]:
        return tuple(self.instances[name] for name in instances if name in self.instances)

    def of_bake(self, bake: str) -> tuple[InstanceFacts, ...]:
        found = self.instances.values()
        return tuple(i for i in found if i.tags.get(TAG_BAKE) == bake and i.state in _ALIVE)

    def of_change(self, change: str) -> tuple[InstanceFacts, ...]:
        found = self.instances.values()
        return tuple(i for i in found if i.tags.get(TAG_CHANGE) == change and i.state in _ALIVE)

    def resize(self, instance: str, instance_type: str) -> None:
        self._check()
        known = self.instances.get(instance)
        if known is None or known.state != "stopped":
            code = "IncorrectInstanceState" if known else "InvalidInstanceID.NotFound"
            raise AwsRefused("ec2", "ModifyInstanceAttribute", code, instance)
        self.instances[instance] = replace(known, instance_type=instance_type)

    def start(self, instance: str) -> None:
        self._check()
        if instance not in self.instances:
            raise AwsRefused("ec2", "StartInstances", "InvalidInstanceID.NotFound", instance)
        self.become(instance, "pending")

    def stop(self, instance: str, force: bool = False) -> None:
        self._check()
        if force:
            self.forced.append(instance)
        if instance not in self.instances:
            raise AwsRefused("ec2", "StopInstances", "InvalidInstanceID.NotFound", instance)
        self.become(instance, "stopping")

    def terminate(self, instances: Iterable[str]) -> None:
        self._check()
        for instance in instances:
            if instance in self.instances:
                self.become(instance, "shutting-down")

    def volumes_of_bake(self, bake: str) -> tuple[str, ...]:
        return tuple(volume for volume, owner in self.volumes.items() if owner == bake)

    def delete_volume(self, volume: str) -> None:
        self._check()
        self.volumes.pop(volume, None)

    def types(self, names: Iterable[str]) -> tuple[TypeFacts, ...]:
        return tuple(self.known[name] for name in names if name in self.known)

    def _check(self) -> None:
        if self.refusal:
            raise self.refusal
