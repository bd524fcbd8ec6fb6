"""What moto lacks, the local AWS has: the rest of the ports' promises, kept by fake and adapter.

Client tokens, image names that are unique, agents and commands that really run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from kiln.adapters.commands import SsmCommands
from kiln.adapters.fleet import Ec2Fleet
from kiln.adapters.images import Ec2Images
from kiln.adapters.parameters import SsmParameters
from kiln.domain.builder import Volume
from kiln.domain.documents import DocumentCall, encoded
from kiln.domain.image import ImageFacts
from kiln.domain.platforms import ImageName
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import CommandOrder, Commands, Fleet, ImageOrder, Images, LaunchOrder, StepResult
from tests.builders import BAKE, an_image
from tests.fakes import FakeCommands, FakeFleet, FakeImages

ROOT = Path(__file__).parents[3]
BASE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
COMMENT = f"kiln {BAKE} step-0"
PATIENCE_S = 20
OLD = "al2023-ami-2023.7.20250331"


class Place(Protocol):
    """Three ports, and what a test must arrange beside them."""

    fleet: Fleet
    images: Images
    commands: Commands
    base: ImageFacts

    def come_online(self, instance: str) -> None: ...

    def end(self, command: str, instance: str) -> None: ...


class FakePlace:
    """The fakes."""

    def __init__(self) -> None:
        self._agents = FakeCommands()
        self.fleet: Fleet = FakeFleet()
        images = FakeImages()
        old = "ami-00000000000000001"
        images.add(an_image(id=old, name=f"{OLD}.0", deprecated_at="2025-06-29"), "amazon")
        self.images: Images = images
        self.commands: Commands = self._agents
        self.base = an_image()

    def come_online(self, instance: str) -> None:
        self._agents.agents.add(instance)

    def end(self, command: str, instance: str) -> None:
        self._agents.end(command, "Success", StepResult("script", "Success", 0, "tuned\n", ""))


class LocalPlace:
    """The adapters, on the local AWS."""

    def __init__(self, aws: Any) -> None:
        clients = aws.session()
        ssm, ec2 = clients.client("ssm"), clients.client("ec2")
        self.fleet: Fleet = Ec2Fleet(ec2, "", "")
        self.images: Images = Ec2Images(ec2)
        self.commands: Commands = SsmCommands(ssm, "kiln", aws.outputs["BucketName"])
        base = self.images.describe(SsmParameters(ssm).read(BASE) or "")
        assert base is not None
        self.base = base

    def come_online(self, instance: str) -> None:
        self._until(lambda: self.commands.online(instance))

    def end(self, command: str, instance: str) -> None:
        def ended() -> bool:
            facts = self.commands.look(command, instance)
            return facts is not None and facts.status not in ("Pending", "InProgress")

        self._until(ended)

    @staticmethod
    def _until(true: Any) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.01)


@pytest.fixture(scope="module")
def local_place() -> Iterator[Place]:
    from kiln_local.world import LocalAws

    with LocalAws(ROOT, speed=1000) as aws:
        yield LocalPlace(aws)


@pytest.fixture(params=["fake", "local"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "fake":
        return FakePlace()
    found: Place = request.getfixturevalue("local_place")
    return found


def an_order(place: Place, token: str) -> LaunchOrder:
    tags = {"kiln:bake": BAKE, "kiln:platform": "amazon-linux-2023"}
    return LaunchOrder(image=place.base, instance_type="m6i.large", token=token, tags=tags)


def test_a_deprecated_image_is_found_by_who_asks_for_it(place: Place) -> None:
    pattern = ImageName("amazon", f"{OLD}.*")
    assert place.images.newest(pattern) is None
    found = place.images.newest(pattern, deprecated=True)
    assert found is not None
    assert (found.name.startswith(OLD), bool(found.deprecated_at)) == (True, True)
    assert place.images.newest(ImageName("amazon", f"{OLD}1.*"), deprecated=True) is None


def test_the_same_token_gives_the_same_instance(place: Place) -> None:
    order = an_order(place, "a")
    assert place.fleet.launch(order) == place.fleet.launch(order)
    assert place.fleet.launch(an_order(place, "b")) != place.fleet.launch(order)


def test_a_token_stands_for_one_order(place: Place) -> None:
    order = an_order(place, "c")
    place.fleet.launch(order)
    with pytest.raises(AwsRefused) as found:
        place.fleet.launch(replace(order, instance_type="m5.large"))
    assert found.value.code == "IdempotentParameterMismatch"


def test_the_name_of_an_image_is_taken_once(place: Place) -> None:
    instance = place.fleet.launch(an_order(place, "d"))
    place.come_online(instance)
    order = ImageOrder(instance, "web-1", "Front end", {"kiln:bake": BAKE})
    image = place.images.create(order)
    with pytest.raises(AwsRefused) as found:
        place.images.create(order)
    assert found.value.code == "InvalidAMIName.Duplicate"
    place.images.deregister(image)
    assert place.images.snapshots_of_bake(BAKE) == ()
    assert place.images.create(order) != image


def test_an_image_is_as_large_as_the_root_that_it_was_made_of(local_place: Place) -> None:
    order = replace(an_order(local_place, "g"), volume=Volume(size_gib=20))
    instance = local_place.fleet.launch(order)
    local_place.come_online(instance)
    image = local_place.images.create(ImageOrder(instance, "web-20", "", {"kiln:bake": BAKE}))
    described = local_place.images.describe(image)
    assert described is not None
    assert described.root_size_gib == 20


def test_a_command_is_sent_found_looked_at_and_read(place: Place) -> None:
    instance = place.fleet.launch(an_order(place, "e"))
    assert not place.commands.online(instance)
    place.come_online(instance)
    assert place.commands.online(instance)
    assert place.commands.find(instance, COMMENT) is None
    call = DocumentCall(
        "run-shell",
        {"Script": [encoded("echo tuned")], "Environment": [""], "Timeout": ["60"]},
        60,
    )
    command = place.commands.send(CommandOrder(instance, call, COMMENT, f"bakes/{BAKE}/step-0"))
    assert place.commands.find(instance, COMMENT) == command
    place.end(command, instance)
    facts = place.commands.look(command, instance)
    assert facts is not None
    assert (facts.status, [step.name for step in facts.steps]) == ("Success", ["script"])
    output = place.commands.output(command, instance, "script")
    assert (output.exit_code, output.stdout, output.stderr) == (0, "tuned\n", "")
    with pytest.raises(AwsRefused, match="InvalidPluginName"):
        place.commands.output(command, instance, "none")


def test_a_command_that_nobody_sent_is_not_there_yet(place: Place) -> None:
    nobody = "11111111-2222-3333-4444-555555555555"
    instance = place.fleet.launch(an_order(place, "f"))
    assert place.commands.look(nobody, instance) is None
    with pytest.raises(AwsBusy):
        place.commands.output(nobody, instance, "script")
