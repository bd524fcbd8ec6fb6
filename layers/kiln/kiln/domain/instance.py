"""An instance of a layer: its record, its states and the only ways from one to the next."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from kiln.domain.model import Model
from kiln.domain.scaling import Hours, Scaling
from kiln.domain.volumes import InstanceVolume


class InstanceState(StrEnum):
    """States of a layer's instance, as OpsWorks named them (OpsWorks API, Instance, Status)."""

    REQUESTED = "requested"
    PENDING = "pending"
    BOOTING = "booting"
    RUNNING_SETUP = "running_setup"
    ONLINE = "online"
    SETUP_FAILED = "setup_failed"
    START_FAILED = "start_failed"
    CONNECTION_LOST = "connection_lost"
    REBOOTING = "rebooting"
    STOPPING = "stopping"
    SHUTTING_DOWN = "shutting_down"
    STOP_FAILED = "stop_failed"
    STOPPED = "stopped"
    TERMINATING = "terminating"
    TERMINATED = "terminated"


S = InstanceState
_FAILED = {S.SETUP_FAILED, S.START_FAILED, S.STOP_FAILED}
_LEAVING = {S.STOPPING, S.CONNECTION_LOST}
_NEXT: dict[InstanceState, set[InstanceState]] = {
    S.STOPPED: {S.REQUESTED, S.TERMINATING},
    # One that could not be healed is lost as before: from wherever its healing ended.
    S.REQUESTED: {S.PENDING, S.START_FAILED, S.CONNECTION_LOST},
    # One that hangs can be stopped.
    S.PENDING: {S.BOOTING, S.START_FAILED, *_LEAVING},
    S.BOOTING: {S.RUNNING_SETUP, S.START_FAILED, *_LEAVING},
    # One that was launched for a start that was cut short in its Setup has gone again.
    S.RUNNING_SETUP: {S.ONLINE, S.SETUP_FAILED, S.START_FAILED, *_LEAVING},
    S.SETUP_FAILED: {S.RUNNING_SETUP, *_LEAVING},
    S.START_FAILED: {S.STOPPING, S.REQUESTED},
    S.ONLINE: {S.RUNNING_SETUP, S.REBOOTING, *_LEAVING},
    S.REBOOTING: {S.ONLINE, *_LEAVING},
    # An agent that answers again brings its instance back as it was.
    S.CONNECTION_LOST: {S.ONLINE, S.SETUP_FAILED, S.STOPPING},
    S.STOPPING: {S.SHUTTING_DOWN, S.STOP_FAILED, S.CONNECTION_LOST},
    S.SHUTTING_DOWN: {S.STOPPED, S.TERMINATED, S.STOP_FAILED, S.CONNECTION_LOST},
    # It may still run: a start sets it up and lets it serve again.
    S.STOP_FAILED: {S.STOPPING, S.REQUESTED},
    # Of a stopped one that is deleted; an instance-store root goes on to `stopped`. So does one
    # whose deletion was called off before anything was terminated.
    S.TERMINATING: {S.TERMINATED, S.STOP_FAILED, S.STOPPED},
    S.TERMINATED: {S.STOPPED},
}
# On its way to online, or out of service for good or ill.
STARTING = frozenset({S.REQUESTED, S.PENDING, S.BOOTING, S.RUNNING_SETUP})
LEAVING = frozenset({S.STOPPING, S.SHUTTING_DOWN, S.TERMINATING})
FAILED = frozenset(_FAILED)

Initiator = Literal["user", "auto-scaling", "auto-healing"]
# Those that OpsWorks told the initiator of (CloudWatch Events User Guide, OpsWorks events).
TOLD_BY_WHOM = frozenset({S.REQUESTED, S.TERMINATING, S.STOPPING})


class Address(Model):
    """Where an EC2 instance is, as DescribeInstances says."""

    private_ip: str = ""
    private_dns: str = ""
    public_ip: str = ""
    public_dns: str = ""
    zone: str = ""


class LayerInstance(Model):
    """An instance's record. Its own id and hostname stay when its EC2 instance changes.

    `layers` are the names of its layers in the stack, the one it was made for first; `serving`
    says whether its target groups may send it requests; `wanted` is the wish for Configure that
    its last change caused; `volumes` are those that its EC2 instance was launched with, whatever
    its layers say by now; `address` is where it was when it last booted, None where that was before
    Kiln wrote it down; `change` names the execution that works on it, `asked_by` who asked for
    it; `lost_in` is the state in which it was lost, until it is online again; `revision` counts its
    writes; times are ISO 8601, UTC.
    """

    id: str
    stack: str
    layers: tuple[str, ...]
    hostname: str
    state: InstanceState
    ec2_id: str | None = None
    image: str | None = None
    platform: str = ""
    architecture: str = ""
    root_device: str = "ebs"
    instance_type: str = ""
    scaling: Scaling = Scaling.ALWAYS
    hours: Hours = {}
    private_ip: str = ""
    address: Address | None = None
    created_at: str = ""
    booted_at: str = ""
    changed_at: str = ""
    rollout: str | None = None
    planned: str | None = None
    change: str | None = None
    asked_by: Initiator | None = None
    lost_in: InstanceState | None = None
    error: str | None = None
    healed_at: tuple[str, ...] = ()
    serving: bool = False
    wanted: int = 0
    volumes: tuple[InstanceVolume, ...] = ()
    revision: int = 0

    @property
    def layer(self) -> str:
        """The layer it was made for."""
        return self.layers[0]

    @property
    def place(self) -> str:
        """That layer as stack/layer."""
        return f"{self.stack}/{self.layers[0]}"


def may_become(before: InstanceState, after: InstanceState) -> bool:
    """Whether an instance in one state can be in the other next."""
    return after in _NEXT.get(before, set())
