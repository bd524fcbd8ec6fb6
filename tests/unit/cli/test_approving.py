"""A rollout that waits for approval is woken by it; one that is followed is told phase by phase."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import pytest

from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.domain.waiting import RolloutApproved, WaitingToken
from kiln.errors import InvalidRequest
from kiln.ports import ExecutionFacts
from kiln.steps._rollouts import approve
from kiln.steps.wake import AwsEvent, wake
from kiln_cli import rolling
from kiln_cli.baking import Pace
from tests.builders import NOW
from tests.unit.cli.test_rolling import NEW, OLD, a_layer, ended, plan, web
from tests.unit.steps.playing import Player


def waiting(player: Player) -> Rollout:
    """A rollout that waits for approval."""
    rollout = plan(player, options={"approval": "required"})
    rolling.start(rollout, player.fake.world)
    begun = rollout.model_copy(update={"begun": NOW.isoformat()})
    player.fake.records.update_rollout(begun)
    return begun


def test_an_approval_wakes_the_task_that_waits_for_it() -> None:
    player = a_layer()
    rollout = waiting(player)
    wait = RolloutApproved(
        kind="rollout-approved",
        bake=rollout.id,
        since=NOW.isoformat(),
        timeout_s=60,
        image=NEW,
        layer="shop/web",
    )
    token = WaitingToken(wait=wait, state="AwaitTurn", token="t")
    player.fake.waits.keep("shop/web", token)
    found = rolling.waiting_for_approval(web(player), None, player.fake.world)
    assert found.id == rollout.id
    approve(found, "ada", player.fake.world)
    told = player.fake.bus.events[-1]
    assert told.detail_type == "Rollout Approved"
    event = AwsEvent.model_validate({"detail-type": told.detail_type, "detail": told.detail()})
    assert wake(event, player.fake.world).ended == 1
    assert player.fake.machines.outputs == {"t": {"layer": "shop/web"}}
    with pytest.raises(InvalidRequest, match="no rollout of shop/web waits for approval"):
        rolling.waiting_for_approval(web(player), None, player.fake.world)


def test_only_what_waits_can_be_approved_and_where_several_do_the_image_is_named() -> None:
    player = a_layer()
    first = plan(player)
    rolling.start(first, player.fake.world)
    for image in (None, NEW, OLD):
        with pytest.raises(InvalidRequest, match="no rollout of shop/web waits for approval"):
            rolling.waiting_for_approval(web(player), image, player.fake.world)
    ended(player, first)
    waiting(player)
    with pytest.raises(InvalidRequest, match="no rollout of shop/web waits"):
        rolling.waiting_for_approval(web(player), OLD, player.fake.world)
    assert rolling.waiting_for_approval(web(player), NEW, player.fake.world).attempt == 2


# ------------------------------------------------------------ following


def test_a_rollout_is_followed_through_its_phases(capsys: pytest.CaptureFixture[str]) -> None:
    player = a_layer()
    world = player.fake.world
    rollout = plan(player, options={"approval": "required"})
    rolling.start(rollout, world)
    entry = player.add("web1", rollout=rollout.id)
    steps = iter(
        [
            lambda: _update(player, rollout, begun=NOW.isoformat()),
            lambda: _update(player, rollout, approved=True),
            lambda: player.change(entry, "start"),
            lambda: _update(player, rollout, committed=True),
            lambda: _update(player, rollout, status=RolloutStatus.SUCCEEDED),
        ]
    )
    pace = Pace(lambda _: next(steps)(), lambda: repeat(1.0))
    done = rolling.follow(rollout, world, pace)
    assert done.status is RolloutStatus.SUCCEEDED
    assert capsys.readouterr().err.splitlines() == [
        "shop/web: waiting for its turn",
        "shop/web: waiting for approval; `kiln rollout approve shop/web` within 24h",
        "shop/web: under way",
        "web1: online",
        "shop/web: deleting what was replaced",
        "shop/web: SUCCEEDED",
    ]
    shown = rolling.as_json(done, world)
    assert [i["state"] for i in shown["instances"]] == ["online"]
    assert rolling.announced(done, world).endswith("take the place of the 1 that serve")


def _update(player: Player, rollout: Rollout, **changes: Any) -> None:
    known = player.fake.records.rollout(rollout.image, rollout.layer)
    assert known is not None
    player.fake.records.update_rollout(known.model_copy(update=changes))


def test_one_that_ends_without_a_word_is_no_success() -> None:
    player = a_layer()
    rollout = plan(player)
    rolling.start(rollout, player.fake.world)
    player.fake.machines.over.add(rollout.id)
    player.fake.machines.ended[rollout.id] = ExecutionFacts("ABORTED")
    done = rolling.follow(rollout, player.fake.world, Pace(lambda _: None, lambda: repeat(1.0)))
    assert (done.status, done.error) == (RolloutStatus.FAILED, "Aborted")
