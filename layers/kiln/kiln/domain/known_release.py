"""What names of public images say of releases: which one a base has, and by which name EC2 knows a
release.

Facts: with every release of Amazon Linux 2023 comes an AMI (its user guide, "Release cadence"),
whose name holds the release ("Naming and versioning"); Red Hat publishes images of every minor
release. Old images of both are deprecated, not gone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kiln.domain.platforms import ImageName
from kiln.domain.release import CENTOS_7
from kiln.errors import IncompatibleBase, InvalidBlueprint

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts

# The release is what the group finds in the name of a public image.
_IN_NAMES = {
    "amazon-linux-1": re.compile(r"^amzn-ami-.*?(\d{4}\.\d\d)\."),
    "amazon-linux-2023": re.compile(r"^al2023-ami-.*?(2023\.\d+\.\d{8})\."),
    "centos-7": re.compile(r"^CentOS Linux 7 .*\b(\d{4})(?:_\d+)?\b"),
    "rhel": re.compile(r"^RHEL-(\d+\.\d+)(?:\.\d+)?_"),
    "ubuntu-24.04": re.compile(r"^ubuntu/images/.*-24\.04-.*-(\d{8})(?:\.\d+)?$"),
}
_RED_HAT = "309956199498"
# Of the other platforms the releases are known (kiln.domain.release) or are moments.
_IMAGES = {
    "amazon-linux-2023": ImageName("amazon", "al2023-ami*-{lock}.*"),
    "rhel-9": ImageName(_RED_HAT, "RHEL-{lock}.?_HVM*"),
    "rhel-10": ImageName(_RED_HAT, "RHEL-{lock}.?_HVM*"),
}


def release_of(platform: str, name: str) -> str | None:
    """The release of a public image by its name; None where the name does not say."""
    family = "rhel" if platform.startswith("rhel-") else platform
    found = _IN_NAMES[family].search(name) if family in _IN_NAMES else None
    if found is None or platform != "centos-7":
        return found[1] if found else None
    # Named by the month of its build, which is that of the release or a later one.
    before = [release for release in CENTOS_7 if release.rpartition(".")[2] <= found[1]]
    return before[-1] if before else None


def image_of(platform: str, lock: str, base: ImageFacts) -> ImageName | None:
    """The image to ask EC2 for, to know whether a release exists; None where that is known."""
    pattern = _IMAGES.get(platform)
    if pattern is None or lock in ("none", "current") or release_of(platform, base.name) == lock:
        return None
    return ImageName(pattern.owner, pattern.name.format(lock=lock))


def unknown_release(platform: str, lock: str, asked: ImageName) -> InvalidBlueprint:
    """The refusal of a release that EC2 has no image of."""
    return InvalidBlueprint(
        f"release_lock: {lock} is no release of {platform}: EC2 has no image of it "
        f"({asked.owner}, {asked.name}); allowed: current, none or a release that has been"
    )


def check_base_release(platform: str, lock: str, base: ImageFacts) -> None:
    """Raise IncompatibleBase for a base that is newer than the lock, as far as its name says so:
    packages are upgraded to a release, never downgraded."""
    have = release_of(platform, base.name)
    if lock in ("none", "current") or have is None or _order(have) <= _order(lock):
        return
    raise IncompatibleBase(
        f"release_lock: base {base.id} ({base.name}) is already at {have} and cannot go back to "
        f"{lock}; take a base of that release"
    )


def _order(release: str) -> tuple[int, ...]:
    """Releases by their numbers; a moment (20250901T000000Z) counts by its day."""
    return tuple(int(part) for part in re.findall(r"\d+", release.partition("T")[0]))
