"""Volumes of a layer: what may be asked for, which device each becomes, and who mounts them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from kiln.domain.volumes import (
    MOST_VOLUMES,
    InstanceVolume,
    LayerVolume,
    check_apart,
    launched,
    mount_call,
)
from tests.builders import an_image


def a_volume(mount_point: str = "/data", **keys: Any) -> LayerVolume:
    return LayerVolume(**({"mount_point": mount_point, "size_gib": 10} | keys))


def many(count: int) -> tuple[LayerVolume, ...]:
    return tuple(a_volume(f"/vol/{number}") for number in range(count))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"size_gib": 0}, "greater than or equal to 1"),
        ({"type": "st1"}, "size_gib: st1 has 125 to 16384, not 10"),
        ({"type": "standard", "size_gib": 2000}, "size_gib: standard has 1 to 1024"),
        ({"type": "gp2", "size_gib": 20_000}, "size_gib: gp2 has 1 to 16384"),
        ({"type": "io1"}, "iops: is required for type io1"),
        ({"type": "io2"}, "iops: is required for type io2"),
        ({"type": "gp2", "iops": 3000}, "iops: is only for types gp3, io1, io2, not gp2"),
        ({"iops": 1000}, "iops: gp3 has 3000 to 80000, not 1000"),
        ({"type": "io1", "iops": 70_000}, "iops: io1 has 100 to 64000"),
    ],
)
def test_a_volume_is_one_that_ec2_makes(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        a_volume(**keys)


def test_what_ec2_makes_is_taken() -> None:
    assert a_volume().type == "gp3"
    assert a_volume(iops=80_000).iops == 80_000
    assert a_volume(type="io2", iops=256_000, size_gib=65_536).encrypted
    assert a_volume(type="sc1", size_gib=125).iops is None


@pytest.mark.parametrize(
    "path",
    [
        *("/etc", "/etc/web", "/usr", "/usr/lib/web", "/var", "/var/lib", "/var/log", "/tmp"),
        *("/dev/x", "/proc", "/sys", "/run", "/run/web", "/boot/efi", "/root", "/lib64"),
        *("/var/lib/amazon", "/var/lib/amazon/ssm", "/var/lib/kiln", "/var/lib/cloud/x"),
    ],
)
def test_a_mount_point_never_hides_what_the_system_needs(path: str) -> None:
    with pytest.raises(ValidationError, match="would hide what the system needs"):
        a_volume(path)


@pytest.mark.parametrize("path", ["/srv/../etc", "/srv/./x", "/.."])
def test_a_mount_point_is_a_plain_path(path: str) -> None:
    with pytest.raises(ValidationError, match="is no plain path"):
        a_volume(path)


@pytest.mark.parametrize("path", ["/", "data", "/two words", "/data/", "/a//b", f"/{'x' * 300}"])
def test_what_is_no_path_is_no_mount_point(path: str) -> None:
    with pytest.raises(ValidationError):
        a_volume(path)


@pytest.mark.parametrize(
    "path", ["/data", "/srv/www", "/var/lib/mysql", "/vol/mysql", "/home", "/opt/app", "/var/www"]
)
def test_where_services_keep_their_data_a_volume_may_be(path: str) -> None:
    assert a_volume(path).mount_point == path


def test_an_instance_has_each_mount_point_once_and_not_too_many() -> None:
    check_apart(many(MOST_VOLUMES))
    with pytest.raises(ValueError, match="21 are too many; at most 20"):
        check_apart(many(MOST_VOLUMES + 1))
    with pytest.raises(ValueError, match="/data is the mount point of two"):
        check_apart([a_volume(), a_volume()])


# ------------------------------------------------------------ devices


def devices(count: int, **image: Any) -> list[str]:
    return [volume.device for volume in launched(many(count), an_image(**image))]


def test_devices_are_those_that_ec2_recommends() -> None:
    assert devices(3) == ["/dev/sdf", "/dev/sdg", "/dev/sdh"]
    assert devices(13)[-3:] == ["/dev/sdp", "/dev/xvdba", "/dev/xvdbb"]
    assert len(set(devices(MOST_VOLUMES))) == MOST_VOLUMES


@pytest.mark.parametrize("taken", ["/dev/sdf", "/dev/xvdf", "xvdf", "/dev/sdf1"])
def test_a_device_of_the_images_own_is_left_to_it(taken: str) -> None:
    """A mapping of the same name would replace the image's volume."""
    assert devices(2, devices=("/dev/xvda", taken)) == ["/dev/sdg", "/dev/sdh"]


def test_a_paravirtual_image_has_fewer_names() -> None:
    """EC2 User Guide, "Device names for volumes": /dev/xvdba and on are HVM's."""
    assert devices(11, virtualization="paravirtual")[-1] == "/dev/sdp"
    with pytest.raises(ValueError, match=r"12 are too many; ami-.* leaves device names for 11"):
        devices(12, virtualization="paravirtual")


def test_a_launch_has_all_that_was_asked_for() -> None:
    (volume,) = launched([a_volume(type="io1", iops=500, encrypted=False)], an_image())
    assert (volume.size_gib, volume.type, volume.iops, volume.encrypted) == (10, "io1", 500, False)
    assert volume.place == InstanceVolume(device="/dev/sdf", mount_point="/data")


# ------------------------------------------------------------ the command


def test_a_folder_is_mounted_before_what_is_below_it() -> None:
    places = (("/dev/sdf", "/data/log"), ("/dev/sdg", "/data"), ("/dev/sdh", "/a"))
    volumes = [InstanceVolume(device=device, mount_point=point) for device, point in places]
    ids = {"/dev/xvda": "vol-0", "/dev/sdf": "vol-1", "/dev/sdg": "vol-2", "/dev/sdh": "vol-3"}
    call = mount_call(volumes, ids)
    assert base64.b64decode(call.parameters["Volumes"][0]).decode().splitlines() == [
        *("vol-3 /dev/sdh /a", "vol-2 /dev/sdg /data", "vol-1 /dev/sdf /data/log")
    ]
    assert (call.name, call.ours) == ("mount-volumes-linux", True)
