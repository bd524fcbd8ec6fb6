"""What happens on a schedule: rules with a ScheduleExpression, and the schedules of EventBridge
Scheduler, in simulated time.

Events: EventBridge User Guide, "Scheduled Event" (a rule's), and what Scheduler sends where no
Input is given, as received: the detail is the text `{}`. That a rule's rate counts from its making,
and that a flexible window is left at its beginning, is assumed.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.events.exceptions import ValidationException as RuleRefused
from moto.events.models import EventsBackend
from moto.scheduler.exceptions import ValidationException as ScheduleRefused
from moto.scheduler.models import EventBridgeSchedulerBackend

from kiln.domain.schedule import Expression, InvalidSchedule, Rate, parse
from kiln_local.clock import SimClock
from kiln_local.events import TARGETS, AwsEvents
from kiln_local.patches import Patches

# Of a rule, one minute and many minutes; Scheduler takes either.
_RATE = re.compile(r"rate\((1 (minute|hour|day)|(?!1 )\d+ (minutes|hours|days))\)")
_INSTANT = timedelta(microseconds=1)


@dataclass
class Alarm:
    """What is due again and again: `ring` is given the time for which it was due, `end` is called
    when nothing is due any more."""

    expression: Expression
    ring: Callable[[datetime], None]
    last: datetime | None = None
    end: Callable[[], None] = lambda: None


@dataclass
class Schedules:
    """Everything on a schedule in one local AWS. Safe for threads."""

    clock: SimClock
    events: AwsEvents
    rules: Any
    scheduler: Any
    _set: dict[str, Alarm] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # ------------------------------------------------------------ rules

    def put_rule(self, rule: Any) -> None:
        """A rule was made or replaced."""
        if not rule.scheduled_expression:
            self._forget(rule.arn)
            return
        expression = parse(rule.scheduled_expression, "UTC", self.clock.now())
        self._begin(rule.arn, Alarm(expression, lambda due: self._rule_rings(rule.name, due)))

    def _rule_rings(self, name: str, due: datetime) -> None:
        rule = self.rules.event_buses["default"].rules.get(name)
        if rule is None:
            self._forget(self._rule_arn(name))
        elif rule.state == "ENABLED":
            event = self.events.envelope("aws.events", "Scheduled Event", {})
            self.events.trigger(rule, event | {"time": _text(due), "resources": [rule.arn]})

    def _rule_arn(self, name: str) -> str:
        return f"arn:aws:events:{self.rules.region_name}:{self.rules.account_id}:rule/{name}"

    # ------------------------------------------------------------ EventBridge Scheduler

    def put_schedule(self, schedule: Any) -> None:
        """A schedule was made or replaced."""
        now = self.clock.now()
        begin = _moment(schedule.start_date) or now
        expression = parse(
            schedule.schedule_expression, schedule.schedule_expression_timezone, begin
        )
        alarm = Alarm(
            expression,
            lambda due: self._schedule_rings(schedule, due),
            _moment(schedule.end_date),
            lambda: self._ends(schedule),
        )
        # A rate without StartDate begins at once.
        self._begin(schedule.arn, alarm, max(begin, now) - _INSTANT)

    def _schedule_rings(self, schedule: Any, due: datetime) -> None:
        group = self.scheduler.schedule_groups.get(schedule.group_name)
        if group is None or group.schedules.get(schedule.name) is not schedule:
            self._forget(schedule.arn)
        elif schedule.state == "ENABLED":
            target = dict(schedule.target)
            text = _filled(target.pop("Input", None) or self._told(schedule, due), schedule, due)
            source = "SCHEDULE_ARN", schedule.arn
            if target["Arn"].split(":")[2] != "sqs":
                self.events.hand_over(target, json.loads(text), source)
            elif not self.events.refuses(target, source):
                # A queue gets the text as it is, JSON or not.
                self.clock.later(0, lambda: self.events.send_message(target["Arn"], text, {}))

    def _told(self, schedule: Any, due: datetime) -> str:
        event = self.events.envelope("aws.scheduler", "Scheduled Event", "{}")
        return json.dumps(event | {"time": _text(due), "resources": [schedule.arn]})

    def _ends(self, schedule: Any) -> None:
        group = self.scheduler.schedule_groups.get(schedule.group_name)
        if schedule.action_after_completion == "DELETE" and group:
            group.schedules.pop(schedule.name, None)

    # ------------------------------------------------------------ time

    def _begin(self, arn: str, alarm: Alarm, since: datetime | None = None) -> None:
        with self._lock:
            self._set[arn] = alarm
        self._wait(arn, alarm, since or self.clock.now())

    def _forget(self, arn: str) -> None:
        with self._lock:
            self._set.pop(arn, None)

    def _wait(self, arn: str, alarm: Alarm, since: datetime) -> None:
        due = alarm.expression.after(since)
        if due is None or (alarm.last and due > alarm.last):
            self._forget(arn)
            alarm.end()
            return
        left = (due - self.clock.now()).total_seconds()
        self.clock.after(max(0.0, left), lambda: self._ring(arn, alarm, due))

    def _ring(self, arn: str, alarm: Alarm, due: datetime) -> None:
        if self._set.get(arn) is not alarm:
            return
        alarm.ring(due)
        # What a busy machine was late for is left out, so that it can catch up.
        if self._set.get(arn) is alarm:
            self._wait(arn, alarm, max(due, self.clock.now()))


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(float(seconds), UTC) if seconds else None


def _filled(text: str, schedule: Any, due: datetime) -> str:
    """The input with what Scheduler knows put in (Scheduler User Guide, "Adding context
    attributes")."""
    known = {
        "schedule-arn": schedule.arn,
        "scheduled-time": _text(due),
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": "1",
    }
    for name, value in known.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def connect(patches: Patches, schedules: Schedules) -> None:
    """Patch moto's EventBridge and its Scheduler, which keep schedules and do nothing on them."""
    put = EventsBackend.put_rule
    create = EventBridgeSchedulerBackend.create_schedule
    update = EventBridgeSchedulerBackend.update_schedule

    def put_rule(self: Any, name: str, **asked: Any) -> Any:
        text = asked.get("scheduled_expression")
        if text:
            _check_rule(text, schedules.clock.now())
        rule = put(self, name, **asked)
        schedules.put_rule(rule)
        return rule

    def scheduled(method: Any) -> Any:
        def change(self: Any, **asked: Any) -> Any:
            _check_schedule(asked, schedules.clock.now())
            schedule = method(self, **asked)
            # What an update leaves out is as at the beginning (Scheduler API, UpdateSchedule).
            schedule.state = schedule.state or "ENABLED"
            schedules.put_schedule(schedule)
            return schedule

        return change

    patches.set(EventsBackend, "put_rule", put_rule)
    patches.set(EventBridgeSchedulerBackend, "create_schedule", scheduled(create))
    patches.set(EventBridgeSchedulerBackend, "update_schedule", scheduled(update))


def _check_rule(text: str, now: datetime) -> None:
    try:
        known = parse(text, "UTC", now)
    except InvalidSchedule as error:
        raise RuleRefused("Parameter ScheduleExpression is not valid.") from error
    if text.startswith("at") or (isinstance(known, Rate) and not _RATE.fullmatch(text)):
        raise RuleRefused("Parameter ScheduleExpression is not valid.")


def _check_schedule(asked: dict[str, Any], now: datetime) -> None:
    zone = asked.get("schedule_expression_timezone") or "UTC"
    try:
        parse(asked["schedule_expression"], zone, now)
    except InvalidSchedule as error:
        raise ScheduleRefused(f"Invalid Schedule Expression: {error}") from error
    service = asked["target"]["Arn"].split(":")[2]
    if service not in TARGETS:
        raise ScheduleRefused(f"The local AWS does not deliver to {service} on a schedule.")
    text = asked["target"].get("Input")
    if text and service != "sqs":
        _check_json(text)


def _check_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise ScheduleRefused("Invalid Input: it is not well-formed JSON") from error
