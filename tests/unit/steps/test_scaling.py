"""Instances are started and stopped by the hour and by load."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.instance import InstanceState
from kiln.domain.scaling import Scaling
from tests.unit.steps.playing import Player
from tests.unit.steps.tending import initiators, online, silence, tend
from tests.unit.steps.test_changes import a_player

S = InstanceState

# ---------------------------------------------------------------- by the hour

TIMED: dict[str, Any] = {"scaling": Scaling.TIME, "hours": {"monday": (11,)}}


def test_an_instance_by_the_hour_is_started_and_stopped() -> None:
    player = a_player()
    web1 = player.add("web1", **TIMED)
    assert tend(player).begun == ()
    player.fake.clock.move(45 * 60)
    (start,) = tend(player).begun
    assert player.instance(start) == ""
    assert initiators(player)["requested"] == "auto-scaling"
    assert tend(player).begun == ()
    player.fake.clock.move(3600)
    (stop,) = tend(player).begun
    assert player.instance(stop) == ""
    assert player.now(web1).state is S.STOPPED


def test_what_is_stopped_by_hand_stays_so_for_the_hour() -> None:
    player = a_player()
    web1 = player.add("web1", scaling=Scaling.TIME, hours={"monday": (10, 11)})
    player.instance(*tend(player).begun)
    player.change(web1, "stop")
    player.fake.clock.move(30 * 60)
    assert tend(player).begun == ()
    player.fake.clock.move(15 * 60)
    assert len(tend(player).begun) == 1


def test_a_lost_one_is_stopped_at_its_hour_and_not_healed() -> None:
    player = a_player()
    (web1,) = online(player, "web1", **TIMED)
    player.fake.clock.move(3600)
    silence(player, web1)
    tend(player)
    player.fake.clock.move(3600)
    assert [name for name in tend(player).begun if "-heal-" in name] == []


# ---------------------------------------------------------------- by load

LOAD = {
    "up": {"alarms": ["busy"], "instances": 2, "wait": "5m", "ignore": "10m"},
    "down": {"alarms": ["idle"], "wait": "5m", "ignore": "5m"},
}


def by_load(count: int) -> Player:
    """A layer with one instance that is always there and some that are started by load."""
    player = a_player(load=LOAD)
    online(player, "web1")
    for number in range(2, 2 + count):
        player.add(f"web{number}", scaling=Scaling.LOAD)
    for name in ("busy", "idle"):
        ring(player, name, "OK")
    return player


def ring(player: Player, name: str, value: str) -> None:
    player.fake.alarms.become(name, value, player.fake.clock.now())


def running(player: Player) -> list[str]:
    found = player.fake.records.instances("shop")
    return sorted(e.hostname for e in found if e.state is S.ONLINE)


def let(player: Player, minutes: int) -> list[int]:
    """Tick by tick, each change played; how many each began."""
    counts = []
    for _ in range(minutes):
        player.fake.clock.move(60)
        begun = tend(player).begun
        for name in begun:
            assert player.instance(name) == ""
        counts.append(len(begun))
    return counts


def test_load_is_answered_step_by_step_by_what_there_is() -> None:
    player = by_load(3)
    ring(player, "busy", "ALARM")
    assert let(player, 20) == [0] * 4 + [2] + [0] * 9 + [1] + [0] * 5
    assert running(player) == ["web1", "web2", "web3", "web4"]
    ring(player, "busy", "OK")
    ring(player, "idle", "ALARM")
    assert let(player, 16) == [0] * 4 + [1] + [0] * 4 + [1] + [0] * 4 + [1] + [0]
    assert running(player) == ["web1"]
    assert len(player.fake.records.instances("shop")) == 4


def test_an_alarm_that_does_not_last_changes_nothing() -> None:
    player = by_load(2)
    for _ in range(4):
        ring(player, "busy", "ALARM")
        assert sum(let(player, 4)) == 0
        ring(player, "busy", "OK")
        let(player, 1)


@pytest.mark.parametrize("broken", ["gone", "INSUFFICIENT_DATA"])
def test_an_alarm_that_says_nothing_is_told(broken: str) -> None:
    player = by_load(2)
    ring(player, "busy", "ALARM")
    if broken == "gone":
        del player.fake.alarms.states["idle"]
    else:
        ring(player, "idle", broken)
    assert sum(let(player, 8)) == 0
    (left,) = tend(player).left
    assert left.startswith("shop/web is not scaled by load: alarm idle ")


def test_a_layer_that_a_rollout_has_is_not_scaled() -> None:
    player = by_load(2)
    player.fake.machines.started["r"] = {}
    player.fake.records.hold_layer("shop/web", "r")
    ring(player, "busy", "ALARM")
    assert sum(let(player, 8)) == 0
    player.fake.machines.over.add("r")
    assert sum(let(player, 1)) == 2


def test_a_step_that_was_cut_short_is_carried_to_its_end_and_taken_once() -> None:
    player = by_load(3)
    ring(player, "busy", "ALARM")
    player.fake.clock.move(300)
    begun = tend(player).begun
    # None of its executions has begun to work: the record is as it was.
    for name in begun:
        del player.fake.machines.started[name]
    assert set(tend(player).begun) == set(begun)
    for name in begun:
        assert player.instance(name) == ""
    assert let(player, 8) == [0] * 8
    assert running(player) == ["web1", "web2", "web3"]
