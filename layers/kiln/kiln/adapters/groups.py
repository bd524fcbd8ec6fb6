"""Auto Scaling groups, their instance refreshes and lifecycle hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import ignoring, translated
from kiln.domain.group import GroupFacts, TemplateUse, VersionFacts
from kiln.domain.hooks import Hook, LifecycleAction, Result
from kiln.domain.refreshing import RefreshFacts, RefreshOrder
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

    from kiln.adapters.templates import Ec2Templates
    from kiln.ports import VersionOrder

_SERVICE = "autoscaling"
# Auto Scaling refuses what is not there with the same code as what is wrong; its words tell them
# apart.
_GONE = ("No active Lifecycle Action found", "No Lifecycle Hook found", "name not found")


class AsgGroups:
    """`Groups` on Auto Scaling and EC2's launch templates."""

    def __init__(self, autoscaling: AutoScalingClient, templates: Ec2Templates) -> None:
        self._asg = autoscaling
        self._templates = templates

    def describe(self, group: str) -> GroupFacts | None:
        """One group."""
        with translated(_SERVICE, "DescribeAutoScalingGroups"):
            found = self._asg.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        return next((_group(row) for row in found["AutoScalingGroups"]), None)

    def using(self, template: str) -> tuple[GroupFacts, ...]:
        """All groups that name a template; Auto Scaling has no filter for that."""
        with translated(_SERVICE, "DescribeAutoScalingGroups"):
            pages = self._asg.get_paginator("describe_auto_scaling_groups").paginate(
                PaginationConfig={"PageSize": 100}
            )
            every = [_group(row) for page in pages for row in page["AutoScalingGroups"]]
        return tuple(g for g in every if any(use.id == template for use in g.templates))

    def set_launch(self, group: str, wanted: dict[str, dict[str, Any]]) -> None:
        """Set what a group launches."""
        with translated(_SERVICE, "UpdateAutoScalingGroup"):
            self._asg.update_auto_scaling_group(AutoScalingGroupName=group, **wanted)  # type: ignore[arg-type]

    def tag(self, group: str, tags: dict[str, str]) -> None:
        """Put tags on a group and on what it launches."""
        rows: list[Any] = [
            {
                "ResourceId": group,
                "ResourceType": "auto-scaling-group",
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": True,
            }
            for key, value in tags.items()
        ]
        with translated(_SERVICE, "CreateOrUpdateTags"):
            self._asg.create_or_update_tags(Tags=rows)

    # ------------------------------------------------------------ launch templates

    def version(self, template: str, version: str) -> VersionFacts | None:
        """One version."""
        return self._templates.version(template, version)

    def add_version(self, order: VersionOrder) -> int:
        """A new version; its number."""
        return self._templates.add(order)

    def labelled(self, template: str, label: str) -> int | None:
        """The version with this label."""
        return self._templates.labelled(template, label)

    def delete_version(self, template: str, number: int) -> None:
        """Delete a version."""
        self._templates.delete(template, number)

    # ------------------------------------------------------------ refreshes

    def start_refresh(self, order: RefreshOrder) -> str:
        """Start a refresh; its id."""
        with translated(_SERVICE, "StartInstanceRefresh"):
            started = self._asg.start_instance_refresh(
                AutoScalingGroupName=order.group,
                Strategy="Rolling",
                DesiredConfiguration=order.wanted,  # type: ignore[arg-type]
                Preferences=_preferences(order),
            )
        return started["InstanceRefreshId"]

    def refreshes(self, group: str) -> tuple[RefreshFacts, ...]:
        """A group's refreshes, the newest first, as many as one answer has: one that is looked for
        is among the last."""
        with translated(_SERVICE, "DescribeInstanceRefreshes"):
            found = self._asg.describe_instance_refreshes(AutoScalingGroupName=group)
        return tuple(_refresh(row) for row in found["InstanceRefreshes"])

    def refresh(self, group: str, refresh: str) -> RefreshFacts | None:
        """One refresh."""
        with translated(_SERVICE, "DescribeInstanceRefreshes"):
            found = self._asg.describe_instance_refreshes(
                AutoScalingGroupName=group, InstanceRefreshIds=[refresh]
            )
        return next((_refresh(row) for row in found["InstanceRefreshes"]), None)

    def roll_back(self, group: str) -> bool:
        """Roll the refresh under way back."""
        try:
            with translated(_SERVICE, "RollbackInstanceRefresh"):
                self._asg.rollback_instance_refresh(AutoScalingGroupName=group)
        except AwsRefused as error:
            if error.code == "ActiveInstanceRefreshNotFound":
                return True
            if error.code == "IrreversibleInstanceRefresh":
                return False
            raise
        return True

    def cancel(self, group: str) -> None:
        """Cancel the refresh under way."""
        with (
            ignoring("ActiveInstanceRefreshNotFound"),
            translated(_SERVICE, "CancelInstanceRefresh"),
        ):
            self._asg.cancel_instance_refresh(AutoScalingGroupName=group)

    # ------------------------------------------------------------ lifecycle hooks

    def hooks(self, group: str) -> tuple[Hook, ...]:
        """A group's hooks."""
        with translated(_SERVICE, "DescribeLifecycleHooks"):
            found = self._asg.describe_lifecycle_hooks(AutoScalingGroupName=group)
        return tuple(
            Hook(
                row["LifecycleHookName"],
                row["LifecycleTransition"],
                row["HeartbeatTimeout"],
                "CONTINUE" if row["DefaultResult"] == "CONTINUE" else "ABANDON",
            )
            for row in found["LifecycleHooks"]
        )

    def put_hook(self, group: str, hook: Hook) -> None:
        """Add or change a hook."""
        with translated(_SERVICE, "PutLifecycleHook"):
            self._asg.put_lifecycle_hook(
                AutoScalingGroupName=group,
                LifecycleHookName=hook.name,
                LifecycleTransition=hook.transition,
                HeartbeatTimeout=hook.heartbeat_s,
                DefaultResult=hook.result,
            )

    def delete_hook(self, group: str, name: str) -> None:
        """Remove a hook."""
        try:
            with translated(_SERVICE, "DeleteLifecycleHook"):
                self._asg.delete_lifecycle_hook(AutoScalingGroupName=group, LifecycleHookName=name)
        except AwsRefused as error:
            _gone(error)

    def complete(self, action: LifecycleAction, result: Result) -> bool:
        """Answer a lifecycle action."""
        try:
            with translated(_SERVICE, "CompleteLifecycleAction"):
                self._asg.complete_lifecycle_action(**_action(action), LifecycleActionResult=result)
        except AwsRefused as error:
            return _gone(error)
        return True

    def beat(self, action: LifecycleAction) -> bool:
        """Ask for more time."""
        try:
            with translated(_SERVICE, "RecordLifecycleActionHeartbeat"):
                self._asg.record_lifecycle_action_heartbeat(**_action(action))
        except AwsRefused as error:
            return _gone(error)
        return True


