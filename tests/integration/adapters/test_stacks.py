"""What layers need of AWS: the fakes and the adapters keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kiln.adapters.alarms import CloudWatchAlarms
from kiln.adapters.deployments import DynamoDeployments
from kiln.adapters.rounds import DynamoRounds
from kiln.adapters.traffic import ElbTraffic
from kiln.domain.configure import Ask, Round
from kiln.domain.deployment import Command, CommandStatus, Deployment
from kiln.errors import AwsRefused
from kiln.ports import Deployments, Rounds
from tests.builders import NOW
from tests.fakes import FakeDeployments, FakeRounds
from tests.moto_clients import mock_aws, moto_client
from tests.stubs import scripted

GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"


@contextmanager
def a_table() -> Iterator[tuple[Any, str]]:
    """An empty table on moto."""
    with mock_aws():
        client = moto_client("dynamodb")
        keys = [("PK", "HASH"), ("SK", "RANGE")]
        client.create_table(
            TableName="kiln",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
        )
        yield client, "kiln"


@pytest.fixture(params=["fake", "dynamodb"])
def rounds(request: pytest.FixtureRequest) -> Iterator[Rounds]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakeRounds()
        return
    with a_table() as table:
        yield DynamoRounds(*table)


@pytest.fixture(params=["fake", "dynamodb"])
def deployments(request: pytest.FixtureRequest) -> Iterator[Deployments]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakeDeployments()
        return
    with a_table() as table:
        yield DynamoDeployments(*table)


def test_a_deployment_is_kept_with_its_results(deployments: Deployments) -> None:
    first, second = (
        Deployment(
            id=name, stack="shop", command="deploy", instances=("a", "b"), by="ada", at=at,
            custom_json={"deep": {"value": [1, None, "x"]}},
        )
        for name, at in (("f", "2026-11-23T10:00:00+00:00"), ("a", "2026-11-23T11:00:00+00:00"))
    )  # fmt: skip
    for deployment in (second, first, first):
        deployments.put(deployment)
    assert deployments.get("shop", "f") == first
    assert deployments.get("bank", "f") is None
    assert deployments.all_of("shop") == (first, second)
    failed = Command(deployment="f", instance="a", hostname="web1", status=CommandStatus.FAILED)
    well = failed.model_copy(update={"status": CommandStatus.SUCCESSFUL})
    other = failed.model_copy(update={"instance": "b"})
    for command in (failed, other, well):
        deployments.put_command("shop", command)
    assert deployments.commands("shop", "f") == (well, other)
    assert deployments.commands("shop", "a") == ()


def test_wishes_are_counted_stack_by_stack(rounds: Rounds) -> None:
    assert rounds.asked("shop") == 0
    assert [rounds.next_number("shop") for _ in range(3)] == [1, 2, 3]
    assert rounds.next_number("bank") == 1
    assert rounds.asked("shop") == 3


def test_one_at_a_time_has_a_stacks_rounds(rounds: Rounds) -> None:
    rounds.next_number("shop")
    assert rounds.hold("shop", "a")
    assert rounds.hold("shop", "a")
    assert not rounds.hold("shop", "b")
    assert rounds.holder("shop") == "a"
    assert not rounds.hold("shop", "b", instead_of="c")
    assert rounds.hold("shop", "b", instead_of="a")
    assert not rounds.free("shop", "a", 1)
    assert not rounds.free("shop", "b", 0)
    assert rounds.free("shop", "b", 1)
    assert rounds.holder("shop") is None
    assert rounds.hold("shop", "c")


def test_wishes_and_rounds_are_kept_in_their_order(rounds: Rounds) -> None:
    at = NOW.isoformat()
    asks = [
        Ask(stack="shop", number=number, instance="i", reason="online", at=at)
        for number in (1, 2, 10)
    ]
    for ask in reversed(asks):
        rounds.put_ask(ask)
    assert rounds.asks("shop") == tuple(asks)
    begun = Round(stack="shop", number=1, covers=3, execution="e", began=at)
    rounds.put_round(begun)
    ended = begun.model_copy(update={"ended": at, "failures": {"i": "no"}})
    rounds.put_round(ended)
    assert rounds.rounds("shop") == (ended,)
    assert rounds.rounds("bank") == ()


def test_instances_are_registered_and_let_go_of_group_by_group() -> None:
    with scripted("elbv2") as elb:
        request = {"TargetGroupArn": GROUP, "Targets": [{"Id": "i-1"}]}
        elb.answer("register_targets", {}, request)
        ElbTraffic(elb.client).register([GROUP], "i-1")
        elb.answer("deregister_targets", {}, request)
        elb.refuse("deregister_targets", "TargetGroupNotFound")
        elb.refuse("deregister_targets", "InvalidTarget")
        ElbTraffic(elb.client).deregister([GROUP] * 3, "i-1")
        elb.refuse("register_targets", "TargetGroupNotFound")
        with pytest.raises(AwsRefused):
            ElbTraffic(elb.client).register([GROUP], "i-1")


def test_health_is_told_as_the_load_balancer_tells_it() -> None:
    """Elastic Load Balancing API, TargetHealth: an unknown target is `unused`."""
    with scripted("elbv2") as elb:
        health = {"State": "unhealthy", "Reason": "Target.Timeout"}
        found = {"Target": {"Id": "i-1"}, "TargetHealth": health}
        elb.answer("describe_target_health", {"TargetHealthDescriptions": [found]})
        elb.answer("describe_target_health", {"TargetHealthDescriptions": []})
        traffic = ElbTraffic(elb.client)
        assert traffic.health(GROUP, "i-1") == ("unhealthy", "Target.Timeout")
        assert traffic.health(GROUP, "i-1") == ("unused", "Target.NotRegistered")


def test_an_alarm_that_cloudwatch_does_not_know_is_an_error() -> None:
    """CloudWatch API, DescribeAlarms: names that do not exist are left out of the answer."""
    with scripted("cloudwatch") as cloudwatch:
        both = {
            "MetricAlarms": [{"AlarmName": "a", "StateValue": "ALARM"}],
            "CompositeAlarms": [{"AlarmName": "b", "StateValue": "OK"}],
        }
        request = {"AlarmNames": ["a", "b"], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        cloudwatch.answer("describe_alarms", both, request)
        cloudwatch.answer("describe_alarms", both)
        alarms = CloudWatchAlarms(cloudwatch.client)
        assert alarms.ringing([]) == ()
        assert alarms.ringing(["a", "b"]) == ("a",)
        with pytest.raises(AwsRefused, match="no alarm c"):
            alarms.ringing(["a", "c"])
