"""Instance refreshes: replaced in turn, paused, baked, failed, rolled back, cancelled, refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.crowds import Crowd
from tests.integration.local.worlds import BASE, World, a_world, until

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for all tests here, with a group each."""
    # A refresh gives up an hour after its last step: on a busy machine that is to be long.
    with a_world(speed=150) as world:
        yield world


def in_service(group: Crowd, refresh: str) -> tuple[int, int]:
    """The fewest in service and the most at all while a refresh went on."""
    least, most = 99, 0
    while group.status(refresh)["Status"] in ("Pending", "InProgress"):
        states = group.states
        least = min(least, states.count("InService"))
        most = max(most, len([state for state in states if not state.startswith("Terminat")]))
    return least, most


def test_a_refresh_keeps_as_many_in_service_as_it_is_told(world: World) -> None:
    group = Crowd(world, "rolls", 4).settled(4)
    refresh = group.refresh(group.a_version(), MinHealthyPercentage=75)
    least, most = in_service(group, refresh)
    told = group.ended(refresh)
    assert (told["Status"], told["PercentageComplete"], told["InstancesToUpdate"]) == (
        *("Successful", 100),
        0,
    )
    assert (least, most) == (3, 4)
    assert group.versions == ["2"] * 4
    assert group.told["LaunchTemplate"]["Version"] == "2"
    assert group.sent("Auto Scaling Instance Refresh Started") == 1
    assert group.sent("Auto Scaling Instance Refresh Succeeded") == 1


def test_with_a_maximum_it_launches_before_it_terminates(world: World) -> None:
    group = Crowd(world, "first", 2).settled(2)
    more = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}
    refresh = group.refresh(group.a_version(), **more)
    assert in_service(group, refresh) == (2, 3)
    assert group.ended(refresh)["Status"] == "Successful"
    exactly = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 100}
    refresh = group.refresh(group.a_version(), **exactly)
    assert in_service(group, refresh) == (2, 3)
    assert group.ended(refresh)["Status"] == "Successful"


def test_with_everything_in_service_one_at_a_time_is_replaced(world: World) -> None:
    group = Crowd(world, "single", 2).settled(2)
    refresh = group.refresh(group.a_version(), MinHealthyPercentage=100)
    least, most = in_service(group, refresh)
    assert (least, most) == (1, 2)
    assert group.ended(refresh)["Status"] == "Successful"


def test_what_matches_is_skipped_if_it_may_be(world: World) -> None:
    group = Crowd(world, "matches", 2).settled(2)
    before = group.ids
    assert group.ended(group.refresh("1", SkipMatching=True))["Status"] == "Successful"
    assert group.ids == before
    assert group.ended(group.refresh("1", MinHealthyPercentage=0))["Status"] == "Successful"
    assert not set(before) & set(group.settled(2).ids)


def test_a_checkpoint_pauses_and_the_last_one_ends(world: World) -> None:
    group = Crowd(world, "pauses", 4).settled(4)
    refresh = group.refresh(group.a_version(), CheckpointPercentages=[1, 50], CheckpointDelay=90)
    until(lambda: group.sent("Auto Scaling Instance Refresh Checkpoint Reached") == 1)
    begin = world.aws.clock.seconds()
    (event,) = world.sent(
        "EC2 Auto Scaling Instance Refresh Checkpoint Reached", AutoScalingGroupName="pauses"
    )
    assert event["detail"] == {
        "InstanceRefreshId": refresh,
        "AutoScalingGroupName": "pauses",
        "CheckpointPercentage": "1",
        "CheckpointDelay": "90",
    }
    assert group.versions == ["1", "1", "1", "2"]
    assert group.ended(refresh)["Status"] == "Successful"
    assert world.aws.clock.seconds() - begin >= 90
    group.settled(4)
    assert group.versions == ["1", "1", "2", "2"]


def test_an_instance_counts_once_it_is_warm(world: World) -> None:
    group = Crowd(world, "warms", 1).settled(1)
    refresh = group.refresh(group.a_version(), InstanceWarmup=60)
    until(lambda: group.versions == ["2"])
    begin = world.aws.clock.seconds()
    assert group.status(refresh)["PercentageComplete"] == 0
    assert group.ended(refresh)["Status"] == "Successful"
    assert world.aws.clock.seconds() - begin >= 50


