"""Why a group's new instances do not serve, and refreshes whose start is answered late."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.hooks import LifecycleAction
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.naming import member_id
from kiln.errors import AwsRefused
from kiln.ports import ExecutionFacts
from kiln.steps.end_change import EndChange, end_change
from tests.fakes import FakeWorld
from tests.unit.steps.test_refresh_group import LAYER, a_shop, planned, rolled, turned

DENIED = "autoscaling:CompleteLifecycleAction refused: AccessDenied"


def a_member(fake: FakeWorld, ec2_id: str, **more: Any) -> LayerInstance:
    """An instance of the group that is joining the layer."""
    facts: dict[str, Any] = {"state": InstanceState.RUNNING_SETUP} | more
    entry = LayerInstance(
        id=member_id(ec2_id),
        stack="shop",
        layers=("api",),
        hostname=f"api-{ec2_id}",
        ec2_id=ec2_id,
        platform="amazon-linux-2023",
        architecture="x86_64",
        instance_type="m7i.large",
        created_at="2026-11-23T00:00:00+00:00",
        **facts,
    )
    assert fake.records.add_instance(entry)
    return entry


def failed(fake: FakeWorld, *held: str) -> str:
    """Why a rollout failed in whose group these wait for a hook."""
    group = fake.groups.groups["shop-api"]
    fake.groups.groups["shop-api"] = group.model_copy(update={"held": held})
    return rolled(
        fake, lambda: fake.groups.become("shop-api", "Failed", reason="no progress")
    ).cause


def test_one_of_which_nobody_took_notice_is_named_with_where_to_look() -> None:
    said = failed(a_shop(), "i-1")
    assert "no progress; i-1 waits for a lifecycle hook" in said
    assert "`kiln dlq list`" in said


def test_a_change_that_failed_and_was_not_ended_says_why() -> None:
    fake = a_shop()
    a_member(fake, "i-1", change="join-1")
    a_member(fake, "i-2", change="join-2")
    for name, status in (("join-1", "FAILED"), ("join-2", "RUNNING")):
        fake.machines.start("instance", name, {"stack": "shop"})
        fake.machines.ended[name] = ExecutionFacts(status, "AwsRefused", DENIED)
    said = failed(fake, "i-1", "i-2")
    assert f"; i-1 is running_setup, join-1 ended with AwsRefused: {DENIED}" in said
    assert "; i-2 is running_setup" in said
    assert "join-2" not in said


def test_one_whose_group_could_not_be_told_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = a_shop()
    entry = a_member(fake, "i-1", state=InstanceState.ONLINE, change="join-1")

    def refuse(*_: object) -> bool:
        raise AwsRefused("autoscaling", "CompleteLifecycleAction", "AccessDenied", "no")

    monkeypatch.setattr(fake.groups, "complete", refuse)
    hook = LifecycleAction(group="shop-api", hook="kiln-launch", token="t", instance="i-1")
    ending = EndChange(
        stack="shop", instance=entry.id, change="join", execution="join-1", hook=hook
    )
    for _ in range(2):
        with pytest.raises(AwsRefused):
            end_change(ending, fake.world)
    said = failed(fake, "i-1")
    assert "; i-1 is online: its group could not be told how join-1 ended" in said
    assert "AccessDenied" in said


def test_of_many_some_are_named() -> None:
    fake = a_shop()
    names = tuple(f"i-{n}" for n in range(5))
    for name in names:
        a_member(fake, name, state=InstanceState.SETUP_FAILED, error="it exited 9")
    said = failed(fake, *names)
    assert "; i-0 is setup_failed: it exited 9" in said
    assert "i-3" not in said
    assert "; and 2 more" in said


def test_a_start_whose_answer_was_lost_is_not_somebody_elses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Auto Scaling API, StartInstanceRefresh: InstanceRefreshInProgress."""
    fake = a_shop()
    planned(fake)
    start = fake.groups.start_refresh

    def unheard(order: Any) -> str:
        start(order)
        raise AwsRefused("autoscaling", "StartInstanceRefresh", "InstanceRefreshInProgress", "")

    monkeypatch.setattr(fake.groups, "start_refresh", unheard)
    wait = turned(fake)
    assert wait
    assert wait.refresh == fake.groups.told["shop-api"][0].id
    assert fake.records.layer_holder(LAYER)
