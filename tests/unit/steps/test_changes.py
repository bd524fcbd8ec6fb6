"""An instance of a layer is started, set up, stopped, rebooted and deleted."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from kiln.domain.events import InstanceStateChange
from kiln.domain.instance import InstanceState
from kiln.errors import (
    AwsRefused,
)
from tests.builders import a_stack
from tests.fakes import FakeWorld
from tests.unit.steps.playing import Player

S = InstanceState
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
RECIPES = {event: [f"echo {event}"] for event in ("setup", "deploy", "configure", "shutdown")}
REFUSAL = AwsRefused("elasticloadbalancing", "RegisterTargets", "InvalidTarget", "no")


def a_player(**layer: Any) -> Player:
    """A stack `shop` with a layer `web` behind a target group."""
    web = {
        "name": "web",
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "target_groups": [GROUP],
        "recipes": RECIPES,
        "custom_json": {"colour": "blue"},
    }
    fake = FakeWorld()
    fake.records.put_stack(a_stack(layers=[web | layer, web | {"name": "db", "recipes": {}}]))
    return Player(fake)


def states(player: Player) -> list[str]:
    """Every state that was announced, in order."""
    events = player.fake.bus.events
    return [event.status for event in events if isinstance(event, InstanceStateChange)]


def labels(player: Player) -> list[str]:
    """What was sent, by comment without its digest."""
    return [order.comment[38:] for order in player.fake.commands.sent.values()]


def test_a_start_goes_through_every_state_and_runs_setup_then_deploy() -> None:
    player = a_player()
    web1 = player.add("web1")
    assert player.change(web1, "start") == ""
    assert states(player) == ["requested", "pending", "booting", "running_setup", "online"]
    assert labels(player) == ["setup of layer web", "deploy of layer web"]
    now = player.now(web1)
    assert (now.change, now.serving, now.private_ip) == (None, True, "10.0.0.1")
    assert player.fake.traffic.health(GROUP, now.ec2_id or "")[0] == "healthy"
    order = player.fake.fleet.orders[0]
    assert (order.hostname, order.tags["kiln:layer"]) == ("web1", "shop/web")
    first = player.fake.bus.events[0].detail()
    assert (first["initiated_by"], first["layer-ids"]) == ("user", ["web"])
    assert "initiated_by" not in player.fake.bus.events[1].detail()


def test_recipes_get_the_stack_as_it_is() -> None:
    player = a_player()
    player.change(player.add("web1"), "start")
    order = next(iter(player.fake.commands.sent.values()))
    packed = gzip.decompress(base64.b64decode(order.call.parameters["Files"][0]))
    index, _, contents = packed.partition(b"\n\n")
    size, path = index.split(b"\n")[0].split()
    assert path == b"attributes.json"
    attributes = json.loads(contents[: int(size)])
    assert attributes["colour"] == "blue"
    assert attributes["opsworks"]["instance"]["hostname"] == "web1"
    assert order.call.name == "run-recipes-linux"


def test_what_is_too_long_for_a_command_lies_in_the_bucket() -> None:
    player = a_player(custom_json={"random": [hash(str(n)) % 10**15 for n in range(7000)]})
    player.change(player.add("web1"), "start")
    orders = list(player.fake.commands.sent.values())
    url = base64.b64decode(orders[0].call.parameters["FilesUrl"][0]).decode()
    assert url.startswith("https://bucket.example/stacks/shop/web1/")
    assert len(player.fake.objects.bodies) == 2


def test_a_stop_drains_runs_shutdown_and_keeps_the_root() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    ec2_id = player.now(web1).ec2_id
    assert player.change(web1, "stop") == ""
    assert states(player)[-3:] == ["stopping", "shutting_down", "stopped"]
    assert player.fake.traffic.targets == {}
    assert labels(player)[-1] == "shutdown of layer web"
    assert player.change(web1, "start") == ""
    assert player.now(web1).ec2_id == ec2_id
    assert len(player.fake.fleet.orders) == 1


def test_an_instance_store_root_ends_with_the_stop_and_is_launched_anew() -> None:
    player = a_player()
    web1 = player.add("web1", root_device="instance-store")
    player.change(web1, "start")
    player.change(web1, "stop")
    assert states(player)[-3:] == ["shutting_down", "terminated", "stopped"]
    assert player.now(web1).ec2_id is None
    player.change(web1, "start")
    assert [order.hostname for order in player.fake.fleet.orders] == ["web1", "web1"]


def test_one_that_was_terminated_by_somebody_is_launched_anew() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    player.change(web1, "stop")
    player.fake.fleet.become(player.now(web1).ec2_id or "", "terminated")
    assert player.change(web1, "start") == ""
    assert len(player.fake.fleet.orders) == 2


def test_a_delete_drops_the_record() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    assert player.change(web1, "delete") == "WrongState"
    player.change(web1, "stop")
    assert player.change(web1, "delete") == ""
    assert player.fake.records.instances("shop") == ()
    assert states(player)[-2:] == ["terminating", "terminated"]
    never_started = player.add("web2")
    assert player.change(never_started, "delete") == ""


def test_a_failed_setup_leaves_setup_failed_out_of_traffic_with_its_reason() -> None:
    player = a_player()
    player.failing = {"deploy"}
    web1 = player.add("web1")
    assert player.change(web1, "start") == "DeployFailed"
    now = player.now(web1)
    assert (now.state, now.change) == (S.SETUP_FAILED, None)
    assert "no such package" in (now.error or "")
    assert player.fake.traffic.targets == {}
    assert player.fake.rounds.asked("shop") == 0
    player.failing = set()
    assert player.change(web1, "setup") == ""
    assert (player.now(web1).state, player.now(web1).error) == (S.ONLINE, None)


def test_setup_again_takes_an_online_instance_out_of_service_meanwhile() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    player.failing = {"setup"}
    assert player.change(web1, "setup") == "SetupFailed"
    assert player.fake.traffic.targets == {}
    reasons = [ask.reason for ask in player.fake.rounds.asks("shop")]
    assert reasons == ["online", "offline"]


def test_a_shutdown_recipe_that_fails_does_not_keep_the_instance() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    player.failing = {"shutdown"}
    assert player.change(web1, "stop") == ""
    assert player.now(web1).state is S.STOPPED


def test_a_reboot_runs_no_recipe() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    assert player.change(web1, "reboot") == ""
    assert states(player)[-2:] == ["rebooting", "online"]
    assert labels(player)[2:] == ["the reboot"]
    player.failing = {"reboot"}
    assert player.change(web1, "reboot") == "StepFailed"
    assert player.now(web1).state is S.CONNECTION_LOST
