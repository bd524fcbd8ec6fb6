"""What a rollout to an Auto Scaling group does next, and how its refreshes go about it."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.feed import Refresh, RolloutOptions
from kiln.domain.refreshing import (
    LONGEST_S,
    Finished,
    Follow,
    MakeVersion,
    Missed,
    RefreshFacts,
    Restore,
    StartRefresh,
    TurnBack,
    longest_s,
    next_turn,
    order,
    order_back,
    turn_back,
)
from kiln.domain.rollout import GroupRollout, Rollout

WANTED = {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "2"}}


def a_state(**more: Any) -> GroupRollout:
    """A group at version 1 of its template."""
    facts = {"group": "g", "template": "lt-1", "setting": "1", "former": 1, "reversible": True}
    return GroupRollout(**(facts | more))


def a_rollout(size: int = 10, strategy: Any = "replace", **options: Any) -> Rollout:
    """A rollout to it."""
    return Rollout(
        id="r",
        image="ami-2",
        layer="shop/api",
        strategy=strategy,
        bake="b",
        platform="amazon-linux-2023",
        architecture="x86_64",
        options=RolloutOptions(**options),
        size=size,
    )


def told(status: str, **more: Any) -> RefreshFacts:
    """A refresh with a status."""
    return RefreshFacts(id=f"is-{status}", status=status, **more)


# ---------------------------------------------------------------- orders


def test_a_refresh_goes_about_it_as_the_layer_and_its_feed_wish() -> None:
    refresh = Refresh(
        min_healthy_percentage=80,
        max_healthy_percentage=120,
        instance_warmup="2m",
        checkpoint_percentages=(20, 100),
        checkpoint_delay="15m",
        skip_matching=False,
        scale_in_protected="Ignore",
        standby="Terminate",
        bake_time="10m",
    )
    found = order(a_rollout(alarms=("errors",)), a_state(), refresh, WANTED)
    assert (found.group, found.wanted, found.alarms, found.rolls_back) == (
        *("g", WANTED),
        ("errors",),
        True,
    )
    assert (found.least_healthy, found.most_healthy, found.warmup_s) == (80, 120, 120)
    assert (found.checkpoints, found.delay_s, found.bake_s) == ((20, 100), 900, 600)
    assert (found.skip_matching, found.protected, found.standby) == (False, "Ignore", "Terminate")
    assert longest_s(found) == LONGEST_S + 2 * 900 + 600


def test_a_refresh_never_ends_before_the_whole_layer_has_changed_over() -> None:
    found = order(a_rollout(), a_state(), Refresh(checkpoint_percentages=(20, 50)), WANTED)
    assert (found.checkpoints, found.delay_s) == ((20, 50, 100), None)
    assert order(a_rollout(), a_state(), Refresh(), WANTED).checkpoints == ()


@pytest.mark.parametrize(("size", "percent"), [(2, 50), (3, 33), (10, 10), (100, 1), (700, 1)])
def test_a_canary_is_a_checkpoint_for_one_instance(size: int, percent: int) -> None:
    found = order(a_rollout(size, "canary", bake_time="20m"), a_state(), Refresh(), WANTED)
    assert (found.checkpoints, found.delay_s, found.bake_s) == ((percent, 100), 1200, None)


def test_a_canary_keeps_the_checkpoints_above_it() -> None:
    refresh = Refresh(checkpoint_percentages=(5, 50), checkpoint_delay="1h")
    found = order(a_rollout(10, "canary", bake_time="20m"), a_state(), refresh, WANTED)
    assert (found.checkpoints, found.delay_s) == ((10, 50, 100), 1200)


def test_the_canary_of_a_group_of_one_is_watched_at_the_end() -> None:
    found = order(a_rollout(1, "canary", bake_time="20m"), a_state(), Refresh(), WANTED)
    assert (found.checkpoints, found.delay_s, found.bake_s) == ((), None, 1200)


def test_the_way_back_asks_no_alarm_and_waits_for_nobody() -> None:
    refresh = Refresh(checkpoint_percentages=(50,), skip_matching=False, bake_time="1h")
    found = order_back(a_state(), refresh, WANTED)
    assert (found.checkpoints, found.alarms, found.rolls_back, found.bake_s) == (
        (),
        (),
        False,
        None,
    )
    assert (found.skip_matching, found.protected, found.standby) == (True, "Refresh", "Ignore")


# ---------------------------------------------------------------- turns


def test_there_first_a_version_then_a_refresh_then_its_end() -> None:
    assert next_turn(a_state(), None) == MakeVersion()
    made = a_state(made=2)
    assert next_turn(made, None) == StartRefresh()
    for status in ("Pending", "InProgress", "Baking", "Cancelling"):
        assert next_turn(made, told(status)) == Follow(f"is-{status}")
    assert next_turn(made, told("Successful")) == Finished()


@pytest.mark.parametrize(
    "status",
    [*("Failed", "Cancelled", "RollbackInProgress"), *("RollbackFailed", "RollbackSuccessful")],
)
def test_any_other_end_is_a_failure_with_auto_scalings_reason(status: str) -> None:
    turn = next_turn(a_state(made=2), told(status, percent=50, reason="an alarm"))
    assert isinstance(turn, Missed)
    assert turn.why == f"the instance refresh of g is {status} at 50 %: an alarm"


def test_back_by_auto_scalings_own_rollback() -> None:
    for status in ("Pending", "InProgress", "Baking"):
        assert turn_back(a_state(made=2), told(status), None) == TurnBack()
    going = told("RollbackInProgress")
    assert turn_back(a_state(made=2), going, None) == Follow(going.id)
    assert turn_back(a_state(made=2), told("RollbackSuccessful"), None) == Restore()


def test_back_by_a_refresh_where_auto_scaling_has_no_rollback() -> None:
    cancelling = told("Cancelling")
    assert turn_back(a_state(made=2), cancelling, None) == Follow(cancelling.id)
    for status in ("Failed", "Cancelled", "RollbackFailed", "Successful"):
        assert turn_back(a_state(made=2), told(status), None) == StartRefresh()
    failed, going = told("Failed"), told("InProgress")
    assert turn_back(a_state(made=2), failed, going) == Follow(going.id)
    assert turn_back(a_state(made=2), failed, told("Successful")) == Restore()
    missed = turn_back(a_state(made=2), failed, told("Failed", reason="no capacity"))
    assert isinstance(missed, Missed)
    assert "back to version 1" in missed.why
    assert "no capacity; start one by hand" in missed.why


def test_back_from_where_no_refresh_was_started() -> None:
    assert turn_back(a_state(), None, None) == Restore()
    assert turn_back(a_state(made=2), None, None) == Restore()
