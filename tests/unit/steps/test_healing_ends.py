"""Healing that fails, ends, or leaves alone what is not its own."""

from __future__ import annotations

from kiln.domain.events import Alert
from kiln.domain.healing import PAUSES
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.errors import AwsRefused
from kiln.steps.tend_instances import InstancesTended
from tests.builders import a_stack
from tests.unit.steps.tending import online, silence, tend
from tests.unit.steps.test_changes import GROUP, a_player, states

S = InstanceState


def test_a_heal_begins_nothing_where_the_agent_is_back_already() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    silence(player, web1)
    (begun,) = tend(player).begun
    player.fake.agents.answering.add(web1.ec2_id or "")
    player.fake.machines.over.add(begun)
    tend(player)
    assert player.now(web1).state is S.ONLINE
    assert player.instance(begun) == ""
    assert player.now(web1).healed_at == ()


def test_a_stop_that_began_since_the_record_was_read_is_no_loss() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    silence(player, web1)
    records, read = player.fake.records, player.fake.records.instances("shop")
    player.change(web1, "stop")
    player.fake.bus.events.clear()
    records.instances = lambda _: read  # type: ignore[method-assign]
    tended = tend(player)
    assert tended.begun == ()
    assert "changed while it was read" in tended.left[0]
    assert states(player) == []
    assert player.now(web1).state is S.STOPPED


def test_two_ticks_at_once_begin_one_heal() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    silence(player, web1)
    assert len({*tend(player).begun, *tend(player).begun}) == 1


def test_a_bake_that_holds_the_healing_is_not_disturbed() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    player.fake.records.hold_healing("shop/web", "web-20261123-101500-9f3a")
    silence(player, web1)
    tended = tend(player)
    assert tended.begun == ()
    assert "a bake holds the healing" in tended.left[0]
    player.fake.records.release_healing("shop/web", "web-20261123-101500-9f3a")
    assert len(tend(player).begun) == 1


def test_one_that_a_change_or_a_rollout_has_is_left_alone() -> None:
    player = a_player()
    web1, web2 = online(player, "web1", "web2")
    machines, records = player.fake.machines, player.fake.records
    machines.started |= {"web1-reboot": {}, "r": {}}
    records.replace_instance(web1.model_copy(update={"change": "web1-reboot"}))
    silence(player, web1)
    assert tend(player) == InstancesTended(begun=(), left=())
    assert player.now(web1).state is S.ONLINE
    records.hold_layer("shop/web", "r")
    silence(player, web2)
    assert tend(player).begun == ()
    assert player.now(web2).state is S.ONLINE
    # Executions that were lost hold nothing.
    machines.over |= {"web1-reboot", "r"}
    assert len(tend(player).begun) == 1
    assert {player.now(web1).state, player.now(web2).state} == {S.CONNECTION_LOST}


def test_a_layer_that_is_lost_as_a_whole_is_healed_a_part_at_a_time() -> None:
    player = a_player()
    entries = online(player, *(f"web{n}" for n in range(1, 7)))
    for entry in entries:
        silence(player, entry)
    first = tend(player).begun
    assert len(first) == 2
    for name in first:
        player.instance(name)
    assert len(tend(player).begun) == 2
    assert {player.now(entry).state for entry in entries} == {S.ONLINE, S.CONNECTION_LOST}


def test_a_network_that_stays_broken_is_healed_a_few_times_and_then_announced() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    silence(player, web1)
    player.unreachable = True
    heals = 0
    for _ in range(24 * 4):
        for begun in tend(player).begun:
            assert player.instance(begun) == "BuilderUnreachable"
            heals += 1
        player.fake.clock.move(900)
    assert heals == len(PAUSES)
    now = player.now(web1)
    assert now.state is S.CONNECTION_LOST
    (alert,) = (event for event in player.fake.bus.events if isinstance(event, Alert))
    assert alert.detail().keys() == {"stack-id", "instance-id", "type", "message"}
    assert now.error == alert.message
    assert f"healed {heals} times" in alert.message
    # Whoever mends the network stops and starts it; healing begins anew.
    player.unreachable = False
    assert player.change(web1, "stop") == ""
    assert player.change(web1, "start") == ""
    assert player.now(web1).healed_at == ()


def test_one_that_comes_up_late_runs_its_setup() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    silence(player, web1)
    player.unreachable = True
    (begun,) = tend(player).begun
    player.instance(begun)
    assert (player.now(web1).state, player.now(web1).lost_in) == (S.CONNECTION_LOST, S.BOOTING)
    player.unreachable = False
    player.fake.agents.answering.add(web1.ec2_id or "")
    (setup,) = tend(player).begun
    assert player.instance(setup) == ""
    assert player.now(web1).state is S.ONLINE
    assert player.fake.traffic.health(GROUP, web1.ec2_id or "")[0] == "healthy"


def test_a_heal_whose_setup_fails_is_a_failed_setup() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    silence(player, web1)
    player.failing = {"deploy"}
    (begun,) = tend(player).begun
    assert player.instance(begun) == "DeployFailed"
    assert (player.now(web1).state, player.now(web1).serving) == (S.SETUP_FAILED, False)


def test_a_heal_that_ec2_refuses_leaves_it_lost_with_the_reason() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    silence(player, web1)
    (begun,) = tend(player).begun
    player.fake.fleet.refusal = AwsRefused("ec2", "StopInstances", "UnauthorizedOperation", "no")
    assert player.instance(begun) == "StopFailed"
    now = player.now(web1)
    assert (now.state, now.lost_in) == (S.CONNECTION_LOST, S.SHUTTING_DOWN)
    assert "UnauthorizedOperation" in (now.error or "")


def test_a_tick_asks_once_for_all_agents_and_for_no_stack_that_rests() -> None:
    player = a_player()
    online(player, *(f"web{n}" for n in range(1, 5)))
    player.fake.records.put_stack(a_stack(name="bank"))
    player.fake.agents.calls.clear()
    tend(player)
    (call,) = player.fake.agents.calls
    assert len(call) == 4


def test_a_stack_that_is_gone_does_not_keep_others_from_being_tended() -> None:
    player = a_player()
    (web1,) = online(player, "web1")
    lone = LayerInstance(
        id="x",
        stack="bank",
        layers=("web",),
        hostname="x",
        state=S.ONLINE,
        ec2_id="i-x",
        changed_at="2026-01-01T00:00:00+00:00",
    )
    player.fake.records.put_stack(a_stack(name="bank"))
    player.fake.records.add_instance(lone)
    del player.fake.records._stacks["bank"]
    player.fake.records.stack_names = lambda: ("bank", "shop")  # type: ignore[method-assign]
    silence(player, web1)
    tended = tend(player)
    assert len(tended.begun) == 1
    assert "stack bank is gone" in tended.left[0]
