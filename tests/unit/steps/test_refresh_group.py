"""A rollout to an Auto Scaling group: there, and back by either way; begun anew after a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kiln.domain.failure import Failure
from kiln.domain.group import TemplateUse
from kiln.domain.rollout import LayerImage, Rollout, RolloutStatus, rollout_id
from kiln.domain.waiting import InstanceRefresh, RolloutApproved
from kiln.errors import KilnError, RolloutFailed
from kiln.steps._looking import check_time, look
from kiln.steps._rollouts import note_failed_join
from kiln.steps.await_resource import AwaitResource, await_resource
from kiln.steps.finish_rollout import FinishRollout, RolloutFinished, finish_rollout
from kiln.steps.plan_rollout import PlanRollout, plan_rollout
from kiln.steps.refresh_group import RefreshGroup, refresh_group
from kiln.steps.wake import AwsEvent, wake
from tests.builders import NOW, a_stack, a_type, an_image
from tests.fakes import FakeWorld
from tests.unit.steps.playing import failure_of

IMAGE, LAYER, T = "ami-00000000000000002", "shop/api", "lt-1"
WHO = {"image": IMAGE, "layer": LAYER}


def a_shop(version: str = "1", strategy: Any = "replace", **options: Any) -> FakeWorld:
    """A layer whose group of ten is at a version of its template, and a rollout to it."""
    fake = FakeWorld()
    fake.records.put_stack(a_stack())
    fake.images.images[IMAGE] = an_image(id=IMAGE, created="2026-11-23T00:00:00.000Z")
    fake.groups.a_group("shop-api", T, version, size=10)
    fake.records.add_rollout(
        Rollout(
            id=rollout_id(IMAGE, LAYER),
            bake="b",
            platform="amazon-linux-2023",
            **WHO,
            architecture="x86_64",
            strategy=strategy,
            options=options,
        )
    )
    return fake


def planned(fake: FakeWorld) -> Any:
    """PlanRollout."""
    return plan_rollout(PlanRollout(**WHO, since=NOW.isoformat()), fake.world)


def turned(fake: FakeWorld, back: bool = False) -> InstanceRefresh | None:
    """RefreshGroup, twice as after a crash: the same both times."""
    first = refresh_group(RefreshGroup(**WHO, back=back), fake.world).wait
    assert refresh_group(RefreshGroup(**WHO, back=back), fake.world).wait == first
    return first


def rolled(fake: FakeWorld, *meanwhile: Callable[[], None]) -> RolloutFinished:
    """As the machine does it: each wait ends by what happens next, the rest by success."""
    what = list(meanwhile)
    failure: Failure | None = None
    undo_failure: Failure | None = None
    try:
        assert planned(fake).path == "refresh"
        _followed(fake, False, what)
    except KilnError as error:
        failure = failure_of(error)
        try:
            _followed(fake, True, what)
        except KilnError as another:
            undo_failure = failure_of(another)
    request = FinishRollout(**WHO, failure=failure, undo_failure=undo_failure)
    return finish_rollout(request, fake.world)


def _followed(fake: FakeWorld, back: bool, what: list[Callable[[], None]]) -> None:
    for _ in range(10):
        wait = turned(fake, back)
        if wait is None:
            return
        if what:
            what.pop(0)()
        if look(wait, fake.world) is None:
            status = fake.groups.told["shop-api"][0].status
            ends = {"RollbackInProgress": "RollbackSuccessful", "Cancelling": "Cancelled"}
            fake.groups.become("shop-api", ends.get(status, "Successful"))
            assert look(wait, fake.world) is not None
    raise AssertionError("the rollout goes on for ever")


def as_it_was(fake: FakeWorld, version: str = "1") -> None:
    """The group's setting and its template."""
    assert fake.groups.groups["shop-api"].template == TemplateUse(id=T, version=version)
    assert list(fake.groups.versions[T]) == [1]


# ---------------------------------------------------------------- there


