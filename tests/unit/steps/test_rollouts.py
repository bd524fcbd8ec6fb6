"""An image comes to a layer, step by step; and where it cannot, the layer is as it was."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState
from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.errors import AwsRefused, KilnError
from kiln.steps._instances import change_instance, enter
from kiln.steps._looking import check_time, look
from kiln.steps.add_to_layers import add_to_layers
from kiln.steps.advance_rollout import AdvanceRollout, advance_rollout
from kiln.steps.finish_rollout import FinishRollout, finish_rollout
from kiln.steps.plan_rollout import PlanRollout, plan_rollout
from tests.builders import NOW, an_image
from tests.unit.steps.playing import Player, failure_of
from tests.unit.steps.test_changes import GROUP, a_player
from tests.unit.steps.test_layers import IMAGE, an_event

S = InstanceState
OLD = "ami-00000000000000old"
WHO = {"image": IMAGE, "layer": "shop/web"}
COMMON: dict[str, Any] = {"bake": "r", "since": NOW.isoformat(), "timeout_s": 60}


def a_layer(size: int, strategy: str = "replace", **options: Any) -> Player:
    """A player whose layer serves from `size` instances of an old image."""
    feed = {"blueprint": "web", "strategy": strategy, **options}
    player = a_player(blueprints=[feed])
    player.fake.images.add(an_image(id=OLD, name="old", created="2026-01-01T00:00:00.000Z"))
    player.fake.images.add(an_image(id=IMAGE, name="new", created="2026-11-23T00:00:00.000Z"))
    for n in range(size):
        player.change(player.add(f"web{n + 1}", image=OLD), "start")
    player.run()
    return player


def announced(player: Player) -> Rollout:
    """The rollout of the new image, begun."""
    add_to_layers(an_event(), player.fake.world)
    player.run()
    found = player.fake.records.rollout(IMAGE, "shop/web")
    assert found is not None
    return found


def planned(player: Player) -> Any:
    return plan_rollout(PlanRollout(**WHO, since=NOW.isoformat()), player.fake.world)


def rolled(player: Player) -> Any:
    """The rollout played to its end, as its machine does."""
    announced(player)
    failure = undo_failure = None
    assert planned(player).path == "go"
    try:
        _advanced(player, back=False)
    except KilnError as error:
        failure = failure_of(error)
        try:
            _advanced(player, back=True)
        except KilnError as another:
            undo_failure = failure_of(another)
    request = FinishRollout(**WHO, failure=failure, undo_failure=undo_failure)
    return finish_rollout(request, player.fake.world)


def _advanced(player: Player, back: bool) -> None:
    for _ in range(200):
        wait = advance_rollout(AdvanceRollout(**WHO, back=back), player.fake.world).wait
        if wait is None:
            return
        player.run()
        if look(wait, player.fake.world) is None:
            player.fake.clock.move(wait.timeout_s - 1)
            if look(wait, player.fake.world) is None:
                player.fake.clock.move(2)
                check_time(wait, player.fake.world)
    raise AssertionError("the rollout goes on for ever")


def layer_of(player: Player) -> dict[str, tuple[str, str | None]]:
    entries = player.fake.records.instances("shop")
    return {entry.hostname: (entry.state.value, entry.image) for entry in entries}


def test_replace_changes_a_layer_over_and_deletes_what_it_had() -> None:
    player = a_layer(3)
    assert rolled(player).status is RolloutStatus.SUCCEEDED
    assert layer_of(player) == {f"web{n}": ("online", IMAGE) for n in (4, 5, 6)}
    assert len(player.fake.traffic.targets) == 3
    alive = [i for i in player.fake.fleet.instances.values() if i.state != "terminated"]
    assert {i.image for i in alive} == {IMAGE}
    (taken,) = player.fake.records.layer_images("shop/web")
    assert taken.image == IMAGE
    assert player.fake.records.layer_holder("shop/web") is None
    types = player.fake.bus.types()
    assert types.index("Rollout Started") < types.index("Rollout Succeeded")


def test_a_new_layer_starts_with_its_count() -> None:
    player = a_player(count=2, blueprints=[{"blueprint": "web"}])
    assert rolled(player).status is RolloutStatus.SUCCEEDED
    assert layer_of(player) == {f"web{n}": ("online", IMAGE) for n in (1, 2)}


def test_add_adds_as_many_as_asked_and_leaves_the_rest() -> None:
    player = a_layer(1, "add", instances=2)
    assert rolled(player).status is RolloutStatus.SUCCEEDED
    assert layer_of(player) == {
        "web1": ("online", OLD),
        "web2": ("online", IMAGE),
        "web3": ("online", IMAGE),
    }


def test_what_replaces_an_instance_keeps_its_scaling_and_its_layers() -> None:
    player = a_layer(0)
    hours = {"scaling": "time", "hours": {"monday": [8]}, "layers": ("web", "db")}
    player.change(player.add("web1", image=OLD, planned="web1", **hours), "start")
    stopped = player.add("web2", image=OLD, scaling="time", hours={"monday": (9,)})
    player.change(stopped, "start")
    player.change(stopped, "stop")
    root = player.now(stopped).ec2_id or ""
    player.run()
    assert rolled(player).status is RolloutStatus.SUCCEEDED
    entries = {entry.hostname: entry for entry in player.fake.records.instances("shop")}
    new = next(entry for entry in entries.values() if entry.state is S.ONLINE)
    assert (new.layers, new.scaling, new.planned) == (("web", "db"), "time", "web1")
    # One that is stopped starts from the new image next time; its root was the old one's.
    after = entries[stopped.hostname]
    assert (after.image, after.ec2_id, after.state) == (IMAGE, None, S.STOPPED)
    known = player.fake.fleet.describe(root)
    assert known is None or known.state in ("shutting-down", "terminated")
    assert player.change(stopped, "start") == ""


def test_a_layer_whose_instances_are_all_stopped_keeps_them_so() -> None:
    player = a_player(count=2, blueprints=[{"blueprint": "web"}])
    player.fake.images.add(an_image(id=IMAGE, name="new", created="2026-11-23T00:00:00.000Z"))
    player.add("web1", image=None, planned="web1")
    assert rolled(player).status is RolloutStatus.SUCCEEDED
    assert layer_of(player) == {"web1": ("stopped", IMAGE)}


def test_nobody_else_starts_an_instance_while_its_layer_changes_over() -> None:
    player = a_layer(1)
    idle = player.add("web9", image=OLD)
    rollout = announced(player)
    assert planned(player).path == "go"
    name = change_instance(idle, "start", player.fake.world)
    assert player.instance(name) == "InstanceBusy"
    assert f"rollout {rollout.id} works on layer shop/web" in player.errors[name].cause
    player.fake.machines.over.add(rollout.id)
    assert player.change(idle, "start") == ""


def test_a_rollout_begins_when_what_moves_has_come_to_rest() -> None:
    player = a_layer(2)
    moving = player.fake.records.instances("shop")[0]
    announced(player)
    world = player.fake.world
    rebooting = enter(moving, S.REBOOTING, world)
    first = planned(player)
    assert (first.path, first.wait.instances) == ("wait", (moving.id,))
    assert look(first.wait, world) is None
    enter(rebooting, S.ONLINE, world)
    assert look(first.wait, world)
    assert planned(player).path == "go"
    rollout = player.fake.records.rollout(IMAGE, "shop/web")
    assert rollout is not None
    assert rollout.size == 2


def test_a_setup_that_fails_on_the_third_puts_the_layer_back() -> None:
    player = a_layer(3)
    before = layer_of(player)
    fleet = player.fake.fleet

    original = player.instance

    def instance(name: str) -> str:
        change = player.fake.machines.started[name]["change"]
        third = change == "start" and len(fleet.orders) == 5
        player.failing = {"setup of layer web"} if third else set()
        return original(name)

    player.instance = instance  # type: ignore[method-assign]
    ended = rolled(player)
    assert (ended.status, ended.error) == (RolloutStatus.FAILED, "RolloutFailed")
    assert "web6 is setup_failed" in ended.cause
    assert "no such package" in ended.cause
    assert layer_of(player) == before
    assert player.fake.bus.types()[-2:] == ["Rollout Failed", "Rollout Rolled Back"]
    assert player.fake.records.layer_images("shop/web") == ()


def test_a_target_group_that_never_turns_healthy_puts_the_layer_back() -> None:
    player = a_layer(2)
    before = layer_of(player)
    original = player.fake.traffic.register

    def sick(groups: Any, instance: str) -> None:
        original(groups, instance)
        if player.fake.fleet.instances[instance].image == IMAGE:
            player.fake.traffic.targets[GROUP, instance] = (
                "unhealthy",
                "Target.FailedHealthChecks",
            )

    player.fake.traffic.register = sick  # type: ignore[method-assign]
    ended = rolled(player)
    assert ended.status is RolloutStatus.FAILED
    assert "not found healthy by their target groups after 600 s" in ended.cause
    assert layer_of(player) == before


def test_an_alarm_puts_the_layer_back() -> None:
    player = a_layer(2, "canary", alarms=["web-5xx"])
    before = layer_of(player)
    player.fake.alarms.states["web-5xx"] = "OK"
    announced(player)
    planned(player)
    original = player.run

    def run() -> None:
        original()
        if len(player.fake.fleet.orders) == 3:
            player.fake.alarms.states["web-5xx"] = "ALARM"

    player.run = run  # type: ignore[method-assign]
    ended = rolled(player)
    assert (ended.status, ended.cause) == (RolloutStatus.FAILED, "alarm web-5xx is in ALARM")
    assert layer_of(player) == before


def test_an_alarm_that_does_not_exist_watches_nothing() -> None:
    player = a_layer(1, alarms=["nobody"])
    announced(player)
    planned(player)
    with pytest.raises(AwsRefused, match="ResourceNotFound"):
        advance_rollout(AdvanceRollout(**WHO), player.fake.world)


def test_what_cannot_be_put_back_is_said() -> None:
    player = a_layer(1)
    rollout = announced(player)
    finished = FinishRollout(
        **WHO,
        failure=Failure(error="RolloutFailed", cause="web2 is setup_failed"),
        undo_failure=Failure(error="StopFailed", cause="web2 hangs"),
    )
    planned(player)
    ended = finish_rollout(finished, player.fake.world)
    assert ended.cause == "web2 is setup_failed; and the layer is not as it was: web2 hangs"
    assert player.fake.bus.types()[-1] == "Rollout Failed"
    assert rollout.begun is None


def test_what_is_left_to_delete_is_not_a_failure_of_the_rollout() -> None:
    player = a_layer(1)
    announced(player)
    planned(player)
    rollout = player.fake.records.rollout(IMAGE, "shop/web")
    assert rollout is not None
    player.fake.records.update_rollout(rollout.model_copy(update={"committed": True}))
    failure = Failure(error="StopFailed", cause="web1 could not be deleted")
    ended = finish_rollout(FinishRollout(**WHO, failure=failure), player.fake.world)
    assert (ended.status, ended.error) == (RolloutStatus.SUCCEEDED, "")
    assert "could not be deleted" in ended.cause
