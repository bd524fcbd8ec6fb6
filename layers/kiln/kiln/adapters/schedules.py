"""The schedules of blueprints on EventBridge Scheduler."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import ignoring, translated
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import Standing, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_scheduler import EventBridgeSchedulerClient

# EventBridge Scheduler API: what a schedule that is not there, or is there already, is answered.
_GONE, _THERE = "ResourceNotFoundException", "ConflictException"
_TRIES = 4
# Beyond an hour the next time may be as near; what did not start is in the queue of dead letters.
_RETRIES = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 8}
# What may be set by hand and Kiln never sets.
_NEVER_SET = ("StartDate", "EndDate", "KmsKeyArn")


@dataclass(frozen=True)
class ScheduleGround:
    """What a schedule needs of the deployment: its group by name, the rest by ARN."""

    group: str = ""
    role: str = ""
    machine: str = ""
    dead_letters: str = ""


class EventBridgeSchedules:
    """`Schedules` on EventBridge Scheduler. The client is made when it is first needed: one
    command of all needs it."""

    def __init__(
        self, client: Callable[[], EventBridgeSchedulerClient], ground: ScheduleGround
    ) -> None:
        self._make = client
        self._ground = ground

    @cached_property
    def _client(self) -> EventBridgeSchedulerClient:
        if not self._ground.group:
            raise AwsRefused(
                "scheduler",
                "GetSchedule",
                "NoScheduleGroup",
                "the stack has no output ScheduleGroupName: it is of an older Kiln; deploy it anew",
            )
        return self._make()

    def look(self, blueprint: str) -> Standing | None:
        """A blueprint's schedule, compared key by key with what Kiln writes."""
        client = self._client
        try:
            with translated("scheduler", "GetSchedule"):
                found = client.get_schedule(Name=blueprint, GroupName=self._ground.group)
        except AwsRefused as error:
            if error.code == _GONE:
                return None
            raise
        timing = Timing(found["ScheduleExpression"], found["ScheduleExpressionTimezone"])
        return Standing(timing, tuple(_altered(self._request(blueprint, timing), found)))

    def put(self, blueprint: str, timing: Timing) -> None:
        """Update it, or make it where it is not there. Two at a time: the one that comes second
        finds the other's and writes over it."""
        client, request = self._client, self._request(blueprint, timing)
        for _ in range(_TRIES):
            with ignoring(_GONE, _THERE), translated("scheduler", "UpdateSchedule"):
                client.update_schedule(**request)
                return
            with ignoring(_THERE), translated("scheduler", "CreateSchedule"):
                client.create_schedule(**request)
                return
        raise _contested(blueprint)

    def remove(self, blueprint: str) -> None:
        """Delete it."""
        client = self._client
        try:
            with ignoring(_GONE), translated("scheduler", "DeleteSchedule"):
                client.delete_schedule(Name=blueprint, GroupName=self._ground.group)
        except AwsRefused as error:
            raise _contested(blueprint) if error.code == _THERE else error from error

    def _request(self, blueprint: str, timing: Timing) -> Any:
        ground = self._ground
        return {
            "Name": blueprint,
            "GroupName": ground.group,
            "Description": f"Bakes {blueprint}; kiln apply keeps it as the blueprint says",
            "ScheduleExpression": timing.expression,
            "ScheduleExpressionTimezone": timing.time_zone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "ActionAfterCompletion": "NONE",
            "Target": {
                "Arn": ground.machine,
                "RoleArn": ground.role,
                "Input": json.dumps({"blueprint": blueprint, "trigger": "schedule"}),
                "RetryPolicy": _RETRIES,
                "DeadLetterConfig": {"Arn": ground.dead_letters},
            },
        }


def _contested(blueprint: str) -> AwsBusy:
    return AwsBusy(f"the schedule of {blueprint} is being changed by somebody else; apply again")


def _altered(wanted: dict[str, Any], found: Any) -> Iterator[str]:
    yield from (key for key, value in wanted.items() if found.get(key) != value)
    yield from (key for key in _NEVER_SET if found.get(key) is not None)
