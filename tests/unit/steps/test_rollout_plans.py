"""When a rollout begins, what it waits for before it does, and what it waits for then."""

from __future__ import annotations

import pytest

from kiln.domain.instance import LayerInstance
from kiln.domain.rollout import LayerImage, RolloutStatus
from kiln.domain.waiting import (
    InstancesRest,
    LayerFree,
    RolloutApproved,
    StackConfigured,
    TargetsHealthy,
    TimePassed,
)
from kiln.errors import RolloutFailed
from kiln.ports import ExecutionFacts
from kiln.steps._looking import check_time, look
from kiln.steps.advance_rollout import AdvanceRollout, advance_rollout
from kiln.steps.finish_rollout import FinishRollout, finish_rollout
from tests.builders import NOW, a_type
from tests.unit.steps.playing import Player
from tests.unit.steps.test_changes import GROUP, a_player
from tests.unit.steps.test_layers import IMAGE
from tests.unit.steps.test_rollouts import COMMON, WHO, a_layer, announced, planned


def test_an_older_image_never_replaces_a_newer_one() -> None:
    player = a_layer(1)
    newer = LayerImage(
        layer="shop/web",
        image="ami-9",
        created="2026-12-01T00:00:00.000Z",
        rollout="r",
        at=NOW.isoformat(),
    )
    player.fake.records.add_layer_image(newer)
    announced(player)
    assert planned(player).path == "over"
    ended = finish_rollout(FinishRollout(**WHO, skipped=True), player.fake.world)
    assert ended.status is RolloutStatus.SKIPPED
    assert "runs a newer image" in ended.cause
    assert "Rollout Succeeded" not in player.fake.bus.types()
    assert len(player.fake.records.layer_images("shop/web")) == 1


def test_one_who_says_so_may_go_back_to_an_older_one() -> None:
    player = a_layer(1)
    newer = LayerImage(
        layer="shop/web", image="ami-9", created="2027", rollout="r", at=NOW.isoformat()
    )
    player.fake.records.add_layer_image(newer)
    rollout = announced(player)
    player.fake.records.update_rollout(rollout.model_copy(update={"forced": True}))
    assert planned(player).path == "go"


def test_one_rollout_of_a_layer_at_a_time() -> None:
    player = a_layer(1)
    announced(player)
    player.fake.machines.start("rollout", "another", {})
    player.fake.records.hold_layer("shop/web", "another")
    found = planned(player)
    assert (found.path, type(found.wait)) == ("wait", LayerFree)
    assert look(found.wait, player.fake.world) is None
    player.fake.machines.over.add("another")
    assert look(found.wait, player.fake.world) is not None
    assert planned(player).path == "go"


def test_a_rollout_that_needs_approval_waits_for_it() -> None:
    player = a_layer(1, approval="required", approval_within="1h")
    rollout = announced(player)
    found = planned(player)
    assert isinstance(found.wait, RolloutApproved)
    assert found.wait.timeout_s == 3600
    assert look(found.wait, player.fake.world) is None
    player.fake.clock.move(3601)
    with pytest.raises(RolloutFailed, match=f"nobody approved {IMAGE} for shop/web"):
        check_time(found.wait, player.fake.world)
    rollout = player.fake.records.rollout(IMAGE, "shop/web") or rollout
    player.fake.records.update_rollout(rollout.model_copy(update={"approved": True}))
    assert look(found.wait, player.fake.world) is not None
    assert planned(player).path == "go"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"platform": "ubuntu-24.04"}, "shop/web is ubuntu-24.04, image .* is amazon-linux-2023"),
        ({"instance_type": "m6g.large"}, "does not run on m6g.large"),
    ],
)
def test_an_image_that_does_not_fit_starts_nothing(changes: dict[str, str], said: str) -> None:
    player = a_player(blueprints=[{"blueprint": "web"}], **changes)
    player.fake.fleet.known["m6g.large"] = a_type("m6g.large", architectures=("arm64",))
    announced(player)
    with pytest.raises(RolloutFailed, match=said):
        planned(player)
    assert player.fake.fleet.orders == []


