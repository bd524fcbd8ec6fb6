"""Agents and instances as a client outside sees them: lost, back, stopped, started, dead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.worlds import World, a_world, until

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for all tests here: each has instances of its own."""
    with a_world(speed=400) as world:
        yield world


def invocation(world: World, command: str, instance: str) -> dict[str, Any]:
    """An invocation as Systems Manager gives it."""
    return dict(world.ssm.get_command_invocation(CommandId=command, InstanceId=instance))


def test_a_silent_agent_is_lost_while_its_instance_runs(world: World) -> None:
    instance = world.an_instance()
    world.aws.agents.silence(instance)
    heard = world.node(instance)["LastPingDateTime"]
    until(lambda: world.ping(instance) == "ConnectionLost")
    assert world.node(instance)["LastPingDateTime"] == heard
    assert (world.aws.clock.now() - heard).total_seconds() >= 300
    assert world.state(instance) == "running"
    with pytest.raises(world.ssm.exceptions.InvalidInstanceId):
        world.run(instance, "true")


def test_a_stop_and_a_start_bring_a_silent_agent_back_with_all_its_files(world: World) -> None:
    instance = world.an_instance()
    before = world.instance(instance)
    (world.aws.room.root(instance) / "srv/kept").write_text("kept")
    world.aws.agents.silence(instance)
    world.ec2.stop_instances(InstanceIds=[instance])
    until(lambda: world.state(instance) == "stopped")
    stopped = world.instance(instance)
    assert "PublicIpAddress" not in stopped
    assert stopped["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    world.ec2.start_instances(InstanceIds=[instance])
    until(lambda: world.ping(instance) == "Online")
    after = world.instance(instance)
    assert after["PublicIpAddress"] != before["PublicIpAddress"]
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert after["LaunchTime"] > before["LaunchTime"]
    assert (world.aws.room.root(instance) / "srv/kept").read_text() == "kept"
    assert world.aws.room.running(instance)


def test_a_command_is_kept_for_an_agent_that_is_silent_and_expires(world: World) -> None:
    instance = world.an_instance()
    world.aws.agents.silence(instance)
    command = world.run(instance, "true", TimeoutSeconds=100)
    until(lambda: world.command(command)["Status"] == "TimedOut")
    told = invocation(world, command, instance)
    assert (told["Status"], told["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    listed = world.command(command)
    assert (listed["CompletedCount"], listed["DeliveryTimedOutCount"]) == (1, 1)


def test_a_command_runs_once_its_agent_speaks_again(world: World) -> None:
    instance = world.an_instance()
    world.aws.agents.silence(instance)
    command = world.run(instance, "true")
    assert world.command(command)["Status"] == "Pending"
    world.aws.agents.speak(instance)
    until(lambda: world.command(command)["Status"] == "Success")


def test_a_command_on_an_instance_that_dies_stays_in_progress_until_it_expires(
    world: World,
) -> None:
    instance = world.an_instance()
    command = world.run(instance, "sleep 30", TimeoutSeconds=1200)
    until(lambda: world.command(command)["Status"] == "InProgress")
    expires = world.command(command)["ExpiresAfter"]
    world.aws.agents.die(instance)
    until(lambda: world.state(instance) == "terminated")
    assert world.node(instance) == {}
    assert world.command(command)["Status"] == "InProgress"
    until(lambda: world.command(command)["Status"] == "TimedOut")
    assert world.aws.clock.now() >= expires


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("start_instances", "IncorrectInstanceState"),
        ("stop_instances", "IncorrectInstanceState"),
        ("reboot_instances", "IncorrectState"),
    ],
)
def test_what_is_terminated_is_neither_started_nor_stopped(
    world: World, call: str, code: str
) -> None:
    instance = world.launch()
    world.ec2.terminate_instances(InstanceIds=[instance])
    with pytest.raises(ClientError) as found:
        getattr(world.ec2, call)(InstanceIds=[instance])
    assert found.value.response["Error"]["Code"] == code


def test_what_is_stopping_cannot_be_started_yet(world: World) -> None:
    instance = world.an_instance()
    world.ec2.stop_instances(InstanceIds=[instance])
    with pytest.raises(ClientError, match="not in a state from which it can be started"):
        world.ec2.start_instances(InstanceIds=[instance])


def test_nodes_are_filtered_and_come_in_pages(world: World) -> None:
    ask = world.ssm.describe_instance_information
    first = world.an_instance()
    others = [world.launch() for _ in range(6)]
    until(lambda: all(world.ping(instance) == "Online" for instance in others))
    wanted = [{"Key": "InstanceIds", "Values": [first, *others]}]
    page = ask(Filters=wanted, MaxResults=5)
    rest = ask(Filters=wanted, MaxResults=5, NextToken=page["NextToken"])
    rows = page["InstanceInformationList"] + rest["InstanceInformationList"]
    assert {row["InstanceId"] for row in rows} == {first, *others}
    world.ec2.stop_instances(InstanceIds=[first])
    lost = [*wanted, {"Key": "PingStatus", "Values": ["ConnectionLost"]}]
    found = ask(Filters=lost)["InstanceInformationList"]
    assert [row["InstanceId"] for row in found] == [first]
    with pytest.raises(world.ssm.exceptions.InvalidFilterKey, match="does not filter nodes by Ia"):
        ask(Filters=[{"Key": "IamRole", "Values": ["x"]}])


def test_a_system_that_hangs_stays_stopping_until_it_is_forced(world: World) -> None:
    instance = world.an_instance()
    world.aws.ec2.hang(instance)
    world.ec2.stop_instances(InstanceIds=[instance])
    assert world.state(instance) == "stopping"
    world.aws.clock.sleep(300)
    world.ec2.stop_instances(InstanceIds=[instance], Force=False)
    world.aws.clock.sleep(60)
    assert world.state(instance) == "stopping"
    world.ec2.stop_instances(InstanceIds=[instance], Force=True)
    until(lambda: world.state(instance) == "stopped")
    world.ec2.start_instances(InstanceIds=[instance])
    until(lambda: world.ping(instance) == "Online")
    world.ec2.stop_instances(InstanceIds=[instance])
    until(lambda: world.state(instance) == "stopped")
