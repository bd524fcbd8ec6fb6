"""The health of a load balancer's targets over time.

States, reasons and the words beside them: Elastic Load Balancing API, "TargetHealth". A target
counts as healthy after HealthyThresholdCount checks that it passed in a row, as unhealthy after
UnhealthyThresholdCount that it failed, a first registration included; real load balancers are
content with one passed check there. Only instances are targets here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.elbv2.exceptions import ELBClientError, InvalidTargetError, TargetGroupNotFoundError

from kiln_local.ec2 import Ec2

Key = tuple[str, int]
# What Elastic Load Balancing says beside a reason.
_WORDS = {
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.InvalidState": "Target is in the stopped or terminated state",
    "Target.NotRegistered": "Target is not registered to the target group",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
}
_STATE = {"initial": "Elb.InitialHealthChecking", "unhealthy": "Target.FailedHealthChecks"}


@dataclass
class Target:
    """One registered target. `since_s` is when its checks began to end as they do now."""

    since_s: float
    state: str = "initial"
    served: bool = False
    good: bool = False
    gone_s: float | None = None


@dataclass
class Balancing:
    """All target groups of one local AWS, on moto's own. Safe for threads."""

    ec2: Ec2
    backend: Any
    _groups: dict[str, dict[Key, Target]] = field(default_factory=dict)
    _failing: set[tuple[str, str | None]] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # ------------------------------------------------------------ faults on request

    def fail(self, group: str, instance: str | None = None) -> None:
        """A target of a group, or each of them, now or later, fails its health checks."""
        with self._lock:
            self._failing.add((group, instance))
        self.look()

    def mend(self, group: str, instance: str | None = None) -> None:
        """It passes them again; without an instance every fault of the group is mended."""
        with self._lock:
            self._failing = {
                (arn, one)
                for arn, one in self._failing
                if arn != group or instance not in (None, one)
            }
        self.look()

    # ------------------------------------------------------------ API

    def register(self, group: str, targets: list[dict[str, Any]]) -> None:
        """RegisterTargets: an instance that is not running is refused."""
        found = self._group(group)
        for target in targets:
            instance = self.ec2.backend.get_instance_by_id(target["Id"])
            if instance is None or instance._state.name != "running":
                raise InvalidTargetError(f"{InvalidTargetError.message} ({target['Id']})")
        with self._lock:
            for target in targets:
                known = self._targets(group).get(self._key(found, target))
                if known is None or known.gone_s is not None:
                    made = Target(self.ec2.clock.seconds())
                    self._targets(group)[self._key(found, target)] = made
        self.look()

    def deregister(self, group: str, targets: list[dict[str, Any]]) -> None:
        """DeregisterTargets, of all its ports where none is named; of what is not there as well."""
        found = self._group(group)
        self.look()
        delay = float(found.attributes["deregistration_delay.timeout_seconds"])
        with self._lock:
            for (name, port), target in list(self._targets(group).items()):
                if any(name == t["Id"] and int(t.get("Port", port)) == port for t in targets):
                    # What gets no traffic has nothing to drain.
                    wait = delay if target.served else 0.0
                    if target.gone_s is None:
                        target.gone_s = self.ec2.clock.seconds() + wait

    def health(self, group: str, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """DescribeTargetHealth."""
        found = self._group(group)
        self.look()
        with self._lock:
            keys = [self._key(found, t) for t in targets] or list(self._targets(group))
            return [self._row(found, key) for key in keys]

    def state(self, group: str, instance: str) -> str:
        """The state of an instance in a group, as DescribeTargetHealth names it."""
        return str(self.health(group, [{"Id": instance}])[0]["TargetHealth"]["State"])

    # ------------------------------------------------------------ health

    def look(self) -> None:
        """Bring every target up to now; called at each change of what its checks depend on."""
        used, now = set(self._used()), self.ec2.clock.seconds()
        with self._lock:
            for arn, targets in self._groups.items():
                group = self.backend.target_groups.get(arn)
                for key, target in list(targets.items()) if group else ():
                    if target.gone_s is not None and target.gone_s <= now:
                        del targets[key]
                        continue
                    _settle(target, group, now)
                    served = arn in used and self._instance_state(key[0]) == "running"
                    self._change(target, served, served and not self._fails(arn, key[0]))

    def _change(self, target: Target, served: bool, good: bool) -> None:
        now = self.ec2.clock.seconds()
        if served and not target.served:
            target.state, target.since_s = "initial", now
        elif good != target.good:
            target.since_s = now
        target.served, target.good = served, good

    def _fails(self, group: str, instance: str) -> bool:
        return bool({(group, None), (group, instance)} & self._failing)

    def _instance_state(self, name: str) -> str:
        instance = self.ec2.backend.get_instance_by_id(name)
        return str(instance._state.name) if instance else "terminated"

    def _used(self) -> Iterator[str]:
        """Groups to which a listener forwards, by itself or by a rule."""
        for balancer in list(self.backend.load_balancers.values()):
            for listener in list(balancer.listeners.values()):
                for rule in list(listener.rules.values()):
                    for action in rule.actions:
                        yield from _forwarded(action.data)

    def _row(self, group: Any, key: Key) -> dict[str, Any]:
        state, reason = self._told(group.arn, key)
        health = {"State": state}
        if reason:
            health |= {"Reason": reason, "Description": _WORDS[reason]}
        return {
            "Target": {"Id": key[0], "Port": key[1]},
            "HealthCheckPort": group.health_check_port,
            "TargetHealth": health,
        }

    def _told(self, group: str, key: Key) -> tuple[str, str | None]:
        target = self._targets(group).get(key)
        if target is None:
            return "unused", "Target.NotRegistered"
        if target.gone_s is not None:
            return "draining", "Target.DeregistrationInProgress"
        if group not in set(self._used()):
            return "unused", "Target.NotInUse"
        if self._instance_state(key[0]) in ("stopped", "terminated"):
            return "unused", "Target.InvalidState"
        return target.state, _STATE.get(target.state)

    # ------------------------------------------------------------ inside

    def _group(self, arn: str) -> Any:
        group = self.backend.target_groups.get(arn)
        if group is None:
            raise TargetGroupNotFoundError
        if group.target_type != "instance":
            raise ELBClientError(
                "InvalidTarget",
                f"The local AWS does not balance targets of type {group.target_type}",
            )
        return group

    def _targets(self, group: str) -> dict[Key, Target]:
        return self._groups.setdefault(group, {})

    def _key(self, group: Any, target: dict[str, Any]) -> Key:
        return target["Id"], int(target.get("Port") or group.port)


def _settle(target: Target, group: Any, now: float) -> None:
    """What the checks until now make of a target."""
    checks = int((now - target.since_s) / float(group.health_check_interval_seconds))
    needed = group.healthy_threshold_count if target.good else group.unhealthy_threshold_count
    if checks >= int(needed):
        target.state = "healthy" if target.good else "unhealthy"


def _forwarded(action: dict[str, Any]) -> Iterator[str]:
    if action.get("Type") != "forward":
        return
    if action.get("TargetGroupArn"):
        yield action["TargetGroupArn"]
    for group in action.get("ForwardConfig", {}).get("TargetGroups", ()):
        yield group["TargetGroupArn"]
