"""Auto Scaling groups for tests of the local AWS, made by API calls."""

from __future__ import annotations

from typing import Any

from tests.integration.local.worlds import World, until

LAUNCHING, TERMINATING = (
    "autoscaling:EC2_INSTANCE_LAUNCHING",
    "autoscaling:EC2_INSTANCE_TERMINATING",
)
OVER = ("Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed")


class Crowd:
    """A group of a launch template of its own, with as many instances as it wants."""

    def __init__(self, world: World, name: str, size: int, **more: Any) -> None:
        self.world, self.name = world, name
        self.api = world.client("autoscaling")
        self.template = str(
            world.ec2.create_launch_template(
                LaunchTemplateName=name,
                LaunchTemplateData={"ImageId": world.base, "InstanceType": "m7i.large"},
            )["LaunchTemplate"]["LaunchTemplateId"]
        )
        version = more.pop("Version", "1")
        wanted: dict[str, Any] = {
            "MinSize": 0,
            "MaxSize": 20,
            "DesiredCapacity": size,
            "VPCZoneIdentifier": ",".join(subnet["SubnetId"] for subnet in world.subnets[:2]),
            "HealthCheckGracePeriod": 10,
        }
        if "MixedInstancesPolicy" not in more:
            wanted["LaunchTemplate"] = self.at(version)
        self.api.create_auto_scaling_group(AutoScalingGroupName=name, **(wanted | more))

    def at(self, version: str) -> dict[str, str]:
        """Its template at a version."""
        return {"LaunchTemplateId": self.template, "Version": version}

    @property
    def told(self) -> dict[str, Any]:
        """As Auto Scaling describes it."""
        found = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return dict(found["AutoScalingGroups"][0])

    @property
    def states(self) -> list[str]:
        """The lifecycle states of its instances, sorted."""
        return sorted(one["LifecycleState"] for one in self.told["Instances"])

    @property
    def versions(self) -> list[str]:
        """The versions that its instances in service were launched from, sorted."""
        found = self.told["Instances"]
        return sorted(
            one["LaunchTemplate"]["Version"]
            for one in found
            if one["LifecycleState"] == "InService"
        )

    @property
    def ids(self) -> list[str]:
        """Its instances."""
        return [str(one["InstanceId"]) for one in self.told["Instances"]]

    def settled(self, size: int) -> Crowd:
        """Wait until so many serve and nothing else is there."""
        until(lambda: self.states == ["InService"] * size, 90)
        return self

    def a_version(self, **data: Any) -> str:
        """A new version of its template; its number."""
        made = self.world.ec2.create_launch_template_version(
            LaunchTemplateId=self.template,
            SourceVersion="$Latest",
            LaunchTemplateData=data or {"InstanceType": "m6i.large"},
        )
        return str(made["LaunchTemplateVersion"]["VersionNumber"])

    def refresh(self, version: str | None, **preferences: Any) -> str:
        """Start a refresh; its id."""
        desired = {"DesiredConfiguration": {"LaunchTemplate": self.at(version)}} if version else {}
        quick = {"InstanceWarmup": 0, "MinHealthyPercentage": 50}
        return str(
            self.api.start_instance_refresh(
                AutoScalingGroupName=self.name, Preferences=quick | preferences, **desired
            )["InstanceRefreshId"]
        )

    def status(self, refresh: str) -> dict[str, Any]:
        """A refresh as it is described."""
        found = self.api.describe_instance_refreshes(
            AutoScalingGroupName=self.name, InstanceRefreshIds=[refresh]
        )
        return dict(found["InstanceRefreshes"][0])

    def becomes(self, refresh: str, *statuses: str) -> dict[str, Any]:
        """Wait until a refresh has one of these statuses."""
        until(lambda: self.status(refresh)["Status"] in statuses)
        return self.status(refresh)

    def ended(self, refresh: str) -> dict[str, Any]:
        """Wait for a refresh's end."""
        return self.becomes(refresh, *OVER)

    def a_hook(self, transition: str, **more: Any) -> str:
        """A lifecycle hook; its name."""
        name = transition.rpartition("_")[2].lower()
        self.api.put_lifecycle_hook(
            AutoScalingGroupName=self.name,
            LifecycleHookName=name,
            LifecycleTransition=transition,
            **({"HeartbeatTimeout": 600} | more),
        )
        return name

    def waits(self, way: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many events of an instance that waits for a hook; their details."""
        detail_type = f"EC2 Instance-{way} Lifecycle Action"

        def found() -> list[dict[str, Any]]:
            events = self.world.sent(detail_type, AutoScalingGroupName=self.name)
            return [event["detail"] for event in events]

        until(lambda: len(found()) >= count)
        return found()

    def complete(self, action: dict[str, Any], result: str = "CONTINUE") -> None:
        """Answer a lifecycle action."""
        self.api.complete_lifecycle_action(
            AutoScalingGroupName=self.name,
            LifecycleHookName=action["LifecycleHookName"],
            LifecycleActionToken=action["LifecycleActionToken"],
            LifecycleActionResult=result,
        )

    def sent(self, kind: str) -> int:
        """How many events of a kind were sent of it."""
        return len(self.world.sent(f"EC2 {kind}", AutoScalingGroupName=self.name))