def test_a_version_is_made_once_and_the_group_refreshed_to_it() -> None:
    fake = a_shop()
    ended = rolled(fake)
    assert ended.status is RolloutStatus.SUCCEEDED
    assert [v.image for v in fake.groups.versions[T].values()] == ["ami-0000000000000ba5e", IMAGE]
    (order,) = fake.groups.orders
    assert order.wanted == {"LaunchTemplate": {"LaunchTemplateId": T, "Version": "2"}}
    assert order.rolls_back
    assert fake.groups.groups["shop-api"].template.version == "2"
    (taken,) = fake.records.layer_images(LAYER)
    assert taken.image == IMAGE
    assert fake.records.layer_holder(LAYER) is None
    assert fake.bus.types() == ["Rollout Started", "Rollout Succeeded"]


def test_a_refresh_is_found_again_where_its_id_was_lost() -> None:
    fake = a_shop()
    planned(fake)
    turned(fake)
    rollout = fake.records.rollout(**WHO)
    assert rollout
    assert rollout.group
    lost = rollout.group.model_copy(update={"refresh": None, "made": None})
    fake.records.update_rollout(rollout.model_copy(update={"group": lost}))
    assert turned(fake)
    assert len(fake.groups.orders) == 1
    assert len(fake.groups.versions[T]) == 2


def test_a_group_that_has_the_image_already_gets_no_new_version() -> None:
    fake = a_shop()
    fake.groups.a_template(T, IMAGE)
    assert rolled(fake).status is RolloutStatus.SUCCEEDED
    assert list(fake.groups.versions[T]) == [1]
    assert fake.groups.orders[0].wanted["LaunchTemplate"]["Version"] == "1"


def test_a_mixed_group_keeps_its_policy() -> None:
    fake = a_shop()
    fake.fleet.known["m6i.large"] = a_type("m6i.large")
    use = {"LaunchTemplateId": T, "LaunchTemplateName": "shop", "Version": "1"}
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": use,
            "Overrides": [{"InstanceType": "m6i.large"}],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 1},
    }
    fake.groups.a_group("shop-api", T, policy=policy, types=("m6i.large",))
    assert rolled(fake).status is RolloutStatus.SUCCEEDED
    found = fake.groups.orders[0].wanted["MixedInstancesPolicy"]
    assert found["InstancesDistribution"] == {"OnDemandBaseCapacity": 1}
    assert found["LaunchTemplate"]["Overrides"] == [{"InstanceType": "m6i.large"}]
    assert found["LaunchTemplate"]["LaunchTemplateSpecification"] == {
        "LaunchTemplateId": T,
        "Version": "2",
    }


def test_a_canary_is_given_as_a_checkpoint() -> None:
    fake = a_shop(strategy="canary", bake_time="20m")
    assert rolled(fake).status is RolloutStatus.SUCCEEDED
    assert (fake.groups.orders[0].checkpoints, fake.groups.orders[0].delay_s) == ((10, 100), 1200)


def test_an_approval_comes_first() -> None:
    fake = a_shop(approval="required")
    assert isinstance(planned(fake).wait, RolloutApproved)
    assert not fake.groups.orders
    rollout = fake.records.rollout(**WHO)
    assert rollout
    fake.records.update_rollout(rollout.model_copy(update={"approved": True}))
    assert planned(fake).path == "refresh"


def test_an_older_image_never_replaces_a_newer_one_in_a_group_either() -> None:
    fake = a_shop()
    fake.records.add_layer_image(
        LayerImage(layer=LAYER, image="ami-9", created="2027", rollout="r", at=NOW.isoformat())
    )
    assert planned(fake).path == "over"


# ---------------------------------------------------------------- back


def test_auto_scaling_rolls_back_by_itself_and_nothing_is_left() -> None:
    fake = a_shop(alarms=["errors"])
    fake.alarms.states["errors"] = "OK"

    def alarm() -> None:
        more = {"percent": 50, "reason": "The CloudWatch alarm errors is in ALARM."}
        fake.groups.become("shop-api", "RollbackInProgress", **more)

    ended = rolled(fake, alarm)
    assert ended.status is RolloutStatus.FAILED
    assert ended.cause == (
        "the instance refresh of shop-api is RollbackInProgress at 50 %: The CloudWatch alarm "
        "errors is in ALARM."
    )
    assert fake.groups.orders[0].alarms == ("errors",)
    assert len(fake.groups.orders) == 1
    as_it_was(fake)
    assert fake.bus.types() == ["Rollout Started", "Rollout Failed", "Rollout Rolled Back"]


