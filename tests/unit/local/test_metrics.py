"""Metrics and the alarms on them, by the clock of a test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kiln_local.metrics import Metrics, calculated

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:kiln-bake"


class Clock:
    """Simulated seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 10_000.0

    def seconds(self) -> float:
        """Simulated seconds."""
        return self.now


class Ground:
    """Metrics with one alarm, and what it became."""

    def __init__(self, **alarm: Any) -> None:
        values: dict[str, Any] = {
            "name": "a",
            "namespace": "Kiln",
            "metric_name": "Leaks",
            "dimensions": [SimpleNamespace(name="function", value="f")],
            "statistic": "Sum",
            "period": 3600,
            "evaluation_periods": 1,
            "datapoints_to_alarm": None,
            "treat_missing_data": "notBreaching",
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": 1,
            "metric_data_queries": None,
            "state_value": "INSUFFICIENT_DATA",
        }
        self.alarm = SimpleNamespace(**(values | alarm))
        self.clock, self.waiting = Clock(), 0
        self.metrics = Metrics(
            self.clock,  # type: ignore[arg-type]
            lambda: {"a": self.alarm},
            lambda _: self.waiting,
            self._ring,
        )

    def _ring(self, name: str, reason: str, state: str) -> None:
        assert name == "a"
        assert reason
        self.alarm.state_value = state

    def look(self) -> str:
        """The alarm's state after a look."""
        self.metrics.look()
        return str(self.alarm.state_value)


def test_an_alarm_rings_as_long_as_its_period_has_what_it_watches() -> None:
    ground = Ground()
    assert ground.look() == "OK"
    ground.metrics.count("Kiln", "Leaks", 2, function="f")
    ground.metrics.count("Kiln", "Leaks", 9, function="another")
    assert ground.look() == "ALARM"
    ground.clock.now += 3601
    assert ground.look() == "OK"


def test_a_metric_that_does_not_come_breaches_where_the_alarm_says_so() -> None:
    ground = Ground(treat_missing_data="breaching", evaluation_periods=3, datapoints_to_alarm=3)
    assert ground.look() == "ALARM"
    ground.metrics.count("Kiln", "Leaks", 0, function="f")
    assert ground.look() == "OK"


def test_no_data_is_no_state_where_the_alarm_says_nothing() -> None:
    ground = Ground(treat_missing_data=None)
    ground.alarm.state_value = "OK"
    assert ground.look() == "INSUFFICIENT_DATA"


def test_an_alarm_on_what_is_not_served_keeps_its_state() -> None:
    ground = Ground(namespace="AWS/EC2", state_value="ALARM")
    assert ground.look() == "ALARM"


def test_what_waits_in_a_queue_is_counted_when_it_is_looked_at() -> None:
    queue = [SimpleNamespace(name="QueueName", value="q")]
    ground = Ground(namespace="AWS/SQS", dimensions=queue, statistic="Maximum")
    assert ground.look() == "OK"
    ground.waiting = 1
    assert ground.look() == "ALARM"


def test_executions_are_counted_by_how_they_end_and_how_long_they_took() -> None:
    queries = [
        SimpleNamespace(
            id=name,
            metric_stat=SimpleNamespace(
                metric=SimpleNamespace(
                    namespace="AWS/States",
                    metric_name=metric,
                    dimensions=[SimpleNamespace(name="StateMachineArn", value=MACHINE)],
                ),
                stat="Sum",
                period=300,
            ),
            expression=None,
        )
        for name, metric in (("failed", "ExecutionsFailed"), ("late", "ExecutionsTimedOut"))
    ]
    total = SimpleNamespace(
        id="e", metric_stat=None, expression="SUM([FILL(failed, 0), FILL(late, 0)])"
    )
    ground = Ground(metric_data_queries=[*queries, total])
    assert ground.look() == "OK"
    for status in ("RUNNING", "FAILED"):
        ground.metrics.execution(_execution(status))
    assert ground.look() == "ALARM"


def _execution(status: str) -> Any:
    began, ended = datetime(2026, 11, 29, 1, tzinfo=UTC), datetime(2026, 11, 29, 2, tzinfo=UTC)
    return SimpleNamespace(
        state_machine_arn=MACHINE, exec_status=status, start_date=began, stop_date=ended
    )


def test_what_a_function_prints_in_the_embedded_format_is_a_metric() -> None:
    ground = Ground()
    told = {"Namespace": "Kiln", "Dimensions": [["function"]], "Metrics": [{"Name": "Leaks"}]}
    line = {"_aws": {"CloudWatchMetrics": [told]}, "function": "f", "Leaks": [1.0]}
    ground.metrics.printed("\n")
    ground.metrics.printed(json.dumps(line))
    assert ground.look() == "ALARM"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a / 60000", 2.0),
        ("b / 60000", None),
        ("FILL(b, 7)", 7.0),
        ("SUM([a, FILL(b, 5)])", 120_005.0),
        ("SUM([b])", 0),
    ],
)
def test_metric_math_is_calculated_as_far_as_it_goes(expression: str, value: float | None) -> None:
    assert calculated(expression, {"a": 120_000.0, "b": None}) == value


def test_other_metric_math_is_refused() -> None:
    with pytest.raises(ValueError, match="does not calculate"):
        calculated("ANOMALY_DETECTION_BAND(a, 2)", {"a": 1.0})
