"""Images as EC2 describes them."""

from __future__ import annotations

from datetime import datetime

from kiln.domain.model import Model
from kiln.errors import BaseImageNotFound


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
    location: str = ""
    tags: dict[str, str] = {}
    snapshots: tuple[Snapshot, ...] = ()
    devices: tuple[str, ...] = ()
    # From deregistration, by somebody's wish.
    protected: bool = False

    @property
    def mapped(self) -> frozenset[str]:
        """Every device of its block device mapping, those without a snapshot too."""
        return frozenset((self.root_device, *self.devices, *(s.device for s in self.snapshots)))

    @property
    def bundle(self) -> str | None:
        """Where the parts of an instance-store image lie, `bucket/prefix`; None for any other."""
        stored = self.root_device_type == "instance-store" and "/" in self.location
        return self.location.rpartition("/")[0] if stored else None

    @property
    def root_size_gib(self) -> int:
        """Size of the root snapshot, 0 for a root that is no EBS volume."""
        return next((s.size_gib for s in self.snapshots if s.device == self.root_device), 0)


def check_base(image: ImageFacts, now: datetime, allow_deprecated: bool = False) -> None:
    """Raise BaseImageNotFound for an image that cannot be launched, or should no longer be and is
    not allowed all the same: EC2 still launches a deprecated one (EC2 User Guide, "Deprecate an
    AMI")."""
    if image.state != "available":
        raise BaseImageNotFound(
            f"base: {image.id} is {image.state}, not available; choose another image"
        )
    if allow_deprecated or not image.deprecated_at:
        return
    if datetime.fromisoformat(image.deprecated_at) <= now:
        raise BaseImageNotFound(
            f"base: {image.id} ({image.name}) is deprecated since {image.deprecated_at[:10]}; "
            "choose a newer image, or say base.allow_deprecated: true"
        )
