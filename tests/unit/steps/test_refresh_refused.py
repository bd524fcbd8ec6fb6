"""What a rollout to an Auto Scaling group refuses before anything changes."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.group import GroupFacts
from kiln.domain.refreshing import RefreshOrder
from kiln.domain.rollout import RolloutStatus
from kiln.errors import AwsRefused, KilnError, RolloutFailed, Unsupported
from kiln.steps.finish_rollout import FinishRollout, finish_rollout
from tests.builders import an_image
from tests.fakes import FakeWorld
from tests.unit.steps.playing import failure_of
from tests.unit.steps.test_refresh_group import IMAGE, WHO, T, a_shop, planned, turned


def refused(fake: FakeWorld) -> str:
    """What PlanRollout says; nothing has changed by then."""
    before = dict(fake.groups.versions[T])
    with pytest.raises(KilnError) as found:
        planned(fake)
    assert fake.groups.versions[T] == before
    assert not fake.groups.orders
    ended = finish_rollout(FinishRollout(**WHO, failure=failure_of(found.value)), fake.world)
    assert ended.status is RolloutStatus.FAILED
    return str(found.value)


def test_what_a_group_cannot_take_is_refused_before_anything_changes() -> None:
    fake = a_shop()
    fake.groups.groups["shop-api"] = GroupFacts(name="shop-api", size=1, launch_configuration="lc")
    assert "launch configuration lc" in refused(fake)
    fake = a_shop()
    fake.groups.a_group("other", T, "$Latest")
    assert "shared with group other" in refused(fake)
    fake = a_shop(strategy="add")
    assert "strategy add is only for kind instances" in refused(fake)
    fake = a_shop(alarms=["errors"])
    fake.alarms.states["errors"] = "ALARM"
    assert "alarm errors is in ALARM; nothing was changed" in refused(fake)
    fake = a_shop()
    del fake.groups.groups["shop-api"]
    assert "shop-api does not exist" in refused(fake)


def test_an_image_that_the_groups_types_do_not_run_is_refused() -> None:
    fake = a_shop()
    fake.images.images[IMAGE] = an_image(id=IMAGE, architecture="arm64")
    assert "does not run on m7i.large" in refused(fake)


def test_an_image_of_another_architecture_is_refused_where_no_type_says_so() -> None:
    fake = a_shop()
    fake.images.images[IMAGE] = an_image(id=IMAGE, architecture="arm64")
    overrides = [{"InstanceRequirements": {"VCpuCount": {"Min": 1}}}]
    policy = {"LaunchTemplate": {"Overrides": overrides}}
    fake.groups.a_group("shop-api", T, policy=policy)
    assert f"runs x86_64 images, {IMAGE} is arm64" in refused(fake)


def test_a_group_that_somebody_else_refreshes_is_left_alone() -> None:
    fake = a_shop()
    fake.groups.versions[T][7] = fake.groups.versions[T][1].model_copy(update={"number": 7})
    planned(fake)
    other = {"LaunchTemplate": {"LaunchTemplateId": T, "Version": "7"}}
    fake.groups.start_refresh(RefreshOrder(group="shop-api", wanted=other, least_healthy=90))
    with pytest.raises(RolloutFailed, match="refreshed by somebody else; wait"):
        turned(fake)
    assert turned(fake, back=True) is None
    assert list(fake.groups.versions[T]) == [1, 7]
    assert fake.groups.told["shop-api"][0].status == "Pending"


def test_a_version_that_is_refused_says_so() -> None:
    fake = a_shop()
    planned(fake)

    def full(_: Any) -> int:
        raise AwsRefused("ec2", "CreateLaunchTemplateVersion", "VersionLimitExceeded", "too many")

    fake.groups.add_version = full  # type: ignore[method-assign]
    with pytest.raises(RolloutFailed, match=f"lt-1 of Auto Scaling group.*{IMAGE}.*VersionLimit"):
        turned(fake)


def test_a_setting_that_leads_nowhere_is_refused() -> None:
    fake = a_shop("9")
    with pytest.raises(
        Unsupported, match="version 9 of launch template lt-1, which does not exist"
    ):
        planned(fake)
