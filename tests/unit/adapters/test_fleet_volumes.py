"""What is asked of EC2 for the volumes that come with an instance, word for word."""

from __future__ import annotations

from typing import Any

from kiln.domain.volumes import LaunchVolume
from tests.builders import an_image
from tests.unit.adapters.test_fleet import an_order, requested


def a_volume(device: str = "/dev/sdf", **keys: Any) -> LaunchVolume:
    known = {"mount_point": "/data", "size_gib": 100, "type": "gp3", "iops": None}
    return LaunchVolume(**({"device": device, "encrypted": True} | known | keys))


def test_volumes_are_part_of_the_launch_and_end_with_the_instance() -> None:
    """All volumes of one RunInstances call have the same tags (EC2 API, TagSpecifications)."""
    slow = {"mount_point": "/log", "type": "io2", "iops": 900, "encrypted": False}
    request = requested(an_order(volumes=(a_volume(), a_volume("/dev/sdg", **slow))))
    assert [m["DeviceName"] for m in request["BlockDeviceMappings"]] == [
        *("/dev/xvda", "/dev/sdf", "/dev/sdg")
    ]
    common = {"DeleteOnTermination": True, "VolumeSize": 100}
    assert [m["Ebs"] for m in request["BlockDeviceMappings"][1:]] == [
        common | {"Encrypted": True, "VolumeType": "gp3"},
        common | {"Encrypted": False, "VolumeType": "io2", "Iops": 900},
    ]
    tags = {t["ResourceType"]: t["Tags"] for t in request["TagSpecifications"]}
    mounts = [
        {"Key": "kiln:mount:sdf", "Value": "/data"},
        {"Key": "kiln:mount:sdg", "Value": "/log"},
    ]
    assert tags["volume"] == [*tags["instance"], *mounts]
    assert tags["network-interface"] == tags["instance"]


def test_an_instance_store_root_has_volumes_beside_it() -> None:
    image = an_image(root_device_type="instance-store", snapshots=())
    request = requested(an_order(image=image, volumes=(a_volume(),)))
    assert [m["DeviceName"] for m in request["BlockDeviceMappings"]] == ["/dev/sdf"]
