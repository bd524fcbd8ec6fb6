"""Changes of instances that are stopped: each instance comes to rest, none serves by halves."""

from __future__ import annotations

import pytest

from kiln.domain.deployment import Deployment
from kiln.domain.failure import Failure
from kiln.domain.hooks import LifecycleAction
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.errors import InstanceBusy
from kiln.steps._instances import change_by_hand, change_instance
from kiln.steps.begin_change import BeginChange, ChangeBegun, begin_change
from kiln.steps.end_change import EndChange, end_change
from kiln.steps.leave_service import LeaveService, leave_service
from kiln.steps.mark_instance import MarkInstance, mark_instance
from kiln.steps.stop_instance import StopInstance, stop_instance
from tests.builders import NOW
from tests.unit.steps.playing import Player
from tests.unit.steps.stopping import abort, asked, started, told
from tests.unit.steps.test_changes import GROUP, a_player

S = InstanceState


def ended(player: Player, name: str) -> ChangeBegun:
    """The execution that takes a change over, played to its end."""
    end = told(player, "instance", name)
    assert end is not None
    request = asked(player, end)
    world = player.fake.world
    begun = begin_change(request, world)
    assert begin_change(request, world) == begun
    failure = begun.failure
    if begun.path in ("stop", "delete"):
        _stopped(player, request, begun)
    payload = player.fake.machines.started[end]
    more = {key: payload[key] for key in ("deployment", "events", "hook") if key in payload}
    finish = EndChange(
        stack="shop",
        instance=request.instance,
        change=request.change,
        execution=end,
        failure=failure,
        stopped=name,
        **more,
    )
    assert end_change(finish, world).error == end_change(finish, world).error
    player.played.add(end)
    player.fake.machines.over.add(end)
    return begun


def _stopped(player: Player, request: BeginChange, begun: ChangeBegun) -> None:
    world, who = player.fake.world, {"stack": "shop", "instance": request.instance}
    if begun.path == "stop" and not begun.down:
        leave_service(LeaveService(**who), world)
        mark_instance(MarkInstance(**who, state="shutting_down"), world)
    delete = begun.path == "delete"
    stops = stop_instance(StopInstance(**who, execution=request.execution, terminate=delete), world)
    if stops.wait:
        player.fake.fleet.become(stops.wait.instance, "terminated" if delete else "stopped")


@pytest.mark.parametrize("upto", ["begun", "launched", "booting", "setup"])
def test_a_start_that_is_stopped_ends_what_it_launched_and_can_be_done_again(upto: str) -> None:
    player = a_player()
    web1 = player.add("web1")
    ended(player, started(player, web1, upto))
    now = player.now(web1)
    assert (now.state, now.ec2_id, now.change) == (S.START_FAILED, None, None)
    assert "was stopped from outside (ABORTED): the wrong one" in (now.error or "")
    assert {i.state for i in player.fake.fleet.instances.values()} <= {"shutting-down"}
    assert player.change(web1, "start") == ""
    assert player.now(web1).state is S.ONLINE


def test_a_launch_that_nobody_wrote_down_is_ended() -> None:
    player = a_player()
    web1 = player.add("web1")
    name = started(player, web1, "begun")
    # The function launched it, and died.
    player.fake.fleet.add({"kiln:change": name})
    ended(player, name)
    assert [i.state for i in player.fake.fleet.instances.values()] == ["shutting-down"]


def test_a_start_that_failed_of_itself_ends_a_launch_that_nobody_wrote_down() -> None:
    player = a_player()
    web1 = player.add("web1")
    name = change_instance(web1, "start", player.fake.world)
    begin_change(asked(player, name), player.fake.world)
    player.fake.fleet.add({"kiln:change": name})
    failure = Failure(error="Sandbox.Timedout")
    request = EndChange(
        stack="shop", instance=web1.id, change="start", execution=name, failure=failure
    )
    assert end_change(request, player.fake.world).state == "start_failed"
    assert [i.state for i in player.fake.fleet.instances.values()] == ["shutting-down"]


