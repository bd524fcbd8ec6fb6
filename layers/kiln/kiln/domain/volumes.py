"""EBS volumes of a layer's instances: what a stack file may ask for, the device that each becomes,
and the command that mounts them.

They are part of the launch and end with the EC2 instance; the root volume is none of them.
"""

from __future__ import annotations

import re
from string import ascii_lowercase
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from kiln.domain.documents import DocumentCall, encoded_lines
from kiln.domain.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kiln.domain.image import ImageFacts

# Most types of the Nitro System have 27 attachments beside the root, network interfaces and NVMe
# instance stores among them (EC2 User Guide, "Amazon EBS volume limits"); this leaves room.
MOST_VOLUMES = 20
MOUNT_S = 900

VolumeType = Literal["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"]
# GiB and IOPS by type (EC2 API, EbsBlockDevice: VolumeSize, Iops).
_SIZES = {
    "gp2": (1, 16_384),
    "gp3": (1, 65_536),
    "io1": (4, 16_384),
    "io2": (4, 65_536),
    "st1": (125, 16_384),
    "sc1": (125, 16_384),
    "standard": (1, 1_024),
}
_IOPS = {"gp3": (3_000, 80_000), "io1": (100, 64_000), "io2": (100, 256_000)}
_NEED_IOPS = ("io1", "io2")

# Neither these nor what is below them: the system runs from there, or makes it anew at boot.
_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin"),
    *("/sys", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/sbin"),
)
# Not these; below them there is room.
_NEEDED = ("/root", "/tmp", "/var/log", "/var/run", "/var/tmp")
# What runs the command that mounts, and what would be asked of it.
_KEPT = tuple(f"/var/lib/{name}" for name in ("amazon", "cloud", "dpkg", "kiln", "rpm"))


def _mount_point(path: str) -> str:
    if {".", ".."} & set(path.split("/")):
        raise ValueError(f"{path!r} is no plain path")
    inside = next((s for s in (*_SYSTEM, *_KEPT) if _below(path, s)), None)
    hidden = next((s for s in (*_SYSTEM, *_NEEDED, *_KEPT) if _below(s, path)), inside)
    if hidden:
        raise ValueError(
            f"{path!r} would hide what the system needs in {hidden}; mount it elsewhere, such as "
            "/srv/data"
        )
    return path


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


# A tag's value holds 256 characters (EC2 User Guide, "Tag your Amazon EC2 resources").
MountPoint = Annotated[
    str,
    StringConstraints(pattern=r"^(/[A-Za-z0-9._-]+)+$", max_length=255),
    AfterValidator(_mount_point),
]


class LayerVolume(Model):
    """An EBS volume of each of a layer's instances, mounted before Setup."""

    mount_point: MountPoint
    size_gib: Annotated[int, Field(ge=1, le=65_536)]
    type: VolumeType = "gp3"
    iops: Annotated[int, Field(ge=100, le=256_000)] | None = None
    encrypted: bool = True

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        least, most = _SIZES[self.type]
        if not least <= self.size_gib <= most:
            raise ValueError(f"size_gib: {self.type} has {least} to {most}, not {self.size_gib}")
        if self.iops is None:
            if self.type in _NEED_IOPS:
                raise ValueError(f"iops: is required for type {self.type}")
            return self
        if self.type not in _IOPS:
            raise ValueError(f"iops: is only for types {', '.join(_IOPS)}, not {self.type}")
        least, most = _IOPS[self.type]
        if not least <= self.iops <= most:
            raise ValueError(f"iops: {self.type} has {least} to {most}, not {self.iops}")
        return self


def check_apart(volumes: Iterable[LayerVolume]) -> None:
    """Raise ValueError where an instance cannot have all of these."""
    points = [volume.mount_point for volume in volumes]
    for point in points:
        if points.count(point) > 1:
            raise ValueError(f"volumes: {point} is the mount point of two; each must be unique")
    if len(points) > MOST_VOLUMES:
        raise ValueError(f"volumes: {len(points)} are too many; at most {MOST_VOLUMES}")


# ------------------------------------------------------------ at a launch


class InstanceVolume(Model):
    """Where on an instance a volume is: its device as EC2 calls it, and its mount point."""

    device: str
    mount_point: str


class LaunchVolume(InstanceVolume):
    """A volume that a launch makes. Sizes in GiB."""

    size_gib: int
    type: VolumeType
    iops: int | None
    encrypted: bool

    @property
    def place(self) -> InstanceVolume:
        """What is remembered of it."""
        return InstanceVolume(device=self.device, mount_point=self.mount_point)


def launched(volumes: Iterable[LayerVolume], image: ImageFacts) -> tuple[LaunchVolume, ...]:
    """The volumes of an instance with a device each, which no volume of the image has. ValueError
    where an instance cannot have them all."""
    wanted = tuple(volumes)
    check_apart(wanted)
    free = tuple(_free(image))
    if len(wanted) > len(free):
        raise ValueError(
            f"volumes: {len(wanted)} are too many; {image.id} ({image.virtualization}) leaves "
            f"device names for {len(free)}"
        )
    return tuple(
        LaunchVolume(device=device, **volume.model_dump())
        for device, volume in zip(free, wanted, strict=False)
    )


def _free(image: ImageFacts) -> Iterator[str]:
    """Device names in EC2's order of preference (EC2 User Guide, "Device names for volumes":
    recommended for EBS are /dev/sd[f-p]; an HVM image also takes /dev/xvd[a-d][a-x])."""
    names = [f"/dev/sd{letter}" for letter in "fghijklmnop"]
    if image.virtualization == "hvm":
        names += [f"/dev/xvdb{letter}" for letter in ascii_lowercase[:24]]
    taken = {_letters(device) for device in image.mapped}
    return (name for name in names if _letters(name) not in taken)


def _letters(device: str) -> str:
    # /dev/sdf, xvdf and /dev/sdf1 are one place: the driver gives it a name of its own.
    return re.sub(r"^(/dev/)?(sd|xvd|hd)|[0-9]+$", "", device)


# ------------------------------------------------------------ on the instance


def mount_call(volumes: Iterable[InstanceVolume], ids: Mapping[str, str]) -> DocumentCall:
    """The command that mounts volumes; `ids` are the volumes' ids by device. KeyError for a device
    that has none. A folder comes before what is mounted below it."""
    inner_last = sorted(volumes, key=lambda volume: volume.mount_point)
    lines = tuple(f"{ids[v.device]} {v.device} {v.mount_point}" for v in inner_last)
    return DocumentCall("mount-volumes-linux", {"Volumes": [encoded_lines(lines)]}, MOUNT_S)
