"""What layers do of themselves: heal what is lost, and scale by time and load."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.events import Alert, InstanceStateChange
from kiln.domain.healing import PAUSES, SILENCE
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.scaling import Scaling
from kiln.errors import AwsRefused
from kiln.steps.tend_instances import InstancesTended, TendInstances, tend_instances
from tests.builders import a_stack
from tests.unit.steps.playing import Player
from tests.unit.steps.test_changes import GROUP, a_player, labels, states

S = InstanceState


def tend(player: Player) -> InstancesTended:
    """One tick."""
    return tend_instances(TendInstances(), player.fake.world)


def online(player: Player, *names: str, **known: Any) -> list[LayerInstance]:
    """Instances of shop/web that are online, all of it announced and forgotten."""
    entries = [player.add(name, **known) for name in names]
    for entry in entries:
        assert player.change(entry, "start") == ""
    player.run()
    player.fake.bus.events.clear()
    player.fake.commands.sent.clear()
    return [player.now(entry) for entry in entries]


def silence(player: Player, entry: LayerInstance) -> None:
    """Let an agent say nothing for five minutes."""
    ec2_id = player.now(entry).ec2_id or ""
    player.fake.agents.answering.discard(ec2_id)
    player.fake.agents.heard[ec2_id] = player.fake.clock.now()
    player.fake.clock.move(SILENCE.total_seconds())


def initiators(player: Player) -> dict[str, str | None]:
    events = player.fake.bus.events
    return {e.status: e.initiated_by for e in events if isinstance(e, InstanceStateChange)}


# ---------------------------------------------------------------- healing


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