def test_a_start_from_a_root_of_its_own_keeps_the_root() -> None:
    player = a_player(target_groups=[GROUP])
    web1 = player.add("web1")
    player.change(web1, "start")
    player.change(web1, "stop")
    root = player.now(web1).ec2_id
    name = started(player, web1, "setup")
    player.fake.traffic.register([GROUP], root or "")
    ended(player, name)
    now = player.now(web1)
    assert (now.state, now.ec2_id) == (S.SETUP_FAILED, root)
    assert player.fake.traffic.targets == {}
    assert player.fake.fleet.instances[root or ""].state == "pending"


def test_a_start_that_is_stopped_when_it_serves_is_finished() -> None:
    player = a_player(target_groups=[GROUP])
    web1 = player.add("web1")
    name = started(player, web1, "serving")
    asks = len(player.fake.rounds.asks("shop"))
    ended(player, name)
    now = player.now(web1)
    assert (now.state, now.serving, now.error, now.change) == (S.ONLINE, True, None, None)
    # Whether its peers were told, nobody knows: they are told once more.
    assert len(player.fake.rounds.asks("shop")) == asks + 1


def test_a_start_that_was_stopped_before_it_began_changes_nothing_but_the_next_ones_name() -> None:
    player = a_player()
    web1 = player.add("web1")
    name = change_instance(web1, "start", player.fake.world)
    abort(player, name)
    ended(player, name)
    assert player.now(web1).state is S.STOPPED
    again = change_instance(player.now(web1), "start", player.fake.world)
    assert again != name
    assert player.instance(again) == ""


def a_stop(player: Player, entry: LayerInstance, upto: str, change: str = "stop") -> str:
    """A stop or a delete that is stopped after one of its steps."""
    name = change_by_hand(player.now(entry), change, player.fake.world, f"w-{upto}")
    world, who = player.fake.world, {"stack": "shop", "instance": entry.id}
    stopping = StopInstance(**who, execution=name, terminate=change == "delete")
    steps = {
        "nothing": lambda: None,
        "begun": lambda: begin_change(asked(player, name), world),
        "left": lambda: leave_service(LeaveService(**who), world),
        "marked": lambda: mark_instance(MarkInstance(**who, state="shutting_down"), world),
        "asked": lambda: stop_instance(stopping, world),
    }
    for step, act in steps.items():
        if change != "delete" or step not in ("left", "marked"):
            act()
        if step == upto:
            break
    abort(player, name)
    return name


@pytest.mark.parametrize("upto", ["begun", "left", "marked"])
def test_a_stop_that_is_stopped_takes_the_instance_out_of_service_and_no_further(upto: str) -> None:
    player = a_player(target_groups=[GROUP])
    web1 = player.add("web1")
    player.change(web1, "start")
    assert ended(player, a_stop(player, web1, upto)).path == "nothing"
    now = player.now(web1)
    assert (now.state, now.serving, now.change) == (S.STOP_FAILED, False, None)
    assert player.fake.traffic.targets == {}
    assert player.fake.fleet.instances[now.ec2_id or ""].state == "running"
    assert player.change(web1, "start") == ""
    assert player.now(web1).serving
    assert player.change(web1, "stop") == ""


def test_a_stop_that_was_stopped_before_it_began_leaves_the_instance_in_service() -> None:
    player = a_player(target_groups=[GROUP])
    web1 = player.add("web1")
    player.change(web1, "start")
    name = change_instance(player.now(web1), "stop", player.fake.world)
    abort(player, name)
    ended(player, name)
    now = player.now(web1)
    assert (now.state, now.serving) == (S.ONLINE, True)
    assert "was stopped from outside" in (now.error or "")


def test_a_stop_that_ec2_was_asked_for_is_seen_to_its_end() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    begun = ended(player, a_stop(player, web1, "asked"))
    assert (begun.path, begun.down, begun.failure) == ("stop", True, None)
    now = player.now(web1)
    assert (now.state, now.error, now.change) == (S.STOPPED, None, None)