def _gone(error: AwsRefused) -> bool:
    """False where a refusal means that nobody waits any more; raised again otherwise."""
    if error.code == "ValidationError" and any(said in str(error) for said in _GONE):
        return False
    raise error


def _action(action: LifecycleAction) -> Any:
    return {
        "AutoScalingGroupName": action.group,
        "LifecycleHookName": action.hook,
        "LifecycleActionToken": action.token,
        "InstanceId": action.instance,
    }


def _group(row: Any) -> GroupFacts:
    policy = row.get("MixedInstancesPolicy")
    found = (policy or {}).get("LaunchTemplate", {})
    main = found.get("LaunchTemplateSpecification") if policy else row.get("LaunchTemplate")
    overrides = found.get("Overrides") or []
    uses = [main, *(override.get("LaunchTemplateSpecification") for override in overrides)]
    return GroupFacts(
        name=row["AutoScalingGroupName"],
        size=row["DesiredCapacity"],
        templates=tuple(
            TemplateUse(id=use["LaunchTemplateId"], version=use.get("Version", ""))
            for use in uses
            if use
        ),
        policy=policy,
        launch_configuration=row.get("LaunchConfigurationName"),
        types=tuple(o["InstanceType"] for o in overrides if o.get("InstanceType")),
        suspended=tuple(p["ProcessName"] for p in row.get("SuspendedProcesses", ())),
        # Auto Scaling API, Instance, LifecycleState.
        held=tuple(
            member["InstanceId"]
            for member in row.get("Instances", ())
            if member["LifecycleState"] == "Pending:Wait"
        ),
        tags={tag["Key"]: tag["Value"] for tag in row.get("Tags", ())},
    )


def _refresh(row: Any) -> RefreshFacts:
    wanted = row.get("DesiredConfiguration", {})
    policy = wanted.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    use = wanted.get("LaunchTemplate") or policy.get("LaunchTemplateSpecification") or {}
    rolled = row.get("RollbackDetails", {}).get("RollbackReason", "")
    return RefreshFacts(
        id=row["InstanceRefreshId"],
        status=row["Status"],
        # Why it is rolled back says more than that it is.
        reason=rolled or row.get("StatusReason", ""),
        percent=row.get("PercentageComplete", 0),
        template=use.get("LaunchTemplateId", ""),
        version=use.get("Version", ""),
    )


def _preferences(order: RefreshOrder) -> Any:
    optional = {
        "MaxHealthyPercentage": order.most_healthy,
        "InstanceWarmup": order.warmup_s,
        "CheckpointPercentages": list(order.checkpoints) or None,
        "CheckpointDelay": order.delay_s,
        "AlarmSpecification": {"Alarms": list(order.alarms)} if order.alarms else None,
        "BakeTime": order.bake_s,
    }
    return {
        "MinHealthyPercentage": order.least_healthy,
        "SkipMatching": order.skip_matching,
        "AutoRollback": order.rolls_back,
        "ScaleInProtectedInstances": order.protected,
        "StandbyInstances": order.standby,
    } | {key: value for key, value in optional.items() if value is not None}
