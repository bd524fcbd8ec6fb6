"""EBS volumes of the local AWS: beside an instance, in images, gone with what they are of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.local.worlds import World, a_world, until

pytestmark = pytest.mark.long

FILE = "mkfs.xfs $d >/dev/null; mkdir -p /data; mount -t xfs $d /data && echo mine >/data/file"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with a_world() as world:
        yield world


def launch(world: World, kind: str = "m7i.large", **more: Any) -> str:
    """An instance with a root and two volumes beside it, or of an image; it is online."""
    tags = [{"Key": "kiln:bake", "Value": "web"}]
    ebs = {"VolumeSize": 10, "DeleteOnTermination": True}
    devices = {"/dev/xvda": {}, "/dev/sdf": {"VolumeType": "io2", "Iops": 900}, "/dev/sdg": {}}
    mappings = [{"DeviceName": name, "Ebs": ebs | own} for name, own in devices.items()]
    wanted = more or {
        "BlockDeviceMappings": mappings,
        "TagSpecifications": [{"ResourceType": "volume", "Tags": tags}],
    }
    instance = world.launch(InstanceType=kind, **wanted)
    until(lambda: world.ping(instance) == "Online")
    return instance


def volumes(world: World, instance: str) -> dict[str, str]:
    """Volume ids by device."""
    mappings = world.instance(instance)["BlockDeviceMappings"]
    return {m["DeviceName"]: m["Ebs"]["VolumeId"] for m in mappings}


def inside(world: World, instance: str, script: str) -> str:
    """What a shell prints there."""
    return world.aws.room.linux.enter(instance, ["sh", "-c", script]).stdout.decode()


def device_of(world: World, instance: str, device: str) -> str:
    """How the kernel calls a device of a Nitro instance."""
    serial = volumes(world, instance)[device].replace("-", "", 1)
    link = f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{serial}"
    return inside(world, instance, f"readlink -f {link}").strip()


def run(world: World, instance: str, script: str) -> None:
    """Run a command to its good end."""
    command = world.run(instance, script)
    status = until(
        lambda: (s := world.command(command)["Status"]) not in ("Pending", "InProgress") and s
    )
    assert status == "Success"


def image_of(world: World, instance: str, name: str, *without: str) -> dict[str, Any]:
    """An image that is available, as EC2 describes it."""
    left = [{"DeviceName": device, "NoDevice": ""} for device in without]
    more = {"BlockDeviceMappings": left} if left else {}
    image = world.ec2.create_image(InstanceId=instance, Name=name, **more)["ImageId"]

    def available() -> Any:
        (found,) = world.ec2.describe_images(ImageIds=[image])["Images"]
        return found if found["State"] == "available" else None

    return dict(until(available))


def devices(image: dict[str, Any]) -> list[str]:
    return [mapping["DeviceName"] for mapping in image["BlockDeviceMappings"]]


def test_volumes_have_what_was_asked_for_and_end_with_their_instance(world: World) -> None:
    instance = launch(world)
    ids = volumes(world, instance)
    wanted = [{"Name": "attachment.instance-id", "Values": [instance]}]
    found = {v["VolumeId"]: v for v in world.ec2.describe_volumes(Filters=wanted)["Volumes"]}
    assert found.keys() == set(ids.values())
    assert (found[ids["/dev/sdf"]]["VolumeType"], found[ids["/dev/sdf"]]["Iops"]) == ("io2", 900)
    assert all(v["Tags"] == [{"Key": "kiln:bake", "Value": "web"}] for v in found.values())
    world.ec2.terminate_instances(InstanceIds=[instance])
    until(lambda: world.state(instance) == "terminated")
    left = {v["VolumeId"] for v in world.ec2.describe_volumes()["Volumes"]}
    assert not left & set(ids.values())


def test_a_type_of_xen_keeps_the_letters_of_a_devices_name(world: World) -> None:
    instance = launch(world, "m3.medium")
    assert inside(world, instance, "ls /dev/xvd*; ls /sys/block").split() == [
        "/dev/xvdf",
        "/dev/xvdg",
    ]


def test_an_image_has_every_volume_that_is_not_left_out(world: World) -> None:
    instance = launch(world)
    device = device_of(world, instance, "/dev/sdg")
    run(world, instance, f"d={device}; {FILE}")
    whole, bare = (
        image_of(world, instance, "whole"),
        image_of(world, instance, "bare", "/dev/sdf", "/dev/sdg"),
    )
    assert devices(whole) == ["/dev/xvda", "/dev/sdf", "/dev/sdg"]
    assert devices(bare) == ["/dev/xvda"]
    clone = launch(world, ImageId=bare["ImageId"])
    assert inside(world, clone, "ls -A /data; ls /sys/block") == ""
    clone = launch(world, ImageId=whole["ImageId"])
    again = device_of(world, clone, "/dev/sdg")
    assert inside(world, clone, f"blkid -p -o value -s UUID {again}") == inside(
        world, instance, f"blkid -p -o value -s UUID {device}"
    )
    run(world, clone, f"mount {again} /data")
    assert inside(world, clone, "cat /data/file") == "mine\n"
    own = [{"Name": "owner-id", "Values": [world.aws.account]}]
    for image in (whole, bare):
        world.ec2.deregister_image(ImageId=image["ImageId"], DeleteAssociatedSnapshots=True)
    assert world.ec2.describe_snapshots(Filters=own)["Snapshots"] == []


def with_a_root(**ebs: Any) -> dict[str, Any]:
    """The mapping of a root of 100 GiB."""
    root = {"VolumeSize": 100, "VolumeType": "gp3", "DeleteOnTermination": True}
    return {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": root | ebs}]}


def test_the_image_of_a_volume_that_reads_faster_is_there_sooner(world: World) -> None:
    slow = launch(world, **with_a_root())
    fast = launch(world, **with_a_root(Throughput=1000, Iops=4000))
    images = {n: world.ec2.create_image(InstanceId=n, Name=n)["ImageId"] for n in (slow, fast)}

    def states() -> dict[str, str]:
        found = world.ec2.describe_images(ImageIds=list(images.values()))["Images"]
        known = {image["ImageId"]: image["State"] for image in found}
        return {name: known[image] for name, image in images.items()}

    until(lambda: states()[fast] == "available")
    assert states()[slow] == "pending"
    until(lambda: states()[slow] == "available")
