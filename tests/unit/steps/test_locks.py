"""A release lock in a plan: refused before anything is launched, or told in words."""

from __future__ import annotations

import pytest

from kiln.domain.image import ImageFacts
from kiln.errors import IncompatibleBase, InvalidBlueprint
from kiln.steps.plan_bake import BakePlanned, PlanBake, plan_bake
from kiln_cli.commands.plan import described
from tests.builders import BAKE, NOW, a_document, a_plan, an_image
from tests.fakes import FakeWorld

AMAZON, RED_HAT = "amazon", "309956199498"


def planned(platform: str, lock: str, base: ImageFacts, *others: tuple[str, str]) -> BakePlanned:
    """A plan with this lock on this base, where EC2 has some other images too: owner, name."""
    fake = FakeWorld()
    fake.images.add(base, "somebody")
    for number, (owner, name) in enumerate(others):
        fake.images.add(an_image(id=f"ami-0000000000000000{number}", name=name), owner)
    document = a_document(platform=platform, base={"image": base.id}, release_lock=lock)
    try:
        order = PlanBake(request={"blueprint": document}, execution=BAKE, started=NOW)
        return plan_bake(order, fake.world)
    except InvalidBlueprint:
        assert (fake.fleet.orders, fake.bus.events) == ([], [])
        raise


@pytest.mark.parametrize("lock", ["2023.8", "2023.8.20991231", "2018.03", "latest"])
def test_a_release_that_cannot_be_is_refused_and_nothing_is_launched(lock: str) -> None:
    fake = FakeWorld()
    order = PlanBake(
        request={"blueprint": a_document(release_lock=lock)}, execution=BAKE, started=NOW
    )
    with pytest.raises(InvalidBlueprint, match=f"release_lock: {lock} is no release of amazon-"):
        plan_bake(order, fake.world)
    assert (fake.fleet.orders, fake.bus.events) == ([], [])


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("none", "none: the image takes updates as its base does"),
        ("2023.8.20250818", "an older base is upgraded to 2023.8.20250818"),
    ],
)
def test_the_plan_says_what_the_lock_will_do(lock: str, said: str) -> None:
    plan = a_plan(a_document(release_lock=lock))
    assert said in described(plan, FakeWorld().world)["release_lock"]


AL2023 = "al2023-ami-2023.8.20250818.0-kernel-6.1-x86_64"
RHEL_9 = "RHEL-9.6.0_HVM-20250801-x86_64-0-Hourly2-GP3"


@pytest.mark.parametrize(
    ("platform", "lock", "base", "near"),
    [
        ("amazon-linux-2023", "2023.99.20260101", AL2023, (AMAZON, AL2023)),
        (
            *("amazon-linux-2023", "2023.8.20250819", AL2023),
            (AMAZON, "al2023-ami-2023.8.202508190.0-kernel-6.1-x86_64"),
        ),
        ("amazon-linux-2023", "2023.8.20250819", "ours-7", ("137112412989", "al2023-ami-other")),
        (
            *("rhel-9", "9.1", "RHEL-9.0.0_HVM-20230101-x86_64-0-Hourly2-GP3"),
            (RED_HAT, "RHEL-9.10.0_HVM-20250801-x86_64-0-Hourly2-GP3"),
        ),
        ("rhel-10", "10.9", "ours-7", (RED_HAT, RHEL_9)),
    ],
)
def test_a_release_that_ec2_has_no_image_of_is_refused_before_a_launch(
    platform: str, lock: str, base: str, near: tuple[str, str]
) -> None:
    with pytest.raises(InvalidBlueprint, match=f"release_lock: {lock} is no release of {platform}"):
        planned(platform, lock, an_image(name=base), near)


@pytest.mark.parametrize(
    ("platform", "lock", "base", "there"),
    [
        ("amazon-linux-2023", "2023.8.20250818", AL2023, (AMAZON, "other")),
        (
            *("amazon-linux-2023", "2023.9.20251110", AL2023),
            (AMAZON, "al2023-ami-minimal-2023.9.20251110.1-kernel-6.12-arm64"),
        ),
        ("rhel-9", "9.6", RHEL_9, (RED_HAT, "other")),
        ("rhel-9", "9.7", RHEL_9, (RED_HAT, "RHEL-9.7.0_HVM_GA-20251120-arm64-0-Access2-GP3")),
        ("rhel-8", "8.10", "ours-7", (RED_HAT, "other")),
        ("ubuntu-24.04", "20250901T000000Z", "ours-7", (AMAZON, "other")),
    ],
)
def test_a_release_that_the_base_has_or_that_ec2_has_an_image_of_is_planned(
    platform: str, lock: str, base: str, there: tuple[str, str]
) -> None:
    planned(platform, lock, an_image(name=base), there)


def test_an_image_of_the_release_counts_though_it_is_deprecated() -> None:
    fake = FakeWorld()
    fake.images.add(an_image(name=AL2023), "somebody")
    newer = an_image(
        id="ami-00000000000000001",
        name="al2023-ami-2023.9.20251110.0-kernel-6.1-x86_64",
        deprecated_at="2026-02-08T00:00:00.000Z",
    )
    fake.images.add(newer, AMAZON)
    document = a_document(release_lock="2023.9.20251110")
    plan_bake(PlanBake(request={"blueprint": document}, execution=BAKE, started=NOW), fake.world)


@pytest.mark.parametrize(
    ("platform", "lock", "base"),
    [
        ("amazon-linux-1", "2017.09", "amzn-ami-hvm-2018.03.0.20231218.0-x86_64-gp2"),
        ("amazon-linux-2023", "2023.7.20250331", AL2023),
        ("amazon-linux-2023", "2023.9.20251110", "al2023-ami-2023.10.20260202.0-kernel-6.1-arm64"),
        ("rhel-7", "7.6", "RHEL-7.9_HVM-20240930-x86_64-0-Hourly2-GP3"),
        ("rhel-8", "8.9", "RHEL-8.10.0_HVM-20250801-x86_64-0-Hourly2-GP3"),
        ("centos-7", "7.4.1708", "CentOS Linux 7 x86_64 HVM EBS ENA 1805_01-b7ee8a69"),
        (
            *("ubuntu-24.04", "20250820T235959Z"),
            "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250821",
        ),
    ],
)
def test_a_base_that_is_newer_than_the_lock_is_refused_before_a_launch(
    platform: str, lock: str, base: str
) -> None:
    with pytest.raises(IncompatibleBase) as refused:
        planned(platform, lock, an_image(name=base))
    said = str(refused.value)
    assert said.startswith("release_lock: base ami-")
    assert f"cannot go back to {lock}; take a base of that release" in said
