"""What EC2 is asked for, and what it says of an instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiln.domain.builder import Volume
    from kiln.domain.image import ImageFacts
    from kiln.domain.volumes import LaunchVolume


@dataclass(frozen=True)
class LaunchOrder:
    """One RunInstances call. `token` makes it repeatable; `tags` are in the call itself. `volume`
    is how the root is to be, `volumes` are made beside it."""

    image: ImageFacts
    instance_type: str
    token: str
    tags: dict[str, str]
    subnet: str | None = None
    volume: Volume | None = None
    volumes: tuple[LaunchVolume, ...] = ()
    hostname: str | None = None


@dataclass(frozen=True)
class InstanceFacts:
    """What DescribeInstances says of one instance. `volumes` are the ids of its EBS volumes by
    device, the root's among them."""

    id: str
    state: str
    state_reason: str
    image: str
    instance_type: str
    tags: dict[str, str]
    private_ip: str = ""
    private_dns: str = ""
    public_ip: str = ""
    public_dns: str = ""
    zone: str = ""
    volumes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageOrder:
    """One CreateImage call of a stopped instance or, with `manifest`, one RegisterImage call of a
    bundle (`bucket/key`). `without` are devices that the image is not to have."""

    instance: str
    name: str
    description: str
    tags: dict[str, str]
    without: tuple[str, ...] = ()
    manifest: str | None = None
    virtualization: str = "hvm"
    ena: bool = True
