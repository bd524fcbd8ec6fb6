"""The volumes of a layer's instance: launched with it, mounted before its Setup, kept and ended."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.volumes import InstanceVolume
from kiln.ports import StepResult
from tests.builders import a_stack, an_image
from tests.fakes import FakeWorld
from tests.unit.steps.playing import Player

S = InstanceState
DATA = {"mount_point": "/data", "size_gib": 100, "type": "io2", "iops": 900}
LOG = {"mount_point": "/log", "size_gib": 10, "encrypted": False}
NO_DEVICE = "volumes: /data: the device of vol-1 (/dev/sdf) did not come within 60 seconds"


def layers(**keys: Any) -> list[dict[str, Any]]:
    """A layer `web` with these keys and a layer `db`, both with recipes."""
    common = {
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "recipes": {"setup": ["echo setup"], "deploy": ["echo deploy"]},
    }
    return [common | {"name": "web"} | keys, common | {"name": "db", "volumes": [LOG]}]


def a_player(**keys: Any) -> Player:
    """A stack whose layer `web` has a volume, or these keys."""
    fake = FakeWorld()
    fake.records.put_stack(a_stack(layers=layers(**({"volumes": [DATA]} | keys))))
    return Player(fake)


def labels(player: Player) -> list[str]:
    """What was sent, by comment without its digest."""
    return [order.comment[38:] for order in player.fake.commands.sent.values()]


def mounted(player: Player) -> list[str]:
    """The lines of the last command that mounts."""
    sent = [o.call for o in player.fake.commands.sent.values() if "mount" in o.call.name]
    return base64.b64decode(sent[-1].parameters["Volumes"][0]).decode().splitlines()


def attached(player: Player, entry: LayerInstance) -> dict[str, str]:
    """The volumes of its EC2 instance."""
    return player.fake.fleet.instances[player.now(entry).ec2_id or ""].volumes


def test_volumes_come_with_the_launch_and_are_mounted_before_any_recipe() -> None:
    player = a_player()
    web1 = player.add("web1")
    assert player.change(web1, "start") == ""
    (order,) = player.fake.fleet.orders
    (volume,) = order.volumes
    assert (volume.device, volume.mount_point, volume.size_gib) == ("/dev/sdf", "/data", 100)
    assert (volume.type, volume.iops, volume.encrypted) == ("io2", 900, True)
    assert labels(player) == ["the volumes", "setup of layer web", "deploy of layer web"]
    assert mounted(player) == [f"{attached(player, web1)['/dev/sdf']} /dev/sdf /data"]
    assert player.now(web1).state is S.ONLINE


def test_an_instance_of_two_layers_has_the_volumes_of_both() -> None:
    player = a_player()
    web1 = player.add("web1", layers=("web", "db"))
    player.change(web1, "start")
    volumes = attached(player, web1)
    assert mounted(player) == [
        f"{volumes['/dev/sdf']} /dev/sdf /data",
        f"{volumes['/dev/sdg']} /dev/sdg /log",
    ]
    assert labels(player)[:3] == ["the volumes", "setup of layer web", "setup of layer db"]


def test_layers_that_came_to_share_an_instance_and_a_mount_point_launch_nothing() -> None:
    player = a_player(volumes=[LOG])
    web1 = player.add("web1", layers=("web", "db"))
    assert player.change(web1, "start") == "LaunchRefused"
    said = player.now(web1).error or ""
    assert "of layers web, db cannot be launched: volumes: /log is the mount point of two" in said
    assert player.fake.fleet.orders == []


def test_a_stop_and_a_start_keep_them_and_a_setup_mounts_them_again() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    before = attached(player, web1)
    player.change(web1, "stop")
    player.change(web1, "start")
    assert attached(player, web1) == before
    assert labels(player).count("the volumes") == 2
    player.change(web1, "setup")
    assert labels(player).count("the volumes") == 3
    assert len(player.fake.fleet.orders) == 1


def test_a_change_of_the_layer_reaches_the_next_launch_and_no_running_instance() -> None:
    player = a_player()
    web1 = player.add("web1", root_device="instance-store")
    player.change(web1, "start")
    player.fake.records.put_stack(a_stack(layers=layers(volumes=[DATA | {"mount_point": "/new"}])))
    player.change(web1, "setup")
    assert mounted(player)[0].endswith("/data")
    # An instance store ends with its stop, and its volumes with it.
    player.change(web1, "stop")
    player.change(web1, "start")
    assert mounted(player)[0].endswith("/new")
    assert player.now(web1).volumes == (InstanceVolume(device="/dev/sdf", mount_point="/new"),)


def test_a_layer_that_gave_its_volumes_up_mounts_none_on_a_new_instance() -> None:
    player = a_player()
    web1 = player.add("web1", root_device="instance-store")
    player.change(web1, "start")
    player.change(web1, "stop")
    player.fake.records.put_stack(a_stack(layers=layers()))
    player.change(web1, "start")
    assert labels(player).count("the volumes") == 1
    assert player.now(web1).volumes == ()


def test_without_volumes_nothing_is_mounted_and_nothing_asked() -> None:
    player = a_player(volumes=[])
    player.change(player.add("web1"), "start")
    assert labels(player) == ["setup of layer web", "deploy of layer web"]


def test_a_volume_that_cannot_be_mounted_fails_the_setup_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = StepResult("mount", "Failed", 1, "", NO_DEVICE)
    monkeypatch.setattr("tests.unit.steps.playing.SCRIPT", script)
    player = a_player()
    web1 = player.add("web1")
    player.failing = {"the volumes"}
    assert player.change(web1, "start") == "SetupFailed"
    assert labels(player) == ["the volumes"]
    now = player.now(web1)
    assert now.state is S.SETUP_FAILED
    assert now.error == f"the volumes exited 1 on {now.ec2_id}: {NO_DEVICE}"


def test_a_volume_that_somebody_took_away_is_named() -> None:
    player = a_player()
    web1 = player.add("web1")
    player.change(web1, "start")
    player.fake.fleet.detach(player.now(web1).ec2_id or "", "/dev/sdf")
    assert player.change(web1, "setup") == "SetupFailed"
    error = player.now(web1).error or ""
    assert "the volume of /data is no longer attached" in error
    assert "attach it and run Setup again" in error


def test_a_paravirtual_image_that_has_no_room_for_them_is_refused() -> None:
    player = a_player(volumes=[DATA | {"mount_point": f"/v/{n}"} for n in range(12)])
    player.fake.images.add(an_image(virtualization="paravirtual"))
    web1 = player.add("web1")
    assert player.change(web1, "start") == "LaunchRefused"
    assert "leaves device names for 11" in (player.now(web1).error or "")
