"""EC2's instances over time. Every instance has a machine in the room; its states take as long as
EC2's."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance, InstanceBackend, StateReason

from kiln_local.bundles import Bundle, check_stop
from kiln_local.clock import SimClock
from kiln_local.events import AwsEvents
from kiln_local.latencies import Latencies
from kiln_local.launch_checks import check_launch
from kiln_local.machines import Birth
from kiln_local.patches import Patches
from kiln_local.recorder import Interval, Recorder
from kiln_local.rooms import Rooms

_log = logging.getLogger(__name__)
_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}


@dataclass
class Ec2:
    """The EC2 of one local AWS."""

    clock: SimClock
    latencies: Latencies
    recorder: Recorder
    room: Rooms
    events: AwsEvents
    backend: Any
    public_parameters: dict[str, str] = field(default_factory=dict)
    online: set[str] = field(default_factory=set)
    tokens: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    read_bundle: Callable[[str], tuple[Bundle, bytes]] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def tags(self, instance: Instance) -> dict[str, str]:
        """An instance's tags."""
        return {tag["key"]: tag["value"] for tag in instance.get_tags()}

    def owner(self, instance: Instance) -> str:
        """The bake or rollout that an instance's time is spent for."""
        tags = self.tags(instance)
        return tags.get("kiln:bake") or tags.get("kiln:rollout") or ""

    # ------------------------------------------------------------ states

    def enter(self, instance: Instance, state: str) -> None:
        """Put an instance into a state and say so."""
        instance._state.name, instance._state.code = state, _CODES[state]
        self.events.instance_changed(instance.id, state)

    def start(self, instance: Instance) -> None:
        """pending, then running with its machine booted, then online in Systems Manager."""
        self.enter(instance, "pending")
        interval = self.recorder.begin(self.owner(instance), "start")

        def running() -> None:
            if instance._state.name == "pending":
                self.room.boot(instance.id)
                self.enter(instance, "running")
                self._come_online(instance, interval)

        self._later("instance-running", running, instance)

    def _come_online(self, instance: Instance, interval: Interval) -> None:
        def online() -> None:
            if instance._state.name == "running":
                self.online.add(instance.id)
                self.recorder.end(interval)

        self._later("agent-online", online, instance)

    def stop(self, instance: Instance) -> None:
        """stopping, then stopped with its machine shut down."""
        if instance._state.name not in ("running", "pending"):
            return
        self.enter(instance, "stopping")
        self.online.discard(instance.id)
        interval = self.recorder.begin(self.owner(instance), "stop")

        def stopped() -> None:
            if instance._state.name == "stopping":
                self.room.shut_down(instance.id)
                self.enter(instance, "stopped")
                self.recorder.end(interval)

        self._later("instance-stopped", stopped, instance)

    def terminate(self, instance: Instance) -> None:
        """shutting-down, then terminated with its machine removed."""
        if instance._state.name in ("shutting-down", "terminated"):
            return
        self.enter(instance, "shutting-down")
        self.online.discard(instance.id)

        def terminated() -> None:
            self.room.destroy(instance.id)
            self.enter(instance, "terminated")

        self._later("instance-terminated", terminated, instance)

    def reboot(self, instance: Instance) -> None:
        """The system goes down and up again; EC2 calls it running all the while. Blocks until it
        is up."""
        self.online.discard(instance.id)
        self.room.shut_down(instance.id)
        self.clock.sleep(self.latencies.draw("instance-rebooted"))
        self.room.boot(instance.id)
        self.online.add(instance.id)

    def _later(self, latency: str, action: Callable[[], None], instance: Instance) -> None:
        # Boots and shutdowns do real work: not in the scheduler's thread.
        def run() -> None:
            try:
                action()
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                self._lose(instance, error)

        self.clock.later(self.latencies.draw(latency), run)

    def _lose(self, instance: Instance, error: Exception) -> None:
        """What fails under an instance ends it with a reason, as a fault of EC2's own does."""
        _log.exception("the machine of %s failed", instance.id, exc_info=error)
        reason = f"Server.InternalError: {error}"
        self.online.discard(instance.id)
        if instance._state.name != "shutting-down":
            release(instance)
        instance.state_reason = StateReason(reason, "Server.InternalError")
        self.enter(instance, "terminated")

    # ------------------------------------------------------------ launching

    def born(self, instance: Instance) -> None:
        """Give a new instance its machine and start it."""
        tags = self.tags(instance)
        instance.image_id = str(instance.image_id)
        if not self._has_machine(instance.image_id):
            self.enter(instance, "running")
            return
        birth = Birth(
            instance_id=instance.id,
            platform=self.room.platform_of(instance.image_id),
            architecture=instance.architecture or "x86_64",
            private_ip=instance.private_ip_address,
            private_dns_name=instance.private_dns_name,
            chef=tags.get("kiln:chef"),
            key_name=instance.key_name,
        )
        self.room.create(birth, instance.image_id)
        self.start(instance)

    def _has_machine(self, image_id: str) -> bool:
        try:
            self.room.platform_of(image_id)
        except KeyError:
            return False
        return True