def test_an_alarm_half_way_rolls_back_by_itself(world: World) -> None:
    alarm = world.an_alarm("half-way")
    group = Crowd(world, "alarmed", 4).settled(4)
    refresh = group.refresh(
        group.a_version(),
        AutoRollback=True,
        AlarmSpecification={"Alarms": [alarm]},
        MinHealthyPercentage=75,
    )
    until(lambda: group.status(refresh)["PercentageComplete"] >= 50)
    untouched = {
        one["InstanceId"]
        for one in group.told["Instances"]
        if one["LaunchTemplate"]["Version"] == "1"
    }
    world.ring(alarm)
    told = group.ended(refresh)
    assert told["Status"] == "RollbackSuccessful"
    assert "half-way is in ALARM" in told["RollbackDetails"]["RollbackReason"]
    assert told["RollbackDetails"]["PercentageCompleteOnRollback"] >= 50
    assert told["PercentageComplete"] == 0
    group.settled(4)
    assert group.versions == ["1"] * 4
    assert group.told["LaunchTemplate"]["Version"] == "1"
    assert untouched & set(group.ids)
    for kind in ("Rollback Started", "Rollback Succeeded"):
        assert group.sent(f"Auto Scaling Instance Refresh {kind}") == 1


def test_without_a_way_back_an_alarm_fails_it_where_it_is(world: World) -> None:
    alarm = world.an_alarm("no-way-back")
    group = Crowd(world, "latest", 2, Version="$Latest").settled(2)
    version = group.a_version()
    refresh = group.refresh(version, AlarmSpecification={"Alarms": [alarm]})
    until(lambda: group.status(refresh)["PercentageComplete"] >= 50)
    with pytest.raises(ClientError, match="IrreversibleInstanceRefresh"):
        group.api.rollback_instance_refresh(AutoScalingGroupName="latest")
    world.ring(alarm)
    told = group.ended(refresh)
    assert (told["Status"], "RollbackDetails" in told) == ("Failed", False)
    assert group.told["LaunchTemplate"]["Version"] == "$Latest"
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        group.api.rollback_instance_refresh(AutoScalingGroupName="latest")


def test_a_refresh_is_cancelled_where_it_is_or_rolled_back_by_hand(world: World) -> None:
    group = Crowd(world, "by-hand", 4).settled(4)
    version = group.a_version()
    more = {"CheckpointPercentages": [25, 100], "CheckpointDelay": 3000}
    refresh = group.refresh(version, **more)
    until(lambda: group.versions == ["1", "1", "1", "2"])
    group.api.cancel_instance_refresh(AutoScalingGroupName="by-hand")
    assert group.ended(refresh)["Status"] == "Cancelled"
    group.settled(4)
    assert group.versions == ["1", "1", "1", "2"]
    assert group.told["LaunchTemplate"]["Version"] == "1"
    refresh = group.refresh(version, SkipMatching=True, CheckpointPercentages=[50, 100])
    until(lambda: group.versions == ["1", "1", "2", "2"])
    group.api.rollback_instance_refresh(AutoScalingGroupName="by-hand")
    told = group.ended(refresh)
    assert told["Status"] == "RollbackSuccessful"
    # What a cancelled refresh left is none of the later one's.
    group.settled(4)
    assert group.versions == ["1", "1", "1", "2"]


def test_baking_time_is_watched_too(world: World) -> None:
    alarm = world.an_alarm("bakes")
    group = Crowd(world, "bakes", 1).settled(1)
    refresh = group.refresh(
        group.a_version(),
        BakeTime=600,
        AutoRollback=True,
        AlarmSpecification={"Alarms": [alarm]},
    )
    group.becomes(refresh, "Baking")
    assert group.versions == ["2"]
    world.ring(alarm)
    assert group.ended(refresh)["Status"] == "RollbackSuccessful"
    group.settled(1)
    assert group.versions == ["1"]


