"""What a rule's target gets of an event, how often it is tried, and which targets are refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from kiln_local.asynchronous import Asynchronous
from kiln_local.clock import SimClock
from kiln_local.events import AwsEvents
from kiln_local.latencies import Latencies
from kiln_local.makers import MAKERS, Stack
from kiln_local.template import Resolver, TemplateError

LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:f"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:dead"
FAILED = "arn:aws:sqs:eu-west-1:123456789012:failed"
FAULT = {"errorType": "AwsBusy", "errorMessage": "dynamodb is busy"}
RULE = "arn:aws:events:eu-west-1:123456789012:rule/r"


class Delivery:
    """A bus with one rule, and what its targets got."""

    def __init__(self, clock: SimClock, failing: bool = False) -> None:
        self.got: list[Any] = []
        self.dead: list[Any] = []
        self.done = threading.Event()
        self._failing = failing
        self._events = AwsEvents(clock, Latencies(), "123456789012", "eu-west-1")
        self._events.send_message = self._bury
        self._events.lambdas = Asynchronous(
            clock,
            self,
            lambda service, resource: f"arn:aws:{service}:eu-west-1:123456789012:{resource}",
            self._bury,
            {"f": FAILED},
        )

    def names(self) -> list[str]:
        """The one function that there is."""
        return ["f"]

    def invoke(self, _: str, event: Any) -> tuple[Any, bool]:
        """The function of the target."""
        self.got.append(event)
        if not self._failing:
            self.done.set()
        return FAULT if self._failing else None, self._failing

    def _bury(self, arn: str, text: str, attributes: dict[str, str]) -> None:
        self.dead.append((arn, json.loads(text), attributes))
        self.done.set()

    def send(self, target: dict[str, Any], state: str = "running") -> None:
        """Let EC2 report an instance's state to a target, and wait until it is done."""
        pattern = SimpleNamespace(
            get_pattern=lambda: {"detail": {"state": ["running"]}},
            matches_event=lambda event: event["detail"]["state"] == "running",
        )
        rule = SimpleNamespace(arn=RULE, state="ENABLED", event_pattern=pattern, targets=[target])
        bus = SimpleNamespace(rules={"r": rule})
        self._events.backend = SimpleNamespace(event_buses={"default": bus})
        self._events.instance_changed("i-1", state)
        self.done.wait(5 if state == "running" else 0.1)


@pytest.fixture
def clock() -> Iterator[SimClock]:
    """A fast clock that ends with the test."""
    clock = SimClock(1000)
    yield clock
    clock.end()


TRANSFORMER = {
    "InputPathsMap": {"id": "$.detail.instance-id", "detail": "$.detail"},
    "InputTemplate": '{"instance": <id>, "said": "<id> is so", "whole": "<detail>", "no": "<b>"}',
}
TRANSFORMED = {
    "instance": "i-1",
    "said": "i-1 is so",
    "whole": '{"instance-id": "i-1", "state": "running"}',
    "no": "<b>",
}


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail"}, {"instance-id": "i-1", "state": "running"}),
        ({"InputPath": "$.detail.state"}, "running"),
        ({"InputPath": "$.detail.none.such"}, None),
        ({"InputTransformer": TRANSFORMER}, TRANSFORMED),
    ],
)
def test_a_target_gets_what_its_rule_asks_for(
    clock: SimClock, shape: dict[str, Any], expected: Any
) -> None:
    delivery = Delivery(clock)
    delivery.send({"Arn": LAMBDA, **shape})
    assert delivery.got == [expected]


def test_a_target_without_a_shape_gets_the_whole_event(clock: SimClock) -> None:
    delivery = Delivery(clock)
    delivery.send({"Arn": LAMBDA})
    assert delivery.got[0]["detail-type"] == "EC2 Instance State-change Notification"
    assert delivery.got[0]["resources"] == ["arn:aws:ec2:eu-west-1:123456789012:instance/i-1"]


def test_an_event_that_does_not_match_is_not_delivered(clock: SimClock) -> None:
    delivery = Delivery(clock)
    delivery.send({"Arn": LAMBDA}, "stopped")
    assert delivery.got == []


def test_a_failing_function_is_tried_three_times_and_its_event_recorded(clock: SimClock) -> None:
    """By Lambda, in the destination of the function; the rule has handed it over."""
    delivery = Delivery(clock, failing=True)
    delivery.send({"Arn": LAMBDA, "DeadLetterConfig": {"Arn": QUEUE}, "Input": '{"a": 1}'})
    assert delivery.got == [{"a": 1}] * 3
    ((queue, record, attributes),) = delivery.dead
    assert (queue, attributes) == (FAILED, {})
    assert record["requestPayload"] == {"a": 1}
    assert record["responsePayload"] == FAULT
    assert record["requestContext"]["functionArn"] == f"{LAMBDA}:$LATEST"
    assert record["requestContext"]["approximateInvokeCount"] == 3


def test_an_event_for_a_function_that_is_gone_goes_to_the_queue_of_its_rule(
    clock: SimClock,
) -> None:
    delivery = Delivery(clock)
    gone = LAMBDA.replace(":f", ":gone")
    delivery.send({"Arn": gone, "DeadLetterConfig": {"Arn": QUEUE}, "Input": '{"a": 1}'})
    ((queue, body, attributes),) = delivery.dead
    assert (queue, body, delivery.got) == (QUEUE, {"a": 1}, [])
    assert attributes["RULE_ARN"] == RULE
    assert (attributes["TARGET_ARN"], attributes["ERROR_CODE"]) == (gone, "NO_RESOURCE")


def test_a_rule_for_a_service_that_is_not_served_is_refused() -> None:
    session = boto3.Session(region_name="eu-west-1")
    stack = Stack(session, "123456789012", {}, Path())
    rule = {"EventPattern": {}, "Targets": [{"Id": "t", "Arn": "arn:aws:sns:eu-west-1:1:topic"}]}
    with pytest.raises(TemplateError, match="Loud: the local AWS cannot deliver to sns"):
        MAKERS["AWS::Events::Rule"](stack, "Loud", rule)


def test_a_mapping_is_looked_up_and_an_unknown_function_refused() -> None:
    resolver = Resolver({"Mappings": {"Sizes": {"big": {"cpu": 8}}}}, {}, {})
    assert resolver.value({"Fn::FindInMap": ["Sizes", "big", "cpu"]}) == 8
    with pytest.raises(TemplateError, match=r"Sizes\.small\.cpu is in no mapping"):
        resolver.value({"Fn::FindInMap": ["Sizes", "small", "cpu"]})
    with pytest.raises(TemplateError, match="Fn::Base64"):
        resolver.value({"Fn::Base64": "x"})


def test_a_delivery_that_is_tried_again_ends_with_its_local_aws() -> None:
    clock = SimClock(30)
    delivery = Delivery(clock, failing=True)
    delivery.done.set()
    delivery.send({"Arn": LAMBDA})
    while not delivery.got:
        clock.sleep(1)
    clock.end()
    assert (clock.join(), len(delivery.got), delivery.dead) == ([], 1, [])
