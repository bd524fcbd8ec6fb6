"""Rollouts that are stopped: they go on where their layer has changed over, else back."""

from __future__ import annotations

import pytest

from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState
from kiln.domain.rollout import RolloutStatus
from kiln.errors import RolloutFailed
from kiln.steps._looking import look
from kiln.steps.advance_rollout import AdvanceRollout, advance_rollout
from kiln.steps.finish_rollout import FinishRollout, finish_rollout
from kiln.steps.plan_rollout import PlanRollout, plan_rollout
from kiln.steps.resume_rollout import ResumeRollout, RolloutResumed, resume_rollout
from kiln.steps.take_over import TakeOver, take_over
from tests.builders import NOW
from tests.fakes import FakeWorld
from tests.unit.steps.playing import Player
from tests.unit.steps.stopping import ABORTED, abort, told
from tests.unit.steps.test_layers import IMAGE
from tests.unit.steps.test_refresh_group import WHO as GROUP_WHO
from tests.unit.steps.test_refresh_group import a_shop, as_it_was, turned
from tests.unit.steps.test_refresh_group import planned as group_planned
from tests.unit.steps.test_rollouts import WHO, a_layer, announced, planned, rolled

S = InstanceState


def resumed(player: Player, name: str) -> RolloutResumed:
    """Which way the execution goes that takes a rollout over."""
    end = told(player, "rollout", name)
    assert end is not None
    player.played.add(end)
    payload = player.fake.machines.started[end]
    return resume_rollout(ResumeRollout(**payload), player.fake.world)


def back(player: Player, failure: Failure | None) -> None:
    """The way back, played to its end."""
    world = player.fake.world
    for _ in range(50):
        wait = advance_rollout(AdvanceRollout(**WHO, back=True, failure=failure), world).wait
        if wait is None:
            break
        player.run()
        assert look(wait, world) is not None
    finish_rollout(FinishRollout(**WHO, failure=failure), world)
    player.run()


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_rollout_that_is_stopped_half_way_goes_back(steps: int) -> None:
    player = a_layer(2, batch=1, surge=1)
    before = {e.id: (e.ec2_id, e.state) for e in player.fake.records.instances("shop")}
    rollout = announced(player)
    planned(player)
    for _ in range(steps):
        advance_rollout(AdvanceRollout(**WHO), player.fake.world)
        player.run()
    abort(player, rollout.id)
    way = resumed(player, rollout.id)
    assert way.path == "back"
    back(player, way.failure)
    found = player.fake.records.rollout(IMAGE, "shop/web")
    assert found is not None
    assert (found.status, found.error) == (RolloutStatus.FAILED, "ABORTED")
    assert f"{rollout.id} was stopped from outside (ABORTED): the wrong one" in (found.cause or "")
    assert {e.id: (e.ec2_id, e.state) for e in player.fake.records.instances("shop")} == before
    assert player.fake.bus.types()[-2:] == ["Rollout Failed", "Rollout Rolled Back"]
    assert player.fake.records.layer_holder("shop/web") is None
    assert told(player, "rollout", rollout.id) is None


def test_a_rollout_whose_layer_has_changed_over_goes_on() -> None:
    player = a_layer(1)
    rollout = announced(player)
    planned(player)
    for _ in range(20):
        found = player.fake.records.rollout(IMAGE, "shop/web")
        assert found is not None
        if found.committed:
            break
        advance_rollout(AdvanceRollout(**WHO), player.fake.world)
        player.run()
    abort(player, rollout.id)
    assert resumed(player, rollout.id) == RolloutResumed(path="go", failure=None)


def test_nothing_comes_back_of_a_layer_that_has_changed_over() -> None:
    player = a_layer(1)
    announced(player)
    planned(player)
    begun = player.fake.records.rollout(IMAGE, "shop/web")
    assert begun is not None
    player.fake.records.update_rollout(begun.model_copy(update={"committed": True}))
    request = AdvanceRollout(**WHO, back=True)
    assert advance_rollout(request, player.fake.world).wait is None


def test_a_rollout_that_waits_for_approval_does_not_go_on_by_being_stopped() -> None:
    player = a_layer(0, approval="required")
    rollout = announced(player)
    assert planned(player).path == "wait"
    abort(player, rollout.id)
    assert resumed(player, rollout.id).path == "back"


