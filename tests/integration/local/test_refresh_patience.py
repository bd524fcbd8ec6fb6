"""Instance refreshes that wait an hour for what does not come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.local.crowds import LAUNCHING, Crowd
from tests.integration.local.worlds import World, a_world, until

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for all tests here, in which hours are short."""
    with a_world(speed=1000) as world:
        yield world


def test_protected_instances_and_those_in_standby_are_waited_for_unless_it_is_told(
    world: World,
) -> None:
    group = Crowd(world, "kept", 3).settled(3)
    protected, standing, _ = group.ids
    group.api.set_instance_protection(
        AutoScalingGroupName="kept", InstanceIds=[protected], ProtectedFromScaleIn=True
    )
    group.api.enter_standby(
        AutoScalingGroupName="kept", InstanceIds=[standing], ShouldDecrementDesiredCapacity=True
    )
    ignore = {"ScaleInProtectedInstances": "Ignore", "StandbyInstances": "Ignore"}
    assert group.ended(group.refresh(group.a_version(), **ignore))["Status"] == "Successful"
    assert {protected, standing} < set(group.ids)
    waiting = group.ended(group.refresh(group.a_version()))
    assert (waiting["Status"], "within an hour" in waiting["StatusReason"]) == ("Failed", True)
    taken = {"ScaleInProtectedInstances": "Refresh", "StandbyInstances": "Terminate"}
    assert group.ended(group.refresh(group.a_version(), **taken))["Status"] == "Successful"
    until(lambda: not {protected, standing} & set(group.ids))


def test_one_that_never_gets_healthy_fails_after_an_hour(world: World) -> None:
    group = Crowd(world, "never", 1).settled(1)
    group.a_hook(LAUNCHING, HeartbeatTimeout=30)
    told = group.ended(group.refresh(group.a_version(), AutoRollback=False))
    assert told["Status"] == "Failed"
    assert "no progress within an hour" in told["StatusReason"]
