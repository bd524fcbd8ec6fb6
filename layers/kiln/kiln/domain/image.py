"""Images and instance types as EC2 describes them, and whether they fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kiln.domain.model import Model
from kiln.domain.platforms import Architecture
from kiln.errors import BaseImageNotFound, IncompatibleBase

# Types that are current, general and in every Region, cheapest generation last.
DEFAULT_TYPES = {
    Architecture.X86_64: ("m7i.large", "m6i.large", "m5.large"),
    Architecture.ARM64: ("m7g.large", "m6g.large"),
}
# Generations without ENA: the only ones that still run a paravirtual or an ENA-less image.
OLD_TYPES = ("m3.medium", "m3.large", "m1.large")


class Snapshot(Model):
    """A volume of an image: its device name and the snapshot that it is made from."""

    device: str
    snapshot: str
    size_gib: int


class ImageFacts(Model):
    """What DescribeImages says of one image (EC2 API, type Image)."""

    id: str
    name: str
    state: str
    state_reason: str = ""
    created: str = ""
    architecture: str
    virtualization: str = "hvm"
    ena: bool = False
    boot_mode: str | None = None
    root_device_type: str = "ebs"
    root_device: str = "/dev/xvda"
    deprecated_at: str | None = None
    tags: dict[str, str] = {}
    snapshots: tuple[Snapshot, ...] = ()

    @property
    def root_size_gib(self) -> int:
        """Size of the root snapshot, 0 for a root that is no EBS volume."""
        return next((s.size_gib for s in self.snapshots if s.device == self.root_device), 0)


class TypeFacts(Model):
    """What DescribeInstanceTypes says of one instance type (EC2 API, type InstanceTypeInfo)."""

    name: str
    architectures: tuple[str, ...]
    virtualizations: tuple[str, ...]
    root_devices: tuple[str, ...]
    boot_modes: tuple[str, ...] = ()
    ena: str = "unsupported"
    nvme: str = "unsupported"


def check_base(image: ImageFacts, now: datetime) -> None:
    """Raise BaseImageNotFound for an image that cannot or should no longer be launched."""
    if image.state != "available":
        raise BaseImageNotFound(
            f"base: {image.id} is {image.state}, not available; choose another image"
        )
    if image.deprecated_at and datetime.fromisoformat(image.deprecated_at) <= now:
        raise BaseImageNotFound(
            f"base: {image.id} ({image.name}) is deprecated since {image.deprecated_at[:10]}; "
            "choose a newer image"
        )


def check_fit(image: ImageFacts, types: tuple[TypeFacts, ...]) -> None:
    """Raise IncompatibleBase naming every type that cannot run the image, and why."""
    misfits = [f"{kind.name} {reason}" for kind in types for reason in _misfits(image, kind)]
    if misfits:
        raise IncompatibleBase(
            f"builder.instance_types: {image.id} ({image.name}) does not fit: {'; '.join(misfits)}"
        )


def _misfits(image: ImageFacts, kind: TypeFacts) -> Iterator[str]:
    if image.architecture not in kind.architectures:
        yield f"runs {_or(kind.architectures)}, the base is {image.architecture}"
        return
    if image.virtualization not in kind.virtualizations:
        needed = _or(kind.virtualizations)
        yield f"needs {needed} virtualization, the base is {image.virtualization}"
    if image.root_device_type not in kind.root_devices:
        yield f"boots from {_or(kind.root_devices)}, the base's root is {image.root_device_type}"
    if kind.ena == "required" and not image.ena:
        yield "requires ENA, which the base does not have"
    if kind.boot_modes and not _boots(image.boot_mode, kind.boot_modes):
        yield f"boots by {_or(kind.boot_modes)}, the base by {image.boot_mode}"


def _boots(mode: str | None, modes: tuple[str, ...]) -> bool:
    # EC2 User Guide, "Instance launch behavior with boot modes": uefi-preferred falls back to BIOS;
    # an image without a mode takes the type's default.
    return mode is None or mode == "uefi-preferred" or mode in modes


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(words)


def default_types(image: ImageFacts) -> tuple[str, ...]:
    """Instance types for a builder where the blueprint names none."""
    if image.virtualization == "paravirtual" or not image.ena:
        return OLD_TYPES
    return DEFAULT_TYPES[Architecture(image.architecture)]
