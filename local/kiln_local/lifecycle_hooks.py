"""Lifecycle hooks over time: an instance waits until every hook of its transition is done.

Facts: Auto Scaling API, PutLifecycleHook, CompleteLifecycleAction, RecordLifecycleActionHeartbeat,
LifecycleHook (GlobalTimeout: 100 times the heartbeat or 48 hours, whichever is smaller); Auto
Scaling User Guide, "How lifecycle hooks work": hooks of one transition wait side by side, ABANDON
ends all of them at once. The words of the errors are those that Auto Scaling is known to answer.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.autoscaling.exceptions import ValidationError

from kiln_local.clock import SimClock
from kiln_local.group_events import GroupEvents
from kiln_local.group_launches import Member

TRANSITIONS = {
    "Pending": "autoscaling:EC2_INSTANCE_LAUNCHING",
    "Terminating": "autoscaling:EC2_INSTANCE_TERMINATING",
}
RESULTS = ("CONTINUE", "ABANDON")
_GLOBAL_S = 172_800


@dataclass
class Action:
    """One instance waits for one hook; until `until_s` unless a heartbeat comes, until `last_s`
    whatever comes."""

    token: str
    hook: Any
    group: str
    instance: str
    until_s: float
    last_s: float
    done: Callable[[str], None]


@dataclass
class Hooks:
    """The hooks of one local AWS, on moto's own. Safe for threads."""

    clock: SimClock
    events: GroupEvents
    backend: Any
    actions: dict[str, Action] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def wait(self, group: Any, member: Member, way: str, done: Callable[[str], None]) -> bool:
        """Let an instance wait for the hooks of a transition (`Pending`, `Terminating`); `done`
        gets the result of all. False where there is none."""
        hooks = [
            hook
            for hook in list(self.backend.lifecycle_hooks.values())
            if hook.auto_scaling_group_name == group.name
            and hook.lifecycle_transition == TRANSITIONS[way]
        ]
        begun = [self._begin(group, member, hook, done) for hook in hooks]
        for action in begun:
            self.events.action(group, action.hook, action.instance, action.token)
            self._watch(action)
        return bool(begun)

    def _begin(self, group: Any, member: Member, hook: Any, done: Callable[[str], None]) -> Action:
        now, beat = self.clock.seconds(), float(hook.heartbeat_timeout)
        action = Action(
            token=str(uuid.uuid4()),
            hook=hook,
            group=group.name,
            instance=member.instance_id,
            until_s=now + beat,
            last_s=now + min(100 * beat, _GLOBAL_S),
            done=done,
        )
        with self._lock:
            self.actions[action.token] = action
        return action

    # ------------------------------------------------------------ API

    def complete(self, asked: dict[str, Any]) -> None:
        """CompleteLifecycleAction."""
        result = asked["LifecycleActionResult"]
        if result not in RESULTS:
            raise ValidationError("The lifecycle action result must be either CONTINUE or ABANDON")
        self._end(self._found(asked), result)

    def beat(self, asked: dict[str, Any]) -> None:
        """RecordLifecycleActionHeartbeat."""
        action = self._found(asked)
        span = float(action.hook.heartbeat_timeout)
        action.until_s = min(self.clock.seconds() + span, action.last_s)
        self._watch(action)

    def _found(self, asked: dict[str, Any]) -> Action:
        group, hook = asked["AutoScalingGroupName"], asked["LifecycleHookName"]
        if group not in self.backend.autoscaling_groups:
            raise ValidationError(f"AutoScalingGroup name not found - no such group: {group}")
        token, instance = asked.get("LifecycleActionToken"), asked.get("InstanceId")
        if not (token or instance):
            raise ValidationError("Either LifecycleActionToken or InstanceId must be given")
        with self._lock:
            for action in self.actions.values():
                known = token in (None, action.token) and instance in (None, action.instance)
                if known and action.group == group and action.hook.name == hook:
                    return action
        what = f"token {token}" if token else f"instance ID {instance}"
        raise ValidationError(f"No active Lifecycle Action found with {what}")

    # ------------------------------------------------------------ time

    def _watch(self, action: Action) -> None:
        def look() -> None:
            if action.token not in self.actions:
                return
            if self.clock.seconds() >= action.until_s:
                self._end(action, str(action.hook.default_result))

        self.clock.later(max(0.0, action.until_s - self.clock.seconds()) + 0.1, look)

    def _end(self, action: Action, result: str) -> None:
        with self._lock:
            if self.actions.pop(action.token, None) is None:
                return
            others = [a for a in self.actions.values() if self._same(a, action)]
            if result == "ABANDON":
                for other in others:
                    del self.actions[other.token]
        if result == "ABANDON" or not others:
            action.done(result)

    @staticmethod
    def _same(one: Action, other: Action) -> bool:
        ways = {one.hook.lifecycle_transition, other.hook.lifecycle_transition}
        return one.instance == other.instance and len(ways) == 1

    def abandon(self, group: str, hook: str) -> None:
        """A hook is deleted; who waits for it is abandoned."""
        for action in list(self.actions.values()):
            if (action.group, action.hook.name) == (group, hook):
                self._end(action, "ABANDON")

    def forget(self, instance: str) -> None:
        """An instance is gone; nobody waits for it."""
        with self._lock:
            for action in [a for a in self.actions.values() if a.instance == instance]:
                del self.actions[action.token]
