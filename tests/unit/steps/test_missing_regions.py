"""What failed in a Region is undone there and said; the rest is announced."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.failure import Failure
from kiln.domain.image import Snapshot
from kiln.errors import AwsRefused, TeardownFailed
from kiln.steps.teardown import Teardown, teardown
from tests.builders import BAKE, an_image
from tests.unit.steps.distributing import (
    FAILURE,
    FAR,
    HOME,
    IMAGE,
    TARGET,
    a_world,
    again,
    announced,
    become,
    copied,
    done,
    first,
    images_in,
    status,
    undone,
)


@pytest.mark.parametrize("state", ["failed", "pending"])
def test_a_copy_that_came_to_nothing_is_removed_with_its_snapshots(state: str) -> None:
    fake = a_world()
    first(fake)
    become(fake, copied(fake), state)
    assert undone(fake).image is None
    assert images_in(fake, FAR).images == images_in(fake, FAR).snapshots == {}
    assert status(fake) == {HOME: "pending", FAR: "failed"}
    (place,) = (p for p in fake.records.places(IMAGE) if p.region == FAR)
    assert (place.error, place.cause, place.lost) == (FAILURE.error, FAILURE.cause, 1)
    assert undone(fake).image is None


def test_a_failed_copy_without_its_tags_is_found_by_its_id() -> None:
    fake = a_world()
    first(fake)
    image = copied(fake)
    bare = an_image(id=image, name="", state="failed", snapshots=())
    images_in(fake, FAR).add(bare)
    undone(fake)
    assert images_in(fake, FAR).images == {}


def test_a_copy_that_is_available_stays_where_something_else_failed() -> None:
    fake = a_world()
    first(fake)
    image = copied(fake)
    become(fake, image, "available")
    assert undone(fake).image == image
    assert set(images_in(fake, FAR).snapshots) == {"snap-c0000000000000001"}
    assert status(fake)[FAR] == "incomplete"
    assert undone(fake, HOME).image == IMAGE
    assert status(fake)[HOME] == "incomplete"
    assert fake.images.describe(IMAGE) is not None


def test_what_cannot_be_removed_in_a_region_is_said() -> None:
    fake = a_world()
    first(fake)
    become(fake, copied(fake), "failed")

    def refuse(_: str) -> None:
        raise AwsRefused("ec2", "DeregisterImage", "UnauthorizedOperation", "no")

    images_in(fake, FAR).deregister = refuse  # type: ignore[method-assign]
    with pytest.raises(TeardownFailed, match="is left behind in us-east-1"):
        undone(fake)


def test_a_teardown_keeps_what_is_good_and_removes_what_is_half_made_anywhere() -> None:
    fake = a_world({"regions": [TARGET, {"region": "us-east-2"}]})
    first(fake)
    good, half = copied(fake), copied(fake, "us-east-2")
    become(fake, good, "available")
    snapshot = Snapshot(device="/dev/xvda", snapshot="snap-9", size_gib=8)
    images_in(fake, FAR).snapshots[snapshot.snapshot] = BAKE
    failure = Failure(error="DistributionFailed", cause="us-east-2", state="Distribute")
    teardown(Teardown(bake=BAKE, failure=failure), fake.world)
    assert fake.images.describe(IMAGE) is not None
    assert list(images_in(fake, FAR).images) == [good]
    assert "snap-9" not in images_in(fake, FAR).snapshots
    assert half not in images_in(fake, "us-east-2").images
    assert fake.bus.types() == ["Bake Failed"]


def test_the_record_is_complete_before_the_event_goes_out() -> None:
    fake = a_world({}, layers=[{"layer": "shop/web", "strategy": "add"}])
    first(fake)
    done(fake)
    seen: list[Any] = []
    publish = fake.bus.publish

    def publish_and_look(event: Any) -> None:
        seen.append(fake.records.image(IMAGE))
        publish(event)

    fake.bus.publish = publish_and_look  # type: ignore[method-assign]
    found = announced(fake, HOME)
    assert (found.layers, found.images, found.failure) == (("shop/web",), {HOME: IMAGE}, None)
    assert seen[0] is not None
    detail = fake.bus.events[0].detail()
    assert detail["images"] == {HOME: IMAGE}
    assert detail["release"] == "2023.8.20250818"
    assert detail["layers"] == [{"layer": "shop/web", "strategy": "add", "channel": None}]
    assert detail["manifest"] == seen[0].manifest == "images/a/packages.json"
    assert detail["sbom"] == seen[0].sbom == "images/a/sbom.cdx.json"
    assert detail["missing"] == {}


def test_the_regions_that_an_image_is_missing_in_are_named_with_the_reason() -> None:
    fake = a_world()
    first(fake)
    done(fake)
    undone(fake)
    found = announced(fake, HOME, FAR)
    detail = fake.bus.events[0].detail()
    assert (detail["images"], list(detail["missing"])) == ({HOME: IMAGE}, [FAR])
    assert found.failure is not None
    assert found.failure.error == "DistributionFailed"
    for words in ("not ready in us-east-1", FAILURE.cause, f"`kiln distribute {IMAGE}`"):
        assert words in found.failure.cause


def test_a_region_that_never_came_to_an_end_is_missing() -> None:
    fake = a_world()
    first(fake)
    done(fake)
    found = announced(fake, HOME, FAR)
    assert found.failure is not None
    assert "us-east-1: it did not come to an end" in found.failure.cause


def test_an_image_that_is_not_ready_at_home_is_announced_once_it_is() -> None:
    fake = a_world({})
    first(fake)
    undone(fake, HOME)
    assert announced(fake, HOME).failure is not None
    assert fake.bus.events == []
    again(fake)
    done(fake)
    assert announced(fake, HOME).failure is None
    assert fake.bus.types() == ["Image Available", "Image Promoted"]


def test_a_repeat_tells_where_the_image_is_now_and_not_that_there_is_a_new_one() -> None:
    fake = a_world()
    first(fake)
    done(fake)
    undone(fake)
    announced(fake, HOME, FAR)
    again(fake)
    image = copied(fake)
    become(fake, image, "available")
    done(fake, FAR, image)
    assert announced(fake, FAR).failure is None
    assert fake.bus.types() == ["Image Available", "Image Promoted", "Image Distributed"]
    assert fake.bus.events[2].detail()["images"] == {HOME: IMAGE, FAR: image}
