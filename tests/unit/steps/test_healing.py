"""An instance whose agent falls silent is lost, and healed."""

from __future__ import annotations

import pytest

from kiln.domain.instance import InstanceState
from tests.unit.steps.tending import initiators, online, silence, tend
from tests.unit.steps.test_changes import GROUP, a_player, labels, states

S = InstanceState


def test_a_silent_instance_is_lost_then_stopped_started_and_set_up_as_it_was() -> None:
    player = a_player()
    web1, _, _ = online(player, "web1", "web2", "web3")
    silence(player, web1)
    (begun,) = tend(player).begun
    assert player.instance(begun) == ""
    assert states(player) == [
        *("connection_lost", "stopping", "shutting_down", "stopped", "requested", "pending"),
        *("booting", "running_setup", "online"),
    ]
    by = initiators(player)
    assert by["stopping"] == by["requested"] == "auto-healing"
    after = player.now(web1)
    assert (after.ec2_id, after.hostname, after.change) == (web1.ec2_id, "web1", None)
    assert len(after.healed_at) == 1
    assert (after.lost_in, after.error) == (None, None)
    assert labels(player) == ["setup of layer web", "deploy of layer web"]
    assert player.fake.traffic.health(GROUP, after.ec2_id or "")[0] == "healthy"
    assert player.fake.fleet.forced == []
    player.run()
    assert labels(player).count("configure of layer web") == 3


def test_peers_learn_of_a_loss_once_and_of_the_return() -> None:
    player = a_player()
    web1, _ = online(player, "web1", "web2")
    before = len(player.fake.rounds.asks("shop"))
    silence(player, web1)
    (begun,) = tend(player).begun
    player.instance(begun)
    reasons = [ask.reason for ask in player.fake.rounds.asks("shop")][before:]
    assert reasons == ["offline", "online"]


def test_an_instance_store_root_is_replaced_under_the_same_name() -> None:
    player = a_player()
    (web1,) = online(player, "web1", root_device="instance-store")
    silence(player, web1)
    (begun,) = tend(player).begun
    assert player.instance(begun) == ""
    after = player.now(web1)
    assert after.ec2_id != web1.ec2_id
    assert (after.hostname, after.layers, after.state) == ("web1", ("web",), S.ONLINE)
    assert player.fake.fleet.instances[web1.ec2_id or ""].state == "terminated"
    assert (GROUP, web1.ec2_id) not in player.fake.traffic.targets


@pytest.mark.parametrize("state", ["stopped", "terminated"])
def test_what_is_stopped_or_terminated_outside_is_a_failure_at_once(state: str) -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    player.fake.agents.answering.clear()
    player.fake.agents.heard[web1.ec2_id or ""] = player.fake.clock.now()
    player.fake.fleet.become(web1.ec2_id or "", state)
    (begun,) = tend(player).begun
    assert f"EC2 says {state}" in (player.now(web1).error or "")
    assert player.instance(begun) == ""
    assert (player.now(web1).ec2_id == web1.ec2_id) is (state == "stopped")
    assert player.now(web1).state is S.ONLINE


def test_one_that_goes_down_for_good_is_waited_for_and_launched_anew() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    player.fake.agents.answering.clear()
    player.fake.fleet.become(web1.ec2_id or "", "shutting-down")
    (begun,) = tend(player).begun
    assert player.instance(begun) == ""
    assert player.now(web1).ec2_id != web1.ec2_id


def test_a_stop_that_hangs_is_forced() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    silence(player, web1)
    player.hanging = True
    (begun,) = tend(player).begun
    assert player.instance(begun) == ""
    assert player.fake.fleet.forced == [web1.ec2_id]
    assert player.now(web1).state is S.ONLINE


def test_healing_that_is_off_only_says_what_is_lost() -> None:
    player = a_player(auto_healing=False)
    (web1,) = online(player, "web1")
    silence(player, web1)
    for _ in range(3):
        assert tend(player).begun == ()
    assert states(player) == ["connection_lost"]
    now = player.now(web1)
    assert "its agent has not answered since 2026-" in (now.error or "")
    # Its target group judges for itself.
    assert player.fake.traffic.health(GROUP, web1.ec2_id or "")[0] == "healthy"


def test_one_layer_of_several_can_forbid_it() -> None:
    player = a_player(auto_healing=False)
    (web1,) = online(player, "web1", layers=("db", "web"))
    silence(player, web1)
    assert tend(player).begun == ()
    (db1,) = online(player, "db1", layers=("db",))
    silence(player, db1)
    assert len(tend(player).begun) == 1


def test_an_agent_that_answers_again_brings_its_instance_back() -> None:
    player = a_player(auto_healing=False)
    (web1,) = online(player, "web1")
    silence(player, web1)
    tend(player)
    player.fake.agents.answering.add(web1.ec2_id or "")
    assert tend(player).begun == ()
    assert states(player) == ["connection_lost", "online"]
    now = player.now(web1)
    assert (now.error, now.lost_in, now.serving) == (None, None, True)
    assert [ask.reason for ask in player.fake.rounds.asks("shop")][-2:] == ["offline", "online"]


def test_one_whose_setup_had_failed_comes_back_as_it_was() -> None:
    player = a_player(auto_healing=False)
    player.failing = {"setup"}
    web1 = player.add("web1")
    player.change(web1, "start")
    silence(player, web1)
    tend(player)
    assert player.now(web1).lost_in is S.SETUP_FAILED
    player.fake.agents.answering.add(player.now(web1).ec2_id or "")
    assert tend(player).begun == ()
    assert player.now(web1).state is S.SETUP_FAILED
