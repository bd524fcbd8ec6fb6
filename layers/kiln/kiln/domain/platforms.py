"""What Kiln knows of each platform: its family, and where its newest base image is found.

Public parameters: EC2 User Guide, "Reference the latest AMIs using Systems Manager public
parameters"; Canonical and Debian publish theirs. Red Hat and CentOS publish none, so their images
are found by owner and name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """How packages are kept; it decides which tools a document may use."""

    RPM = "rpm"
    DEB = "deb"
    WINDOWS = "windows"


class Architecture(StrEnum):
    """EC2's names for what an image's machine code runs on."""

    X86_64 = "x86_64"
    ARM64 = "arm64"


@dataclass(frozen=True)
class ImageName:
    """A newest-of-many look-up: owner account and name pattern (`*` and `?` as in
    DescribeImages)."""

    owner: str
    name: str


@dataclass(frozen=True)
class Platform:
    """One operating system release. `parameter` and `image_name` may hold `{arch}`."""

    name: str
    family: Family
    parameter: str | None = None
    image_name: ImageName | None = None
    x86_64: str = "x86_64"
    arm64: str | None = "arm64"

    def newest_base(self, architecture: Architecture) -> str | ImageName | None:
        """The parameter or look-up of the newest public image, None where there is none."""
        word = self.x86_64 if architecture is Architecture.X86_64 else self.arm64
        if word is None:
            return None
        if self.parameter:
            return self.parameter.format(arch=word)
        if self.image_name:
            return ImageName(self.image_name.owner, self.image_name.name.format(arch=word))
        return None


_AMAZON = "/aws/service/ami-amazon-linux-latest/"
_CANONICAL = "099720109477"
_UBUNTU = "/aws/service/canonical/ubuntu/server"
_RED_HAT = "309956199498"
_CENTOS = "125523088429"


def _ubuntu(release: str, volume: str) -> Platform:
    path = f"{_UBUNTU}/{release}/stable/current/{{arch}}/hvm/{volume}/ami-id"
    return Platform(f"ubuntu-{release}", Family.DEB, parameter=path, x86_64="amd64")


def _red_hat(major: str) -> Platform:
    pattern = ImageName(_RED_HAT, f"RHEL-{major}.*_HVM-*-{{arch}}-*")
    return Platform(f"rhel-{major}", Family.RPM, image_name=pattern)


def _debian(major: str) -> Platform:
    path = f"/aws/service/debian/release/{major}/latest/{{arch}}"
    return Platform(f"debian-{major}", Family.DEB, parameter=path, x86_64="amd64")


def _windows(name: str, release: str) -> Platform:
    path = f"/aws/service/ami-windows-latest/Windows_Server-{release}-English-Full-Base"
    return Platform(name, Family.WINDOWS, parameter=path, arm64=None)


PLATFORMS: dict[str, Platform] = {
    platform.name: platform
    for platform in (
        Platform(
            "amazon-linux-1",
            Family.RPM,
            parameter=_AMAZON + "amzn-ami-hvm-{arch}-gp2",
            arm64=None,
        ),
        Platform("amazon-linux-2", Family.RPM, parameter=_AMAZON + "amzn2-ami-hvm-{arch}-gp2"),
        Platform(
            "amazon-linux-2023",
            Family.RPM,
            parameter=_AMAZON + "al2023-ami-kernel-default-{arch}",
        ),
        _red_hat("7"),
        _red_hat("8"),
        _red_hat("9"),
        _red_hat("10"),
        Platform(
            "centos-7",
            Family.RPM,
            image_name=ImageName(_CENTOS, "CentOS Linux 7 {arch}*"),
            arm64="aarch64",
        ),
        Platform(
            "ubuntu-14.04",
            Family.DEB,
            image_name=ImageName(
                _CANONICAL, "ubuntu/images/hvm-ssd/ubuntu-trusty-14.04-{arch}-server-*"
            ),
            x86_64="amd64",
        ),
        _ubuntu("16.04", "ebs-gp2"),
        _ubuntu("18.04", "ebs-gp2"),
        _ubuntu("20.04", "ebs-gp2"),
        _ubuntu("22.04", "ebs-gp2"),
        _ubuntu("24.04", "ebs-gp3"),
        _debian("12"),
        _debian("13"),
        _windows("windows-2012-r2", "2012-R2"),
        _windows("windows-2016", "2016"),
        _windows("windows-2019", "2019"),
        _windows("windows-2022", "2022"),
        _windows("windows-2025", "2025"),
    )
}


def family(platform: str) -> Family:
    """The family of a platform that `PLATFORMS` names."""
    return PLATFORMS[platform].family
