"""What the tests of FollowBases share: a world with blueprints on public bases, and events."""

from __future__ import annotations

from typing import Any

from kiln.domain.bake import ImageRecord
from kiln.domain.naming import blueprint_of
from kiln.steps.follow_bases import BasesFollowed, FollowBases, follow_bases
from tests.builders import NOW, a_document, a_version
from tests.fakes import FakeWorld
from tests.notices import TOPICS, event, signed

AL2023, WINDOWS = "/aws/service/al2023", "/aws/service/windows-2022"
UBUNTU = {"owner": "099720109477", "name": "ubuntu-noble-*"}
OLD, NEW = "ami-0000000000000001a", "ami-0000000000000002a"
TICK = event()


def a_world(**parameters: str) -> FakeWorld:
    """Two public parameters, of the old images unless a test says otherwise."""
    fake = FakeWorld(release_topics=TOPICS)
    fake.parameters.values = {AL2023: OLD, WINDOWS: OLD} | {
        {"al2023": AL2023, "windows": WINDOWS}[key]: value for key, value in parameters.items()
    }
    return fake


def blueprint(fake: FakeWorld, name: str, base: dict[str, Any], **more: Any) -> None:
    """A stored blueprint."""
    document = a_document(name=name, base=base, **more)
    latest = fake.versions.get(name)
    number = latest.number + 1 if latest else 1
    fake.versions.add(a_version(number, blueprint=name, document=document))


def made(fake: FakeWorld, name: str, base: str, number: int = 1) -> str:
    """An image of a blueprint; its id."""
    image = f"ami-{sum(name.encode()):08x}{number:x}"
    record = ImageRecord(
        id=image,
        name=f"{name}-{number}",
        bake=f"{name}-20261101-00000{number}-0000",
        blueprint=name,
        version=1,
        platform="amazon-linux-2023",
        architecture="x86_64",
        root_device="ebs",
        base=base,
        region="eu-west-1",
        created=NOW,
    )
    fake.records.put_image(record)
    return image


def followed(fake: FakeWorld, what: dict[str, Any] | str = TICK) -> BasesFollowed:
    """What an event started; a notice is one of events/, signed by SNS."""
    given = what if isinstance(what, dict) else signed(event(what), fake.signatures.sign)
    return follow_bases(FollowBases.model_validate(given), fake.world)


def names(result: BasesFollowed) -> list[str]:
    """The blueprints that were started."""
    return [blueprint_of(bake) for bake in result.started]


def three(fake: FakeWorld) -> None:
    """`web` and `api` on Amazon Linux, `win` on Windows, each with an image of the old base."""
    for name, base in (("web", AL2023), ("api", AL2023), ("win", WINDOWS)):
        blueprint(fake, name, {"parameter": base})
        made(fake, name, OLD)
