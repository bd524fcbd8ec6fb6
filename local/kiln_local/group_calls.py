"""The calls of Auto Scaling that moto answers at once, without time, or not at all.

Codes and shapes: botocore's model of Auto Scaling; the words of the errors are those that Auto
Scaling is known to answer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    LifecycleHook,
    TerminateInstanceActivity,
    autoscaling_backends,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from kiln_local import group_health
from kiln_local.groups import Groups
from kiln_local.lifecycle_hooks import RESULTS, TRANSITIONS
from kiln_local.patches import Patches
from kiln_local.refreshes import Refreshes

_BEATS = (30, 7200)
_PAGE, _LARGEST_PAGE = 50, 100


def connect(patches: Patches, groups: Groups, refreshes: Refreshes) -> None:
    """Patch moto's Auto Scaling."""
    _connect_groups(patches, groups)
    _connect_hooks(patches, groups)
    _connect_refreshes(patches, groups, refreshes)
    groups.ec2.watchers.append(groups.watch)


def found(groups: Groups, name: str) -> Any:
    """A group, here or else in another Region. ValidationError where there is none."""
    regions = (groups.backend, *autoscaling_backends[groups.backend.account_id].values())
    known = (backend.autoscaling_groups.get(name) for backend in regions)
    group = next((group for group in known if group is not None), None)
    if group is None:
        raise ValidationError(
            f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
        )
    return group


# ---------------------------------------------------------------- groups


def _connect_groups(patches: Patches, groups: Groups) -> None:
    create = AutoScalingBackend.create_auto_scaling_group
    update = FakeAutoScalingGroup.update
    patches.set(FakeAutoScalingGroup, "launch_template", property(_launch_template))
    patches.set(AutoScalingBackend, "notify_terminate_instances", lambda *_: None)
    for owner, name, call in (
        (FakeAutoScalingGroup, "set_desired_capacity", _resize),
        (FakeAutoScalingGroup, "update", _with_first(update, _change)),
        (AutoScalingBackend, "create_auto_scaling_group", _with_first(create, _made)),
        (AutoScalingBackend, "update_attached_target_groups", _register),
        (AutoScalingBackend, "terminate_instance", _terminate),
        (AutoScalingResponse, "create_auto_scaling_group", _create(groups)),
        (AutoScalingResponse, "delete_auto_scaling_group", _delete),
        (AutoScalingResponse, "set_desired_capacity", _set_desired),
    ):
        patches.set(owner, name, _with_groups(call, groups))


def _with_groups(function: Callable[..., Any], groups: Groups) -> Any:
    """A method that is given the groups first."""
    return lambda self, *args, **kwargs: function(groups, self, *args, **kwargs)


