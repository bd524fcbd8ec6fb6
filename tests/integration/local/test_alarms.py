"""Alarms of CloudWatch: their states, and the event of each change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.worlds import World, a_world, until


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for all tests here, with an alarm each."""
    with a_world() as world:
        yield world


def described(world: World, name: str) -> dict[str, Any]:
    """An alarm as CloudWatch describes it."""
    (alarm,) = world.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(alarm)


def test_an_alarm_has_no_data_at_first_and_then_the_state_that_was_set(world: World) -> None:
    name = world.an_alarm("begins")
    before = described(world, name)
    assert before["StateValue"] == "INSUFFICIENT_DATA"
    world.ring(name)
    after = described(world, name)
    assert (after["StateValue"], after["StateReason"]) == ("ALARM", "a test")
    assert after["StateUpdatedTimestamp"] > before["StateUpdatedTimestamp"]
    (found,) = world.cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert found["AlarmName"] == name


def test_a_change_is_told_with_both_states_and_the_configuration(world: World) -> None:
    name = world.an_alarm("tells")
    world.cloudwatch.set_alarm_state(
        AlarmName=name, StateValue="OK", StateReason="fine", StateReasonData='{"a": 1}'
    )
    world.ring(name)
    _, event = world.sent("CloudWatch Alarm State Change", alarmName=name)
    assert event["source"] == "aws.cloudwatch"
    assert event["resources"] == [described(world, name)["AlarmArn"]]
    detail = event["detail"]
    assert detail.keys() == {"alarmName", "state", "previousState", "configuration"}
    assert detail["state"].keys() == {"value", "reason", "timestamp"}
    assert detail["state"]["timestamp"].endswith("+0000")
    assert (detail["state"]["value"], detail["previousState"]["value"]) == ("ALARM", "OK")
    assert detail["previousState"]["reasonData"] == '{"a": 1}'
    (metric,) = detail["configuration"]["metrics"]
    assert metric["metricStat"] == {
        "metric": {"namespace": "Shop", "name": "Errors", "dimensions": {"Layer": "web"}},
        "period": 60,
        "stat": "Sum",
    }


def test_a_state_that_does_not_differ_is_not_told(world: World) -> None:
    name = world.an_alarm("again")
    world.ring(name)
    world.ring(name)
    assert len(world.sent("CloudWatch Alarm State Change", alarmName=name)) == 1


def test_an_alarm_that_is_put_again_keeps_its_state(world: World) -> None:
    name = world.an_alarm("kept")
    world.ring(name)
    world.an_alarm(name, Threshold=5.0)
    after = described(world, name)
    assert (after["StateValue"], after["StateReason"]) == ("ALARM", "a test")
    assert after["Threshold"] == 5.0


def test_a_rule_delivers_the_event(world: World) -> None:
    queue, arn = world.a_queue("alarms")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}
    events = world.client("events")
    events.put_rule(Name="alarms", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": arn}])
    world.ring(world.an_alarm("delivered"))
    receive = world.client("sqs").receive_message
    (message,) = until(lambda: receive(QueueUrl=queue).get("Messages"))
    assert json.loads(message["Body"])["detail"]["alarmName"] == "delivered"
    events.remove_targets(Rule="alarms", Ids=["queue"])


def test_an_alarm_that_is_not_there_or_says_too_little_is_refused(world: World) -> None:
    with pytest.raises(world.cloudwatch.exceptions.ResourceNotFound):
        world.ring("nobody")
    with pytest.raises(ClientError, match="Either statistic or extended statistic"):
        world.cloudwatch.put_metric_alarm(
            AlarmName="bare",
            Namespace="Shop",
            MetricName="Errors",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )
