"""Auto Scaling groups over time, with their lifecycle hooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.crowds import LAUNCHING, TERMINATING, Crowd
from tests.integration.local.worlds import World, a_world, until

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for all tests here, with a group each."""
    with a_world(speed=400) as world:
        yield world


def refused(call: Any, **asked: Any) -> tuple[str, str]:
    """The code and the words with which a call is refused."""
    with pytest.raises(ClientError) as found:
        call(**asked)
    return found.value.response["Error"]["Code"], found.value.response["Error"]["Message"]


def test_the_instances_of_a_group_come_up_in_their_time_tagged_by_it(world: World) -> None:
    tag = {"Key": "team", "Value": "shop", "PropagateAtLaunch": True}
    group = Crowd(world, "comes-up", 2, Tags=[tag])
    assert group.states in (["Pending"], ["Pending"] * 2)
    group.settled(2)
    assert group.sent("Instance Launch Successful") == 2
    for name in group.ids:
        told = world.instance(name)
        tags = {tag["Key"]: tag["Value"] for tag in told["Tags"]}
        assert tags["team"] == "shop"
        assert tags["aws:autoscaling:groupName"] == "comes-up"
        until(lambda name=name: world.ping(name) == "Online")
    zones = {world.instance(name)["Placement"]["AvailabilityZone"] for name in group.ids}
    assert len(zones) == 2


def test_what_dies_is_replaced_and_what_is_too_much_goes(world: World) -> None:
    group = Crowd(world, "heals", 2).settled(2)
    dead = group.ids[0]
    world.ec2.terminate_instances(InstanceIds=[dead])
    until(lambda: dead not in group.ids)
    group.settled(2)
    group.api.set_desired_capacity(AutoScalingGroupName="heals", DesiredCapacity=1)
    group.settled(1)
    assert group.sent("Instance Terminate Successful") == 2
    code, said = refused(
        group.api.set_desired_capacity, AutoScalingGroupName="heals", DesiredCapacity=21
    )
    assert code == "ValidationError"
    assert "is above max value 20" in said


def test_a_group_that_has_instances_is_deleted_by_force_alone(world: World) -> None:
    group = Crowd(world, "goes", 1).settled(1)
    (name,) = group.ids
    code, _ = refused(group.api.delete_auto_scaling_group, AutoScalingGroupName="goes")
    assert code == "ResourceInUse"
    group.api.delete_auto_scaling_group(AutoScalingGroupName="goes", ForceDelete=True)
    until(lambda: world.state(name) == "terminated")


def test_an_instance_gets_requests_while_it_is_in_service_and_no_longer(world: World) -> None:
    arn = world.a_target_group("serves", HealthCheckIntervalSeconds=5)
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}
    world.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[attribute])
    group = Crowd(world, "serves", 1, TargetGroupARNs=[arn])
    hook = group.a_hook(LAUNCHING)
    group.api.set_desired_capacity(AutoScalingGroupName="serves", DesiredCapacity=2)
    first, second = group.waits("launch", 2)
    assert world.health(arn, first["EC2InstanceId"])["State"] == "unused"
    group.complete(first)
    group.complete(second)
    until(lambda: world.health(arn, first["EC2InstanceId"])["State"] == "healthy")
    group.api.delete_lifecycle_hook(AutoScalingGroupName="serves", LifecycleHookName=hook)
    group.api.set_desired_capacity(AutoScalingGroupName="serves", DesiredCapacity=0)
    until(lambda: world.health(arn, first["EC2InstanceId"])["State"] == "draining")
    assert world.state(first["EC2InstanceId"]) == "running"
    group.settled(0)