def test_a_mixed_group_is_refreshed_to_a_mixed_policy(world: World) -> None:
    spare = Crowd(world, "spare", 0)

    def policy(version: str) -> dict[str, Any]:
        return {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": spare.at(version),
                "Overrides": [{"InstanceType": "m6i.large"}, {"InstanceType": "m7i.large"}],
            }
        }

    group = Crowd(world, "mixed", 1, MixedInstancesPolicy=policy("1")).settled(1)
    told = group.told
    assert "LaunchTemplate" not in told
    assert told["Instances"][0]["InstanceType"] == "m6i.large"
    desired = {"MixedInstancesPolicy": policy(spare.a_version(ImageId=world.base))}
    refresh = group.api.start_instance_refresh(
        AutoScalingGroupName="mixed",
        DesiredConfiguration=desired,
        Preferences={"InstanceWarmup": 0},
    )["InstanceRefreshId"]
    assert group.ended(refresh)["Status"] == "Successful"
    found = group.told["MixedInstancesPolicy"]["LaunchTemplate"]
    assert found["LaunchTemplateSpecification"]["Version"] == "2"
    assert group.versions == ["2"]
    group.api.update_auto_scaling_group(AutoScalingGroupName="mixed", MaxSize=9)
    assert "MixedInstancesPolicy" in group.told


REFUSED = {
    "CheckpointPercentages must be unique": {"CheckpointPercentages": [50, 10]},
    "CheckpointDelay requires": {"CheckpointDelay": 5},
    "MaxHealthyPercentage requires": {"MaxHealthyPercentage": 120, "MinHealthyPercentage": None},
    "cannot be greater than 100": {"MaxHealthyPercentage": 200, "MinHealthyPercentage": 50},
    "nobody does not exist": {"AlarmSpecification": {"Alarms": ["nobody"]}},
    "when the DesiredConfiguration parameter is empty": {"AutoRollback": True},
}


@pytest.mark.parametrize("said", REFUSED)
def test_preferences_that_do_not_go_together_are_refused(world: World, said: str) -> None:
    if "refused" not in world.aws.groups.backend.autoscaling_groups:
        Crowd(world, "refused", 0)
    wanted = {"MinHealthyPercentage": 90} | REFUSED[said]
    given = {key: value for key, value in wanted.items() if value is not None}
    with pytest.raises(ClientError, match=said) as found:
        world.client("autoscaling").start_instance_refresh(
            AutoScalingGroupName="refused", Preferences=given
        )
    assert found.value.response["Error"]["Code"] == "ValidationError"


def test_a_rollback_to_what_is_no_number_or_an_alias_is_refused(world: World) -> None:
    latest = Crowd(world, "by-latest", 0, Version="$Default")
    with pytest.raises(ClientError, match=r"\$Latest or \$Default"):
        latest.refresh(latest.a_version(), AutoRollback=True)
    alias = Crowd(world, "by-alias", 0)
    number = alias.a_version(ImageId=f"resolve:ssm:{BASE}")
    alias.api.update_auto_scaling_group(
        AutoScalingGroupName="by-alias", LaunchTemplate=alias.at(number)
    )
    with pytest.raises(ClientError, match="Systems Manager parameter"):
        alias.refresh(alias.a_version(ImageId=world.base), AutoRollback=True)
    with pytest.raises(ClientError, match="VersionNotFound"):
        alias.refresh("77")


def test_one_refresh_of_a_group_at_a_time_the_newest_told_first(world: World) -> None:
    group = Crowd(world, "one", 1).settled(1)
    first = group.refresh("1")
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        group.refresh("1")
    group.ended(first)
    second = group.refresh("1")
    page = group.api.describe_instance_refreshes(AutoScalingGroupName="one", MaxRecords=1)
    assert page["InstanceRefreshes"][0]["InstanceRefreshId"] == second
    page = group.api.describe_instance_refreshes(
        AutoScalingGroupName="one", MaxRecords=1, NextToken=page["NextToken"]
    )
    assert page["InstanceRefreshes"][0]["InstanceRefreshId"] == first
    assert "NextToken" not in page
