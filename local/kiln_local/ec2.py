"""EC2's instances over time. Every instance has a machine in the room; its states take as long as
EC2's."""

from __future__ import annotations

import base64
import logging
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance, StateReason

from kiln_local.agents import Agents
from kiln_local.bundles import Bundle
from kiln_local.clock import SimClock
from kiln_local.events import AwsEvents
from kiln_local.latencies import Latencies
from kiln_local.machines import Birth
from kiln_local.recorder import Interval, Recorder
from kiln_local.rooms import Rooms
from kiln_local.volumes import disks_of

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
    """The EC2 of one local AWS. `mappings` are the volumes that the launch under way asks for, by
    device."""

    clock: SimClock
    latencies: Latencies
    recorder: Recorder
    room: Rooms
    events: AwsEvents
    backend: Any
    public_parameters: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    mappings: dict[str, dict[str, Any]] = field(default_factory=dict)
    read_bundle: Callable[[str], tuple[Bundle, bytes]] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    agents: Agents = field(init=False)
    watchers: list[Callable[[Instance, str], None]] = field(default_factory=list)
    hanging: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.agents = Agents(self.clock, lambda name: self.kill(self.instance(name)))

    def instance(self, name: str) -> Instance:
        """An instance of any Region."""
        regions = list(ec2_backends[self.backend.account_id].values())
        found = next((b for b in regions if b.get_instance_by_id(name)), self.backend)
        return found.get_instance(name)

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
        for watch in self.watchers:
            watch(instance, state)
        region = instance.ec2_backend.region_name
        self.events.instance_changed(instance.id, state, region)

    def start(self, instance: Instance) -> None:
        """pending, then running with its machine booted, then online in Systems Manager."""
        self.enter(instance, "pending")
        # EC2 API, "Instance": the time of the last launch, also of one by StartInstances.
        instance.launch_time = self.clock.now()
        interval = self.recorder.begin(self.owner(instance), "start")

        def running() -> None:
            if instance._state.name != "pending":
                return
            self._boot(instance)
            # It may have been terminated while it booted.
            if instance._state.name == "pending":
                self.enter(instance, "running")
                self._come_online(instance, interval)

        self._later("instance-running", running, instance)

    def _boot(self, instance: Instance) -> None:
        self.room.attach(instance.id, disks_of(self, instance))
        self.room.boot(instance.id)

    def _come_online(self, instance: Instance, interval: Interval) -> None:
        def online() -> None:
            if instance._state.name == "running":
                self.agents.come(instance.id)
                self.recorder.end(interval)

        self._later("agent-online", online, instance)

    def hang(self, instance: str) -> None:
        """A fault on request: the system does not go down. Its next stop stays `stopping` until it
        is forced (EC2 User Guide, "Troubleshoot Amazon EC2 instance stop issues")."""
        self.hanging.add(instance)

    def stop(self, instance: Instance, force: bool = False) -> None:
        """stopping, then stopped with its machine shut down."""
        hangs = instance.id in self.hanging
        state = instance._state.name
        if state not in ("running", "pending") and not (hangs and force and state == "stopping"):
            return
        if state != "stopping":
            self.enter(instance, "stopping")
            self.agents.go(instance.id)
        if hangs and not force:
            return
        self.hanging.discard(instance.id)
        self._stop(instance)

    def _stop(self, instance: Instance) -> None:
        interval = self.recorder.begin(self.owner(instance), "stop")

        def stopped() -> None:
            if instance._state.name == "stopping":
                self.room.shut_down(instance.id)
                self._give_up_address(instance)
                self.enter(instance, "stopped")
                self.recorder.end(interval)

        self._later("instance-stopped", stopped, instance)

    def terminate(self, instance: Instance) -> None:
        """shutting-down, then terminated with its machine removed."""
        if instance._state.name in ("shutting-down", "terminated"):
            return
        self.enter(instance, "shutting-down")
        self.agents.forget(instance.id)

        def terminated() -> None:
            self.room.destroy(instance.id)
            self.enter(instance, "terminated")

        self._later("instance-terminated", terminated, instance)

    def kill(self, instance: Instance) -> None:
        """Terminate it with all that it holds, unless that is under way."""
        if instance._state.name not in ("shutting-down", "terminated"):
            release(instance)
        self.terminate(instance)

    def wake(self, instance: Instance) -> None:
        """Start one that is stopped: the same root file system, another public address (EC2 User
        Guide, "How EC2 instance stop and start works")."""
        for interface in instance.nics.values():
            interface.start()
        instance._reason, instance.state_reason = "", StateReason()
        self.start(instance)

    def _give_up_address(self, instance: Instance) -> None:
        for interface in instance.nics.values():
            interface.stop()
        instance._reason = f"User initiated ({self.clock.now():%Y-%m-%d %H:%M:%S} GMT)"
        code = "Client.UserInitiatedShutdown"
        instance.state_reason = StateReason(f"{code}: User initiated shutdown", code)

    def reboot(self, instance: Instance) -> None:
        """The system goes down and up again; EC2 calls it running all the while. Blocks until it
        is up."""
        self.agents.go(instance.id)
        self.room.shut_down(instance.id)
        self.clock.sleep(self.latencies.draw("instance-rebooted"))
        self._boot(instance)
        if instance._state.name == "running":
            self.agents.come(instance.id)

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
        self.agents.forget(instance.id)
        if instance._state.name != "shutting-down":
            release(instance)
        instance.state_reason = StateReason(reason, "Server.InternalError")
        self.enter(instance, "terminated")

    # ------------------------------------------------------------ launching

    def born(self, instance: Instance) -> None:
        """Give a new instance its machine and start it, unless somebody has terminated it since."""
        if instance._state.name in ("shutting-down", "terminated"):
            return
        tags = self.tags(instance)
        instance.image_id = str(instance.image_id)
        image = instance.ec2_backend.amis.get(instance.image_id)
        if image:
            image.launches = [*getattr(image, "launches", ()), self.clock.now()]
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
            # moto has a class of its own for it, an empty one of which is true.
            user_data=base64.b64decode(str(instance.user_data or "")),
        )
        self.room.create(birth, instance.image_id)
        self.start(instance)

    def _has_machine(self, image_id: str) -> bool:
        try:
            self.room.platform_of(image_id)
        except KeyError:
            return False
        return True


def release(instance: Instance) -> None:
    """Remove an instance's volumes and interfaces, as moto's own terminate does; its state is
    ours."""
    state = instance._state.name
    instance.terminate()
    instance._state.name, instance._state.code = state, _CODES[state]
