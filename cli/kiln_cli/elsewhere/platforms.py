"""Which of Kiln's platforms a text names: an image's name, a parameter, what somebody called it.

Patterns are of the names under which publishers list their images (EC2, DescribeImages) and their
parameters, and of EC2 Image Builder's managed images.
"""

from __future__ import annotations

import re

from kiln.domain.platforms import PLATFORMS, Architecture, ImageName

_UBUNTU = {
    "trusty": "14.04",
    "xenial": "16.04",
    "bionic": "18.04",
    "focal": "20.04",
    "jammy": "22.04",
    "noble": "24.04",
}
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), platform)
    for pattern, platform in (
        (r"\bal2023|amazon[-_ ]?linux[-_ ]?2023", "amazon-linux-2023"),
        (r"\bamzn2|\bal2\b|amazon[-_ ]?linux[-_ ]?2(?![0-9])", "amazon-linux-2"),
        (r"\bamzn-ami|amazon[-_ ]?linux[-_ ]?(1\b|20[01])", "amazon-linux-1"),
        (r"\b(?:rhel|red[-_ ]?hat[-_ a-z]*?)[-_ ]?(7|8|9|10)(?![0-9])", "rhel-"),
        (r"centos(?:[-_ ]?linux)?[-_ ]?7(?![0-9])", "centos-7"),
        (r"debian[-_/ ]?(?:gnu[-_ ]?linux[-_ ]?)?(?:server[-_ ]?)?(12|13)(?![0-9])", "debian-"),
        (r"debian[-_ /a-z]*?release/(12|13)\b", "debian-"),
        (r"\bbookworm\b", "debian-12"),
        (r"\btrixie\b", "debian-13"),
        (r"\b(trusty|xenial|bionic|focal|jammy|noble)\b", "ubuntu-"),
        (r"ubuntu[-_ /a-z]{0,40}?((?:14|16|18|20|22|24)[._-]?04)(?![0-9])", "ubuntu-"),
        (r"ubuntu[-_ ]?(?:server[-_ ]?)?(14|16|18|20|22|24)(?![0-9.])", "ubuntu-"),
        (r"win(?:dows)?[-_ ]?(?:server[-_ ]?)?2012[-_ ]?r2", "windows-2012-r2"),
        (r"win(?:dows)?[-_ ]?(?:server[-_ ]?)?(2016|2019|2022|2025)(?![0-9])", "windows-"),
    )
)
# What a lookup of anything would find of somebody's images.
_LONGEST = 300


def platform_in(*texts: str | None) -> str | None:
    """The platform that the first of these texts names which names one."""
    for text in texts:
        for pattern, platform in _RULES if text else ():
            found = pattern.search((text or "")[:_LONGEST])
            if found:
                named = _named(platform, found[1] if found.groups() else "")
                if named in PLATFORMS:
                    return named
    return None


def _named(platform: str, release: str) -> str:
    if platform != "ubuntu-":
        return platform + release if platform.endswith("-") else platform
    release = _UBUNTU.get(release.lower(), release)
    digits = re.sub(r"[^0-9]", "", release)
    return f"ubuntu-{digits[:2]}.04"


def architecture_in(*texts: str | None) -> Architecture:
    """What machine code the texts name; x86_64 where they say nothing."""
    for text in texts:
        if text and re.search(r"arm64|aarch64|graviton", text, re.IGNORECASE):
            return Architecture.ARM64
        if text and re.search(r"x86_64|x86-64|amd64|\bx86\b|-x86", text, re.IGNORECASE):
            return Architecture.X86_64
        # EC2 User Guide, "Amazon EC2 instance types", naming conventions: g after the generation.
        if text and re.match(r"^(a1|[a-z]+[0-9]+g[a-z-]*)\.[a-z0-9-]+$", text):
            return Architecture.ARM64
    return Architecture.X86_64


def newest_base(platform: str, architecture: Architecture) -> dict[str, object]:
    """A blueprint's `base` of the newest public image of a platform."""
    known = PLATFORMS[platform]
    found = known.newest_base(architecture) or known.newest_base(Architecture.X86_64)
    if isinstance(found, ImageName):
        return {"lookup": {"owner": found.owner, "name": found.name}}
    return {"parameter": str(found)}
