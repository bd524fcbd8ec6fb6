"""A person and `kiln`: a stack is applied, its layer takes images and gives them back, instances
are started, moved, set up again and deleted. One local AWS, the commands as a shell would call
them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.bake import ImageRecord
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.rollout import RolloutStatus
from kiln_cli import local
from kiln_cli.place import make_place
from kiln_local.world import LocalAws
from tests.builders import NOW
from tests.e2e.layers import NOTE, Layers
from tests.e2e.running import ROOT, SPEED
from tests.integration.local.worlds import until
from tests.kiln_command import run

S = InstanceState
pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]
FULL = "[ ! -e /srv/full ] || { echo the disk is full >&2; exit 9; }"
RECIPES = {event: [NOTE] for event in ("setup", "configure", "deploy")}
RECIPES |= {"undeploy": [NOTE, FULL], "shutdown": [NOTE]}
LAYER = {
    "kind": "instances",
    "platform": "amazon-linux-2023",
    "instance_type": "m7i.large",
    "recipes": RECIPES,
    "custom_json": {"colour": "blue"},
}


@pytest.fixture(scope="module")
def shop() -> Iterator[Layers]:
    """An empty local AWS that `kiln` finds by its stack's outputs."""
    with LocalAws(ROOT, speed=SPEED) as aws:
        local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs))
        yield Layers(aws)


def kiln(*args: object, status: int = 0) -> Any:
    """What a command prints with --json."""
    ran = run(*args, "--json")
    assert ran.status == status, ran.stderr
    return ran.json


def a_stack(
    folder: Path, *instances: dict[str, Any], cache: dict[str, Any] | None = None, **web: Any
) -> Path:
    """The stack file, with the instances that it plans."""
    layers = [
        LAYER | {"name": "web", "instances": list(instances)} | web,
        LAYER | {"name": "cache", "custom_json": {}} | (cache or {}),
    ]
    path = folder / "shop.yaml"
    path.write_text(yaml.safe_dump({"kind": "stack", "name": "shop", "layers": layers}))
    return path


def listed(layer: str = "web") -> dict[str, dict[str, Any]]:
    """A layer's instances as `kiln layers` lists them, by hostname."""
    (row,) = (row for row in kiln("layers") if (row["stack"], row["layer"]) == ("shop", layer))
    return {entry["hostname"]: entry for entry in row["instances"]}


def states(layer: str = "web") -> dict[str, str]:
    return {name: entry["state"] for name, entry in listed(layer).items()}


def record(shop: Layers, hostname: str) -> LayerInstance:
    return next(i for i in shop.kiln.records.instances("shop") if i.hostname == hostname)


def test_instances_live_by_hand(shop: Layers, tmp_path: Path) -> None:
    it_is_applied(tmp_path)
    the_layer_takes_an_image(shop, shop.image())
    instances_are_started_moved_and_rebooted(shop)
    events_run_by_hand(shop)
    what_leaves_the_file_goes(shop, tmp_path)


def test_a_layer_changes_over_and_back_and_waits_for_approval(shop: Layers, tmp_path: Path) -> None:
    first, second = shop.image(), shop.image(mark="second")
    kiln("apply", a_stack(tmp_path))
    # A layer without instances starts with one.
    assert len(kiln("rollout", first, "shop/cache")["rollout"]["instances"]) == 1
    the_layer_changes_over_and_back(shop, first, second)
    an_approval_lets_a_rollout_go_on(shop, tmp_path)


def it_is_applied(folder: Path) -> None:
    night = {"hostname": "night", "scaling": "time", "hours": {"monday": [2]}}
    path = a_stack(folder, {"hostname": "web1"}, night)
    shown = kiln("apply", path, "--dry-run")
    assert (shown["dry_run"], shown["applied"][0]["change"]) == (True, "new")
    assert {row["path"] for row in shown["applied"][0]["difference"]} == {
        *("layers.web", "layers.cache"),
        *("layers.web.instances.web1", "layers.web.instances.night"),
    }
    assert kiln("layers") == []
    assert kiln("apply", path)["applied"][0]["change"] == "new"
    assert kiln("apply", path)["applied"][0] == {
        "kind": "stack",
        "name": "shop",
        "change": "unchanged",
        "version": 0,
        "difference": [],
    }
    assert states() == {"web1": "stopped", "night": "stopped"}
    text = run("apply", a_stack(folder, {"hostname": "web1"}, night, count=1))
    assert text.stdout.splitlines() == ["stack shop: changed", "  layers.web.count: 0 -> 1"]
    assert "has no image yet" in run("layers", "start", "web1").error