@pytest.mark.parametrize("version", ["$Latest", "$Default", ""])
def test_a_group_at_no_number_is_led_back_by_a_refresh(version: str) -> None:
    fake = a_shop(version)
    failed = lambda: fake.groups.become("shop-api", "Failed", reason="no capacity")  # noqa: E731
    ended = rolled(fake, failed)
    assert ended.status is RolloutStatus.FAILED
    assert "no capacity" in ended.cause
    assert "not as it was" not in ended.cause
    there, back = fake.groups.orders
    assert not there.rolls_back
    assert back.wanted == {"LaunchTemplate": {"LaunchTemplateId": T, "Version": "1"}}
    assert (back.skip_matching, back.alarms, back.rolls_back) == (True, (), False)
    as_it_was(fake, version)


def test_a_parameters_image_is_led_back_to_by_a_refresh() -> None:
    fake = a_shop()
    fake.groups.a_template(T, "resolve:ssm:/images/web")
    fake.groups.parameters["/images/web"] = "ami-0000000000000ba5e"
    ended = rolled(fake, lambda: fake.groups.become("shop-api", "Failed"))
    assert ended.status is RolloutStatus.FAILED
    assert len(fake.groups.orders) == 2
    as_it_was(fake)


def test_an_instance_that_cannot_join_turns_the_refresh_back() -> None:
    fake = a_shop()
    name = rollout_id(IMAGE, LAYER)
    ended = rolled(fake, lambda: note_failed_join(name, "api-1: no such package", fake.world))
    assert (ended.status, ended.cause) == (RolloutStatus.FAILED, "api-1: no such package")
    assert fake.groups.told["shop-api"][0].status == "RollbackSuccessful"
    as_it_was(fake)


def test_one_that_cannot_join_a_group_without_rollback_is_cancelled_then_led_back() -> None:
    fake = a_shop("$Latest")
    name = rollout_id(IMAGE, LAYER)
    ended = rolled(fake, lambda: note_failed_join(name, "api-1: no", fake.world))
    assert ended.status is RolloutStatus.FAILED
    assert [told.status for told in fake.groups.told["shop-api"]] == ["Successful", "Cancelled"]
    as_it_was(fake, "$Latest")


def test_a_way_back_that_fails_is_said_with_what_to_do() -> None:
    fake = a_shop("$Latest")
    ended = rolled(
        fake,
        lambda: fake.groups.become("shop-api", "Failed", reason="no capacity"),
        lambda: fake.groups.become("shop-api", "Failed", reason="none at all"),
    )
    assert "the layer is not as it was: the instance refresh of shop-api back to" in ended.cause
    assert "none at all; start one by hand" in ended.cause
    assert "Rollout Rolled Back" not in fake.bus.types()


def test_auto_scalings_events_wake_whoever_waits_for_a_refresh() -> None:
    fake = a_shop()
    planned(fake)
    wait = turned(fake)
    assert wait
    request = AwaitResource(wait=wait, state="AwaitRefresh", token="token")
    assert not await_resource(request, fake.world).done
    detail = {"InstanceRefreshId": wait.refresh, "AutoScalingGroupName": "shop-api"}
    event = {"detail-type": "EC2 Auto Scaling Instance Refresh Succeeded", "detail": detail}
    assert wake(AwsEvent.model_validate(event), fake.world).ended == 0
    fake.groups.become("shop-api", "Successful")
    assert wake(AwsEvent.model_validate(event), fake.world).ended == 1
    assert fake.machines.outputs["token"] == {"refresh": wait.refresh, "status": "Successful"}


def test_a_refresh_has_a_deadline() -> None:
    fake = a_shop()
    planned(fake)
    wait = turned(fake)
    assert wait
    assert look(wait, fake.world) is None
    fake.clock.move(wait.timeout_s + 1)
    with pytest.raises(RolloutFailed, match="had not ended after 86400 s"):
        check_time(wait, fake.world)
