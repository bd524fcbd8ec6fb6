"""Instances of an Auto Scaling group join their layer and leave it, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import Rollout, rollout_id
from kiln.errors import AwsBusy
from kiln.ports import InstanceFacts
from kiln.steps._instances import change_instance
from kiln.steps._rollouts import failed_join
from kiln.steps.follow_group import GroupEvent, follow_group, member_id
from tests.builders import NOW, a_stack
from tests.fakes import FakeWorld
from tests.unit.steps.playing import Player
from tests.unit.steps.test_changes import RECIPES, labels, states

S = InstanceState
EC2, OLD = "i-0123456789abcdef0", "ami-0000000000000ba5e"
LAUNCH, TERMINATE, GONE = (
    "EC2 Instance-launch Lifecycle Action",
    "EC2 Instance-terminate Lifecycle Action",
    "EC2 Instance Terminate Successful",
)


def a_player() -> Player:
    """A stack with a group whose instance runs."""
    fake = FakeWorld()
    api = {"name": "api", "kind": "autoscaling", "group": "shop-api", "recipes": RECIPES}
    fake.records.put_stack(a_stack(layers=[api | {"platform": "amazon-linux-2023"}]))
    fake.groups.a_group("shop-api", "lt-1")
    fake.fleet.instances[EC2] = InstanceFacts(EC2, "running", "", OLD, "m7i.large", {})
    return Player(fake)


def heard(player: Player, kind: str, token: str = "t" * 36, **more: Any) -> str | None:
    """An event of Auto Scaling; the change that it started."""
    if kind != GONE:
        player.fake.groups.waiting.add(token)
        way = "LAUNCHING" if kind == LAUNCH else "TERMINATING"
        more |= {
            "LifecycleActionToken": token,
            "LifecycleHookName": f"kiln-{'launch' if kind == LAUNCH else 'terminate'}",
            "LifecycleTransition": f"autoscaling:EC2_INSTANCE_{way}",
        }
    detail = {"AutoScalingGroupName": "shop-api", "EC2InstanceId": EC2} | more
    event = {"detail-type": kind, "time": "2026-11-23T10:15:00Z", "detail": detail}
    return follow_group(GroupEvent.model_validate(event), player.fake.world).started


def member(player: Player) -> LayerInstance | None:
    """Its record."""
    return player.fake.records.instance("shop", member_id(EC2))


def joined(player: Player) -> LayerInstance:
    """An instance that has joined."""
    heard(player, LAUNCH)
    player.run()
    found = member(player)
    assert found is not None
    return found


def test_what_a_group_launches_is_set_up_and_then_let_go_on() -> None:
    player = a_player()
    entry = joined(player)
    assert (entry.state, entry.serving, entry.layers) == (S.ONLINE, True, ("api",))
    assert (entry.ec2_id, entry.image, entry.hostname) == (EC2, OLD, "api-9abcdef0")
    assert states(player) == ["requested", "pending", "booting", "running_setup", "online"]
    assert labels(player)[:2] == ["setup of layer api", "deploy of layer api"]
    assert "configure of layer api" in labels(player)
    assert player.fake.groups.answers == [("t" * 36, "CONTINUE")]
    first = player.fake.bus.events[0]
    assert first.detail()["initiated_by"] == "auto-scaling"


def test_more_time_is_asked_for_before_each_command() -> None:
    player = a_player()
    heard(player, LAUNCH)
    (name,) = player.fake.machines.started
    hook = player.fake.machines.started[name]["hook"]
    from kiln.steps.begin_change import BeginChange, begin_change
    from kiln.steps.run_recipes import RunRecipes, run_recipes

    who = {"stack": "shop", "instance": member_id(EC2)}
    begin_change(BeginChange(**who, change="join", execution=name), player.fake.world)
    events: Any = ["setup", "deploy"]
    request = RunRecipes(**who, events=events, at=0, execution=name, hook=hook)
    run_recipes(request, player.fake.world)
    assert player.fake.groups.beats == ["t" * 36]


def test_a_join_that_fails_gives_the_instance_up() -> None:
    player = a_player()
    player.failing = {"setup"}
    entry = joined(player)
    assert entry.state is S.SETUP_FAILED
    assert player.fake.groups.answers == [("t" * 36, "ABANDON")]
    heard(player, TERMINATE, "u" * 36)
    player.run()
    assert member(player) is None
    assert player.fake.groups.answers[-1] == ("u" * 36, "CONTINUE")


def test_a_failed_join_is_told_to_the_rollout_that_brought_the_image() -> None:
    player = a_player()
    player.failing = {"setup"}
    name = rollout_id(OLD, "shop/api")
    player.fake.records.add_rollout(
        Rollout(
            id=name,
            image=OLD,
            layer="shop/api",
            strategy="replace",
            bake="b",
            platform="amazon-linux-2023",
            architecture="x86_64",
        )
    )
    assert joined(player).rollout == name
    assert "api-9abcdef0: setup of layer api" in (failed_join(name, player.fake.world) or "")


def test_what_a_group_terminates_is_shut_down_first_and_forgotten() -> None:
    player = a_player()
    joined(player)
    heard(player, TERMINATE, "u" * 36)
    player.run()
    assert states(player)[5:] == ["stopping", "shutting_down", "terminated"]
    assert "shutdown of layer api" in labels(player)
    assert player.fake.groups.answers[-1] == ("u" * 36, "CONTINUE")
    assert member(player) is None
    assert player.fake.fleet.instances[EC2].state == "running"


def test_a_shutdown_that_fails_does_not_keep_it() -> None:
    player = a_player()
    joined(player)
    player.failing = {"shutdown"}
    heard(player, TERMINATE, "u" * 36)
    player.run()
    assert member(player) is None
    assert player.fake.groups.answers[-1] == ("u" * 36, "CONTINUE")


def test_an_event_that_comes_twice_acts_once_even_late() -> None:
    player = a_player()
    assert heard(player, LAUNCH)
    assert heard(player, LAUNCH)  # it runs still: the same one
    player.run()
    assert heard(player, LAUNCH) is None
    assert heard(player, TERMINATE, "u" * 36)
    player.run()
    assert heard(player, TERMINATE, "u" * 36) is None
    assert heard(player, LAUNCH) is None
    player.run()
    assert member(player) is None
    assert labels(player).count("setup of layer api") == 1


def test_one_that_was_terminated_unheard_is_forgotten_all_the_same() -> None:
    player = a_player()
    joined(player)
    player.fake.fleet.become(EC2, "terminated")
    assert heard(player, GONE)
    player.run()
    assert member(player) is None
    assert heard(player, GONE) is None


def test_one_that_never_joined_leaves_at_once() -> None:
    player = a_player()
    assert heard(player, TERMINATE) is None
    assert player.fake.groups.answers == [("t" * 36, "CONTINUE")]
    assert not player.fake.machines.started


def test_one_that_had_not_begun_to_join_leaves_without_shutdown() -> None:
    player = a_player()
    heard(player, LAUNCH)
    player.fake.machines.over.update(player.fake.machines.started)
    player.played.update(player.fake.machines.started)
    heard(player, TERMINATE, "u" * 36)
    player.run()
    assert member(player) is None
    assert labels(player) == []


def test_a_group_of_no_layer_is_not_held_up() -> None:
    player = a_player()
    assert heard(player, LAUNCH, AutoScalingGroupName="other") is None
    assert player.fake.groups.answers == [("t" * 36, "CONTINUE")]
    assert heard(player, GONE, AutoScalingGroupName="other") is None


def test_what_goes_to_a_warm_pool_joins_once_it_enters_the_group() -> None:
    player = a_player()
    assert heard(player, LAUNCH, Origin="EC2", Destination="WarmPool") is None
    assert player.fake.groups.answers == [("t" * 36, "CONTINUE")]
    assert member(player) is None
    assert heard(player, LAUNCH, "u" * 36, Origin="WarmPool", Destination="AutoScalingGroup")
    player.run()
    assert member(player) is not None


def test_an_instance_that_ec2_does_not_tell_of_yet_is_asked_for_again() -> None:
    player = a_player()
    del player.fake.fleet.instances[EC2]
    player.fake.clock.time = NOW
    with pytest.raises(AwsBusy):
        heard(player, LAUNCH)
    player.fake.clock.time = NOW + timedelta(hours=1)
    assert heard(player, LAUNCH) is None
    assert member(player) is None


def test_a_join_that_nobody_waits_for_any_more_is_cleaned_up() -> None:
    player = a_player()
    player.failing = {"setup"}
    heard(player, LAUNCH)
    player.fake.groups.waiting.clear()
    facts = player.fake.fleet.instances[EC2]
    (name,) = player.fake.machines.started
    player.instance(name)
    assert member(player) is not None
    # The same where the instance has gone meanwhile.
    other = a_player()
    other.failing = {"setup"}
    heard(other, LAUNCH)
    other.fake.groups.waiting.clear()
    describe = other.fake.fleet.describe

    def gone_at_the_end(instance: str) -> Any:
        ended = other.fake.groups.answers
        return replace(facts, state="terminated") if ended else describe(instance)

    other.fake.fleet.describe = gone_at_the_end  # type: ignore[method-assign]
    other.run()
    assert member(other) is None


@pytest.mark.parametrize("change", ["start", "stop", "delete"])
def test_nobody_but_the_group_starts_or_ends_its_instances(change: str) -> None:
    player = a_player()
    entry = joined(player)
    name = change_instance(player.now(entry), change, player.fake.world)
    assert player.instance(name) == "WrongState"
    assert "alone starts and ends it" in player.errors[name].cause
    assert player.now(entry).state is S.ONLINE


def test_setup_can_be_run_again() -> None:
    player = a_player()
    entry = joined(player)
    assert player.change(entry, "setup") == ""
    assert labels(player).count("setup of layer api") == 2
