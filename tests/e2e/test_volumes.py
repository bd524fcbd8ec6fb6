"""The volumes of a layer over an instance's life: state machine, documents and recipes together."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.ports import ImageOrder
from kiln.steps._instances import change_instance
from kiln_local.world import LocalAws
from tests.e2e.layers import Layers
from tests.e2e.running import ROOT, SPEED

S = InstanceState
pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]
# What a recipe finds below the mount points, and what it leaves there.
SETUP = """
mountpoint -q /data && mountpoint -q /data/log || exit 3
cat /data/log/mark 2>/dev/null || echo "new $KILN_EVENT" >/data/log/mark
"""
VOLUMES = [
    {"mount_point": "/data/log", "size_gib": 5, "type": "gp2", "encrypted": False},
    {"mount_point": "/data", "size_gib": 10, "iops": 4000},
]


def change(shop: Layers, entry: LayerInstance, what: str) -> LayerInstance:
    """Change an instance; how it is then."""
    change_instance(entry, what, shop.kiln)
    time.sleep(0.1)
    shop.quiet()
    now = shop.kiln.records.instance("shop", entry.id)
    assert now is not None
    return now


def mark(shop: Layers, entry: LayerInstance) -> str:
    """What lies on the volume of /data/log."""
    return shop.aws.room.linux.enter(entry.ec2_id or "", ["cat", "/data/log/mark"]).stdout.decode()


def volumes(shop: Layers) -> dict[str, dict[str, Any]]:
    """The stack's volumes, by their device."""
    wanted = [{"Name": "tag:kiln:stack", "Values": ["shop"]}]
    found = shop.outside.ec2.describe_volumes(Filters=wanted)["Volumes"]
    return {volume["Attachments"][0]["Device"]: volume for volume in found}


def test_a_volume_outlives_a_stop_and_ends_with_its_ec2_instance() -> None:
    with LocalAws(ROOT, speed=SPEED) as aws:
        shop = Layers(aws)
        layer = {"name": "db", "kind": "instances", "platform": "amazon-linux-2023"}
        recipes = {"recipes": {"setup": [SETUP]}, "volumes": VOLUMES}
        shop.apply(layers=[layer | {"instance_type": "m7i.large"} | recipes])
        entry = LayerInstance(
            id="db1-0000000",
            stack="shop",
            layers=("db",),
            hostname="db1",
            state=S.STOPPED,
            image=shop.image(),
            platform="amazon-linux-2023",
        )
        shop.kiln.records.add_instance(entry)
        first = change(shop, entry, "start")
        assert (first.state, first.error) == (S.ONLINE, None)
        assert mark(shop, first) == "new setup\n"
        made = volumes(shop)
        assert [
            (d, v["Size"], v["VolumeType"], v["Encrypted"]) for d, v in sorted(made.items())
        ] == [
            ("/dev/sdf", 5, "gp2", False),
            ("/dev/sdg", 10, "gp3", True),
            ("/dev/xvda", 8, "gp3", True),
        ]
        assert made["/dev/sdg"]["Iops"] == 4000
        for volume in made.values():
            tags = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
            assert (tags["kiln:managed"], tags["kiln:layer"]) == ("true", "shop/db")
            assert (tags["kiln:mount:sdf"], tags["kiln:mount:sdg"]) == ("/data/log", "/data")
        an_image_has_none_of_it(shop, first)
        a_start_finds_it_again(shop, first)
        another_instance_begins_empty(shop, first)


def an_image_has_none_of_it(shop: Layers, entry: LayerInstance) -> None:
    order = ImageOrder(
        entry.ec2_id or "", "bare", "", {"kiln:managed": "true"}, without=("/dev/sdf", "/dev/sdg")
    )
    image = shop.kiln.images.create(order)
    found = shop.kiln.images.describe(image)
    assert found is not None
    assert found.devices == ("/dev/xvda",)
    root = shop.aws.room.image_root(image)
    assert list((root / "data").iterdir()) == []
    shop.kiln.images.deregister(image)


def a_start_finds_it_again(shop: Layers, entry: LayerInstance) -> None:
    shop.aws.room.linux.enter(entry.ec2_id or "", ["sh", "-c", "echo kept >/data/log/mark"])
    stopped = change(shop, entry, "stop")
    assert (stopped.state, len(volumes(shop))) == (S.STOPPED, 3)
    again = change(shop, stopped, "start")
    assert (again.state, again.ec2_id) == (S.ONLINE, entry.ec2_id)
    assert mark(shop, again) == "kept\n"


def another_instance_begins_empty(shop: Layers, entry: LayerInstance) -> None:
    now = shop.kiln.records.instance("shop", entry.id)
    assert now is not None
    stopped = change(shop, now, "stop")
    before = {volume["VolumeId"] for volume in volumes(shop).values()}
    shop.kiln.fleet.terminate([stopped.ec2_id or ""])
    new = change(shop, stopped, "start")
    assert new.state is S.ONLINE
    assert new.ec2_id != entry.ec2_id
    assert mark(shop, new) == "new setup\n"
    assert not {volume["VolumeId"] for volume in volumes(shop).values()} & before
