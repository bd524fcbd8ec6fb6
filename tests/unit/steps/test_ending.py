"""Distribution, announcement and teardown: the end of a bake."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.bake import Adoption, BakeStatus
from kiln.domain.failure import Failure
from kiln.errors import AwsRefused, TeardownFailed
from kiln.steps.launch_builder import LaunchBuilder, launch_builder
from kiln.steps.teardown import Teardown, teardown
from kiln.steps.verify_image import CommandRef
from tests.builders import BAKE, NOW, a_document, a_plan, a_record, a_stack, an_image
from tests.fakes import FakeWorld

IMAGE = "ami-0000000000000ba5e"
PREPARED = CommandRef(instance="i-1", command="c-1")
REFUSAL = AwsRefused("ec2", "TerminateInstances", "OperationNotPermitted", "protected")


def a_world(document: dict[str, Any] | None = None, **plan: Any) -> FakeWorld:
    """A world in which a bake was planned."""
    fake = FakeWorld()
    fake.records.add_bake(a_record(a_plan(document, **plan)))
    fake.records.put_stack(a_stack())
    return fake


def torn(fake: FakeWorld, failure: Failure | None = None, bake: str = BAKE) -> Any:
    """Tear a bake down."""
    return teardown(Teardown(bake=bake, failure=failure), fake.world)


FAILURE = Failure(error="StepFailed", cause="step 'tune' exited 3", state="AwaitStep")


def _made(fake: FakeWorld) -> tuple[str, str]:
    tags = {"kiln:bake": BAKE}
    builder = fake.fleet.add(tags | {"kiln:role": "builder"})
    clone = fake.fleet.add(tags | {"kiln:role": "clone"}, "pending")
    fake.fleet.volumes["vol-1"] = BAKE
    fake.images.add(an_image(id="ami-0000000000000aaaa", tags=tags))
    fake.images.snapshots["snap-9"] = BAKE
    return builder, clone


def test_after_success_the_image_stays_and_the_rest_goes() -> None:
    fake = a_world()
    _made(fake)
    assert torn(fake).status is BakeStatus.SUCCEEDED
    assert {i.state for i in fake.fleet.instances.values()} == {"shutting-down"}
    assert fake.fleet.volumes == {}
    assert fake.images.describe("ami-0000000000000aaaa") is not None
    record = fake.records.bake(BAKE)
    assert record is not None
    assert (record.status, record.ended) == (BakeStatus.SUCCEEDED, NOW)
    assert fake.bus.events == []


def test_after_failure_nothing_stays() -> None:
    fake = a_world()
    _made(fake)
    ended = torn(fake, FAILURE)
    assert (ended.error, ended.cause) == ("StepFailed", "step 'tune' exited 3")
    assert {i.state for i in fake.fleet.instances.values()} == {"shutting-down"}
    assert fake.images.of_bake(BAKE) == ()
    assert fake.images.snapshots == {}
    assert fake.bus.types() == ["Bake Failed"]
    assert fake.bus.events[0].detail()["state"] == "AwaitStep"
    record = fake.records.bake(BAKE)
    assert record is not None
    assert (record.error, record.state) == ("StepFailed", "AwaitStep")


def test_tearing_down_twice_is_harmless() -> None:
    fake = a_world()
    _made(fake)
    assert torn(fake, FAILURE) == torn(fake, FAILURE)


def test_a_builder_is_kept_where_the_blueprint_asks_for_it() -> None:
    fake = a_world(a_document(on_failure="keep"))
    builder, clone = _made(fake)
    ended = torn(fake, FAILURE)
    assert fake.fleet.instances[builder].state == "running"
    assert fake.fleet.instances[clone].state == "shutting-down"
    assert f"aws ssm start-session --target {builder}" in ended.cause
    assert torn(a_world(a_document(on_failure="keep"))).cause == ""


@pytest.mark.parametrize("state", ["stopping", "stopped"])
def test_whoever_is_to_connect_to_a_stopped_builder_is_told_to_start_it(state: str) -> None:
    fake = a_world(a_document(on_failure="keep"))
    builder, _ = _made(fake)
    fake.fleet.become(builder, state)
    start, connect = torn(fake, FAILURE).cause.split("connect with")
    assert f"`aws ec2 start-instances --instance-ids {builder}`" in start
    assert f"aws ssm start-session --target {builder}" in connect


def test_a_bake_that_was_never_planned_fails_with_its_reason() -> None:
    fake = FakeWorld()
    ended = torn(fake, FAILURE, bake="by-hand")
    assert ended.status is BakeStatus.FAILED
    assert fake.bus.events[0].detail()["blueprint"] == ""


def test_what_cannot_be_removed_is_said() -> None:
    fake = a_world()
    _made(fake)
    fake.fleet.refusal = REFUSAL
    with pytest.raises(TeardownFailed, match=r"has left something behind: .*OperationNotPermitted"):
        torn(fake)


def test_an_adopted_instance_leaves_its_stack_and_healing_comes_back() -> None:
    fake = a_world(adoption=Adoption(stack="shop", layer="app", chef="12", hostname="app1"))
    launch_builder(LaunchBuilder(bake=BAKE), fake.world)
    torn(fake)
    assert fake.records.instances("shop") == ()
    assert fake.records.healing_holds("shop/app") == set()
    assert fake.bus.events[-1].detail()["status"] == "terminated"
