"""What layers need of AWS: the fakes and the adapters keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from kiln.adapters.agents import SsmAgents
from kiln.adapters.alarms import CloudWatchAlarms
from kiln.adapters.deployments import DynamoDeployments
from kiln.adapters.load_steps import DynamoLoadSteps
from kiln.adapters.rounds import DynamoRounds
from kiln.adapters.traffic import ElbTraffic
from kiln.domain.configure import Ask, Round
from kiln.domain.deployment import Command, CommandStatus, Deployment
from kiln.domain.healing import Ping
from kiln.domain.load import AlarmState, LoadStep
from kiln.errors import AwsRefused
from kiln.ports import Deployments, LoadSteps, Rounds
from tests.builders import NOW
from tests.fakes import FakeDeployments, FakeLoadSteps, FakeRounds
from tests.moto_clients import a_table as made_table
from tests.moto_clients import mock_aws
from tests.stubs import scripted

GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"


@contextmanager
def a_table() -> Iterator[tuple[Any, str]]:
    """An empty table on moto."""
    with mock_aws():
        yield made_table(), "kiln"


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


@pytest.fixture(params=["fake", "dynamodb"])
def load_steps(request: pytest.FixtureRequest) -> Iterator[LoadSteps]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakeLoadSteps()
        return
    with a_table() as table:
        yield DynamoLoadSteps(*table)


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


def test_a_stack_for_which_nobody_has_wished_is_let_go_of(rounds: Rounds) -> None:
    assert rounds.hold("shop", "a")
    assert not rounds.free("shop", "a", 1)
    assert rounds.free("shop", "a", 0)
    assert rounds.holder("shop") is None


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


def test_alarms_are_told_with_the_time_of_their_last_change() -> None:
    """CloudWatch API, MetricAlarm: StateUpdatedTimestamp moves more often than the state."""
    with scripted("cloudwatch") as cloudwatch:
        at = {"StateUpdatedTimestamp": NOW}
        changed = {"StateTransitionedTimestamp": NOW - timedelta(hours=1)}
        both = {
            "MetricAlarms": [{"AlarmName": "a", "StateValue": "ALARM", **at, **changed}],
            "CompositeAlarms": [{"AlarmName": "b", "StateValue": "OK", **at}],
        }
        request = {
            "AlarmNames": ["a", "b", "c"],
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "MaxRecords": 100,
        }
        cloudwatch.answer("describe_alarms", both, request)
        alarms = CloudWatchAlarms(cloudwatch.client)
        assert alarms.look_at([]) == {}
        assert alarms.look_at(["a", "b", "a", "c"]) == {
            "a": AlarmState(value="ALARM", since=NOW - timedelta(hours=1)),
            "b": AlarmState(value="OK", since=NOW),
        }


def test_fifty_agents_are_asked_for_in_one_call() -> None:
    names = [f"i-{number:017x}" for number in range(51)]
    with scripted("ssm") as ssm:
        for part in (names[:50], names[50:]):
            request = {"Filters": [{"Key": "InstanceIds", "Values": part}], "MaxResults": 50}
            nodes = [
                {"InstanceId": part[0], "PingStatus": "ConnectionLost", "LastPingDateTime": NOW}
            ]
            ssm.answer("describe_instance_information", {"InstanceInformationList": nodes}, request)
        assert SsmAgents(ssm.client).pings(names) == {
            names[0]: Ping(online=False, heard=NOW),
            names[50]: Ping(online=False, heard=NOW),
        }
        assert SsmAgents(ssm.client).pings([]) == {}
        node = {"InstanceId": "i-1", "PingStatus": "Online", "LastPingDateTime": NOW}
        ssm.answer("describe_instance_information", {"InstanceInformationList": [node]})
        assert SsmAgents(ssm.client).pings(["i-1"]) == {"i-1": Ping(online=True, heard=NOW)}


def test_of_two_steps_with_one_number_the_first_is_taken(load_steps: LoadSteps) -> None:
    first = LoadStep(layer="shop/web", number=1, change="start", chosen={"i": 3}, at=NOW, until=NOW)
    assert load_steps.last("shop/web") is None
    assert load_steps.put(first)
    assert not load_steps.put(first)
    second = first.model_copy(update={"number": 2, "change": "stop"})
    assert load_steps.put(second)
    assert not load_steps.put(second)
    assert load_steps.last("shop/web") == second
    assert load_steps.last("shop/db") is None