def the_layer_takes_an_image(shop: Layers, image: str) -> None:
    rollout = kiln("rollout", image, "shop/web")["rollout"]
    assert (rollout["status"], rollout["attempt"], rollout["strategy"]) == (
        *("SUCCEEDED", 1, "replace"),
    )
    assert rollout["by"].startswith("arn:aws:")
    # Nothing served, so nothing is started; what stands still starts from the image.
    assert rollout["instances"] == []
    assert {entry["image"] for entry in listed().values()} == {image}
    kiln("layers", "add", "shop/web", "--start")
    shop.quiet()
    assert states() == {"web1": "stopped", "web2": "online", "night": "stopped"}
    (row, _) = kiln("layers")
    assert (row["kind"], row["image"]) == ("instances", image)


def instances_are_started_moved_and_rebooted(shop: Layers) -> None:
    moved = kiln("layers", "assign", "web1", "web", "cache")["instances"][0]
    assert moved["state"] == "stopped"
    ran = run("layers", "start", "web1", "--json")
    assert ran.json["instances"][0]["state"] == "online"
    assert ran.stderr.splitlines()[-1] == "web1: online"
    shop.quiet()
    web1 = record(shop, "web1")
    assert web1.layers == ("web", "cache")
    assert shop.file(web1, "ran").split("\n")[:4] == [
        *("setup web", "setup cache", "deploy web", "deploy cache"),
    ]
    assert "web1" in states("cache")
    refused = run("layers", "assign", "web1", "web")
    assert (refused.status, refused.stdout) == (2, "")
    assert "web1 is online: the layers of an instance change only while it is stopped" in (
        refused.error
    )
    assert kiln("layers", "reboot", web1.ec2_id)["instances"][0]["state"] == "online"
    added = kiln("layers", "add", "shop/web", "-n", 2, "--type", "m6i.large")
    assert {entry["state"] for entry in added["instances"]} == {"stopped"}
    deleted = kiln("layers", "delete", "web3", "web4")["instances"]
    assert [entry["state"] for entry in deleted] == ["terminated", "terminated"]
    assert "web3" not in states()
    # Not now: its hours would start it.
    day = f"{shop.aws.clock.now() + timedelta(days=3):%A}".lower()
    night = json.dumps({day: [1, 2]})
    timed = ("--scaling", "time", "--hours", night)
    (late,) = kiln("layers", "add", "web", *timed, "--also-in", "cache")["instances"]
    assert record(shop, late["hostname"]).hours == {day: (1, 2)}
    kiln("layers", "delete", late["id"])


def events_run_by_hand(shop: Layers) -> None:
    shop.quiet()
    before = len(shop.told("Deployment State Change"))
    ran = kiln("layers", "run", "shop/web", "deploy", "--custom-json", '{"colour": "red"}')
    assert ran["status"] == "successful"
    assert {row["hostname"] for row in ran["commands"]} == {"web1", "web2"}
    web2 = record(shop, "web2")
    assert shop.json(web2, "deploy")["colour"] == "red"
    assert shop.json(web2, "deploy")["opsworks"]["deployment"] == ran["deployment"]["id"]
    assert shop.json(web2, "setup")["colour"] == "blue"
    told = shop.told("Deployment State Change")[before:]
    assert [event["status"] for event in told] == ["running", "successful"]
    known = kiln("layers", "deployments", "shop", ran["deployment"]["id"][:8])
    assert known == ran
    before = len(shop.told("Instance State Change"))
    again = kiln("layers", "run", "web2", "setup")
    assert again["status"] == "successful"
    changes = [event["status"] for event in shop.told("Instance State Change")[before:]]
    assert changes == ["running_setup", "online"]
    shop.quiet()
    full = shop.aws.room.root(web2.ec2_id or "") / "srv/full"
    full.touch()
    failed = run("layers", "run", "web2", "undeploy")
    assert failed.status == 1
    assert "web2: failed" in failed.stdout
    assert "  | the disk is full" in failed.stdout
    assert "web2: UndeployFailed: undeploy of layer web exited 9" in failed.stderr
    assert states()["web2"] == "online"
    full.unlink()
    recipes = kiln("layers", "recipes", "shop/web")
    assert [row["event"] for row in recipes["recipes"]] == [
        *("setup", "configure", "deploy", "undeploy", "undeploy", "shutdown"),
    ]


