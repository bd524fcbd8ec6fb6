"""CloudWatch's alarms: in INSUFFICIENT_DATA until SetAlarmState says otherwise, and an event for
each change of state.

`metrics.py` looks at those that watch what it serves. Any other keeps the state that it was set to;
CloudWatch would soon set it back. Event: CloudWatch User Guide, "Alarm events and EventBridge".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend

from kiln_local.clock import SimClock
from kiln_local.events import AwsEvents
from kiln_local.patches import Patches


@dataclass
class Alarms:
    """The alarms of one local AWS. `watchers` are told of each change: name and new state."""

    clock: SimClock
    events: AwsEvents
    backend: Any
    watchers: list[Callable[[str, str], None]] = field(default_factory=list)

    def state(self, name: str) -> str | None:
        """An alarm's state, None where there is no such alarm."""
        alarm = self.backend.alarms.get(name)
        return str(alarm.state_value) if alarm else None

    def put(self, alarm: Any, former: Any) -> None:
        """A new alarm has no data; one that is put again keeps its state."""
        now = self.clock.now()
        alarm.configuration_updated_timestamp = now
        if former:
            alarm.state_value, alarm.state_reason = former.state_value, former.state_reason
            alarm.state_reason_data = former.state_reason_data
            alarm.state_updated_timestamp = former.state_updated_timestamp
        else:
            alarm.state_value, alarm.state_updated_timestamp = "INSUFFICIENT_DATA", now

    def changed(self, alarm: Any, former: dict[str, Any]) -> None:
        """An alarm was set; it is told where the state differs."""
        alarm.state_updated_timestamp = self.clock.now()
        if alarm.state_value == former["value"]:
            return
        detail = {
            "alarmName": alarm.name,
            "state": told(alarm),
            "previousState": former,
            "configuration": _configuration(alarm),
        }
        self.events.send(
            "aws.cloudwatch", "CloudWatch Alarm State Change", [alarm.alarm_arn], detail
        )
        for watch in self.watchers:
            watch(alarm.name, alarm.state_value)


def told(alarm: Any) -> dict[str, Any]:
    """A state as the event tells it."""
    at: datetime = alarm.state_updated_timestamp
    found = {
        "value": alarm.state_value,
        "reason": alarm.state_reason,
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000",
    }
    data = alarm.state_reason_data
    return found | ({"reasonData": data} if data and data != "{}" else {})


def _configuration(alarm: Any) -> dict[str, Any]:
    found = {"description": alarm.description} if alarm.description else {}
    if alarm.metric_data_queries:
        return found
    metric = {
        "namespace": alarm.namespace,
        "name": alarm.metric_name,
        "dimensions": {dimension.name: dimension.value for dimension in alarm.dimensions},
    }
    stat = alarm.statistic or alarm.extended_statistic
    query = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, alarm.alarm_arn)),
        "metricStat": {"metric": metric, "period": alarm.period, "stat": stat},
        "returnData": True,
    }
    return found | {"metrics": [query]}


def connect(patches: Patches, alarms: Alarms) -> None:
    """Patch moto's alarms, which are OK from the start and send nothing."""
    put, change = CloudWatchBackend.put_metric_alarm, CloudWatchBackend.set_alarm_state

    def put_metric_alarm(self: Any, **asked: Any) -> Any:
        _check(asked)
        former = self.alarms.get(asked["name"])
        alarm = put(self, **asked)
        alarms.put(alarm, former)
        return alarm

    def set_alarm_state(self: Any, name: str, *given: Any) -> None:
        alarm = self.alarms.get(name)
        former = told(alarm) if alarm else {}
        change(self, name, *given)
        alarms.changed(alarm, former)

    patches.set(CloudWatchBackend, "put_metric_alarm", put_metric_alarm)
    patches.set(CloudWatchBackend, "set_alarm_state", set_alarm_state)


def _check(asked: dict[str, Any]) -> None:
    if not asked.get("metric_data_queries"):
        for name in ("metric_name", "namespace", "period", "threshold"):
            if asked.get(name) is None:
                raise ValidationError(f"An alarm on one metric needs {name.replace('_', ' ')}")
        if not (asked.get("statistic") or asked.get("extended_statistic")):
            raise ValidationError("Either statistic or extended statistic must be specified")
    if not asked.get("evaluation_periods") or not asked.get("comparison_operator"):
        raise ValidationError("Evaluation periods and a comparison operator must be specified")
