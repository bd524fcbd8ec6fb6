"""Where an image is to go, and its copies in other Regions."""

from __future__ import annotations

import pytest

from kiln.errors import AwsRefused, DistributionFailed, InvalidBlueprint
from tests.builders import BAKE, a_document, a_plan, a_version, an_image
from tests.unit.steps.distributing import (
    FAR,
    HOME,
    IMAGE,
    a_world,
    again,
    become,
    copied,
    done,
    first,
    images_in,
    outlet_in,
    status,
    undone,
)


def test_a_verified_image_is_recorded_with_its_release_and_contents() -> None:
    fake = a_world()
    planned = first(fake)
    assert [(place.region, place.own) for place in planned.places] == [(HOME, True), (FAR, False)]
    assert planned.wait_s == 4 * 3600
    record = fake.records.image(IMAGE)
    assert record is not None
    assert (record.release, record.manifest) == ("2023.8.20250818", "images/a/packages.json")
    assert record.sbom == "images/a/sbom.cdx.json"
    assert record.announced is None
    assert status(fake) == {HOME: "pending", FAR: "pending"}
    assert first(fake) == planned


def test_a_builder_that_named_no_release_gives_none() -> None:
    fake = a_world()
    first(fake, "release lock: none asked for\n")
    record = fake.records.image(IMAGE)
    assert record is not None
    assert record.release == ""


@pytest.mark.parametrize(("state", "said"), [("pending", "is pending"), ("", "is gone")])
def test_an_image_that_is_not_available_goes_nowhere(state: str, said: str) -> None:
    fake = a_world()
    fake.images.deregister(IMAGE)
    if state:
        fake.images.add(an_image(id=IMAGE, state=state))
    with pytest.raises(DistributionFailed, match=f"{said}, not available"):
        first(fake)


def test_only_what_is_missing_is_done_again_unless_a_region_is_named() -> None:
    fake = a_world()
    first(fake)
    done(fake)
    undone(fake)
    fake.clock.move(10 * 3600)
    planned = again(fake)
    assert [place.region for place in planned.places] == [FAR]
    # The bake's own time is over; a distribution has as much once more.
    assert planned.wait_s == 4 * 3600
    assert [place.region for place in again(fake, HOME).places] == [HOME]
    with pytest.raises(
        InvalidBlueprint, match="does not go to eu-west-2; it goes to eu-west-1, us"
    ):
        again(fake, "eu-west-2")


def test_an_image_that_kiln_did_not_make_is_not_distributed() -> None:
    with pytest.raises(DistributionFailed, match=f"{IMAGE} has no record"):
        again(a_world())


def test_an_image_of_an_older_kiln_is_not_announced_anew() -> None:
    fake = a_world()
    first(fake)
    record = fake.records.image(IMAGE)
    assert record is not None
    older = a_world()
    older.records.put_image(record)
    assert [place.region for place in again(older).places] == [HOME, FAR]
    found = older.records.image(IMAGE)
    assert found is not None
    assert found.announced == record.created


def test_a_newer_version_of_the_blueprint_may_say_where_an_image_goes() -> None:
    fake = a_world()
    first(fake)
    done(fake)
    wish = {"regions": [{"region": "us-east-2", "kms_key": "alias/mended"}]}
    version = 1
    fake.versions.add(a_version(version, document=a_document(distribute=wish)))
    assert [place.region for place in again(fake, version=version).places] == [HOME, "us-east-2"]
    copied(fake, "us-east-2")
    assert outlet_in(fake, "us-east-2").orders[0].kms_key == "alias/mended"
    with pytest.raises(InvalidBlueprint, match="web@9 is not stored"):
        again(fake, version=9)


def test_a_copy_bears_the_name_and_the_tags_of_its_image_from_the_first_call_on() -> None:
    fake = a_world(image={"tags": {"team": "shop"}})
    first(fake)
    image = copied(fake)
    (order,) = outlet_in(fake, FAR).orders
    assert (order.image, order.source, order.kms_key) == (IMAGE, HOME, "alias/far")
    assert order.name == a_plan().image_name
    assert order.tags.items() >= {"kiln:bake": BAKE, "team": "shop"}.items()
    assert order.tags["kiln:release"] == "2023.8.20250818"
    (place,) = (p for p in fake.records.places(IMAGE) if p.region == FAR)
    assert (place.image, place.status) == (image, "pending")


@pytest.mark.parametrize("state", ["pending", "available"])
def test_a_copy_that_is_there_is_not_made_again(state: str) -> None:
    fake = a_world()
    first(fake)
    image = copied(fake)
    become(fake, image, state)
    assert copied(fake) == image
    assert len(outlet_in(fake, FAR).orders) == 1


def test_a_copy_that_failed_makes_way_for_another_with_a_token_of_its_own() -> None:
    fake = a_world()
    first(fake)
    image = copied(fake)
    become(fake, image, "failed")
    new = copied(fake)
    assert new != image
    assert list(images_in(fake, FAR).images) == [new]
    assert len({order.token for order in outlet_in(fake, FAR).orders}) == 2


def test_a_name_that_another_image_has_there_is_not_taken() -> None:
    fake = a_world()
    first(fake)
    images_in(fake, FAR).add(an_image(id="ami-2", name=a_plan().image_name))
    with pytest.raises(DistributionFailed, match=r"is taken by ami-2 in us-east-1; use \{date\}"):
        copied(fake)


def test_a_copy_that_ec2_refuses_says_why() -> None:
    fake = a_world()
    first(fake)
    outlet_in(fake, FAR).refusal = AwsRefused("ec2", "CopyImage", "InvalidRequest", "no key")
    with pytest.raises(DistributionFailed, match=r"was not copied to us-east-1: .*no key"):
        copied(fake)
