"""Targets behind a load balancer: their health over time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.local.worlds import World, a_world, until

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for all tests here, with a group and an instance each."""
    with a_world(speed=100) as world:
        yield world


@pytest.fixture(scope="module")
def running(world: World) -> str:
    """An instance that runs."""
    instance = world.launch()
    until(lambda: world.state(instance) == "running")
    return instance


def register(world: World, group: str, instance: str) -> float:
    """Register; the simulated time."""
    world.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    return float(world.aws.clock.seconds())


def becomes(world: World, group: str, instance: str, state: str) -> float:
    """Wait until a target has a state; the simulated time."""
    until(lambda: world.health(group, instance)["State"] == state)
    return float(world.aws.clock.seconds())


def test_a_target_is_healthy_after_as_many_checks_as_its_group_wants(
    world: World, running: str
) -> None:
    group = world.a_target_group("checks")
    begin = register(world, group, running)
    assert world.health(group, running) == {
        "State": "initial",
        "Reason": "Elb.InitialHealthChecking",
        "Description": "Initial health checks in progress",
    }
    assert becomes(world, group, running, "healthy") - begin >= 29
    assert "Reason" not in world.health(group, running)


def test_a_target_told_to_fail_never_turns_healthy_until_it_is_mended(
    world: World, running: str
) -> None:
    group = world.a_target_group("fails")
    world.aws.balancing.fail(group, running)
    begin = register(world, group, running)
    assert becomes(world, group, running, "unhealthy") - begin >= 19
    assert world.health(group, running)["Reason"] == "Target.FailedHealthChecks"
    world.aws.balancing.mend(group)
    becomes(world, group, running, "healthy")
    world.aws.balancing.fail(group)
    becomes(world, group, running, "unhealthy")


def test_a_group_that_no_listener_forwards_to_is_not_in_use(world: World, running: str) -> None:
    group = world.a_target_group("unused", used=False)
    register(world, group, running)
    assert world.health(group, running)["Reason"] == "Target.NotInUse"
    listener = world.a_balancer("unused", group)
    assert world.health(group, running)["State"] == "initial"
    becomes(world, group, running, "healthy")
    world.elb.delete_listener(ListenerArn=listener)
    assert world.health(group, running)["State"] == "unused"


def test_what_is_deregistered_drains_and_is_then_not_registered(world: World, running: str) -> None:
    group = world.a_target_group("drains")
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "60"}
    world.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    register(world, group, running)
    begin = world.aws.clock.seconds()
    world.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": running}])
    assert world.health(group, running)["Reason"] == "Target.DeregistrationInProgress"
    assert becomes(world, group, running, "unused") - begin >= 59
    assert world.health(group, running)["Reason"] == "Target.NotRegistered"
    listed = world.elb.describe_target_health(TargetGroupArn=group)
    assert listed["TargetHealthDescriptions"] == []


def test_what_gets_no_traffic_is_deregistered_at_once_and_what_is_not_there_succeeds(
    world: World, running: str
) -> None:
    group = world.a_target_group("quick", used=False)
    register(world, group, running)
    targets = [{"Id": running}, {"Id": "i-0123456789abcdef0"}]
    world.elb.deregister_targets(TargetGroupArn=group, Targets=targets)
    assert world.health(group, running)["Reason"] == "Target.NotRegistered"


def test_a_target_that_stops_is_unused_and_begins_anew_when_it_starts(world: World) -> None:
    instance = world.an_instance()
    group = world.a_target_group("stops")
    register(world, group, instance)
    becomes(world, group, instance, "healthy")
    world.ec2.stop_instances(InstanceIds=[instance])
    becomes(world, group, instance, "unused")
    assert world.health(group, instance)["Reason"] == "Target.InvalidState"
    world.ec2.start_instances(InstanceIds=[instance])
    becomes(world, group, instance, "healthy")
    world.ec2.terminate_instances(InstanceIds=[instance])
    becomes(world, group, instance, "unused")


def test_what_does_not_run_is_no_target(world: World) -> None:
    group = world.a_target_group("refuses")
    for instance in (world.launch(), "i-0123456789abcdef0"):
        with pytest.raises(world.elb.exceptions.InvalidTargetException, match=instance):
            register(world, group, instance)
    with pytest.raises(world.elb.exceptions.TargetGroupNotFoundException):
        register(world, group[:-1], "i-0123456789abcdef0")


def test_targets_that_are_no_instances_are_refused(world: World) -> None:
    group = world.a_target_group("addresses", TargetType="ip")
    with pytest.raises(world.elb.exceptions.InvalidTargetException, match="targets of type ip"):
        world.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.1"}])
