"""What keeps an instance of a layer from a change, and what a change waits for."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace
from typing import Any

import pytest

from kiln.domain.instance import InstanceState
from kiln.domain.waiting import (
    InstanceGone as GoneWait,
)
from kiln.domain.waiting import (
    InstanceRunning,
    StackSettled,
    TargetsDrained,
)
from kiln.errors import (
    AwsBusy,
    AwsRefused,
    BuilderUnreachable,
    InstanceBusy,
    InstanceGone,
    StopFailed,
    TrafficRefused,
    WrongState,
)
from kiln.steps._instances import enter, write
from kiln.steps._looking import check_time, look
from kiln.steps.begin_change import BeginChange, begin_change
from kiln.steps.leave_service import LeaveService, leave_service
from kiln.steps.mark_instance import MarkInstance, mark_instance
from kiln.steps.start_instance import StartInstance, start_instance
from tests.builders import NOW
from tests.unit.steps.playing import Player
from tests.unit.steps.test_changes import GROUP, a_player

S = InstanceState
REFUSAL = AwsRefused("elasticloadbalancing", "RegisterTargets", "InvalidTarget", "no")


def test_no_capacity_anywhere_is_start_failed_and_each_place_is_named() -> None:
    player = a_player()
    player.fake.subnets = ("subnet-a", "subnet-b")
    player.fake.fleet.short = {("m7i.large", "subnet-a"), ("m7i.large", "subnet-b")}
    web1 = player.add("web1")
    assert player.change(web1, "start") == "NoCapacity"
    assert player.now(web1).state is S.START_FAILED
    assert "subnet-a: Insufficient" in (player.now(web1).error or "")
    assert "subnet-b: Insufficient" in (player.now(web1).error or "")


def test_a_subnet_known_to_be_short_is_not_tried_again_after_a_crash() -> None:
    player = a_player()
    player.fake.subnets = ("subnet-a", "subnet-b")
    player.fake.fleet.short = {("m7i.large", "subnet-a")}
    web1 = player.add("web1")
    who = {"stack": "shop", "instance": web1.id}
    world = player.fake.world
    begin_change(BeginChange(**who, change="start", execution="x"), world)
    player.fake.records.claim("x/short/subnet-a", "InsufficientInstanceCapacity")
    player.fake.fleet.short = set()
    start_instance(StartInstance(**who, execution="x"), world)
    start_instance(StartInstance(**who, execution="x"), world)
    assert [order.subnet for order in player.fake.fleet.orders] == ["subnet-b"]


def test_one_that_still_stops_is_started_once_it_has_stopped() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    player.change(web1, "stop")
    ec2_id = player.now(web1).ec2_id or ""
    player.fake.fleet.become(ec2_id, "stopping")
    asked = StartInstance(stack="shop", instance=web1.id, execution="x")
    begin_change(
        BeginChange(stack="shop", instance=web1.id, change="start", execution="x"),
        player.fake.world,
    )
    with pytest.raises(AwsBusy, match="is still stopping"):
        start_instance(asked, player.fake.world)
    player.fake.fleet.become(ec2_id, "stopped")
    assert start_instance(asked, player.fake.world).ec2_id == ec2_id


@pytest.mark.parametrize(("image", "said"), [(None, "has no image yet"), ("ami-9", "is gone")])
def test_without_an_image_nothing_is_launched(image: str | None, said: str) -> None:
    player = a_player()
    web1 = player.add("web1", image=image)
    assert player.change(web1, "start") == "LaunchRefused"
    assert said in (player.now(web1).error or "")
    assert player.fake.fleet.orders == []


def test_a_refused_launch_start_or_stop_is_said() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.fake.fleet.refusal = AwsRefused("ec2", "RunInstances", "UnauthorizedOperation", "no")
    assert player.change(web1, "start") == "LaunchRefused"
    player.fake.fleet.refusal = None
    web2 = player.add("web2")
    player.change(web2, "start")
    player.fake.fleet.refusal = AwsRefused("ec2", "StopInstances", "OperationNotPermitted", "no")
    assert player.change(web2, "stop") == "StopFailed"
    assert player.now(web2).state is S.STOP_FAILED


def test_a_target_group_that_refuses_is_a_failed_setup() -> None:
    player = a_player()
    player.fake.traffic.refusal = REFUSAL
    web1 = player.add("web1")
    assert player.change(web1, "start") == "TrafficRefused"
    assert player.now(web1).state is S.SETUP_FAILED
    with pytest.raises(TrafficRefused, match="could not be taken out"):
        leave_service(LeaveService(stack="shop", instance=web1.id), player.fake.world)


def test_one_change_at_a_time() -> None:
    player = a_player()
    web1 = player.add("web1")
    world = player.fake.world
    who = {"stack": "shop", "instance": web1.id}
    player.fake.machines.start("instance", "one", who)
    begin_change(BeginChange(**who, change="start", execution="one"), world)
    with pytest.raises(InstanceBusy, match="one works on it"):
        begin_change(BeginChange(**who, change="stop", execution="two"), world)
    # An execution that was stopped from outside holds nothing.
    player.fake.machines.over.add("one")
    with pytest.raises(WrongState, match="web1 of stack shop is requested and cannot become"):
        begin_change(BeginChange(**who, change="reboot", execution="two"), world)


def test_to_be_there_already_is_no_change() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    count = len(player.fake.bus.events)
    assert player.change(web1, "start") == ""
    assert len(player.fake.bus.events) == count


def test_what_is_gone_is_said() -> None:
    player = a_player()
    who = {"stack": "shop", "instance": "nobody"}
    with pytest.raises(InstanceGone, match="instance nobody of stack shop is gone"):
        begin_change(BeginChange(**who, change="start", execution="x"), player.fake.world)
    web1 = player.add("web1", state=S.PENDING, ec2_id="i-gone")
    with pytest.raises(InstanceGone, match="i-gone is gone"):
        mark_instance(
            MarkInstance(stack="shop", instance=web1.id, state="booting"), player.fake.world
        )
    lost = player.add("web2", layers=("old",))
    assert player.change(lost, "start") == "InstanceGone"
    player.fake.records._stacks.clear()
    assert player.change(player.add("web3"), "start") == "InstanceGone"


def test_a_record_that_somebody_else_wrote_is_read_again() -> None:
    player = a_player()
    web1 = player.add("web1")
    world = player.fake.world
    write(web1, world, error="x")
    with pytest.raises(AwsBusy, match="changed while it was read"):
        enter(web1, S.REQUESTED, world)
    assert write(player.now(web1), world, error="x") == player.now(web1)


COMMON: dict[str, Any] = {"bake": "x", "since": NOW.isoformat(), "timeout_s": 60}


def test_waits_of_an_instance_end_when_aws_says_so() -> None:
    player = a_player()
    world, fleet = player.fake.world, player.fake.fleet
    instance = fleet.add({}, "pending")
    running = InstanceRunning(kind="instance-running", instance=instance, **COMMON)
    gone = GoneWait(kind="instance-gone", instance=instance, **COMMON)
    drained = TargetsDrained(kind="targets-drained", instance=instance, groups=(GROUP,), **COMMON)
    assert look(running, world) is None
    fleet.become(instance, "running")
    assert look(running, world) == {"instance": instance}
    fleet.become(instance, "terminated", "Server.SpotInstanceTermination")
    with pytest.raises(BuilderUnreachable, match="SpotInstanceTermination"):
        look(running, world)
    assert look(gone, world) == {"instance": instance}
    player.fake.traffic.slow = True
    player.fake.traffic.register([GROUP], instance)
    player.fake.traffic.deregister([GROUP], instance)
    assert look(drained, world) is None
    player.fake.traffic.targets.clear()
    assert look(drained, world) == {"instance": instance}


def test_waits_that_take_too_long_say_what_to_look_at() -> None:
    player = a_player()
    world = player.fake.world
    player.fake.clock.move(61)
    common = COMMON | {"instance": "i-1"}
    for wait, error, said in (
        (InstanceRunning(kind="instance-running", **common), BuilderUnreachable, "console output"),
        (GoneWait(kind="instance-gone", **common), StopFailed, "look at it in EC2"),
        (
            TargetsDrained(kind="targets-drained", groups=(GROUP,), **common),
            TrafficRefused,
            "deregistration delay",
        ),
        (StackSettled(kind="stack-settled", stack="shop", **COMMON), StopFailed, "settle"),
    ):
        with pytest.raises(error, match=said):
            check_time(wait, world)


def test_a_stack_settles_when_nobody_is_on_the_way_or_patience_ends() -> None:
    player = a_player()
    player.add("web1", state=S.BOOTING, changed_at=NOW.isoformat())
    wait = StackSettled(kind="stack-settled", stack="shop", **COMMON)
    assert look(wait, player.fake.world) is None
    player.fake.clock.move(61)
    assert look(wait, player.fake.world) == {"stack": "shop"}


def test_the_addresses_of_peers_are_those_that_they_booted_with() -> None:
    player, ec2 = a_player(), []
    web1, web2 = player.add("web1"), player.add("web2", layers=("web", "db"))
    player.change(web1, "start")
    address = player.now(web1).address
    assert address
    assert address.private_ip == player.now(web1).private_ip != ""
    describe = player.fake.fleet.all_of
    player.fake.fleet.all_of = lambda ids: ec2.extend(found := list(ids)) or describe(found)  # type: ignore[method-assign]
    player.change(web2, "start")
    assert ec2 == []
    assert f'"private_ip": "{address.private_ip}"' in _told_last(player)


def test_the_addresses_of_old_records_are_looked_up_at_once() -> None:
    player = a_player()
    web1, web2 = player.add("web1"), player.add("web2", layers=("web", "db"))
    player.change(web1, "start")
    now = player.now(web1)
    known = player.fake.fleet.instances[now.ec2_id or ""]
    player.fake.fleet.instances[known.id] = replace(known, public_ip="54.0.0.1")
    write(now, player.fake.world, address=None)
    player.change(web2, "start")
    assert '"public_ip": "54.0.0.1"' in _told_last(player)


def _told_last(player: Player) -> str:
    """What the recipes of the last command read."""
    order = list(player.fake.commands.sent.values())[-1]
    return gzip.decompress(base64.b64decode(order.call.parameters["Files"][0])).decode()
