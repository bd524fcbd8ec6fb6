"""A lifecycle event that is run by hand: on whom, with what, and what is known of it afterwards."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from kiln.domain.deployment import ByHand, CommandStatus, Deployment, status_of
from kiln.domain.events import CommandStateChange, DeploymentStateChange
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.ports import StepResult
from kiln.steps._deployments import deploy
from tests.builders import NOW
from tests.unit.steps.playing import Player
from tests.unit.steps.test_changes import RECIPES, a_player, labels, states

S = InstanceState
ID = "0d1e2f3a-0000-4000-8000-000000000000"


def run(
    player: Player,
    event: ByHand,
    *entries: LayerInstance,
    custom_json: dict[str, Any] | None = None,
) -> Deployment:
    """Ask for an event on instances and play it to its end."""
    asked = Deployment(
        id=ID,
        stack="shop",
        command=event,
        instances=tuple(entry.id for entry in entries),
        by="ada",
        at=NOW.isoformat(),
        custom_json=custom_json or {},
    )
    started = deploy(asked, player.fake.world)
    assert set(started) == set(asked.instances)
    player.fake.clock.move(42)
    player.run()
    return asked


def events(player: Player, kind: type) -> list[dict[str, Any]]:
    return [event.detail() for event in player.fake.bus.events if isinstance(event, kind)]


def results(player: Player) -> list[tuple[str, str]]:
    found = player.fake.deployments.commands("shop", ID)
    return [(command.hostname, command.status.value) for command in found]


def two_online(**layer: Any) -> tuple[Player, LayerInstance, LayerInstance]:
    player = a_player(recipes=RECIPES | {"undeploy": ["echo undeploy"]}, **layer)
    web1, web2 = player.add("web1"), player.add("web2")
    for entry in (web1, web2):
        player.change(entry, "start")
    player.run()
    player.fake.bus.events.clear()
    player.fake.commands.sent.clear()
    return player, web1, web2


def test_deploy_runs_on_each_of_its_instances_while_they_serve() -> None:
    player, web1, web2 = two_online()
    run(player, "deploy", web1, web2)
    assert labels(player) == ["deploy of layer web"] * 2
    assert states(player) == []
    assert [player.now(entry).serving for entry in (web1, web2)] == [True, True]
    assert results(player) == [("web1", "successful"), ("web2", "successful")]
    assert player.fake.deployments.commands("shop", ID)[0].log == "all is well"


def test_it_is_announced_as_opsworks_did() -> None:
    player, web1, web2 = two_online()
    run(player, "undeploy", web1, web2)
    begun, ended = events(player, DeploymentStateChange)
    assert begun == {
        "stack-id": "shop",
        "instance-ids": [web1.id, web2.id],
        "deployment-id": ID,
        "command": "undeploy",
        "status": "running",
    }
    assert ended == begun | {"status": "successful", "duration": 42}
    first = events(player, CommandStateChange)[0]
    assert first == {
        "command-id": f"{ID}/{web1.id}",
        "instance-id": web1.id,
        "type": "undeploy",
        "status": "successful",
    }


def test_a_recipe_that_fails_fails_the_deployment_and_leaves_the_instance_online() -> None:
    player, web1, web2 = two_online()
    player.failing.add("deploy of layer web")
    asked = run(player, "deploy", web1, web2)
    assert [player.now(entry).state for entry in (web1, web2)] == [S.ONLINE, S.ONLINE]
    (command, _) = found = player.fake.deployments.commands("shop", ID)
    assert (command.status, command.error) == (CommandStatus.FAILED, "DeployFailed")
    assert command.log == "no such package"
    assert "exited 3" in command.cause
    assert status_of(asked, found) == "failed"
    assert events(player, DeploymentStateChange)[-1]["status"] == "failed"


def test_setup_leaves_service_runs_deploy_too_and_comes_back() -> None:
    player, web1, _ = two_online()
    run(player, "setup", web1, custom_json={"colour": "red"})
    assert states(player) == ["running_setup", "online"]
    # Its peers are told twice, that it left and that it came.
    assert labels(player)[:2] == ["setup of layer web", "deploy of layer web"]
    assert results(player) == [("web1", "successful")]


def test_an_instance_that_is_not_online_is_skipped_and_nothing_runs_there() -> None:
    player, web1, web2 = two_online()
    player.change(web2, "stop")
    player.run()
    player.fake.commands.sent.clear()
    asked = run(player, "deploy", web1, web2)
    assert results(player) == [("web1", "successful"), ("web2", "skipped")]
    assert status_of(asked, player.fake.deployments.commands("shop", ID)) == "failed"
    assert labels(player) == ["deploy of layer web"]
    assert player.now(web2).state is S.STOPPED


def test_its_custom_json_reaches_the_recipes_over_the_layers() -> None:
    player, web1, _ = two_online()
    run(player, "configure", web1, custom_json={"colour": "red"})
    order = next(iter(player.fake.commands.sent.values()))
    packed = gzip.decompress(base64.b64decode(order.call.parameters["Files"][0]))
    index, _, contents = packed.partition(b"\n\n")
    size, path = index.split(b"\n")[0].split()
    assert path == b"attributes.json"
    attributes = json.loads(contents[: int(size)])
    assert attributes["colour"] == "red"
    assert attributes["opsworks"]["deployment"] == ID


def test_two_deployments_of_one_instance_are_two_changes() -> None:
    player, web1, _ = two_online()
    run(player, "deploy", web1)
    before = len(player.fake.machines.started)
    other = Deployment(
        id="1" + ID[1:], stack="shop", command="deploy", instances=(web1.id,), by="ada",
        at=NOW.isoformat(),
    )  # fmt: skip
    deploy(other, player.fake.world)
    deploy(other, player.fake.world)
    assert len(player.fake.machines.started) == before + 1


def test_the_end_of_a_long_log_is_read_where_all_of_it_lies() -> None:
    player, web1, _ = two_online()
    shown = "x" * 24_000
    player.well = StepResult("recipes", "Success", 0, shown, "", stdout_key="k")
    player.fake.objects.write("k", b"x" * 30_000 + b" and done", "text/plain")
    run(player, "deploy", web1)
    log = player.fake.deployments.commands("shop", ID)[0].log
    assert log.endswith("x and done")
    assert len(log) < 2_000


def test_an_instance_whose_record_is_gone_still_ends_its_deployment() -> None:
    player, web1, web2 = two_online()
    asked = Deployment(
        id=ID, stack="shop", command="deploy", instances=(web1.id, web2.id), by="ada",
        at=NOW.isoformat(),
    )  # fmt: skip
    deploy(asked, player.fake.world)
    player.fake.records.remove_instance(web2)
    player.run()
    commands = player.fake.deployments.commands("shop", ID)
    assert {c.instance: c.status.value for c in commands} == {
        web1.id: "successful",
        web2.id: "skipped",
    }
    assert status_of(asked, commands) == "failed"
