"""CloudWatch's metrics of what the template watches, and its alarms looked at in simulated time.

Step Functions and SQS send metrics of their own (Step Functions Developer Guide, "Monitoring Step
Functions metrics"; SQS Developer Guide, "Available CloudWatch metrics"), functions print theirs in
the embedded metric format (CloudWatch User Guide, "Embedded metric format specification"). An alarm
on anything else keeps the state that SetAlarmState gives it. That alarms are looked at once in
five minutes, not in one, is ours: the template's periods are no shorter.
"""

from __future__ import annotations

import json
import operator
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiln_local.clock import SimClock

_EVERY_S = 300
_SERVED = frozenset({"AWS/States", "AWS/SQS", "Kiln"})
_ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda found: sum(found) / len(found),
}
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}


@dataclass(frozen=True)
class Metric:
    """A metric: namespace, name, and dimensions as pairs in order of their names."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass
class Metrics:
    """The metrics of one local AWS. `depth` tells how many messages a queue holds, `ring` gives an
    alarm its state: name, reason, state."""

    clock: SimClock
    alarms: Callable[[], Mapping[str, Any]]
    depth: Callable[[str], int]
    ring: Callable[[str, str, str], None]
    _points: deque[tuple[float, Metric, float]] = field(
        default_factory=lambda: deque(maxlen=50_000)
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Look at the alarms from now on."""
        self.clock.after(_EVERY_S, self._tick)

    def count(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        """Add a data point of now."""
        metric = Metric(namespace, name, tuple(sorted(dimensions.items())))
        with self._lock:
            self._points.append((self.clock.seconds(), metric, value))

    def execution(self, execution: Any) -> None:
        """An execution of a state machine has begun or ended."""
        machine = execution.state_machine_arn
        status = str(getattr(execution.exec_status, "value", execution.exec_status))
        if status == "RUNNING":
            self.count("AWS/States", "ExecutionsStarted", 1, StateMachineArn=machine)
        elif status in _ENDS:
            self.count("AWS/States", _ENDS[status], 1, StateMachineArn=machine)
            took = (execution.stop_date - execution.start_date).total_seconds()
            self.count("AWS/States", "ExecutionTime", took * 1000, StateMachineArn=machine)

    def printed(self, text: str) -> None:
        """What a function prints; a metric if it is in the embedded format."""
        if '"_aws"' not in text:
            return
        found = json.loads(text)
        for told in found["_aws"]["CloudWatchMetrics"]:
            for names in told["Dimensions"]:
                dimensions = {name: str(found[name]) for name in names}
                for metric in told["Metrics"]:
                    value = found[metric["Name"]]
                    for one in value if isinstance(value, list) else [value]:
                        self.count(told["Namespace"], metric["Name"], one, **dimensions)

    # ------------------------------------------------------------ alarms

    def _tick(self) -> None:
        self.clock.crew.start(self.look)
        self.clock.after(_EVERY_S, self._tick)

    def look(self) -> None:
        """Give every alarm that watches what is served the state that it must have."""
        for alarm in list(self.alarms().values()):
            state = self._state(alarm) if _is_served(alarm) else None
            if state and state[0] != alarm.state_value:
                self.ring(alarm.name, state[1], state[0])

    def _state(self, alarm: Any) -> tuple[str, str]:
        """State and reason: in ALARM where enough of the newest periods breach."""
        missing = alarm.treat_missing_data or "missing"
        wanted = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
        values = [self._value(alarm, back) for back in range(int(alarm.evaluation_periods))]
        breaches = [
            missing == "breaching" if value is None else self._breaches(alarm, value)
            for value in values
        ]
        if all(value is None for value in values) and missing == "missing":
            return "INSUFFICIENT_DATA", "no data"
        if sum(breaches) >= wanted:
            return "ALARM", f"{sum(breaches)} of {len(values)} datapoints breach: {values}"
        return "OK", f"{sum(breaches)} of {len(values)} datapoints breach: {values}"

    def _breaches(self, alarm: Any, value: float) -> bool:
        compare = _COMPARISONS[alarm.comparison_operator]
        return bool(compare(value, float(alarm.threshold)))

    def _value(self, alarm: Any, back: int) -> float | None:
        """An alarm's value, so many periods ago."""
        if not alarm.metric_data_queries:
            dimensions = tuple(sorted((d.name, d.value) for d in alarm.dimensions))
            metric = Metric(alarm.namespace, alarm.metric_name, dimensions)
            return self._statistic(metric, alarm.statistic, int(alarm.period), back)
        known: dict[str, float | None] = {}
        result: float | None = None
        for query in alarm.metric_data_queries:
            stat = query.metric_stat
            if stat:
                told = stat.metric
                dimensions = tuple(sorted((d.name, d.value) for d in told.dimensions))
                metric = Metric(told.namespace, told.metric_name, dimensions)
                known[query.id] = self._statistic(metric, stat.stat, int(stat.period), back)
            else:
                result = calculated(query.expression, known)
        return result

    def _statistic(self, metric: Metric, stat: str, period: int, back: int) -> float | None:
        if metric.namespace == "AWS/SQS" and not back:
            return float(self.depth(dict(metric.dimensions)["QueueName"]))
        end = self.clock.seconds() - period * back
        with self._lock:
            found = [v for at, m, v in self._points if m == metric and end - period < at <= end]
        return _STATISTICS[stat](found) if found else None


def _is_served(alarm: Any) -> bool:
    queries = alarm.metric_data_queries or ()
    spaces = {q.metric_stat.metric.namespace for q in queries if q.metric_stat}
    return (spaces or {alarm.namespace}) <= _SERVED


# Read by patterns and not by Python's parser, which threads of one process may not use at once.
_FILL = re.compile(r"FILL\((\w+), (\d+)\)")
_SUM = re.compile(r"SUM\(\[(.*)\]\)")
_QUOTIENT = re.compile(r"(\w+) / (\d+)")


def calculated(expression: str, known: Mapping[str, float | None]) -> float | None:
    """Metric math, as far as the template needs it: FILL, SUM of a list, and a quotient. ValueError
    for more."""
    if found := _SUM.fullmatch(expression):
        parts = re.findall(r"\w+\([^)]*\)|[^,\s]+", found[1])
        values = [calculated(part, known) for part in parts]
        return sum(value for value in values if value is not None)
    if found := _FILL.fullmatch(expression):
        value = known[found[1]]
        return float(found[2]) if value is None else value
    if found := _QUOTIENT.fullmatch(expression):
        value = known[found[1]]
        return None if value is None else value / float(found[2])
    if expression in known:
        return known[expression]
    raise ValueError(f"the local AWS does not calculate {expression!r}")


def watch(clock: SimClock, backend: Callable[[str], Any]) -> Metrics:
    """The metrics of a local AWS, whose alarms, queues and topics moto keeps: `backend` gives those
    of a service. The actions of an alarm that rings are topics, which are told."""

    def depth(queue: str) -> int:
        found = backend("sqs").queues.get(queue)
        return len(found.messages) if found else 0

    def ring(name: str, reason: str, state: str) -> None:
        alarms = backend("cloudwatch")
        alarms.set_alarm_state(name, reason, "{}", state)
        told = {"AlarmName": name, "NewStateValue": state, "NewStateReason": reason}
        for topic in alarms.alarms[name].alarm_actions if state == "ALARM" else ():
            backend("sns").publish(json.dumps(told), arn=topic, subject=f"ALARM: {name}")

    return Metrics(clock, lambda: backend("cloudwatch").alarms, depth, ring)
