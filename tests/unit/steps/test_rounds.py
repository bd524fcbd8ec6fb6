"""Configure: rounds that cover bursts, and what becomes of those who asked."""

from __future__ import annotations

import pytest

from kiln.domain.configure import AskStatus
from kiln.domain.instance import InstanceState
from kiln.errors import WrongState
from kiln.steps.begin_round import PATIENCE_S, BeginRound, begin_round
from kiln.steps.end_round import EndRound, end_round
from kiln.steps.sweep import Sweep, sweep
from tests.builders import NOW
from tests.unit.steps.playing import Player
from tests.unit.steps.stopping import abort, told
from tests.unit.steps.test_changes import a_player, labels

S = InstanceState


def begun(player: Player, name: str, first: bool = True) -> str:
    request = BeginRound(stack="shop", execution=name, first=first, since=NOW.isoformat())
    return begin_round(request, player.fake.world).path


def test_fifty_instances_that_come_together_cost_two_rounds() -> None:
    player = a_player()
    entries = [player.add(f"web{n}") for n in range(50)]
    player.change(entries[0], "start")
    # The first round runs while the others are on their way.
    (first,) = [name for name in player.fake.machines.started if name.startswith("shop-")]
    assert begun(player, first) == "run"
    for entry in entries[1:]:
        player.change(entry, "start")
    request = EndRound(stack="shop", round=1, results=())
    end_round(request, player.fake.world)
    player.rounds(first, "shop")
    player.run()
    rounds = player.fake.rounds.rounds("shop")
    assert [(found.number, found.covers, len(found.instances)) for found in rounds] == [
        (1, 1, 1),
        (2, 50, 50),
    ]
    statuses = [ask.status for ask in player.fake.rounds.asks("shop")]
    assert statuses == [
        AskStatus.SUCCESSFUL,
        *[AskStatus.SUPERSEDED] * 48,
        AskStatus.SUCCESSFUL,
    ]


def test_every_online_instance_of_every_layer_runs_configure_when_one_comes_or_goes() -> None:
    player = a_player()
    web1, db1 = player.add("web1"), player.add("db1", layers=("db", "web"))
    for entry in (web1, db1):
        player.change(entry, "start")
        player.run()
    assert labels(player).count("configure of layer web") == 3
    player.change(web1, "stop")
    player.run()
    assert labels(player)[-1] == "configure of layer web"
    (last,) = player.fake.rounds.rounds("shop")[-1].instances
    assert last == db1.id
    assert player.fake.rounds.holder("shop") is None


def test_a_configure_that_fails_leaves_its_instance_online() -> None:
    player = a_player()
    player.failing = {"configure"}
    web1 = player.add("web1")
    player.change(web1, "start")
    player.run()
    assert player.now(web1).state is S.ONLINE
    (found,) = player.fake.rounds.rounds("shop")
    assert "no such package" in found.failures[web1.id]
    assert player.fake.rounds.asks("shop")[0].status is AskStatus.FAILED


def test_a_second_execution_ends_at_once_and_its_wish_is_covered() -> None:
    player = a_player()
    player.change(player.add("web1"), "start")
    player.fake.machines.start("configure", "shop-1", {"stack": "shop"})
    assert begun(player, "shop-1") == "run"
    assert begun(player, "shop-2") == "over"


def test_a_holder_that_was_stopped_is_replaced() -> None:
    player = a_player()
    player.change(player.add("web1"), "start")
    assert begun(player, "lost") == "run"
    assert begun(player, "shop-2") == "run"
    assert player.fake.rounds.holder("shop") == "shop-2"


def test_a_later_round_waits_for_those_on_their_way_but_not_for_ever() -> None:
    player = a_player()
    player.change(player.add("web1"), "start")
    stuck = player.add("web2", state=S.BOOTING, changed_at=NOW.isoformat())
    assert begun(player, "shop-1", first=False) == "wait"
    player.fake.clock.move(901)
    assert begun(player, "shop-1", first=False) == "run"
    other = a_player()
    other.change(other.add("web1"), "start")
    other.fake.clock.move(PATIENCE_S + 1)
    other.add("web2", state=S.BOOTING, changed_at=other.fake.clock.now().isoformat())
    assert stuck.state is S.BOOTING
    assert begun(other, "shop-1", first=False) == "run"


def test_one_who_left_meanwhile_is_not_told() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    assert begun(player, "shop-1") == "run"
    player.change(web1, "stop")
    sent = len(player.fake.commands.sent)
    player.recipes({"stack": "shop", "instance": web1.id}, ["configure"], "shop-1/1")
    assert len(player.fake.commands.sent) == sent


def test_nobody_has_asked() -> None:
    player = a_player()
    assert begun(player, "shop-1") == "over"
    with pytest.raises(WrongState, match="has no round 3"):
        end_round(EndRound(stack="shop", round=3, results=()), player.fake.world)


def test_a_round_that_is_stopped_is_run_again_by_another_execution_and_says_so() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    (name,) = [n for n in player.fake.machines.started if n.startswith("shop-")]
    assert begun(player, name) == "run"
    abort(player, name)
    assert told(player, "configure", name) == f"{name}_end"
    # Whoever asks meanwhile starts one that finds nothing to do.
    assert told(player, "configure", name) is None
    player.run()
    first, second = player.fake.rounds.rounds("shop")
    assert f"{name} was stopped from outside (ABORTED)" in first.stopped
    assert (first.ended, second.stopped, second.failures) == (None, "", {})
    assert [ask.status for ask in player.fake.rounds.asks("shop")] == [AskStatus.SUCCESSFUL]
    abort(player, f"{name}_end")
    assert told(player, "configure", f"{name}_end") is None


def test_a_wish_whose_execution_never_began_is_found_by_the_sweep() -> None:
    player = a_player()
    player.change(player.add("web1"), "start")
    (name,) = [n for n in player.fake.machines.started if n.startswith("shop-")]
    del player.fake.machines.started[name]
    assert sweep(Sweep(), player.fake.world).taken_over == (f"configure {name}",)
    player.run()
    assert [ask.status for ask in player.fake.rounds.asks("shop")] == [AskStatus.SUCCESSFUL]
    assert sweep(Sweep(), player.fake.world).taken_over == ()
