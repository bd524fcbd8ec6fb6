"""Rules on a schedule, and EventBridge Scheduler: when they fire and with what."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.worlds import World, a_world, until

pytestmark = pytest.mark.long

ROLE = "arn:aws:iam::123456789012:role/schedules"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for all tests here; a minute takes a tenth of a second."""
    with a_world(speed=600) as world:
        iam = world.client("iam")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        sends = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        iam.create_role(RoleName="schedules", AssumeRolePolicyDocument=json.dumps(document))
        document = {"Version": "2012-10-17", "Statement": [sends]}
        iam.put_role_policy(
            RoleName="schedules", PolicyName="send", PolicyDocument=json.dumps(document)
        )
        yield world


class Queue:
    """A queue of its own and what came to it."""

    def __init__(self, world: World, name: str) -> None:
        self._sqs = world.client("sqs")
        self.url, self.arn = world.a_queue(name)
        self.got: list[str] = []

    def texts(self, count: int) -> list[str]:
        """What has come, once there is so much."""
        return list(until(lambda: self._more(count)))

    def _more(self, count: int) -> list[str]:
        answer = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", ()):
            self.got.append(message["Body"])
            self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.got if len(self.got) >= count else []

    def quiet(self, world: World, seconds: float) -> bool:
        """Whether nothing more comes within simulated seconds."""
        before = len(self.got)
        time.sleep(seconds / world.aws.clock.speed)
        self._more(0)
        return len(self.got) == before


def rule(world: World, name: str, expression: str, **target: Any) -> Queue:
    """A rule on a schedule, with a queue for its target."""
    queue, events = Queue(world, name), world.client("events")
    events.put_rule(Name=name, ScheduleExpression=expression)
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue.arn, **target}])
    return queue


def schedule(world: World, name: str, expression: str, queue: Queue, **more: Any) -> None:
    """A schedule of Scheduler's, with a queue for its target."""
    target = {"Arn": queue.arn, "RoleArn": ROLE} | more.pop("Target", {})
    world.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
        **more,
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_rule_sends_scheduled_events_at_its_rate(world: World) -> None:
    queue = rule(world, "each-minute", "rate(1 minute)")
    # A queue keeps no order.
    told = sorted((json.loads(text) for text in queue.texts(2)), key=lambda event: event["time"])
    first, second = told[:2]
    assert first.keys() == second.keys()
    assert (first["detail-type"], first["source"]) == ("Scheduled Event", "aws.events")
    arn = f"arn:aws:events:{world.aws.region}:{world.aws.account}:rule/each-minute"
    assert (first["resources"], first["detail"]) == ([arn], {})
    apart = (moment(second["time"]) - moment(first["time"])).total_seconds()
    assert apart >= 59
    assert apart % 60 in (0, 1, 59)


def test_a_rule_that_is_disabled_rests_and_one_that_is_deleted_ends(world: World) -> None:
    queue, events = rule(world, "rests", "rate(1 minute)"), world.client("events")
    queue.texts(1)
    events.disable_rule(Name="rests")
    assert queue.quiet(world, 30) or queue.quiet(world, 200)
    events.enable_rule(Name="rests")
    queue.texts(len(queue.got) + 1)
    events.remove_targets(Rule="rests", Ids=["queue"])
    events.delete_rule(Name="rests")
    assert queue.quiet(world, 30) or queue.quiet(world, 200)


def test_a_rule_on_a_schedule_is_no_rule_for_every_event(world: World) -> None:
    queue = rule(world, "far", "cron(0 0 1 1 ? 2199)")
    world.ring(world.an_alarm("noise"))
    assert queue.quiet(world, 120)


def test_a_rule_gives_its_target_the_input_that_it_names(world: World) -> None:
    queue = rule(world, "constant", "rate(1 minute)", Input='{"a": 1}')
    assert json.loads(queue.texts(1)[0]) == {"a": 1}


