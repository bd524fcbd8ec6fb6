"""CreateImage: one image per bake, whatever is lost, doubled or stopped."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.bake import BakeStatus
from kiln.domain.failure import Failure
from kiln.errors import (
    AwsBusy,
    AwsRefused,
    ImageRefused,
)
from kiln.ports import ImageOrder
from kiln.steps.create_image import CreateImage, create_image
from kiln.steps.teardown import Teardown, teardown
from tests.builders import BAKE, a_document, a_plan, a_record, a_stack, an_image
from tests.fakes import FakeWorld
from tests.unit.steps.test_building import launched

REFUSAL = AwsRefused("ec2", "RunInstances", "UnauthorizedOperation", "no")


def a_world(document: dict[str, Any] | None = None, **plan: Any) -> FakeWorld:
    """A world in which a bake was planned."""
    fake = FakeWorld()
    fake.records.add_bake(a_record(a_plan(document, **plan)))
    fake.records.put_stack(a_stack())
    return fake


def imaged(fake: FakeWorld) -> str:
    """Create the image."""
    return create_image(CreateImage(bake=BAKE, instance="i-1"), fake.world).image


def test_one_image_per_bake() -> None:
    fake = a_world(a_document(image={"tags": {"team": "shop"}}, description="\u00fcber"))
    image = imaged(fake)
    assert imaged(fake) == image
    record = fake.records.bake(BAKE)
    assert record is not None
    assert record.image == image
    tags = fake.images.images[image].tags
    assert (tags["kiln:bake"], tags["kiln:role"], tags["team"]) == (BAKE, "image", "shop")


def test_a_name_that_somebody_else_has_taken_is_refused() -> None:
    fake = a_world()
    fake.images.add(an_image(id="ami-0000000000000aaaa", name="web-20261123-101500"))
    with pytest.raises(ImageRefused, match="is taken by ami-0000000000000aaaa"):
        imaged(fake)


def test_an_image_that_a_lost_call_made_is_found_by_its_name() -> None:
    fake = a_world()
    image = imaged(fake)
    taken = fake.images.named("web-20261123-101500")
    answers = iter([None, taken, taken])
    fake.images.named = lambda _: next(answers)  # type: ignore[method-assign]
    assert imaged(fake) == image


def test_a_record_that_teardown_has_ended_is_not_written_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = a_world()
    create = fake.images.create

    def stopped_meanwhile(order: ImageOrder) -> str:
        image = create(order)
        teardown(Teardown(bake=BAKE, failure=Failure(error="ABORTED")), fake.world)
        return image

    monkeypatch.setattr(fake.images, "create", stopped_meanwhile)
    with pytest.raises(AwsBusy, match="changed while it was read"):
        imaged(fake)
    record = fake.records.bake(BAKE)
    assert record is not None
    assert (record.status, record.image) == (BakeStatus.FAILED, None)


def test_an_image_that_ec2_does_not_tell_of_yet_is_looked_for_again() -> None:
    fake = a_world()
    imaged(fake)
    # What EC2 tells is behind what it knows.
    answers = iter([None, fake.images.named("web-20261123-101500"), None])
    fake.images.named = lambda _: next(answers)  # type: ignore[method-assign]
    with pytest.raises(AwsBusy, match="does not tell of yet"):
        imaged(fake)


def test_a_refused_image_says_why() -> None:
    fake = a_world()
    fake.images.refusal = AwsRefused("ec2", "CreateImage", "AMIQuotaExceeded", "too many")
    with pytest.raises(ImageRefused, match="AMIQuotaExceeded"):
        imaged(fake)


def test_an_image_has_the_volumes_of_its_base_and_no_others() -> None:
    """A volume that was attached later holds one machine's data."""
    fake = FakeWorld()
    base = an_image(devices=("/dev/xvda", "/dev/sdb"))
    fake.records.add_bake(a_record(a_plan(base=base)))
    instance = launched(fake)
    fake.fleet.attach(instance, "/dev/sdb", "/dev/sdg", "/dev/sdf")
    create_image(CreateImage(bake=BAKE, instance=instance), fake.world)
    assert fake.images.orders[0].without == ("/dev/sdf", "/dev/sdg")
