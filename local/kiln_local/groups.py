"""Auto Scaling groups over time: their instances are launched, wait for hooks, serve, are replaced
when they fail, drain, wait for hooks again and are terminated.

Facts: Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle". Assumed: a launch hook
begins when EC2 calls the instance running; an instance is drained before its terminate hooks begin;
one whose launch was abandoned goes through its terminate hooks too; what could not be launched is
tried again after a minute; what is in service goes to scale in only once enough others are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from moto.core.exceptions import ServiceException

from kiln_local.balancing import Balancing
from kiln_local.ec2 import Ec2
from kiln_local.group_events import GroupEvents
from kiln_local.group_launches import (
    Configuration,
    Member,
    configuration_of,
    run,
    source_of,
    specification,
    version_of,
)
from kiln_local.lifecycle_hooks import Hooks
from kiln_local.templates import Templates

RETRY_S = 60.0
_LOOK_S = 2.0
_DEAD = frozenset({"stopping", "stopped", "shutting-down", "terminated"})


@dataclass
class Groups:
    """The groups of one local AWS, on moto's own. Safe for threads.

    `holds` says whether somebody else, a refresh, decides how many instances a group has just now,
    `wants` what is launched just now and what it carries.
    """

    ec2: Ec2
    balancing: Balancing
    templates: Templates
    events: GroupEvents
    hooks: Hooks
    backend: Any
    holds: Callable[[Any], bool] = lambda _: False
    wants: Callable[[Any], tuple[Configuration, str]] = lambda group: (configuration_of(group), "")
    lock: threading.RLock = field(default_factory=threading.RLock)
    _members: dict[str, Member] = field(default_factory=dict)
    _retries: dict[str, float] = field(default_factory=dict)

    # ------------------------------------------------------------ how many

    def settle(self, group: Any) -> None:
        """Launch what a group lacks and terminate what it has too much, unless it is held."""
        with self.lock:
            if self.backend.autoscaling_groups.get(group.name) is not group or self.holds(group):
                return
            active = active_of(group)
            for _ in range(int(group.desired_capacity or 0) - len(active)):
                if self.launch(group, *self.wants(group)) is None:
                    break
            # What is still to come into service, or is given up, is settled when it has been.
            surplus = sum(m.serving for m in active) - int(group.desired_capacity or 0)
            for member in removable(group)[: max(0, surplus)]:
                self.leave(group, member, "an instance was taken out of service to scale in")

    def is_suspended(self, group: Any, process: str) -> bool:
        """Whether a process of a group is suspended."""
        return any(found["ProcessName"] == process for found in group.suspended_processes)

    # ------------------------------------------------------------ in

    def launch(self, group: Any, configuration: Configuration, fresh: str = "") -> Member | None:
        """Launch one instance; None where it was refused, which is tried again later."""
        now = self.ec2.clock.seconds()
        if self.is_suspended(group, "Launch") or now < self._retries.get(group.name, 0.0):
            return None
        try:
            source = source_of(group, configuration, self.templates)
            instance = run(group, source)
        except ServiceException as error:
            self._retries[group.name] = now + RETRY_S
            self.events.activity(group, "Launch Unsuccessful", None, str(error))
            self.ec2.clock.later(RETRY_S + 0.1, partial(self.settle, group))
            return None
        instance.autoscaling_group = group
        member = Member(instance, group, source, fresh)
        member.since_s = now
        group.instance_states.append(member)
        self._members[instance.id] = member
        return member

    def _up(self, group: Any, member: Member) -> None:
        if member.lifecycle_state != "Pending":
            return
        self._enter(member, "Pending:Wait")
        if not self.hooks.wait(group, member, "Pending", partial(self._hooked, group, member)):
            self._serve(group, member)

    def _hooked(self, group: Any, member: Member, result: str) -> None:
        with self.lock:
            if member.lifecycle_state != "Pending:Wait":
                return
            if result == "CONTINUE":
                self._enter(member, "Pending:Proceed")
                self._serve(group, member)
                return
            why = "the launch was abandoned by a lifecycle hook"
            self.events.activity(group, "Launch Unsuccessful", member.instance, why)
            self._retries[group.name] = self.ec2.clock.seconds() + RETRY_S
            self.leave(group, member, why)
        self.ec2.clock.later(RETRY_S + 0.1, partial(self.settle, group))

    def _serve(self, group: Any, member: Member) -> None:
        self._enter(member, "InService")
        self.register(group, member)
        self.events.activity(group, "Launch Successful", member.instance)
        # Now there may be more in service than wanted.
        self.ec2.clock.later(0.1, partial(self.settle, group))

    def register(self, group: Any, member: Member) -> None:
        """Let the group's target groups send requests to an instance in service."""
        if self.is_suspended(group, "AddToLoadBalancer") or not member.serving:
            return
        for arn in group.target_group_arns:
            self.balancing.register(arn, [{"Id": member.instance_id}])

    # ------------------------------------------------------------ out

    def leave(self, group: Any, member: Member, why: str) -> None:
        """Take an instance out: drained, its hooks heard, then terminated."""
        with self.lock:
            if member.leaving or self.is_suspended(group, "Terminate"):
                return
            self.hooks.forget(member.instance_id)
            self._enter(member, "Terminating")
            for arn in group.target_group_arns:
                if arn in self.balancing.backend.target_groups:
                    self.balancing.deregister(arn, [{"Id": member.instance_id}])
        self._drain(group, member, why)

    def _drain(self, group: Any, member: Member, why: str) -> None:
        if self._drains(group, member):
            self.ec2.clock.later(_LOOK_S, partial(self._drain, group, member, why))
            return
        with self.lock:
            if member.lifecycle_state != "Terminating":
                return
            self._enter(member, "Terminating:Wait")
            done = partial(self._let_go, group, member, why)
            if not self.hooks.wait(group, member, "Terminating", done):
                self._let_go(group, member, why, "CONTINUE")

    def _drains(self, group: Any, member: Member) -> bool:
        arns = (
            arn for arn in group.target_group_arns if arn in self.balancing.backend.target_groups
        )
        return any(self.balancing.state(arn, member.instance_id) == "draining" for arn in arns)

    def _let_go(self, group: Any, member: Member, why: str, _: str) -> None:
        with self.lock:
            if member.lifecycle_state != "Terminating:Wait":
                return
            self._enter(member, "Terminating:Proceed")
        if member.instance._state.name == "terminated":
            self._gone(group, member, why)
        else:
            self.ec2.kill(member.instance)

    def _gone(self, group: Any, member: Member, why: str = "") -> None:
        with self.lock:
            if member not in group.instance_states:
                return
            group.instance_states = [m for m in group.instance_states if m is not member]
            self._members.pop(member.instance_id, None)
            self._enter(member, "Terminated")
        self.hooks.forget(member.instance_id)
        self.events.activity(group, "Terminate Successful", member.instance, why)
        self.settle(group)

    # ------------------------------------------------------------ what EC2 says

    def watch(self, instance: Any, state: str) -> None:
        """EC2 says that an instance has entered a state; looked into by another thread, for this
        one may hold what that one wants."""
        if instance.id in self._members:
            self.ec2.clock.crew.start(partial(self._seen, instance.id, state))

    def _seen(self, instance: str, state: str) -> None:
        with self.lock:
            member = self._members.get(instance)
            if member is None:
                return
            group = member.auto_scaling_group
            if state == "running":
                self._up(group, member)
            elif state == "terminated" and member.lifecycle_state == "Terminating:Proceed":
                self._gone(group, member)
            elif state in _DEAD and not member.leaving:
                self.fail(group, member, f"EC2 found it {state}")

    def fail(self, group: Any, member: Member, why: str) -> None:
        """An instance is unhealthy: it is replaced, unless that is suspended."""
        with self.lock:
            member.health_status = "Unhealthy"
            if self.is_suspended(group, "ReplaceUnhealthy"):
                return
            self.leave(group, member, f"an instance was taken out of service: {why}")
        self.settle(group)

    def drop(self, group: Any) -> None:
        """A group is deleted with all that it has; no hook is heard (Auto Scaling API,
        DeleteAutoScalingGroup, ForceDelete)."""
        with self.lock:
            for member in list(group.instance_states):
                self.hooks.forget(member.instance_id)
                self._members.pop(member.instance_id, None)
                self.ec2.kill(member.instance)

    # ------------------------------------------------------------ inside

    def _enter(self, member: Member, state: str) -> None:
        member.lifecycle_state = state
        member.since_s = self.ec2.clock.seconds()


def active_of(group: Any) -> list[Member]:
    """Those that count towards the desired capacity."""
    return [m for m in group.instance_states if not m.leaving and m.lifecycle_state != "Standby"]


def removable(group: Any) -> list[Member]:
    """Those that may be taken out to scale in, first those that are launched otherwise than the
    group is set to now, then the oldest (the Default termination policy, without zones)."""
    found = [m for m in active_of(group) if m.serving and not m.protected_from_scale_in]
    wanted = configuration_of(group)
    return sorted(found, key=lambda m: (matches(m, group, wanted), m.since_s))


def matches(member: Member, group: Any, configuration: Configuration) -> bool:
    """Whether an instance is what a configuration launches: template, version, and a type that it
    may have (Auto Scaling User Guide, "Use an instance refresh with skip matching")."""
    if not configuration or member.source.version is None:
        return False
    version = version_of(group.ec2_backend, specification(configuration))
    policy = configuration.get("MixedInstancesPolicy") or {"LaunchTemplate": {}}
    overrides = policy["LaunchTemplate"].get("Overrides") or ()
    kinds = [override["InstanceType"] for override in overrides if override.get("InstanceType")]
    wanted = kinds or [version.data.get("InstanceType")]
    return member.source.version is version and member.instance_type in wanted