def test_a_schedule_without_a_start_begins_at_once_and_fills_in_what_it_knows(
    world: World,
) -> None:
    queue, begun = Queue(world, "filled"), world.aws.clock.now()
    text = "at <aws.scheduler.scheduled-time>, <aws.scheduler.attempt-number>"
    schedule(world, "filled", "rate(2 hours)", queue, Target={"Input": text})
    said = queue.texts(1)[0]
    assert said.endswith("Z, 1")
    assert abs((moment(said[3:-3]) - begun).total_seconds()) < 300


def test_a_schedule_without_an_input_sends_its_notification(world: World) -> None:
    queue = Queue(world, "told")
    schedule(world, "told", "rate(1 day)", queue)
    event = json.loads(queue.texts(1)[0])
    assert (event["source"], event["detail"]) == ("aws.scheduler", "{}")
    assert event["resources"][0].endswith(":schedule/default/told")


def test_one_time_comes_once_and_its_schedule_goes(world: World) -> None:
    queue, client = Queue(world, "once"), world.client("scheduler")
    due = world.aws.clock.now() + timedelta(minutes=5)
    text = f"at({due.astimezone(UTC):%Y-%m-%dT%H:%M:%S})"
    schedule(world, "once", text, queue, ActionAfterCompletion="DELETE")
    event = json.loads(queue.texts(1)[0])
    assert moment(event["time"]) == due.replace(microsecond=0)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_schedule(Name="once")


def test_a_schedule_has_its_time_zone_its_beginning_and_its_end(world: World) -> None:
    queue, now = Queue(world, "zone"), world.aws.clock.now()
    there = (now + timedelta(minutes=20)).astimezone(UTC) + timedelta(hours=9)
    schedule(
        world,
        "zone",
        f"cron({there.minute}/5 * * * ? *)",
        queue,
        ScheduleExpressionTimezone="Asia/Tokyo",
        StartDate=now + timedelta(minutes=15),
        EndDate=now + timedelta(minutes=22),
    )
    first = moment(json.loads(queue.texts(1)[0])["time"])
    assert now + timedelta(minutes=15) <= first <= now + timedelta(minutes=22)
    assert queue.quiet(world, 600) or len(queue.got) <= 2


def test_a_schedule_that_is_changed_or_disabled_fires_as_it_is_then(world: World) -> None:
    queue, client = Queue(world, "changed"), world.client("scheduler")
    schedule(world, "changed", "cron(0 0 1 1 ? 2199)", queue)
    common = {"Name": "changed", "FlexibleTimeWindow": {"Mode": "OFF"}}
    target = {"Arn": queue.arn, "RoleArn": ROLE, "Input": "now"}
    common["Target"] = target
    client.update_schedule(**common, ScheduleExpression="rate(1 minute)")
    assert queue.texts(2)[:2] == ["now", "now"]
    client.update_schedule(**common, ScheduleExpression="rate(1 minute)", State="DISABLED")
    assert queue.quiet(world, 30) or queue.quiet(world, 200)
    client.delete_schedule(Name="changed")


@pytest.mark.parametrize("text", ["rate(1 minutes)", "rate(5 minute)", "cron(0 8 * * * *)"])
def test_a_rule_refuses_what_eventbridge_refuses(world: World, text: str) -> None:
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        world.client("events").put_rule(Name="refused", ScheduleExpression=text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expression": "cron(0 8 * * * *)"}, "only one"),
        ({"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:ec2:startInstances"}}, "does not deliver"),
        (
            {
                "Target": {
                    "Arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
                    "Input": "text",
                }
            },
            "well-formed JSON",
        ),
    ],
)
def test_a_schedule_refuses_what_cannot_be(world: World, change: Any, said: str) -> None:
    queue, expression = Queue(world, "none"), change.pop("expression", "rate(1 day)")
    with pytest.raises(ClientError, match=said):
        schedule(world, "none", expression, queue, **change)
