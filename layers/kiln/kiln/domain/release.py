"""The release lock: what a blueprint may ask for on each platform, and what comes of it.

Facts: OpsWorks guide, "Custom AMIs" (Amazon Linux 1); Amazon Linux 2023 User Guide, "Deterministic
upgrades"; subscription-manager(8); vault.centos.org; snapshot.ubuntu.com, which apt finds by itself
since Ubuntu 24.04. What only a look at EC2's images tells is in kiln.domain.known_release.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from kiln.domain.platforms import PLATFORMS, Family
from kiln.errors import InvalidBlueprint

AMAZON_1 = (
    *("2014.03", "2014.09", "2015.03", "2015.09", "2016.03"),
    *("2016.09", "2017.03", "2017.09", "2018.03"),
)
CENTOS_7 = (
    *("7.0.1406", "7.1.1503", "7.2.1511", "7.3.1611", "7.4.1708"),
    *("7.5.1804", "7.6.1810", "7.7.1908", "7.8.2003", "7.9.2009"),
)
# Red Hat 7 and 8 have had their last minor releases.
LAST_MINOR = {"rhel-7": 9, "rhel-8": 10}
# Before its release Ubuntu 24.04 was another system at every moment.
FIRST_SNAPSHOT = date(2024, 4, 25)
_AT_BOOT = "no updates are installed at boot"


@dataclass(frozen=True)
class Lock:
    """What a platform's lock is, in words. `release` is the form of a release, None where there
    are none to lock to; `held` and `moved` say what `current` and a release do."""

    held: str
    release: str | None = None
    moved: str = ""


_HELD = Lock(f"every installed package is held (dpkg selection hold), {_AT_BOOT}")
_LOCKS = {
    "amazon-linux-1": Lock(
        "releasever=latest goes from /etc/yum.conf, so that yum stays at the release of the base, "
        f"{_AT_BOOT} (repo_upgrade: none)",
        f"one of {', '.join(AMAZON_1)}",
        "an older base is updated to {lock}, /etc/yum.conf says releasever={lock}, "
        f"{_AT_BOOT} (repo_upgrade: none)",
    ),
    "amazon-linux-2": Lock(
        "yum versionlock holds every installed package at its version, "
        f"{_AT_BOOT} (repo_upgrade: none)"
    ),
    "amazon-linux-2023": Lock(
        f"/etc/dnf/vars/releasever goes, so that dnf stays at the release of the base, {_AT_BOOT}",
        "2023.N.YYYYMMDD, one that EC2 has an image of",
        f"an older base is upgraded to {{lock}} and /etc/dnf/vars/releasever says so, {_AT_BOOT}",
    ),
    "centos-7": Lock(
        f"the repositories point to the release of the base in vault.centos.org, {_AT_BOOT}",
        f"one of {', '.join(CENTOS_7)}",
        "the repositories point to {lock} in vault.centos.org and an older base is updated to it, "
        f"{_AT_BOOT}",
    ),
    "ubuntu-24.04": Lock(
        f"apt sees the archive as it is at the time of the bake (APT::Snapshot), {_AT_BOOT}",
        "YYYYMMDDTHHMMSSZ, a moment since 25 April 2024",
        "packages are upgraded to the archive as it was at {lock} and apt stays there "
        f"(APT::Snapshot), {_AT_BOOT}",
    ),
}


def _red_hat(platform: str) -> Lock:
    major = platform.partition("-")[2]
    minors = f"{major}.0 to {major}.{LAST_MINOR[platform]}" if platform in LAST_MINOR else None
    how = "(subscription-manager release where registered, else the variable releasever)"
    return Lock(
        f"the minor release of the base is set {how}, {_AT_BOOT}",
        minors or f"{major}.N, one that EC2 has an image of",
        f"the minor release {{lock}} is set {how} and an older base is upgraded to it, {_AT_BOOT}",
    )


def lock_of(platform: str) -> Lock | None:
    """How a platform is locked; None where it cannot be (Windows)."""
    if PLATFORMS[platform].family is Family.WINDOWS:
        return None
    return _red_hat(platform) if platform.startswith("rhel-") else _LOCKS.get(platform, _HELD)


def lock_plan(platform: str, lock: str) -> str:
    """What a bake does for a `release_lock`, in words."""
    way = lock_of(platform)
    if lock == "none" or way is None:
        return "none: the image takes updates as its base does"
    return f"{lock}: {way.held if lock == 'current' else way.moved.format(lock=lock)}"


def check_lock(platform: str, lock: str, today: date) -> None:
    """Raise InvalidBlueprint for a release that cannot be, as far as it is known before a
    launch."""
    if lock == "none":
        return
    way = lock_of(platform)
    if way is None:
        raise InvalidBlueprint(f"release_lock: {platform} cannot be locked; allowed: none")
    if lock == "current":
        return
    if way.release is None:
        raise InvalidBlueprint(
            f"release_lock: {platform} has no releases to lock to, not {lock}; allowed: current, "
            "none"
        )
    if not _may_be(platform, lock, today):
        raise InvalidBlueprint(
            f"release_lock: {lock} is no release of {platform}; allowed: current, none or a "
            f"release: {way.release}"
        )


def _may_be(platform: str, lock: str, today: date) -> bool:
    if platform in ("amazon-linux-1", "centos-7"):
        return lock in (AMAZON_1 if platform == "amazon-linux-1" else CENTOS_7)
    if platform == "amazon-linux-2023":
        found = re.fullmatch(r"2023\.\d{1,3}\.(\d{8})", lock)
        return found is not None and _past(found[1], "%Y%m%d", date(2023, 1, 1), today)
    if platform.startswith("rhel-"):
        return _minor(platform, lock)
    if not re.fullmatch(r"\d{8}T\d{6}Z", lock):
        return False
    return _past(lock, "%Y%m%dT%H%M%SZ", FIRST_SNAPSHOT, today)


def _minor(platform: str, lock: str) -> bool:
    major = platform.partition("-")[2]
    found = re.fullmatch(rf"{major}\.(0|[1-9]\d?)", lock)
    return found is not None and int(found[1]) <= LAST_MINOR.get(platform, 10)


def _past(text: str, form: str, first: date, today: date) -> bool:
    """Whether a text is a day from `first` to `today`."""
    try:
        return first <= datetime.strptime(text, form).replace(tzinfo=UTC).date() <= today
    except ValueError:
        return False