def _with_first(original: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is given what it replaces first."""
    return partial(function, original)


def _resize(groups: Groups, self: Any, wanted: int | None) -> None:
    self.desired_capacity = self.min_size if wanted is None else wanted
    groups.settle(self)


def _made(create: Any, groups: Groups, self: Any, **asked: Any) -> Any:
    if asked["name"] in self.autoscaling_groups:
        raise AutoscalingClientError(
            "AlreadyExists", "AutoScalingGroup by this name already exists"
        )
    group = create(self, **asked)
    group_health.watch(groups, group)
    groups.settle(group)
    return group


def _change(update: Any, groups: Groups, self: Any, **asked: Any) -> None:
    """moto forgets a mixed policy that is not given again."""
    launches = ("launch_config_name", "launch_template", "mixed_instances_policy")
    if not any(asked.get(key) for key in launches):
        asked["mixed_instances_policy"] = _by_id(self.mixed_instances_policy)
    elif not asked.get("launch_config_name"):
        self.launch_config, self.launch_configuration_name = None, None
    update(self, **asked)
    groups.settle(self)


def _delete(groups: Groups, self: Any) -> EmptyResult:
    group = found(groups, self._get_param("AutoScalingGroupName"))
    if group.instance_states and not self._get_bool_param("ForceDelete", False):
        raise AutoscalingClientError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
            "instance request(s) still in the group.",
        )
    groups.backend.autoscaling_groups.pop(group.name)
    groups.drop(group)
    return EmptyResult()


def _by_id(policy: dict[str, Any] | None) -> dict[str, Any] | None:
    """A policy as a request may hold it: with its template's id alone."""
    found = copy.deepcopy(policy)
    if found:
        found["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
    return found


def _launch_template(self: Any) -> dict[str, Any] | None:
    """Auto Scaling tells either a template or a mixed policy."""
    if self.ec2_launch_template is None or self.mixed_instances_policy:
        return None
    template = self.ec2_launch_template
    known = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name}
    version = self.provided_launch_template_version
    return known | ({"Version": version} if version else {})


def _create(groups: Groups) -> Any:
    create = AutoScalingResponse.create_auto_scaling_group

    def create_auto_scaling_group(_: Groups, self: Any) -> Any:
        # In the group before its first instance is up.
        name = self._get_param("AutoScalingGroupName")
        for hook in self._get_param("LifecycleHookSpecificationList", []):
            _put_hook(groups, {**hook, "AutoScalingGroupName": name})
        answer = create(self)
        warmup = self._get_int_param("DefaultInstanceWarmup")
        found(groups, name).default_instance_warmup = warmup
        return answer

    return create_auto_scaling_group


def _set_desired(groups: Groups, self: Any) -> EmptyResult:
    group = found(groups, self._get_param("AutoScalingGroupName"))
    wanted = int(self._get_int_param("DesiredCapacity"))
    if wanted > int(group.max_size):
        raise ValidationError(
            f"New SetDesiredCapacity value {wanted} is above max value {group.max_size} for the "
            "AutoScalingGroup."
        )
    if wanted < int(group.min_size):
        raise ValidationError(
            f"New SetDesiredCapacity value {wanted} is below min value {group.min_size} for the "
            "AutoScalingGroup."
        )
    group.set_desired_capacity(wanted)
    return EmptyResult()


def _register(groups: Groups, _: Any, name: str) -> None:
    group = groups.backend.autoscaling_groups.get(name)
    for member in group.instance_states if group else ():
        groups.register(group, member)


def _terminate(groups: Groups, backend: Any, instance_id: str, should_decrement: bool) -> Any:
    for group in backend.autoscaling_groups.values():
        for member in group.instance_states:
            if member.instance_id == instance_id:
                before = group.desired_capacity
                group.desired_capacity = before - 1 if should_decrement else before
                groups.leave(group, member, "a user requested it")
                groups.settle(group)
                return TerminateInstanceActivity(member.instance, before)
    raise ValidationError(
        f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
    )


# ---------------------------------------------------------------- hooks


def _connect_hooks(patches: Patches, groups: Groups) -> None:
    def put_lifecycle_hook(self: Any) -> EmptyResult:
        asked = dict(self._get_params())
        found(groups, asked["AutoScalingGroupName"])
        _put_hook(groups, asked)
        return EmptyResult()

    def delete_lifecycle_hook(self: Any) -> EmptyResult:
        group = found(groups, self._get_param("AutoScalingGroupName"))
        name = self._get_param("LifecycleHookName")
        if groups.backend.lifecycle_hooks.pop(f"{group.name}_{name}", None) is None:
            raise ValidationError(f"No Lifecycle Hook found with name: {name}")
        # Who waits for it goes on as if it had been abandoned (Auto Scaling API,
        # DeleteLifecycleHook).
        groups.hooks.abandon(group.name, name)
        return EmptyResult()

    def complete_lifecycle_action(self: Any) -> EmptyResult:
        groups.hooks.complete(dict(self._get_params()))
        return EmptyResult()

    def record_lifecycle_action_heartbeat(self: Any) -> EmptyResult:
        groups.hooks.beat(dict(self._get_params()))
        return EmptyResult()

    for call in (
        *(put_lifecycle_hook, delete_lifecycle_hook),
        *(complete_lifecycle_action, record_lifecycle_action_heartbeat),
    ):
        patches.set(AutoScalingResponse, call.__name__, call)


def _put_hook(groups: Groups, asked: dict[str, Any]) -> None:
    name, group = asked["LifecycleHookName"], asked["AutoScalingGroupName"]
    former = groups.backend.lifecycle_hooks.get(f"{group}_{name}")
    way = asked.get("LifecycleTransition") or (former.lifecycle_transition if former else None)
    if way not in TRANSITIONS.values():
        raise ValidationError(
            f"Lifecycle transition must be one of {', '.join(TRANSITIONS.values())}"
        )
    beat = asked.get("HeartbeatTimeout") or (former.heartbeat_timeout if former else None)
    result = asked.get("DefaultResult") or (former.default_result if former else None)
    if beat is not None and not _BEATS[0] <= int(beat) <= _BEATS[1]:
        raise ValidationError("Heartbeat timeout must be between 30 and 7200 seconds")
    if result is not None and result not in RESULTS:
        raise ValidationError("The default result must be either CONTINUE or ABANDON")
    hook = LifecycleHook(name, group, way, beat and int(beat), result)
    hook.role_arn, hook.notification_target_arn = (
        asked.get("RoleARN"),
        asked.get("NotificationTargetARN"),
    )
    hook.notification_metadata = asked.get("NotificationMetadata")
    hook.global_timeout = min(100 * hook.heartbeat_timeout, hook.global_timeout)
    groups.backend.lifecycle_hooks[f"{group}_{name}"] = hook


# ---------------------------------------------------------------- refreshes


def _connect_refreshes(patches: Patches, groups: Groups, refreshes: Refreshes) -> None:
    def start_instance_refresh(self: Any) -> ActionResult:
        asked = dict(self._get_params())
        if asked.get("Strategy", "Rolling") != "Rolling":
            raise ValidationError("The local AWS knows the strategy Rolling alone")
        group = found(groups, asked["AutoScalingGroupName"])
        return ActionResult({"InstanceRefreshId": refreshes.start(group, asked)})

    def describe_instance_refreshes(self: Any) -> ActionResult:
        group = found(groups, self._get_param("AutoScalingGroupName"))
        wanted = self._get_param("InstanceRefreshIds", [])
        rows = [r.told() for r in refreshes.of(group.name) if not wanted or r.id in wanted]
        return ActionResult(_page(self, rows))

    def cancel_instance_refresh(self: Any) -> ActionResult:
        group = found(groups, self._get_param("AutoScalingGroupName"))
        wait = self._get_bool_param("WaitForTransitioningInstances", True)
        return ActionResult({"InstanceRefreshId": refreshes.cancel(group.name, wait)})

    def rollback_instance_refresh(self: Any) -> ActionResult:
        group = found(groups, self._get_param("AutoScalingGroupName"))
        return ActionResult({"InstanceRefreshId": refreshes.roll_back(group.name)})

    for call in (
        *(start_instance_refresh, describe_instance_refreshes),
        *(cancel_instance_refresh, rollback_instance_refresh),
    ):
        patches.set(AutoScalingResponse, call.__name__, call)


def _page(response: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    most = response._get_int_param("MaxRecords", _PAGE)
    if not 1 <= most <= _LARGEST_PAGE:
        raise ValidationError(f"MaxRecords must be between 1 and {_LARGEST_PAGE}")
    token = response._get_param("NextToken") or "0"
    if not token.isdigit() or int(token) > len(rows):
        raise AutoscalingClientError("InvalidNextToken", "The NextToken value is not valid.")
    begin = int(token)
    more = {"NextToken": str(begin + most)} if len(rows) > begin + most else {}
    return {"InstanceRefreshes": rows[begin : begin + most], **more}