def test_one_that_was_stopped_before_it_had_the_layer_ends_at_once() -> None:
    player = a_layer(1)
    rollout = announced(player)
    abort(player, rollout.id)
    way = resumed(player, rollout.id)
    assert way.path == "over"
    ended = finish_rollout(FinishRollout(**WHO, failure=way.failure), player.fake.world)
    assert (ended.status, ended.error) == (RolloutStatus.FAILED, "ABORTED")
    assert "Rollout Rolled Back" not in player.fake.bus.types()


def test_why_it_goes_back_is_not_forgotten_where_its_way_back_is_stopped() -> None:
    player = a_layer(1)
    rollout = announced(player)
    planned(player)
    sick = Failure(error="RolloutFailed", cause="the canary is sick")
    advance_rollout(AdvanceRollout(**WHO, back=True, failure=sick), player.fake.world)
    abort(player, rollout.id)
    way = resumed(player, rollout.id)
    assert (way.path, way.failure) == ("back", sick)


def test_what_is_recorded_of_a_rollout_that_ended_stays() -> None:
    player = a_layer(1)
    assert rolled(player).status is RolloutStatus.SUCCEEDED
    told_before = player.fake.bus.types()
    late = FinishRollout(**WHO, failure=Failure(error="ABORTED"))
    assert finish_rollout(late, player.fake.world).status is RolloutStatus.SUCCEEDED
    assert player.fake.bus.types() == told_before
    with pytest.raises(RolloutFailed, match="has ended as SUCCEEDED"):
        advance_rollout(AdvanceRollout(**WHO), player.fake.world)


def test_the_next_rollout_waits_until_the_layer_is_put_right_and_sees_to_it() -> None:
    player = a_layer(1)
    first = announced(player)
    planned(player)
    abort(player, first.id)
    records, other = player.fake.records, "ami-0000000000000next"
    records.add_rollout(first.model_copy(update={"id": "next", "image": other}))
    request = PlanRollout(image=other, layer="shop/web", since=NOW.isoformat())
    planning = plan_rollout(request, player.fake.world)
    assert planning.path == "wait"
    assert planning.wait is not None
    assert f"{first.id}_end" in player.fake.machines.started
    assert look(planning.wait, player.fake.world) is None
    player.played.add(f"{first.id}_end")
    back(player, Failure(error="ABORTED"))
    assert look(planning.wait, player.fake.world) is not None


def test_a_rollout_that_somebody_named_himself_is_found_by_that_name() -> None:
    player = a_layer(1)
    rollout = announced(player)
    player.fake.machines.start("rollout", "by-hand", WHO)
    request = PlanRollout(**WHO, since=NOW.isoformat(), execution="by-hand")
    plan_rollout(request, player.fake.world)
    abort(player, rollout.id)
    assert told(player, "rollout", rollout.id) is None
    abort(player, "by-hand")
    assert told(player, "rollout", "by-hand") == "by-hand_end"


# ------------------------------------------------------------ Auto Scaling groups


def stopped_group(fake: FakeWorld, rollout: str) -> RolloutResumed:
    fake.machines.start("rollout", rollout, GROUP_WHO)
    fake.machines.over.add(rollout)
    fake.machines.ended[rollout] = ABORTED
    end = take_over(TakeOver(machine="rollout", execution=rollout), fake.world).started
    given = fake.machines.started[end or ""]
    return resume_rollout(ResumeRollout(**given), fake.world)


def test_a_groups_rollout_goes_on_where_its_refresh_has_succeeded_else_it_is_turned_back() -> None:
    for status, way in (("InProgress", "turn-back"), ("Successful", "refresh")):
        fake = a_shop()
        group_planned(fake)
        turned(fake)
        (known,) = fake.groups.told["shop-api"]
        fake.groups.told["shop-api"] = [known.model_copy(update={"status": status})]
        rollout = fake.records.rollout(**GROUP_WHO)
        assert rollout is not None
        assert stopped_group(fake, rollout.id).path == way


def test_what_was_made_for_a_group_and_never_written_down_is_undone() -> None:
    """The functions died between AWS's answer and the record."""
    fake = a_shop()
    group_planned(fake)
    turned(fake)
    rollout = fake.records.rollout(**GROUP_WHO)
    assert rollout is not None
    assert rollout.group is not None
    forgotten = rollout.group.model_copy(update={"made": None, "refresh": None})
    fake.records.update_rollout(rollout.model_copy(update={"group": forgotten}))
    wait = turned(fake, back=True)
    assert wait is not None
    fake.groups.become("shop-api", "RollbackSuccessful")
    assert turned(fake, back=True) is None
    as_it_was(fake)