def test_what_is_gone_starts_nothing() -> None:
    player = a_layer(0)
    announced(player)
    player.fake.images.deregister(IMAGE)
    with pytest.raises(RolloutFailed, match="is gone; nothing was changed"):
        planned(player)
    player.fake.records._stacks.clear()
    with pytest.raises(RolloutFailed, match="layer shop/web is gone"):
        planned(player)
    with pytest.raises(RolloutFailed, match="no rollout of ami-7"):
        advance_rollout(AdvanceRollout(image="ami-7", layer="shop/web"), player.fake.world)


def test_waits_of_a_rollout_end_badly_in_words() -> None:
    player = a_player()
    player.fake.clock.move(61)
    stack = {"stack": "shop", **COMMON}
    for wait, said in (
        (LayerFree(kind="layer-free", layer="shop/web", rollout="r", **COMMON), "still held"),
        (
            TargetsHealthy(kind="targets-healthy", instances=("a",), **stack),
            "look at the health check",
        ),
        (StackConfigured(kind="stack-configured", asked=3, **stack), "Configure had not reached"),
        (
            InstancesRest(kind="instances-rest", instances=("a",), states=("online",), **stack),
            "had not come to rest",
        ),
    ):
        with pytest.raises(RolloutFailed, match=said):
            check_time(wait, player.fake.world)


def test_a_wait_that_took_too_long_says_what_stopped_those_it_was_for() -> None:
    player, denied = a_player(), "states:PutItem refused: AccessDeniedException"
    web1, web2 = player.add("web1"), player.add("web2")
    machines = player.fake.machines
    for name, status in (("c-1", "FAILED"), ("c-2", "RUNNING"), ("shop-3", "FAILED")):
        machines.start("instance", name, {"stack": "shop"})
        machines.ended[name] = ExecutionFacts(status, "AwsRefused", denied)
    assert player.fake.rounds.hold("shop", "shop-3")
    player.fake.clock.move(61)
    stack = {"stack": "shop", **COMMON}
    configured = StackConfigured(kind="stack-configured", asked=3, **stack)
    with pytest.raises(RolloutFailed, match=f"60 s; shop-3 ended with AwsRefused: {denied}$"):
        check_time(configured, player.fake.world)
    rest = InstancesRest(
        kind="instances-rest",
        instances=(web1.id, web2.id),
        states=("online",),
        changes=("c-1", "c-2"),
        **stack,
    )
    with pytest.raises(RolloutFailed, match=f"60 s; c-1 ended with AwsRefused: {denied}$"):
        check_time(rest, player.fake.world)


def test_an_instance_that_never_got_healthy_is_named_with_what_is_said_of_it() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    entry = player.fake.records.instance("shop", web1.id)
    assert entry
    assert entry.ec2_id
    for key in player.fake.traffic.targets:
        player.fake.traffic.targets[key] = ("unhealthy", "Target.Timeout")
    player.fake.clock.move(61)
    wait = TargetsHealthy(kind="targets-healthy", stack="shop", instances=(web1.id,), **COMMON)
    with pytest.raises(RolloutFailed, match=r"; web1: .* finds it unhealthy \(Target.Timeout\)$"):
        check_time(wait, player.fake.world)
    player.fake.fleet.terminate([entry.ec2_id])
    with pytest.raises(
        RolloutFailed, match=f"; web1: {entry.ec2_id} is (shutting-down|terminated)"
    ):
        check_time(wait, player.fake.world)


def a_canary(player: Player, entry: LayerInstance) -> TimePassed:
    return TimePassed(
        kind="time-passed",
        stack="shop",
        instances=(entry.id,),
        until=NOW.isoformat(),
        **COMMON,
    )


def test_a_canary_that_falls_ill_or_goes_ends_the_wait() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    wait = a_canary(player, web1)
    assert look(wait, player.fake.world) is not None
    ec2_id = player.now(web1).ec2_id or ""
    player.fake.traffic.targets[GROUP, ec2_id] = ("unhealthy", "Target.Timeout")
    with pytest.raises(RolloutFailed, match=r"the canary web1: .*unhealthy \(Target.Timeout\)"):
        look(wait, player.fake.world)
    player.change(web1, "stop")
    assert look(wait, player.fake.world) is not None
