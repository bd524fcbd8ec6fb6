"""Rollouts to a layer that is an Auto Scaling group of two, one after another."""

from __future__ import annotations

from typing import Any

from kiln.domain.hooks import HEARTBEAT_S
from kiln.domain.instance import InstanceState
from kiln.domain.stack import stack_from
from kiln.steps._hooks import put_hooks
from tests.faults.cases import Case
from tests.faults.ground import MOMENT_S, Verdict
from tests.faults.rollouts import PLATFORM, RECIPES, SIZE, Rollouts
from tests.faults.service import GroupService, Service
from tests.integration.local.crowds import Crowd

# Two serve throughout: a new one comes before an old one goes.
_REFRESH = {
    "min_healthy_percentage": 100,
    "max_healthy_percentage": 200,
    "instance_warmup": "1s",
}


class Refreshes(Rollouts):
    """A layer of kind `autoscaling` that takes one image after another."""

    name = "refresh"
    # A lifecycle hook that nobody answers ends by itself.
    looks = Rollouts.looks + int(HEARTBEAT_S / MOMENT_S)
    _group: Crowd

    def _service(self) -> Service:
        return GroupService(self.aws, self.stack)

    def renew(self) -> None:
        self._layer = f"{self.name}{next(self.numbers)}"
        for entry in self.kiln.records.instances(self.stack):
            self.kiln.records.remove_instance(entry)
        if hasattr(self, "_group"):
            name = self._group.name
            self._group.api.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        self._group = Crowd(self.outside, self._layer, 0)
        layer = {
            "name": self._layer,
            "kind": "autoscaling",
            "group": self._group.name,
            "platform": PLATFORM,
            "recipes": RECIPES,
            "refresh": _REFRESH,
        }
        self._apply(layer)
        self._group.api.set_desired_capacity(
            AutoScalingGroupName=self._group.name, DesiredCapacity=SIZE
        )
        self._image = self.outside.base
        self.quiet("")

    def is_over(self, run: str) -> bool:
        waits = any(m["LifecycleState"].endswith(":Wait") for m in self._group.told["Instances"])
        return super().is_over(run) and not waits

    def _apply(self, layer: dict[str, Any]) -> None:
        stack = stack_from({"kind": "stack", "name": self.stack, "layers": [layer]})
        before = self.kiln.records.stack(self.stack)
        self.kiln.records.put_stack(stack)
        put_hooks(stack, before, self.kiln)

    def ended(self, case: Case, said: str) -> Verdict:
        """Of what a function could take no notice, a dead letter tells; of an event that was lost,
        nobody can."""
        if case.kind == "lost" and "could take no notice" in said:
            return Verdict(case.name, "failed", said)
        letters = self._letters() if "kiln dlq list" in said else ()
        return super().ended(case, f"{said} {letters}")

    def flaws(self) -> list[str]:
        entries = self.entries()
        members = {m["InstanceId"]: m["LifecycleState"] for m in self._group.told["Instances"]}
        whole = list(members.values()) == ["InService"] * SIZE
        known = {e.ec2_id for e in entries}
        return [
            *([] if whole else [f"the group has {members}"]),
            *(f"{e.hostname} is {e.state}" for e in entries if e.state is not InstanceState.ONLINE),
            *(f"{name} is unknown" for name in members if name not in known),
            *(f"{e.ec2_id} is no member" for e in entries if e.ec2_id not in members),
            *self.holds(),
        ]


class SpoiledRefreshes(Refreshes):
    """Refreshes to an image whose instances cannot be set up."""

    name = "refresh-spoiled"
    spoiled = True
    fails = ("exited 9",)
