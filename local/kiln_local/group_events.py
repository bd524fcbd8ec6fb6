"""The events of Auto Scaling.

Shapes: Auto Scaling User Guide, "Amazon EC2 Auto Scaling event reference" and "Instance refresh
example events and patterns". A list of types has also `EC2 Auto Scaling Instance Refresh Started
Baking` (EventBridge reference, "Amazon EC2 Auto Scaling events"), of no published example.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from kiln_local.clock import SimClock
from kiln_local.events import AwsEvents

_SOURCE = "aws.autoscaling"
_WAYS = {
    "autoscaling:EC2_INSTANCE_LAUNCHING": ("launch", "EC2", "AutoScalingGroup"),
    "autoscaling:EC2_INSTANCE_TERMINATING": ("terminate", "AutoScalingGroup", "EC2"),
}


@dataclass
class GroupEvents:
    """Sends them."""

    clock: SimClock
    events: AwsEvents

    def action(self, group: Any, hook: Any, instance: str, token: str) -> None:
        """An instance waits for a lifecycle hook."""
        way, origin, destination = _WAYS[hook.lifecycle_transition]
        detail = {
            "LifecycleActionToken": token,
            "AutoScalingGroupName": group.name,
            "LifecycleHookName": hook.name,
            "EC2InstanceId": instance,
            "LifecycleTransition": hook.lifecycle_transition,
            "Origin": origin,
            "Destination": destination,
        }
        metadata = getattr(hook, "notification_metadata", None)
        if metadata:
            detail["NotificationMetadata"] = metadata
        self.events.send(_SOURCE, f"EC2 Instance-{way} Lifecycle Action", [group.arn], detail)

    def activity(self, group: Any, kind: str, instance: Any, said: str = "") -> None:
        """`kind` is `Launch Successful` and so on; `said` is why it failed, or its cause."""
        now = f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        failed = kind.endswith("Unsuccessful")
        name = instance.id if instance else ""
        verb = "Launching a new" if kind.startswith("Launch") else "Terminating"
        detail = {
            "StatusCode": "Failed" if failed else "InProgress",
            "Description": f"{verb} EC2 instance: {name}",
            "AutoScalingGroupName": group.name,
            "ActivityId": str(uuid.uuid4()),
            "Details": {
                "Availability Zone": instance.placement.zone if instance else "",
                "Subnet ID": (instance.subnet_id if instance else "") or "",
            },
            "RequestId": str(uuid.uuid4()),
            "StatusMessage": said if failed else "",
            "EndTime": now,
            "EC2InstanceId": name,
            "StartTime": now,
            "Cause": said,
        }
        self.events.send(
            _SOURCE, f"EC2 Instance {kind}", [group.arn, *self._arn(group, name)], detail
        )

    def refresh(self, group: Any, refresh: str, what: str, **more: str) -> None:
        """`what` is `Started`, `Succeeded`, `Rollback Started` and so on."""
        detail = {"InstanceRefreshId": refresh, "AutoScalingGroupName": group.name, **more}
        self.events.send(_SOURCE, f"EC2 Auto Scaling Instance Refresh {what}", [group.arn], detail)

    @staticmethod
    def _arn(group: Any, instance: str) -> list[str]:
        if not instance:
            return []
        return [f"arn:aws:ec2:{group.region}:{group.account_id}:instance/{instance}"]