def test_a_delete_that_is_stopped_keeps_what_was_not_going() -> None:
    player = a_player()
    web1, web2 = player.add("web1"), player.add("web2")
    for entry in (web1, web2):
        player.change(entry, "start")
        player.change(entry, "stop")
    ended(player, a_stop(player, web1, "begun", "delete"))
    now = player.now(web1)
    assert (now.state, now.change) == (S.STOPPED, None)
    assert player.fake.fleet.instances[now.ec2_id or ""].state == "stopped"
    assert player.change(web1, "delete") == ""
    ended(player, a_stop(player, web2, "asked", "delete"))
    assert player.fake.records.instances("shop") == ()


def test_a_setup_that_is_stopped_before_it_began_serves_on() -> None:
    player = a_player(target_groups=[GROUP])
    web1 = player.add("web1")
    player.change(web1, "start")
    name = change_by_hand(player.now(web1), "setup", player.fake.world, "w")
    begin_change(asked(player, name), player.fake.world)
    leave_service(LeaveService(stack="shop", instance=web1.id), player.fake.world)
    abort(player, name)
    ended(player, name)
    now = player.now(web1)
    assert (now.state, now.serving) == (S.ONLINE, True)
    assert list(player.fake.traffic.targets) == [(GROUP, now.ec2_id)]


def test_a_deployment_that_is_stopped_is_told_as_failed_and_one_that_ended_stays() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    deployments = player.fake.deployments
    for number, status in enumerate(("failed", "successful")):
        wanted = Deployment(
            id=f"d{number}",
            stack="shop",
            command="deploy",
            instances=(web1.id,),
            by="me",
            at=NOW.isoformat(),
        )
        deployments.put(wanted)
        more = {"deployment": wanted.id, "events": ["deploy"]}
        name = change_by_hand(player.now(web1), "run", player.fake.world, wanted.id, **more)
        if status == "successful":
            player.instance(name)
        else:
            begin_change(asked(player, name), player.fake.world)
        abort(player, name)
        ended(player, name)
        (command,) = deployments.commands("shop", wanted.id)
        assert command.status.value == status
    assert player.now(web1).state is S.ONLINE


def test_whoever_finds_a_stopped_change_lets_it_be_ended_first() -> None:
    player = a_player()
    web1 = player.add("web1")
    name = started(player, web1, "begun")
    other = change_by_hand(player.now(web1), "stop", player.fake.world, "w")
    with pytest.raises(InstanceBusy, match=name):
        begin_change(asked(player, other), player.fake.world)
    assert f"{name}_end" in player.fake.machines.started
    with pytest.raises(InstanceBusy, match=name):
        begin_change(asked(player, other), player.fake.world)


@pytest.mark.parametrize(("upto", "answer"), [("begun", "ABANDON"), ("serving", "CONTINUE")])
def test_a_group_is_told_of_an_instance_whose_joining_is_stopped(upto: str, answer: str) -> None:
    player = a_player()
    groups = player.fake.groups
    instance = player.fake.fleet.add({"kiln:managed": "true"})
    web1 = player.add("web1", ec2_id=instance)
    hook = LifecycleAction(group="g", hook="kiln-launch", token="t", instance=instance)
    groups.waiting.add("t")
    name = started(player, web1, upto, change="join", hook=hook.model_dump())
    ended(player, name)
    assert groups.answers[-1] == ("t", answer)
    # A group ends what it launched by itself.
    assert player.fake.fleet.instances[instance].state != "shutting-down"


def test_a_leaving_that_is_stopped_goes_on_for_the_group_has_decided() -> None:
    player = a_player(target_groups=[GROUP])
    web1 = player.add("web1")
    player.change(web1, "start")
    begun = ended(player, a_stop(player, web1, "marked", "leave"))
    assert (begun.path, begun.failure) == ("stop", None)
    assert player.fake.records.instances("shop") == ()