def the_layer_changes_over_and_back(shop: Layers, first: str, second: str) -> None:
    shop.quiet()
    rollout = kiln("rollout", second, "shop/cache", "--batch", "50%", "--surge", 1)["rollout"]
    assert (rollout["status"], len(rollout["instances"])) == ("SUCCEEDED", 1)
    shop.quiet()
    assert "is newer than" in run("rollout", first, "shop/cache").error
    back = kiln("rollback", "shop/cache")["rollout"]
    assert (back["image"], back["status"], back["forced"]) == (first, "SUCCEEDED", True)
    assert (back["attempt"], back["id"].endswith("-2")) == (2, True)
    shop.quiet()
    status = kiln("rollout", "status", "shop/cache")
    assert status["image"] == first
    assert [row["image"] for row in status["images"]] == [first, second, first]
    assert [(row["image"], row["attempt"]) for row in status["rollouts"]] == [
        *((first, 1), (second, 1), (first, 2)),
    ]
    online = [entry for entry in listed("cache").values() if entry["state"] == "online"]
    assert [entry["image"] for entry in online] == [first]


def what_leaves_the_file_goes(shop: Layers, folder: Path) -> None:
    night = {"hostname": "night", "scaling": "time", "hours": {"monday": [2]}}
    larger = {"hostname": "web1", "instance_type": "m7i.xlarge", "also_in": ["cache"]}
    file = a_stack(folder, larger, night)
    assert "changes only while it is stopped" in run("apply", file).error
    kiln("layers", "stop", "web1")
    kiln("apply", file)
    kiln("layers", "start", "web1")
    ec2_id = record(shop, "web1").ec2_id or ""
    found = shop.outside.instance(ec2_id)
    assert found["InstanceType"] == "m7i.xlarge"
    shop.quiet()
    gone = a_stack(folder, night)
    refused = run("apply", gone)
    assert (refused.status, refused.stdout) == (2, "")
    assert "web1 is online; `kiln layers stop web1`, then apply again" in refused.error
    kiln("layers", "stop", "web1")
    kiln("apply", gone)
    assert "web1" not in states()
    assert shop.outside.state(ec2_id) == "terminated"
    path = folder / "none.yaml"
    path.write_text("kind: stack\nname: shop\nlayers: []\n")
    assert "layers.web: is left out and still has instances" in run("apply", path).error
    kiln("layers", "stop", "--layer", "shop/web")
    shop.quiet()


def an_approval_lets_a_rollout_go_on(shop: Layers, folder: Path) -> None:
    feed = {"blueprint": "web", "strategy": "replace", "approval": "required"}
    kiln("apply", a_stack(folder, cache={"blueprints": [feed]}))
    image = shop.image(mark="third")
    shop.kiln.records.put_image(
        ImageRecord(
            id=image,
            name="third",
            bake="web-20261123-101500-9f3a",
            blueprint="web",
            version=1,
            platform="amazon-linux-2023",
            architecture="x86_64",
            root_device="ebs",
            base="ami-1",
            region=shop.aws.region,
            created=NOW,
        )
    )
    assert "waits for approval" in run("rollout", "approve", "shop/cache").error
    begun = kiln("rollout", "web", "shop/cache", "--no-wait")["rollout"]
    assert (begun["image"], begun["status"]) == (image, "RUNNING")

    def phase() -> str:
        return str(kiln("rollout", "status", "shop/cache")["rollouts"][-1]["phase"])

    until(lambda: phase() == "waiting for approval")
    approved = kiln("rollout", "approve", "shop/cache")
    assert (approved["approved"], approved["image"]) == (begun["id"], image)
    assert shop.rollout(image, "cache").status is RolloutStatus.SUCCEEDED
    (told,) = shop.told("Rollout Approved")
    assert told["rollout"] == begun["id"]
