"""Images that bakes have made, and their way through the channels."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kiln.domain.bake import ImageRecord
from kiln.domain.channel import Channel
from kiln.domain.place import ImagePlace
from kiln.steps.announce_image import AnnounceImage, announce_image
from kiln.steps.promote_image import Promoted, PromoteImage, promote_image
from tests.builders import NOW, a_document, a_plan, a_record, a_stack, a_version, an_image
from tests.fakes import FakeWorld

HOME, FAR = "eu-west-1", "us-east-1"
ADA = "arn:aws:iam::123456789012:user/ada"


def image_id(number: int) -> str:
    """The id of the image of the n-th bake."""
    return f"ami-{number:017x}"


def baked(fake: FakeWorld, number: int, **changes: Any) -> str:
    """The n-th bake's image, distributed and not announced yet; its id."""
    started = NOW + timedelta(days=number)
    bake = f"web-{started:%Y%m%d}-101500-9f3a"
    image = image_id(number)
    fake.records.add_bake(a_record(a_plan(a_document(), bake=bake), image=image))
    values: dict[str, Any] = {
        "id": image,
        "name": f"web-{number}",
        "bake": bake,
        "blueprint": "web",
        "version": 1,
        "platform": "amazon-linux-2023",
        "architecture": "x86_64",
        "root_device": "ebs",
        "base": "ami-0",
        "region": HOME,
        "created": started,
    }
    fake.records.put_image(ImageRecord(**(values | changes)))
    fake.records.put_place(image, ImagePlace(region=HOME, image=image, status="available"))
    fake.images.add(an_image(id=image, name=f"web-{number}", created=started.isoformat()))
    return image


def announced(fake: FakeWorld, number: int) -> str:
    """The n-th bake's image, announced; its id."""
    image = image_id(number)
    if fake.records.image(image) is None:
        baked(fake, number)
    announce_image(AnnounceImage(image=image, regions=(HOME,)), fake.world)
    return image


def abroad(fake: FakeWorld, number: int, *accounts: str) -> str:
    """Have the n-th image in another Region too, shared with accounts; its id there."""
    copy = f"ami-c{number:016x}"
    place = ImagePlace(region=FAR, image=copy, status="available", accounts=accounts)
    fake.records.put_place(image_id(number), place)
    images: Any = fake.regions.at(FAR).images
    images.add(an_image(id=copy, name=f"web-{number}"))
    return copy


def promoted(fake: FakeWorld, target: str, to: Channel, **more: Any) -> Promoted:
    """Promote as `kiln promote` does."""
    return promote_image(PromoteImage(target=target, to=to, by=ADA, **more), fake.world)


def up(fake: FakeWorld, number: int, to: Channel = "prod") -> str:
    """The n-th image in staging, and in prod if it is to go there; its id."""
    image = announced(fake, number)
    promoted(fake, image, "staging")
    if to == "prod":
        promoted(fake, image, "prod")
    return image


def current(fake: FakeWorld, channel: Channel) -> str | None:
    """The image in a channel of web."""
    found = fake.channels.current("web", channel)
    return found.image if found else None


def a_world(*feeds: dict[str, Any], **document: Any) -> FakeWorld:
    """A world in which web is stored, with a layer for each feed: one, two, ..."""
    fake = FakeWorld()
    fake.versions.add(a_version(document=a_document(**document)))
    names = ("one", "two", "three")
    layers = [
        {
            "name": name,
            "kind": "instances",
            "platform": "amazon-linux-2023",
            "instance_type": "m7i.large",
            "blueprints": [{"blueprint": "web"} | feed],
        }
        for name, feed in zip(names, feeds, strict=False)
    ]
    fake.records.put_stack(a_stack(layers=layers))
    return fake
