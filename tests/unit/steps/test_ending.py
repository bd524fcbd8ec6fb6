"""Distribution, announcement and teardown: the end of a bake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kiln.domain.bake import Adoption, BakeStatus
from kiln.domain.failure import Failure
from kiln.domain.packages import Contents
from kiln.errors import AwsBusy, AwsRefused, DistributionFailed, TeardownFailed
from kiln.ports import StepResult
from kiln.steps.announce_image import AnnounceImage, announce_image
from kiln.steps.distribute_image import DistributeImage, ImageDistributed, distribute_image
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


def distributed(fake: FakeWorld) -> dict[str, str]:
    """Distribute the image."""
    return distribute(fake).images


def distribute(fake: FakeWorld, said: str = "release=2023.8.20250818\n") -> ImageDistributed:
    """Distribute the image of a builder whose preparation said something."""
    fake.commands.end("c-1", "Success", StepResult("lock", "Success", 0, said))
    request = DistributeImage(bake=BAKE, image=IMAGE, prepared=PREPARED)
    return distribute_image(request, fake.world)


def test_an_image_is_tagged_deprecated_and_pointed_at() -> None:
    spec = {"tags": {"team": "shop"}, "deprecate_after": "90d"}
    fake = a_world(a_document(image=spec, distribute={"parameter": "/images/web"}))
    assert distributed(fake) == {"eu-west-1": IMAGE}
    assert fake.images.images[IMAGE].tags["team"] == "shop"
    assert fake.images.deprecated == {IMAGE: NOW + timedelta(days=90)}
    assert fake.parameters.values == {"/images/web": IMAGE}
    assert distributed(fake) == {"eu-west-1": IMAGE}


def test_an_image_carries_the_release_that_the_builder_named() -> None:
    fake = a_world()
    assert distribute(fake).release == "2023.8.20250818"
    assert fake.images.images[IMAGE].tags["kiln:release"] == "2023.8.20250818"
    assert distribute(a_world(), "release lock: none asked for\n").release == ""


def test_a_pointer_is_read_back_before_it_is_believed() -> None:
    fake = a_world(a_document(distribute={"parameter": "/images/web"}))
    fake.parameters.lazy = True
    with pytest.raises(AwsBusy, match=f"parameter /images/web does not name {IMAGE} yet"):
        distributed(fake)


def test_an_image_that_is_not_available_is_not_distributed() -> None:
    fake = a_world()
    fake.images.add(an_image(state="pending"))
    with pytest.raises(DistributionFailed, match="is pending, not available"):
        distributed(fake)
    fake.images.deregister(IMAGE)
    with pytest.raises(DistributionFailed, match="is gone"):
        distributed(fake)


def test_a_refused_distribution_says_why() -> None:
    fake = a_world()
    fake.images.refusal = AwsRefused("ec2", "CreateTags", "TagLimitExceeded", "50")
    with pytest.raises(DistributionFailed, match="TagLimitExceeded"):
        distributed(fake)


def announced(fake: FakeWorld) -> Any:
    """Announce the image."""
    contents = Contents(manifest="images/a/packages.json", sbom="images/a/sbom.cdx.json")
    request = AnnounceImage(
        bake=BAKE,
        image=IMAGE,
        images={"eu-west-1": IMAGE},
        release="2023.8.20250818",
        contents=contents,
    )
    return announce_image(request, fake.world)


def test_the_record_is_complete_before_the_event_goes_out() -> None:
    fake = a_world(a_document(layers=[{"layer": "shop/web", "strategy": "add"}]))
    seen: list[Any] = []
    publish = fake.bus.publish

    def publish_and_look(event: Any) -> None:
        seen.append(fake.records.image(IMAGE))
        publish(event)

    fake.bus.publish = publish_and_look  # type: ignore[method-assign]
    assert announced(fake).layers == ("shop/web",)
    assert seen[0] is not None
    detail = fake.bus.events[0].detail()
    assert detail["images"] == {"eu-west-1": IMAGE}
    assert detail["release"] == "2023.8.20250818"
    assert detail["layers"] == [{"layer": "shop/web", "strategy": "add"}]
    assert detail["manifest"] == seen[0].manifest == "images/a/packages.json"
    assert detail["sbom"] == seen[0].sbom == "images/a/sbom.cdx.json"


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
