"""EC2's images: what the port promises, kept by the fake and by the adapter on moto alike.

moto lets two images have one name; that a name is taken is tested where the local AWS refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from moto.ec2.models import ec2_backends

from kiln.adapters.images import Ec2Images
from kiln.domain.image import ImageFacts
from kiln.domain.platforms import ImageName
from kiln.ports import ImageOrder, Images
from tests.builders import BAKE, an_image
from tests.fakes import FakeImages
from tests.moto_clients import mock_aws, moto_client

NONE = "ami-0123456789abcdef0"
OWNER = "123456789012"  # moto's own account


class Place(Protocol):
    """Images, and what a test must arrange beside the port."""

    images: Images
    instance: str

    def add_public(self, name: str) -> str: ...

    def snapshots(self) -> int: ...


class FakePlace:
    """The fake."""

    def __init__(self) -> None:
        self._fake = FakeImages()
        self.images: Images = self._fake
        self.instance = "i-1"

    def add_public(self, name: str) -> str:
        image = an_image(id=f"ami-{name}", name=name)
        self._fake.add(image, OWNER)
        return image.id

    def snapshots(self) -> int:
        return len(self._fake.snapshots)


class MotoPlace:
    """The adapter, on moto."""

    def __init__(self) -> None:
        self._ec2: Any = moto_client("ec2")
        hook = "provide-client-params.ec2.CreateImage"
        self._ec2.meta.events.register(hook, _tag_image_only, unique_id="moto")
        self.images: Images = Ec2Images(self._ec2)
        base = self.add_public("base")
        run = self._ec2.run_instances(ImageId=base, MinCount=1, MaxCount=1)
        self.instance: str = run["Instances"][0]["InstanceId"]
        self._before = self._count()

    def add_public(self, name: str) -> str:
        image: str = self._ec2.register_image(Name=name, RootDeviceName="/dev/xvda")["ImageId"]
        # moto forgets the architecture that RegisterImage was given; EC2's images all have one.
        ec2_backends[OWNER]["eu-west-1"].amis[image].architecture = "x86_64"
        return image

    def snapshots(self) -> int:
        return self._count() - self._before

    def _count(self) -> int:
        return len(self._ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])


def _tag_image_only(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    # moto raises NotImplementedError for tags of snapshots. That they are sent is a unit test's.
    specs = params["TagSpecifications"]
    return params | {"TagSpecifications": [s for s in specs if s["ResourceType"] == "image"]}


@pytest.fixture(params=["fake", "moto"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    if request.param == "fake":
        yield FakePlace()
        return
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield MotoPlace()


def made(place: Place, name: str = "web-1", bake: str = BAKE) -> str:
    """Make an image of the place's instance."""
    return place.images.create(ImageOrder(place.instance, name, "", {"kiln:bake": bake}))


def known(image: ImageFacts | None) -> ImageFacts:
    assert image is not None
    return image


def test_an_image_is_found_by_id_by_name_and_by_bake(place: Place) -> None:
    image = made(place)
    made(place, "other-1", bake="other-20260101-000000-0000")
    assert known(place.images.describe(image)).name == "web-1"
    assert known(place.images.named("web-1")).id == image
    assert [found.id for found in place.images.of_bake(BAKE)] == [image]
    assert known(place.images.named("web-1")).tags == {"kiln:bake": BAKE}


def test_many_images_are_found_at_once_without_those_that_are_gone(place: Place) -> None:
    mine = {made(place, f"web-{number}") for number in range(3)}
    made(place, "other-1")
    found = place.images.all_of([*mine, NONE])
    assert {image.id for image in found} == mine


def test_an_image_that_nobody_made_is_none(place: Place) -> None:
    assert place.images.describe(NONE) is None
    assert place.images.named("web-1") is None
    assert place.images.of_bake(BAKE) == ()
    assert place.images.newest(ImageName(OWNER, "nothing-*")) is None


def test_a_public_image_is_found_by_owner_and_pattern(place: Place) -> None:
    image = place.add_public("ubuntu-noble-1")
    place.add_public("debian-13-1")
    assert known(place.images.newest(ImageName(OWNER, "ubuntu-*"))).id == image


def test_a_deregistered_image_is_gone_with_its_snapshots(place: Place) -> None:
    image = made(place)
    assert place.snapshots() == 1
    place.images.deregister(image)
    place.images.deregister(image)
    assert place.images.describe(image) is None
    assert place.images.of_bake(BAKE) == ()
    assert place.images.snapshots_of_bake(BAKE) == ()
    assert place.snapshots() == 0


def test_a_snapshot_that_is_gone_is_passed_over(place: Place) -> None:
    place.images.delete_snapshot("snap-0123456789abcdef0")


def test_tags_are_added_to_those_that_are_there(place: Place) -> None:
    image = made(place)
    place.images.tag([image], {"team": "shop"})
    place.images.tag([image], {"team": "bank"})
    assert known(place.images.describe(image)).tags == {"kiln:bake": BAKE, "team": "bank"}
