"""CloudWatch's alarms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


class CloudWatchAlarms:
    """`Alarms` on CloudWatch."""

    def __init__(self, cloudwatch: CloudWatchClient) -> None:
        self._cloudwatch = cloudwatch

    def ringing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those that are in ALARM. CloudWatch leaves out a name that it does not know; a rollout
        must not be watched by an alarm that is not there."""
        wanted = list(names)
        if not wanted:
            return ()
        with translated("cloudwatch", "DescribeAlarms"):
            answer = self._cloudwatch.describe_alarms(
                AlarmNames=wanted, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        found = {
            alarm["AlarmName"]: alarm["StateValue"]
            for alarm in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ()))
        }
        missing = [name for name in wanted if name not in found]
        if missing:
            raise AwsRefused(
                "cloudwatch", "DescribeAlarms", "ResourceNotFound", f"no alarm {missing[0]}"
            )
        return tuple(name for name in wanted if found[name] == "ALARM")
