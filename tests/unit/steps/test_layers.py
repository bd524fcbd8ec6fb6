"""What layers do with an image: one rollout each, one instance each, or nothing at all."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.failure import Failure
from kiln.domain.instance import InstanceState
from kiln.domain.rollout import RolloutStatus
from kiln.errors import AwsRefused, RolloutFailed, TeardownFailed
from kiln.steps.add_instance import AddInstance, add_instance
from kiln.steps.add_to_layers import ImageAvailableEvent, add_to_layers
from kiln.steps.finish_rollout import FinishRollout, finish_rollout
from tests.builders import BAKE, a_record, a_stack
from tests.fakes import FakeWorld

IMAGE = "ami-0000000000000ba5e"
REFUSAL = AwsRefused("ec2", "TerminateInstances", "OperationNotPermitted", "protected")


def a_world() -> FakeWorld:
    """A world with a stack, in which a bake was planned."""
    fake = FakeWorld()
    fake.records.add_bake(a_record())
    fake.records.put_stack(a_stack())
    return fake


def an_event(*layers: tuple[str, str], region: str = "eu-west-1") -> ImageAvailableEvent:
    """`Image Available` as EventBridge delivers it."""
    detail = {
        "bake": BAKE,
        "images": {"eu-west-1": IMAGE},
        "platform": "amazon-linux-2023",
        "architecture": "x86_64",
        "layers": [{"layer": layer, "strategy": strategy} for layer, strategy in layers],
    }
    event = {"detail-type": "Image Available", "region": region, "detail": detail}
    return ImageAvailableEvent.model_validate(event)


def test_an_image_starts_one_rollout_per_layer_however_often_it_is_announced() -> None:
    fake = a_world()
    event = an_event(("shop/web", "add"), ("shop/app", "none"))
    name = f"{IMAGE}-shop-web"
    assert add_to_layers(event, fake.world).started == (name,)
    assert add_to_layers(event, fake.world).started == ()
    assert fake.machines.started == {name: {"image": IMAGE, "layer": "shop/web"}}


def test_a_rollout_that_has_ended_is_not_started_again() -> None:
    fake = a_world()
    add_to_layers(an_event(("shop/web", "add")), fake.world)
    rollout = fake.records.rollout(IMAGE, "shop/web")
    assert rollout is not None
    fake.records.update_rollout(rollout.model_copy(update={"status": RolloutStatus.FAILED}))
    fake.machines.started.clear()
    assert add_to_layers(an_event(("shop/web", "add")), fake.world).started == ()


def test_an_image_of_another_region_is_passed_over() -> None:
    fake = a_world()
    assert (
        add_to_layers(an_event(("shop/web", "add"), region="us-east-1"), fake.world).started == ()
    )


def _rolling(layer: str = "shop/web") -> FakeWorld:
    fake = a_world()
    add_to_layers(an_event((layer, "add")), fake.world)
    return fake


def added(fake: FakeWorld, layer: str = "shop/web") -> str:
    """Add the rollout's instance."""
    return add_instance(AddInstance(image=IMAGE, layer=layer), fake.world).instance


def finished(fake: FakeWorld, failure: Failure | None = None) -> Any:
    """Finish the rollout."""
    return finish_rollout(FinishRollout(image=IMAGE, layer="shop/web", failure=failure), fake.world)


def test_a_layer_gains_an_instance_that_runs_the_image() -> None:
    fake = _rolling()
    instance = added(fake)
    assert added(fake) == instance
    assert finished(fake).status is RolloutStatus.SUCCEEDED
    (entry,) = fake.records.instances("shop")
    assert (entry.hostname, entry.state, entry.ec2_id) == ("web1", InstanceState.ONLINE, instance)
    assert fake.fleet.orders[0].tags["kiln:layer"] == "shop/web"
    assert "kiln:bake" not in fake.fleet.orders[0].tags
    assert fake.bus.types() == [
        "Rollout Started",
        "Instance State Change",
        "Instance State Change",
        "Instance State Change",
        "Rollout Succeeded",
    ]


def test_a_failed_rollout_takes_its_instance_back() -> None:
    fake = _rolling()
    instance = added(fake)
    ended = finished(fake, Failure(error="BuilderUnreachable", cause="never online"))
    assert (ended.status, ended.error) == (RolloutStatus.FAILED, "BuilderUnreachable")
    assert fake.fleet.instances[instance].state == "shutting-down"
    assert fake.records.instances("shop") == ()
    assert fake.bus.types()[-1] == "Rollout Failed"


def test_a_rollout_that_fails_before_its_instance_has_nothing_to_take_back() -> None:
    assert finished(_rolling(), Failure(error="RolloutFailed")).status is RolloutStatus.FAILED


def test_an_instance_that_cannot_be_taken_back_is_said() -> None:
    fake = _rolling()
    added(fake)
    fake.fleet.refusal = REFUSAL
    with pytest.raises(TeardownFailed, match="of a failed rollout is left"):
        finished(fake, Failure(error="E"))


def test_a_rollout_without_capacity_or_permission_fails_with_the_reason() -> None:
    fake = _rolling()
    fake.subnets = ("subnet-a",)
    fake.fleet.short = {("m7i.large", "subnet-a")}
    with pytest.raises(RolloutFailed, match=r"no capacity for m7i\.large: subnet-a"):
        added(fake)
    fake.fleet.refusal = REFUSAL
    with pytest.raises(RolloutFailed, match="shop/web gained no instance"):
        added(fake)


def test_a_rollout_of_what_is_gone_fails() -> None:
    fake = _rolling()
    fake.images.deregister(IMAGE)
    with pytest.raises(RolloutFailed, match=f"image {IMAGE} is gone"):
        added(fake)
    other = _rolling()
    other.records._stacks.clear()
    with pytest.raises(RolloutFailed, match="layer shop/web is gone"):
        added(other)
    with pytest.raises(RolloutFailed, match="no rollout of"):
        added(FakeWorld())