def connect(patches: Patches, ec2: Ec2) -> None:
    """Patch moto's instances."""
    run = InstanceBackend.run_instances

    def run_instances(
        self: Any,
        image_id: str,
        count: int,
        user_data: Any,
        security_group_names: Any,
        **kwargs: Any,
    ) -> Any:
        with ec2.lock:
            token = kwargs.get("client_token")
            asked = repr((image_id, count, {k: v for k, v in kwargs.items() if k != "nics"}))
            if token and token != "ABCDE" and token in ec2.tokens:
                return _again(ec2.tokens[token], asked)
            check_launch(self, image_id, kwargs["instance_type"], kwargs.get("subnet_id"))
            reservation = run(self, image_id, count, user_data, security_group_names, **kwargs)
            if token and token != "ABCDE":
                ec2.tokens[token] = (reservation, asked)
        for instance in reservation.instances:
            ec2.born(instance)
        return reservation

    patches.set(InstanceBackend, "run_instances", run_instances)
    patches.set(InstanceBackend, "start_instances", _each(ec2, _start))
    patches.set(InstanceBackend, "stop_instances", _each(ec2, _stop))
    patches.set(InstanceBackend, "reboot_instances", _reboot(ec2))
    patches.set(InstanceBackend, "terminate_instances", _each(ec2, _terminate))


def _again(former: tuple[Any, Any], asked: str) -> Any:
    reservation, asked_before = former
    if asked != asked_before:
        raise EC2ClientError(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in "
            "previous request(s).",
        )
    return reservation


def _each(ec2: Ec2, action: Callable[[Ec2, Instance], None]) -> Any:
    def change(self: Any, instance_ids: list[str]) -> list[tuple[Instance, Any]]:
        changed = []
        for instance in self.get_multi_instances_by_id(instance_ids):
            former = type(instance._state)(instance._state.name, instance._state.code)
            action(ec2, instance)
            changed.append((instance, former))
        return changed

    return change


def _stop(ec2: Ec2, instance: Instance) -> None:
    check_stop(instance.id, ec2.backend.amis.get(instance.image_id))
    ec2.stop(instance)


def _start(ec2: Ec2, instance: Instance) -> None:
    if instance._state.name == "stopped":
        ec2.start(instance)


def _terminate(ec2: Ec2, instance: Instance) -> None:
    if instance._state.name not in ("shutting-down", "terminated"):
        release(instance)
    ec2.terminate(instance)


def release(instance: Instance) -> None:
    """Remove an instance's volumes and interfaces, as moto's own terminate does; its state is
    ours."""
    state = instance._state.name
    instance.terminate()
    instance._state.name, instance._state.code = state, _CODES[state]


def _reboot(ec2: Ec2) -> Any:
    def reboot_instances(self: Any, instance_ids: list[str]) -> list[Instance]:
        found: list[Instance] = self.get_multi_instances_by_id(instance_ids)
        for instance in found:
            if instance._state.name == "running":
                ec2.clock.crew.start(partial(ec2.reboot, instance))
        return found

    return reboot_instances
