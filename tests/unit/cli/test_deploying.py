"""Lifecycle events by hand: on whom they run, what is told of them, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.instance import InstanceState
from kiln.errors import InvalidRequest
from kiln.ports import ExecutionFacts
from kiln_cli import deploying
from tests.builders import a_stack
from tests.unit.cli.test_layers import a_pace
from tests.unit.steps.playing import Player
from tests.unit.steps.test_changes import RECIPES, a_player

S = InstanceState


def run(player: Player, target: str, event: str = "deploy", **custom: Any) -> deploying.Deployed:
    world = player.fake.world
    entries = deploying.targets(target, event, world)
    asked = deploying.Asked(event, custom, "ada")
    deployment, executions = deploying.begin(entries, asked, world)
    return deploying.finish(entries, deployment, executions, (world, a_pace(player)))


def a_layer(size: int = 2) -> Player:
    player = a_player(recipes=RECIPES | {"undeploy": ["echo"]})
    for n in range(size):
        player.change(player.add(f"web{n + 1}"), "start")
    player.run()
    return player


def test_an_event_runs_on_a_layers_online_instances_and_its_log_is_shown() -> None:
    player = a_layer()
    player.add("web3")
    done = run(player, "shop/web", "deploy", colour="red")
    assert (done.status, done.failed) == ("successful", False)
    assert [(c.hostname, c.log) for c in done.commands] == [
        ("web1", "all is well"),
        ("web2", "all is well"),
    ]
    shown = done.as_json()
    assert shown["deployment"]["custom_json"] == {"colour": "red"}
    assert shown["commands"][0].keys() == {
        *("instance", "hostname", "status", "error", "cause", "log")
    }
    assert deploying.gathered(done.deployment, player.fake.world) == done


def test_one_instance_may_be_named_and_setup_may_follow_a_setup_that_failed() -> None:
    player = a_layer(1)
    player.failing.add("setup of layer web")
    assert run(player, "web1", "setup").failed
    with pytest.raises(InvalidRequest, match="web1 is setup_failed; deploy runs on one that is on"):
        run(player, "web1", "deploy")
    player.failing.clear()
    assert run(player, "web1", "setup").status == "successful"
    assert [entry.state for entry in player.fake.records.instances("shop")] == [S.ONLINE]


def test_an_event_with_nobody_to_run_on_is_refused() -> None:
    player = a_player()
    player.add("web1")
    with pytest.raises(InvalidRequest, match="shop/web has no instance that is online"):
        run(player, "shop/web")
    player.fake.records.put_stack(a_stack())
    with pytest.raises(InvalidRequest, match="shop/api is of kind autoscaling"):
        run(player, "shop/api")


def test_custom_json_above_its_limit_is_refused_before_anything_begins() -> None:
    player = a_layer(1)
    before = len(player.fake.machines.started)
    with pytest.raises(InvalidRequest, match="custom_json: is larger than 120 KB"):
        run(player, "shop/web", big="x" * 130_000)
    assert len(player.fake.machines.started) == before


def test_a_deployment_whose_execution_was_ended_from_outside_has_failed() -> None:
    player = a_layer(1)
    world = player.fake.world
    entries = deploying.targets("shop/web", "deploy", world)
    deployment, executions = deploying.begin(entries, deploying.Asked("deploy", {}, "ada"), world)
    (name,) = executions.values()
    player.fake.machines.ended[name] = ExecutionFacts("TIMED_OUT", "States.Timeout", "")
    player.played.add(name)
    done = deploying.finish(entries, deployment, executions, (world, a_pace(player)))
    assert (done.status, done.commands[0].error) == ("failed", "StepFunctions.Timeout")
