"""What Auto Scaling refuses of an instance refresh.

Limits: botocore's model of Auto Scaling (RefreshPreferences, AlarmSpecification); rules between
keys: Auto Scaling API, RefreshPreferences and DesiredConfiguration. The words are those that Auto
Scaling is known to answer where they are known. Assumed: that an alarm has to exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.core.exceptions import ServiceException

from kiln_local.group_launches import (
    Configuration,
    configuration_of,
    source_of,
    specification,
    version_of,
)
from kiln_local.templates import ALIAS, Templates

_RANGES = {
    "MinHealthyPercentage": (0, 100),
    "MaxHealthyPercentage": (100, 200),
    "InstanceWarmup": (0, 2**31 - 1),
    "CheckpointDelay": (0, 172_800),
    "BakeTime": (0, 172_800),
}
_WORDS = {
    "ScaleInProtectedInstances": ("Refresh", "Ignore", "Wait"),
    "StandbyInstances": ("Terminate", "Ignore", "Wait"),
}
_MOST_ALARMS = 10


class InstanceRefreshInProgress(AutoscalingClientError):  # type: ignore[misc]
    """Another refresh of the group is active."""

    code = "InstanceRefreshInProgress"
    message = (
        "An Instance Refresh is already in progress and blocks the execution of this Instance "
        "Refresh."
    )


class ActiveInstanceRefreshNotFound(AutoscalingClientError):  # type: ignore[misc]
    """No refresh of the group is active."""

    code = "ActiveInstanceRefreshNotFound"
    message = "No in progress or pending Instance Refresh found for Auto Scaling group {group}"


class IrreversibleInstanceRefresh(AutoscalingClientError):  # type: ignore[misc]
    """The refresh cannot be rolled back."""

    code = "IrreversibleInstanceRefresh"
    message = "{why}"


def check_preferences(found: dict[str, Any], alarm: Callable[[str], str | None]) -> None:
    """Refuse preferences that are out of range or do not go together."""
    for key, (least, most) in _RANGES.items():
        if key in found and not least <= int(found[key]) <= most:
            raise ValidationError(f"{key} must be between {least} and {most}")
    for key, words in _WORDS.items():
        if key in found and found[key] not in words:
            raise ValidationError(f"{key} must be one of {', '.join(words)}")
    highest = found.get("MaxHealthyPercentage")
    if highest is not None:
        if "MinHealthyPercentage" not in found:
            raise ValidationError("MaxHealthyPercentage requires MinHealthyPercentage")
        if int(highest) - int(found["MinHealthyPercentage"]) > 100:
            raise ValidationError(
                "The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be "
                "greater than 100"
            )
    _check_checkpoints(found)
    _check_alarms(found.get("AlarmSpecification", {}).get("Alarms", []), alarm)


def _check_checkpoints(found: dict[str, Any]) -> None:
    given = [int(value) for value in found.get("CheckpointPercentages") or ()]
    if "CheckpointDelay" in found and not given:
        raise ValidationError("CheckpointDelay requires CheckpointPercentages")
    if given != sorted(set(given)) or not all(1 <= value <= 100 for value in given):
        raise ValidationError(
            "CheckpointPercentages must be unique values from 1 to 100 in ascending order"
        )


def _check_alarms(names: list[str], alarm: Callable[[str], str | None]) -> None:
    if len(names) > _MOST_ALARMS:
        raise ValidationError(f"At most {_MOST_ALARMS} alarms can be specified")
    for name in names:
        if alarm(name) is None:
            raise ValidationError(f"The alarm {name} does not exist")


def check_desired(
    group: Any, desired: Configuration | None, rolls_back: bool, templates: Templates
) -> None:
    """Refuse a configuration that cannot be launched, and a rollback that cannot be."""
    if rolls_back and not desired:
        raise ValidationError(
            "The request isn't valid. The AutoRollback parameter cannot be set to true when the "
            "DesiredConfiguration parameter is empty. Set AutoRollback to false or specify a "
            "desired configuration and try again."
        )
    if desired:
        if len([key for key in ("LaunchTemplate", "MixedInstancesPolicy") if key in desired]) != 1:
            raise ValidationError(
                "A desired configuration names either a LaunchTemplate or a MixedInstancesPolicy"
            )
        wanted = specification(desired)
        if bool(wanted.get("LaunchTemplateId")) == bool(wanted.get("LaunchTemplateName")):
            raise ValidationError(
                "Valid requests must contain either launchTemplateId or LaunchTemplateName"
            )
        source_of(group, desired, templates)
    why = irreversible(group)
    if rolls_back and why:
        raise ValidationError(f"The request isn't valid. AutoRollback cannot be set to true: {why}")


def irreversible(group: Any) -> str:
    """Why a group cannot be rolled back to what it is set to; empty where it can."""
    former = configuration_of(group)
    if not former:
        return "the group has no launch template"
    wanted = specification(former)
    if str(wanted.get("Version") or "$Default").startswith("$"):
        return "the group uses the $Latest or $Default version of its launch template"
    try:
        data = version_of(group.ec2_backend, wanted).data
    except ServiceException as error:
        return str(error)
    if str(data.get("ImageId", "")).startswith(ALIAS):
        return "the launch template uses a Systems Manager parameter instead of an AMI ID"
    return ""