def test_a_hook_keeps_an_instance_until_it_is_answered(world: World) -> None:
    group = Crowd(world, "hooks", 0)
    group.a_hook(LAUNCHING, NotificationMetadata="who")
    group.a_hook(TERMINATING)
    group.api.set_desired_capacity(AutoScalingGroupName="hooks", DesiredCapacity=1)
    (action,) = group.waits("launch")
    assert action["LifecycleTransition"] == LAUNCHING
    assert (action["Origin"], action["Destination"]) == ("EC2", "AutoScalingGroup")
    assert action["NotificationMetadata"] == "who"
    assert group.states == ["Pending:Wait"]
    group.complete(action)
    group.settled(1)
    code, said = refused(
        group.api.complete_lifecycle_action,
        AutoScalingGroupName="hooks",
        LifecycleHookName="launching",
        InstanceId=action["EC2InstanceId"],
        LifecycleActionResult="CONTINUE",
    )
    assert (code, said) == (
        "ValidationError",
        f"No active Lifecycle Action found with instance ID {action['EC2InstanceId']}",
    )
    group.api.set_desired_capacity(AutoScalingGroupName="hooks", DesiredCapacity=0)
    (action,) = group.waits("terminate")
    assert group.states == ["Terminating:Wait"]
    assert world.state(action["EC2InstanceId"]) == "running"
    group.complete(action, "ABANDON")
    group.settled(0)


def test_an_abandoned_launch_is_undone_and_tried_again(world: World) -> None:
    group = Crowd(world, "abandons", 0)
    group.a_hook(LAUNCHING)
    group.api.set_desired_capacity(AutoScalingGroupName="abandons", DesiredCapacity=1)
    (first,) = group.waits("launch")
    group.complete(first, "ABANDON")
    until(lambda: world.state(first["EC2InstanceId"]) == "terminated")
    assert group.sent("Instance Launch Unsuccessful") == 1
    second = group.waits("launch", 2)[1]
    group.complete(second)
    group.settled(1)
    assert group.ids == [second["EC2InstanceId"]]


def test_a_hook_that_nobody_answers_ends_by_itself_unless_it_hears_a_heartbeat(
    world: World,
) -> None:
    group = Crowd(world, "times-out", 0)
    group.a_hook(LAUNCHING, HeartbeatTimeout=60, DefaultResult="CONTINUE")
    begin = world.aws.clock.seconds()
    group.api.set_desired_capacity(AutoScalingGroupName="times-out", DesiredCapacity=1)
    (action,) = group.waits("launch")
    world.aws.clock.sleep(40)
    group.api.record_lifecycle_action_heartbeat(
        AutoScalingGroupName="times-out",
        LifecycleHookName=action["LifecycleHookName"],
        LifecycleActionToken=action["LifecycleActionToken"],
    )
    group.settled(1)
    assert world.aws.clock.seconds() - begin >= 100


def test_the_longest_heartbeat_is_two_hours(world: World) -> None:
    group = Crowd(world, "limits", 0)
    with pytest.raises(ClientError, match="between 30 and 7200"):
        group.a_hook(LAUNCHING, HeartbeatTimeout=7201)
    with pytest.raises(ClientError, match="Lifecycle transition"):
        group.a_hook("autoscaling:TEST_NOTIFICATION")
    with pytest.raises(ClientError, match="name not found"):
        group.api.put_lifecycle_hook(
            AutoScalingGroupName="nobody", LifecycleHookName="x", LifecycleTransition=LAUNCHING
        )


def test_what_cannot_be_launched_is_told_and_tried_again(world: World) -> None:
    group = Crowd(world, "cannot", 0, Version="$Latest")
    group.a_version(ImageId="ami-00000000000000000")
    group.api.set_desired_capacity(AutoScalingGroupName="cannot", DesiredCapacity=1)
    until(lambda: group.sent("Instance Launch Unsuccessful") >= 1)
    (event,) = world.sent("EC2 Instance Launch Unsuccessful", AutoScalingGroupName="cannot")[:1]
    assert "does not exist" in event["detail"]["StatusMessage"]
    group.a_version(ImageId=world.base)
    group.settled(1)


def test_an_instance_that_its_target_group_finds_unhealthy_is_replaced(world: World) -> None:
    arn = world.a_target_group("checked", HealthCheckIntervalSeconds=5)
    group = Crowd(world, "checked", 1, TargetGroupARNs=[arn], HealthCheckType="ELB").settled(1)
    (sick,) = group.ids
    world.aws.balancing.fail(arn, sick)
    until(lambda: group.ids and sick not in group.ids)
    group.settled(1)
