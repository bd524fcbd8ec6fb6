"""Other Regions: what the ports promise, kept by the fakes and by the adapters on the local AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest

from kiln.adapters.distribution import AwsRegions
from kiln.domain.distribution import TemplateTarget
from kiln.ports import CopyOrder, ImageOrder, Regions
from tests.builders import an_image
from tests.fakes import FakeImages, FakeRegions
from tests.integration.local.worlds import World, a_world, until

HOME, FAR = "eu-west-1", "us-east-1"
NONE = TemplateTarget(name="none")


class Place(Protocol):
    """Regions, an image at home, and what a test must arrange beside them."""

    regions: Regions
    image: str

    def template(self, name: str) -> TemplateTarget: ...

    def wait(self, image: str) -> None: ...


class FakePlace:
    """The fakes."""

    def __init__(self) -> None:
        self._fake = FakeRegions()
        self.regions: Regions = self._fake
        self.image = "ami-1"
        home = self._fake.at(HOME).images
        assert isinstance(home, FakeImages)
        home.add(an_image(id=self.image, name="web-1"))

    def template(self, name: str) -> TemplateTarget:
        outlet: Any = self._fake.at(FAR).outlet
        outlet.templates[name] = ["ami-0"]
        return TemplateTarget(name=name)

    def wait(self, image: str) -> None:
        images: Any = self._fake.at(FAR).images
        images.images[image] = images.images[image].model_copy(update={"state": "available"})


class LocalPlace:
    """The adapters, on the local AWS."""

    def __init__(self, world: World) -> None:
        session = world.aws.session()

        def clients(service: str, region: str, credentials: dict[str, str]) -> Any:
            made: Any = session.client
            return made(service, region_name=region, **credentials)

        self._world = world
        self.regions: Regions = AwsRegions(clients, lambda: session.client("sts"), HOME, "")
        instance = world.an_instance()
        world.ec2.stop_instances(InstanceIds=[instance])
        order = ImageOrder(instance, "web-1", "", {"kiln:bake": "web"})
        self.image = self.regions.at(HOME).images.create(order)
        self._until_available(HOME, self.image)

    def template(self, name: str) -> TemplateTarget:
        client = self._world.aws.session().client("ec2", region_name=FAR)
        data: Any = {"InstanceType": "m7i.large"}
        client.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        return TemplateTarget(name=name)

    def wait(self, image: str) -> None:
        self._until_available(FAR, image)

    def _until_available(self, region: str, image: str) -> None:
        def available() -> bool:
            found = self.regions.at(region).images.describe(image)
            return found is not None and found.state == "available"

        until(available)


@pytest.fixture(scope="module")
def local() -> Iterator[LocalPlace]:
    with a_world() as world:
        yield LocalPlace(world)


@pytest.fixture(params=["fake", "local"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = FakePlace() if request.param == "fake" else request.getfixturevalue("local")
    return found


def test_a_copy_comes_with_its_tags_and_the_same_token_gives_the_same_one(place: Place) -> None:
    there = place.regions.at(FAR)
    order = CopyOrder(place.image, HOME, "copy-1", "", {"kiln:bake": "copied"}, "token-1")
    copied = there.outlet.copy(order)
    (found,) = there.images.of_bake("copied")
    assert (found.id, found.name, found.state) == (copied, "copy-1", "pending")
    assert place.regions.at(HOME).images.describe(copied) is None
    place.wait(copied)
    assert there.outlet.copy(order) == copied
    (found,) = there.images.of_bake("copied")
    assert (found.state, len(there.images.snapshots_of_bake("copied"))) == ("available", 1)
    other = replace(order, name="copy-2", token="token-2")
    assert there.outlet.copy(other) != copied


def test_a_launch_template_gets_one_version_for_an_image(place: Place) -> None:
    outlet = place.regions.at(FAR).outlet
    template = place.template("web")
    assert outlet.knows_template(template)
    assert not outlet.knows_template(NONE)
    tags = {"kiln:bake": "versioned"}
    copied = outlet.copy(CopyOrder(place.image, HOME, "copy-3", "", tags, "token-3"))
    version = outlet.add_version(template, copied, "token")
    assert version == 2
    assert outlet.add_version(template, copied, "other") == version
    outlet.make_default(template, version)


def test_the_regions_of_an_account_have_names(place: Place) -> None:
    assert {HOME, FAR} <= place.regions.enabled()
    assert "eu-north-9" not in place.regions.enabled()
