"""CloudWatch's alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import translated
from kiln.domain.load import AlarmState
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_cloudwatch import CloudWatchClient

# In one call (CloudWatch API, DescribeAlarms).
_MOST_NAMES = 100


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
        found = {alarm["AlarmName"]: alarm["StateValue"] for alarm in self._found(wanted)}
        missing = [name for name in wanted if name not in found]
        if missing:
            raise AwsRefused(
                "cloudwatch", "DescribeAlarms", "ResourceNotFound", f"no alarm {missing[0]}"
            )
        return tuple(name for name in wanted if found[name] == "ALARM")

    def look_at(self, names: Iterable[str]) -> dict[str, AlarmState]:
        """State and since when, of the alarms that exist."""
        wanted = list(dict.fromkeys(names))
        parts = (wanted[at : at + _MOST_NAMES] for at in range(0, len(wanted), _MOST_NAMES))
        found = (alarm for part in parts for alarm in self._found(part, MaxRecords=_MOST_NAMES))
        return {alarm["AlarmName"]: _state(alarm) for alarm in found}

    def _found(self, names: list[str], **more: Any) -> list[Any]:
        with translated("cloudwatch", "DescribeAlarms"):
            answer = self._cloudwatch.describe_alarms(
                AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], **more
            )
        return [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]


def _state(alarm: Any) -> AlarmState:
    # StateUpdatedTimestamp also moves when the evaluation's state does (CloudWatch API,
    # MetricAlarm).
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return AlarmState(value=alarm["StateValue"], since=since)
