"""Layers by hand: what a command names is found, what cannot be is said, what ran is told."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import LayerImage
from kiln.errors import InvalidRequest
from kiln.ports import ExecutionFacts
from kiln_cli import changing, members
from kiln_cli.baking import Pace
from kiln_cli.finding import Found, find_instances, find_layer
from kiln_cli.members import Wanted, add, assign
from tests.builders import a_stack, an_image
from tests.fakes import FakeWorld
from tests.unit.steps.playing import Player
from tests.unit.steps.test_changes import a_player

S = InstanceState
NEW = "ami-00000000000000new"


def a_pace(player: Player) -> Pace:
    """A pause lets everything happen that was started."""
    return Pace(lambda _: player.run(), lambda: repeat(1.0))


def with_image(player: Player, image: str = NEW, at: str = "2026") -> None:
    """The layer shop/web runs an image."""
    player.fake.images.add(an_image(id=image, name=image, architecture="arm64"))
    player.fake.records.add_layer_image(
        LayerImage(layer="shop/web", image=image, created=at, rollout="r", at=at)
    )


def test_of_each_that_failed_the_reason_and_the_next_step_are_said() -> None:
    player = a_player()
    player.add("web1", state=S.START_FAILED, error="no room")
    player.add("web2", state=S.SETUP_FAILED, error="exit 3", change="somebody-works-on-it")
    player.add("web3", state=S.ONLINE, error="its Setup was stopped")
    player.add("web4", state=S.STOP_FAILED)
    first, second = changing.troubles(player.fake.records.instances("shop"))
    assert first == "web1 is start_failed: no room; `kiln layers start web1` tries again"
    assert second.startswith("web4 is stop_failed: no reason is known; `kiln layers stop web4`")


def change(player: Player, verb: Any, *entries: LayerInstance) -> list[changing.Outcome]:
    """A change by hand, waited for."""
    now = tuple(player.now(entry) for entry in entries)
    changing.check_states(now, verb, player.fake.world)
    executions = changing.begin(now, verb, player.fake.world)
    return changing.follow(now, executions, player.fake.world, a_pace(player))


# ------------------------------------------------------------ finding


def two_stacks() -> Player:
    player = a_player()
    player.fake.records.put_stack(a_stack(name="bank"))
    return player


def test_a_layer_is_found_by_its_path_and_by_its_name_alone_where_only_one_has_it() -> None:
    world = two_stacks().fake.world
    assert find_layer("shop/web", world).path == "shop/web"
    assert find_layer("db", world).path == "shop/db"
    with pytest.raises(InvalidRequest, match=r"in several stacks: bank/web, shop/web; say which"):
        find_layer("web", world)
    with pytest.raises(InvalidRequest, match=r"shop/no does not exist; known: bank/api, "):
        find_layer("shop/no", world)


def test_an_instance_is_found_by_any_of_its_names() -> None:
    player = two_stacks()
    mine = player.add("web1", ec2_id="i-0abc")
    other = player.add("web1", id="other-id", stack="bank")
    world = player.fake.world
    for name in ("shop/web1", mine.id, "i-0abc"):
        assert find_instances([name], world) == (mine,)
    assert find_instances(["bank/web1", "other-id"], world) == (other,)
    with pytest.raises(InvalidRequest, match=r"several stacks: bank/web1, shop/web1; say which"):
        find_instances(["web1"], world)
    with pytest.raises(InvalidRequest, match="web9 does not exist"):
        find_instances(["web9"], world)


def test_members_are_those_of_any_layer_in_the_order_of_their_numbers() -> None:
    player = a_player()
    for name, layers in (("web10", ("web",)), ("web9", ("db", "web")), ("db1", ("db",))):
        player.add(name, layers=layers)
    found = find_layer("shop/web", player.fake.world)
    assert [entry.hostname for entry in found.members(player.fake.world)] == ["web9", "web10"]


# ------------------------------------------------------------ records


def test_added_instances_are_stopped_and_have_the_layers_image() -> None:
    player = a_player()
    with_image(player)
    player.add("web1")
    found = find_layer("shop/web", player.fake.world)
    made = add(found, Wanted(count=2, also_in=("shop/db",)), player.fake.world)
    assert [(i.hostname, i.state, i.image) for i in made] == [
        ("web2", S.STOPPED, NEW),
        ("web3", S.STOPPED, NEW),
    ]
    assert {i.layers for i in made} == {("web", "db")}
    assert {(i.architecture, i.instance_type, i.planned) for i in made} == {
        ("arm64", "m7i.large", None)
    }
    assert player.fake.fleet.orders == []
    assert {player.now(i).hostname for i in made} == {"web2", "web3"}


def test_a_hostname_that_the_stack_file_plans_is_not_taken() -> None:
    player = a_player(instances=[{"hostname": "web1"}])
    found = find_layer("shop/web", player.fake.world)
    (made,) = add(found, Wanted(), player.fake.world)
    assert (made.hostname, made.image) == ("web2", None)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(scaling="time"), "--hours go with --scaling time"),
        (Wanted(hours={"monday": [9]}), "--hours go with --scaling time"),
        (Wanted(scaling="time", hours={"monday": [24]}), "hours.monday.0"),
        (Wanted(scaling="time", hours={"someday": [2]}), "someday"),
        (Wanted(scaling="load"), "shop/web has no load: in its stack file"),
        (Wanted(also_in=("nowhere",)), "nowhere is no layer of stack shop"),
        (Wanted(also_in=("old",)), "web has platform amazon-linux-2023, old has ubuntu-18.04"),
    ],
)
def test_what_cannot_be_added_is_said_in_one_line(wanted: Wanted, said: str) -> None:
    player = a_player()
    stack = player.fake.records.stack("shop")
    assert stack is not None
    old = stack.layers[0].model_copy(update={"name": "old", "platform": "ubuntu-18.04"})
    player.fake.records.put_stack(stack.model_copy(update={"layers": (*stack.layers, old)}))
    with pytest.raises(InvalidRequest, match=said):
        add(find_layer("shop/web", player.fake.world), wanted, player.fake.world)
    assert player.fake.records.instances("shop") == ()


def test_an_auto_scaling_group_adds_its_own() -> None:
    fake = FakeWorld()
    fake.records.put_stack(a_stack())
    with pytest.raises(InvalidRequest, match="its Auto Scaling group shop-api adds instances"):
        add(find_layer("shop/api", fake.world), Wanted(), fake.world)


def a_stack_of(player: Player) -> Any:
    return player.fake.records.stack("shop")


def test_layers_of_an_instance_change_only_while_it_is_stopped() -> None:
    player = a_player()
    web1 = player.add("web1")
    moved = assign(web1, a_stack_of(player), ("db", "shop/web", "db"), player.fake.world)
    # The layer that it was made for stays the first.
    assert player.now(web1).layers == moved.layers == ("web", "db")
    assert assign(moved, a_stack_of(player), ("web", "db"), player.fake.world) == moved
    gone = assign(moved, a_stack_of(player), ("db",), player.fake.world)
    assert gone.layers == ("db",)
    player.change(gone, "start")
    with pytest.raises(InvalidRequest, match="web1 is online: the layers of an instance change on"):
        assign(player.now(web1), a_stack_of(player), ("web",), player.fake.world)
    windows = player.add("web2", platform="windows-2022")
    with pytest.raises(InvalidRequest, match="web2 is windows-2022, layer db is amazon-linux-2023"):
        assign(windows, a_stack_of(player), ("db",), player.fake.world)


# ------------------------------------------------------------ changes


def test_a_start_is_followed_to_its_end_and_its_states_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    player = a_player()
    (outcome,) = change(player, "start", player.add("web1"))
    assert (outcome.hostname, outcome.state, outcome.error) == ("web1", "online", "")
    assert capsys.readouterr().err == "web1: online\n"
    (stopped,) = change(player, "stop", player.now(player.add("web1")))
    assert stopped.state == "stopped"
    (deleted,) = change(player, "delete", player.now(player.add("web1")))
    assert (deleted.state, deleted.ec2_id) == ("terminated", None)
    assert player.fake.records.instances("shop") == ()


def test_a_failed_setup_is_told_with_its_reason() -> None:
    player = a_player()
    player.failing.add("setup of layer web")
    (outcome,) = change(player, "start", player.add("web1"))
    assert (outcome.state, outcome.error) == ("setup_failed", "SetupFailed")
    assert "no such package" in outcome.cause
    rows = changing.as_json([outcome])["instances"]
    assert rows[0]["error"] == "SetupFailed"
    well = changing.as_json(changing.not_awaited([player.add("web2")]))["instances"]
    assert "error" not in well[0]
    assert well[0]["ended"] is False


def test_an_execution_that_was_ended_from_outside_is_no_success() -> None:
    player = a_player()
    web1 = player.add("web1")
    executions = changing.begin((web1,), "start", player.fake.world)
    player.fake.machines.ended[executions[web1.id]] = ExecutionFacts("ABORTED")
    (outcome,) = changing.follow((web1,), executions, player.fake.world, a_pace(player))
    assert outcome.error == "ABORTED"


def test_what_is_asked_twice_by_hand_is_two_changes() -> None:
    player = a_player()
    web1 = player.add("web1")
    first, second = (changing.begin((web1,), "start", player.fake.world)[web1.id] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("state", "verb", "said"),
    [
        (S.BOOTING, "start", "web1 is booting; it starts from stopped alone"),
        (S.STOPPED, "reboot", "web1 is stopped; it reboots from online alone"),
        (S.ONLINE, "delete", "web1 is online; it is deleted from stopped alone"),
        (S.TERMINATING, "stop", "web1 is terminating; it is about to go"),
    ],
)
def test_a_state_that_does_not_allow_it_is_refused_before_anything_begins(
    state: InstanceState, verb: Any, said: str
) -> None:
    player = a_player()
    web1 = player.add("web1", state=state)
    with pytest.raises(InvalidRequest, match=said):
        changing.check_states((web1,), verb, player.fake.world)


def test_one_without_an_image_cannot_start_and_neither_can_one_in_a_rollout() -> None:
    player = a_player()
    bare = player.add("web1", image=None)
    with pytest.raises(InvalidRequest, match=r"web1 has no image yet; `kiln rollout IMAGE shop/"):
        changing.check_states((bare,), "start", player.fake.world)
    player.fake.machines.start("rollout", "r-1", {})
    player.fake.records.hold_layer("shop/web", "r-1")
    with pytest.raises(InvalidRequest, match="rollout r-1 works on shop/web"):
        changing.check_states((player.add("web2"),), "start", player.fake.world)


def test_what_will_surprise_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    player = a_player()
    old = player.add("web1", scaling="time", hours={"monday": (9,)}, planned="web1")
    change(player, "start", old)
    change(player, "stop", old)
    with_image(player)
    capsys.readouterr()
    change(player, "start", old)
    said = capsys.readouterr().err
    assert "web1 is started and stopped by its hours, which may undo this" in said
    assert "web1 starts from its own root, made from ami-0000000000000ba5e, and keeps it" in said
    assert f"shop/web runs {NEW}: delete and add it to change over" in said
    change(player, "stop", old)
    capsys.readouterr()
    change(player, "delete", old)
    assert "web1 stands in its stack file as web1" in capsys.readouterr().err


def test_a_stopped_instance_gets_the_type_that_its_record_names() -> None:
    player = a_player()
    web1 = player.add("web1", instance_type="m7i.large")
    change(player, "start", web1)
    change(player, "stop", web1)
    player.fake.records.replace_instance(
        player.now(web1).model_copy(update={"instance_type": "m7i.xlarge"})
    )
    change(player, "start", web1)
    ec2_id = player.now(web1).ec2_id or ""
    assert player.fake.fleet.instances[ec2_id].instance_type == "m7i.xlarge"


def test_layers_that_differ_in_chef_share_no_instance() -> None:
    layers = a_stack().layers
    with pytest.raises(InvalidRequest, match="web has chef none, app has 12"):
        members.check_alike(
            [layers[0], layers[1].model_copy(update={"platform": layers[0].platform})]
        )
    assert Found(a_stack(), layers[0]).path == "shop/web"
