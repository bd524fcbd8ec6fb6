"""The release lock: what is refused before a launch, and what `kiln plan` says of the rest."""

from __future__ import annotations

from datetime import date

import pytest

from kiln.domain.platforms import PLATFORMS, Family
from kiln.domain.release import check_lock, lock_of, lock_plan
from kiln.errors import InvalidBlueprint

TODAY = date(2025, 11, 20)
LINUX = [p.name for p in PLATFORMS.values() if p.family is not Family.WINDOWS]
WINDOWS = [p.name for p in PLATFORMS.values() if p.family is Family.WINDOWS]


@pytest.mark.parametrize(
    ("platform", "lock"),
    [
        ("amazon-linux-1", "2017.09"),
        ("amazon-linux-1", "2018.03"),
        ("amazon-linux-2023", "2023.8.20250818"),
        ("amazon-linux-2023", "2023.9.20251120"),
        ("rhel-7", "7.0"),
        ("rhel-7", "7.9"),
        ("rhel-8", "8.10"),
        ("rhel-9", "9.6"),
        ("rhel-10", "10.1"),
        ("centos-7", "7.6.1810"),
        ("ubuntu-24.04", "20250901T000000Z"),
        ("ubuntu-24.04", "20240425T000000Z"),
    ],
)
def test_a_release_that_may_be_is_taken(platform: str, lock: str) -> None:
    check_lock(platform, lock, TODAY)
    assert lock in lock_plan(platform, lock)


@pytest.mark.parametrize(
    ("platform", "lock", "allowed"),
    [
        ("amazon-linux-1", "2018.09", "2018.03"),
        ("amazon-linux-1", "latest", "2014.03"),
        ("amazon-linux-2", "2.0.20240131", "current, none"),
        ("amazon-linux-2023", "2023.8", "2023.N.YYYYMMDD"),
        ("amazon-linux-2023", "2023.8.20250230", "2023.N.YYYYMMDD"),
        ("amazon-linux-2023", "2023.9.20251121", "2023.N.YYYYMMDD"),
        ("rhel-7", "7.10", "7.0 to 7.9"),
        ("rhel-8", "8.11", "8.0 to 8.10"),
        ("rhel-9", "8.10", "9.N"),
        ("rhel-9", "9.04", "9.N"),
        ("centos-7", "7.9", "7.9.2009"),
        ("ubuntu-24.04", "20250901", "YYYYMMDDTHHMMSSZ"),
        ("ubuntu-24.04", "20251121T000000Z", "YYYYMMDDTHHMMSSZ"),
        ("ubuntu-24.04", "20230301T000000Z", "since 25 April 2024"),
        ("ubuntu-24.04", "20240424T235959Z", "since 25 April 2024"),
        ("ubuntu-24.04", "20250901T250000Z", "YYYYMMDDTHHMMSSZ"),
        ("ubuntu-22.04", "20250901T000000Z", "current, none"),
        ("debian-12", "20250901T000000Z", "current, none"),
    ],
)
def test_a_release_that_cannot_be_is_refused_in_one_line(
    platform: str, lock: str, allowed: str
) -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        check_lock(platform, lock, TODAY)
    said = str(refused.value)
    assert said.startswith("release_lock: ")
    assert lock in said.partition("allowed")[0]
    assert allowed in said.partition("allowed")[2]
    assert "\n" not in said


@pytest.mark.parametrize("platform", WINDOWS)
def test_windows_has_no_lock(platform: str) -> None:
    check_lock(platform, "none", TODAY)
    with pytest.raises(InvalidBlueprint, match=f"{platform} cannot be locked; allowed: none"):
        check_lock(platform, "current", TODAY)


@pytest.mark.parametrize("platform", LINUX)
def test_every_linux_can_stay_as_it_is_and_the_plan_says_how(platform: str) -> None:
    check_lock(platform, "current", TODAY)
    way = lock_of(platform)
    assert way
    assert lock_plan(platform, "current") == f"current: {way.held}"
    assert "no updates are installed at boot" in way.held
    assert ("{lock}" in way.moved) == (way.release is not None)
    assert lock_plan(platform, "none").startswith("none: ")
