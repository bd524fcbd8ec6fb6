"""EC2's instances: what the port promises, kept by the fake and by the adapter on moto alike.

moto knows no client token; that the same one gives the same instance is the fake's alone here, and
the local AWS's in the end-to-end tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from kiln.adapters.fleet import Ec2Fleet
from kiln.domain.volumes import LayerVolume, launched
from kiln.errors import AwsRefused
from kiln.ports import Fleet, LaunchOrder
from tests.builders import BAKE, an_image
from tests.fakes import FakeFleet
from tests.moto_clients import mock_aws, moto_client

NOBODY = "i-0123456789abcdef0"
OTHER = "web-20260101-000000-0000"


class Place(Protocol):
    """A fleet, and what a test must arrange beside the port."""

    fleet: Fleet
    image: str

    def add_volume(self, bake: str) -> str: ...

    def come_to_rest(self, instance: str) -> None: ...


class FakePlace:
    """The fake."""

    def __init__(self) -> None:
        self._fake = FakeFleet()
        self.fleet: Fleet = self._fake
        self.image = "ami-1"

    def add_volume(self, bake: str) -> str:
        identifier = f"vol-{len(self._fake.volumes)}"
        self._fake.volumes[identifier] = bake
        return identifier

    def come_to_rest(self, instance: str) -> None:
        self._fake.become(instance, "stopped")


class MotoPlace:
    """The adapter, on moto."""

    def __init__(self) -> None:
        self._ec2: Any = moto_client("ec2")
        self.fleet: Fleet = Ec2Fleet(self._ec2, "", "")
        self.image = self._ec2.register_image(Name="base", Architecture="x86_64")["ImageId"]

    def add_volume(self, bake: str) -> str:
        tags = [{"Key": "kiln:bake", "Value": bake}]
        volume: str = self._ec2.create_volume(
            AvailabilityZone="eu-west-1a",
            Size=1,
            TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
        )["VolumeId"]
        return volume

    def come_to_rest(self, instance: str) -> None:
        # moto stops at once.
        state = self._ec2.describe_instances(InstanceIds=[instance])
        assert state["Reservations"][0]["Instances"][0]["State"]["Name"] == "stopped"


@pytest.fixture(params=["fake", "moto"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    if request.param == "fake":
        yield FakePlace()
        return
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield MotoPlace()


def launch(place: Place, token: str = "t", bake: str = BAKE, **more: Any) -> str:
    """Launch an instance of a bake."""
    order = LaunchOrder(
        image=an_image(id=place.image),
        instance_type="m6i.large",
        token=token,
        tags={"kiln:bake": bake, "kiln:managed": "true"},
        **more,
    )
    return place.fleet.launch(order)


def ids(place: Place) -> set[str]:
    return {instance.id for instance in place.fleet.of_bake(BAKE)}


def test_a_launched_instance_is_as_it_was_ordered(place: Place) -> None:
    new = launch(place)
    found = place.fleet.describe(new)
    assert found is not None
    assert (found.id, found.image, found.instance_type) == (new, place.image, "m6i.large")
    assert found.state in ("pending", "running")
    assert found.tags == {"kiln:bake": BAKE, "kiln:managed": "true"}


def test_a_launched_instance_has_the_volumes_that_were_ordered(place: Place) -> None:
    wanted = (
        LayerVolume(mount_point="/data", size_gib=10),
        LayerVolume(mount_point="/log", size_gib=1),
    )
    found = place.fleet.describe(launch(place, volumes=launched(wanted, an_image())))
    assert found is not None
    assert found.volumes.keys() == {"/dev/xvda", "/dev/sdf", "/dev/sdg"}
    assert len(set(found.volumes.values())) == 3
    assert all(name.startswith("vol-") for name in found.volumes.values())


def test_an_instance_that_nobody_launched_is_none(place: Place) -> None:
    assert place.fleet.describe(NOBODY) is None


def test_a_bake_has_its_own_living_instances(place: Place) -> None:
    first, second = launch(place, "1"), launch(place, "2")
    launch(place, "3", bake=OTHER)
    assert ids(place) == {first, second}
    place.fleet.terminate([first, NOBODY])
    assert ids(place) == {second}
    place.fleet.terminate([first, second])
    assert ids(place) == set()


def test_a_stop_may_be_asked_for_twice(place: Place) -> None:
    running = launch(place)
    place.fleet.stop(running)
    place.fleet.stop(running)
    found = place.fleet.describe(running)
    assert found is not None
    assert found.state in ("stopping", "stopped")
    assert ids(place) == {running}


def test_a_stopped_instance_takes_another_type(place: Place) -> None:
    launched = launch(place)
    place.fleet.stop(launched)
    place.come_to_rest(launched)
    place.fleet.resize(launched, "m7i.xlarge")
    known = place.fleet.describe(launched)
    assert known is not None
    assert known.instance_type == "m7i.xlarge"


def test_a_stop_of_nobody_is_refused(place: Place) -> None:
    with pytest.raises(AwsRefused) as found:
        place.fleet.stop(NOBODY)
    assert found.value.code == "InvalidInstanceID.NotFound"


def test_volumes_that_a_bake_left_are_found_and_deleted(place: Place) -> None:
    volume = place.add_volume(BAKE)
    place.add_volume(OTHER)
    assert place.fleet.volumes_of_bake(BAKE) == (volume,)
    place.fleet.delete_volume(volume)
    place.fleet.delete_volume(volume)
    assert place.fleet.volumes_of_bake(BAKE) == ()


def test_types_come_in_the_order_asked_without_unknown_ones(place: Place) -> None:
    names = ("m6i.large", "m9.none", "m5.large")
    assert [kind.name for kind in place.fleet.types(names)] == ["m6i.large", "m5.large"]
    assert place.fleet.types(()) == ()
    assert place.fleet.types(["m6i.large"])[0].architectures == ("x86_64",)


def test_what_a_change_launched_is_found_until_it_goes(place: Place) -> None:
    image = an_image(id=place.image)
    tags = {"kiln:change": "web1-start-0", "kiln:managed": "true"}
    order = LaunchOrder(image=image, instance_type="m6i.large", token="c", tags=tags)
    new = place.fleet.launch(order)
    launch(place)
    assert [found.id for found in place.fleet.of_change("web1-start-0")] == [new]
    assert place.fleet.of_change("web1-start-1") == ()
    place.fleet.terminate([new])
    assert place.fleet.of_change("web1-start-0") == ()
