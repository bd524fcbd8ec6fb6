"""A bake whose image is verified, and the steps that bring it to its Regions."""

from __future__ import annotations

from typing import Any

from kiln.domain.failure import Failure
from kiln.domain.packages import Contents
from kiln.errors import AwsRefused
from kiln.ports import StepResult
from kiln.steps.announce_image import AnnounceImage, ImageAnnounced, announce_image
from kiln.steps.copy_image import CopyImage, copy_image
from kiln.steps.distribute_image import DistributeImage, distribute_image
from kiln.steps.plan_distribution import DistributionPlanned, PlanDistribution, plan_distribution
from kiln.steps.undo_copy import CopyUndone, UndoCopy, undo_copy
from kiln.steps.verify_image import CommandRef
from tests.builders import BAKE, a_document, a_plan, a_record, an_image
from tests.fakes import FakeImages, FakeOutlet, FakeParameters, FakeWorld

IMAGE, HOME, FAR = "ami-0000000000000ba5e", "eu-west-1", "us-east-1"
FRIEND = "210987654321"
KEYS = {"builder": {"volume": {"kms_key": "alias/images"}}}
TARGET = {"region": FAR, "kms_key": "alias/far"}
PREPARED = CommandRef(instance="i-1", command="c-1")
SAID = "release=2023.8.20250818\n"
FAILURE = Failure(error="ImageFailed", cause="ami-c is failed: internal error", state="AwaitCopy")
NOT_ALLOWED = AwsRefused("ec2", "ModifyImageAttribute", "UnauthorizedOperation", "no")


def a_world(distribute: dict[str, Any] | None = None, **document: Any) -> FakeWorld:
    """A world in which a bake's image was verified."""
    fake = FakeWorld()
    wish = {"regions": [TARGET]} if distribute is None else distribute
    fake.records.add_bake(a_record(a_plan(a_document(distribute=wish, **document)), image=IMAGE))
    fake.images.add(an_image(id=IMAGE, name="web-1", tags={"kiln:bake": BAKE}))
    return fake


def first(fake: FakeWorld, said: str = SAID) -> DistributionPlanned:
    """Plan as the bake does."""
    fake.commands.end("c-1", "Success", StepResult("lock", "Success", 0, said))
    contents = Contents(manifest="images/a/packages.json", sbom="images/a/sbom.cdx.json")
    request = PlanDistribution(image=IMAGE, bake=BAKE, prepared=PREPARED, contents=contents)
    return plan_distribution(request, fake.world)


def again(fake: FakeWorld, *regions: str, version: int | None = None) -> DistributionPlanned:
    """Plan as `kiln distribute` does."""
    request = PlanDistribution(image=IMAGE, regions=regions, version=version)
    return plan_distribution(request, fake.world)


def copied(fake: FakeWorld, region: str = FAR) -> str:
    """Copy to a Region."""
    return copy_image(CopyImage(image=IMAGE, region=region), fake.world).image


def become(fake: FakeWorld, image: str, state: str, region: str = FAR) -> None:
    """Change the state of a copy."""
    images = images_in(fake, region)
    images.images[image] = images.images[image].model_copy(update={"state": state})


def images_in(fake: FakeWorld, region: str) -> FakeImages:
    images = fake.regions.at(region).images
    assert isinstance(images, FakeImages)
    return images


def outlet_in(fake: FakeWorld, region: str) -> FakeOutlet:
    outlet = fake.regions.at(region).outlet
    assert isinstance(outlet, FakeOutlet)
    return outlet


def parameters_in(fake: FakeWorld, region: str, account: str | None = None) -> FakeParameters:
    parameters = fake.regions.at(region, account).parameters
    assert isinstance(parameters, FakeParameters)
    return parameters


def done(fake: FakeWorld, region: str = HOME, here: str = IMAGE) -> None:
    """Let those have an image of a Region who are to."""
    distribute_image(DistributeImage(image=IMAGE, region=region, here=here), fake.world)


def undone(fake: FakeWorld, region: str = FAR) -> CopyUndone:
    return undo_copy(UndoCopy(image=IMAGE, region=region, failure=FAILURE), fake.world)


def announced(fake: FakeWorld, *regions: str) -> ImageAnnounced:
    return announce_image(AnnounceImage(image=IMAGE, regions=regions), fake.world)


def status(fake: FakeWorld) -> dict[str, str]:
    return {place.region: place.status for place in fake.records.places(IMAGE)}
