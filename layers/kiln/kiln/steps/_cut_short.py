"""A change whose execution was stopped, at its end: its instance comes to rest, and nothing is left
that serves by halves or costs money for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.instance import STARTING, InstanceState, LayerInstance
from kiln.steps._instances import enter
from kiln.steps._stacks import target_groups
from kiln.steps.enter_service import EnterService, enter_service
from kiln.steps.leave_service import LeaveService, leave_service

if TYPE_CHECKING:
    from kiln.domain.failure import Failure
    from kiln.ports import World

S = InstanceState
_JOINING = ("start", "setup", "join")


def cut_short(
    entry: LayerInstance, change: str, of: str, failure: Failure, world: World
) -> LayerInstance:
    """Bring the instance to rest; again is harmless. Where nothing is to be done here, its state is
    the one that any failed change has. Raises TrafficRefused, AwsBusy."""
    if change in _JOINING and entry.state is S.ONLINE:
        return serving(entry, world)
    if change == "start":
        return _not_started(entry, of, failure, world)
    if change == "stop" and entry.state in (S.STOPPING, S.SHUTTING_DOWN):
        # It does not come back of itself: its Shutdown may have run.
        leave_service(LeaveService(stack=entry.stack, instance=entry.id), world)
        return _now(entry, world)
    if change == "delete" and entry.state is S.TERMINATING:
        return enter(entry, S.STOPPED, world, error=failure.reason)
    return entry


def serving(entry: LayerInstance, world: World) -> LayerInstance:
    """Let one that is online serve wholly: in its target groups, and known to its peers."""
    enter_service(EnterService(stack=entry.stack, instance=entry.id), world)
    return _now(entry, world)


def _not_started(entry: LayerInstance, of: str, failure: Failure, world: World) -> LayerInstance:
    """What was launched for the start goes; a root that was there before stays, out of service."""
    if entry.ec2_id:
        world.traffic.deregister(target_groups(entry, world), entry.ec2_id)
    launched = {found.id for found in world.fleet.of_change(of)}
    if entry.state in STARTING and (entry.ec2_id is None or entry.ec2_id in launched):
        # Before it is terminated: one that vanished in its Setup would be healed.
        gone: dict[str, Any] = {
            "ec2_id": None,
            "volumes": (),
            "private_ip": "",
            "address": None,
            "error": failure.reason,
        }
        entry = enter(entry, S.START_FAILED, world, **gone)
    return entry


def end_strays(entry: LayerInstance, of: str, world: World) -> None:
    """End what a change launched and the record does not have: its function died before it could
    write it down, or the change was stopped."""
    strays = [found.id for found in world.fleet.of_change(of) if found.id != entry.ec2_id]
    if strays:
        world.fleet.terminate(strays)


def _now(entry: LayerInstance, world: World) -> LayerInstance:
    return world.records.instance(entry.stack, entry.id) or entry
