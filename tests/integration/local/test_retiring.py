"""Images out of use in the local AWS, as EC2 has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kiln.adapters.images import Ec2Images
from kiln.adapters.shelf import Ec2Shelf
from kiln.domain.naming import bake_tags
from kiln.ports import Reach
from tests.builders import BAKE
from tests.integration.local.shelves import FRIEND, TYPE, Shelves
from tests.integration.local.worlds import a_world


@pytest.fixture(scope="module")
def shelves() -> Iterator[Shelves]:
    with a_world() as world:
        yield Shelves(world.aws)


@pytest.fixture
def image(shelves: Shelves) -> str:
    return shelves.put("eu-west-1", BAKE, shelves.aws.clock.now())


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def listed(shelves: Shelves, **more: Any) -> set[str]:
    found = shelves.ec2().describe_images(Owners=["self"], **more)["Images"]
    return {row["ImageId"] for row in found}


def test_a_disabled_image_is_launched_by_nobody_and_hidden_unless_it_is_asked_for(
    shelves: Shelves, image: str
) -> None:
    ec2 = shelves.ec2()
    instance = shelves.launch(image)
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": FRIEND}]})
    ec2.disable_image(ImageId=image)
    launch = {"ImageId": image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    assert refused(ec2.run_instances, **launch) == "InvalidAMIID.Unavailable"
    assert image not in listed(shelves)
    assert image in listed(shelves, IncludeDisabled=True)
    (named,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert named["State"] == "disabled"
    share = {"ImageId": image, "LaunchPermission": {"Add": [{"UserId": FRIEND}]}}
    assert refused(ec2.modify_image_attribute, **share) == "InvalidAMIID.Unavailable"
    assert shelves.outside.state(instance) == "running"
    events = shelves.aws.sent("EC2 AMI State Change")
    states = [e["detail"]["State"] for e in events if e["detail"]["ImageId"] == image]
    assert states == ["disabled"]


def test_an_enabled_image_is_launched_again_and_shared_with_nobody(
    shelves: Shelves, image: str
) -> None:
    ec2, shelf = shelves.ec2(), Ec2Shelf(shelves.ec2())
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": FRIEND}]})
    assert shelf.reach(image) == Reach(accounts=(FRIEND,))
    shelf.disable(image)
    shelf.enable(image)
    assert shelf.reach(image) == Reach()
    assert shelves.launch(image)


def test_a_launch_is_told_a_day_later(shelves: Shelves, image: str) -> None:
    shelf = Ec2Shelf(shelves.ec2())
    shelves.launch(image)
    assert shelf.launched(image) is None
    stored = shelves.book(image)
    at = shelves.aws.clock.now() - timedelta(hours=25)
    stored.launches = [at, *stored.launches]
    assert shelf.launched(image) == at.replace(microsecond=0)


def test_a_snapshot_stays_while_an_image_needs_it(shelves: Shelves, image: str) -> None:
    ec2 = shelves.ec2()
    mappings = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    names = [mapping["Ebs"]["SnapshotId"] for mapping in mappings]
    assert len(names) == 2
    for disabled in (False, True):
        if disabled:
            ec2.disable_image(ImageId=image)
        for name in names:
            assert refused(ec2.delete_snapshot, SnapshotId=name) == "InvalidSnapshot.InUse"
    ec2.deregister_image(ImageId=image)
    for name in names:
        ec2.delete_snapshot(SnapshotId=name)
        assert refused(ec2.delete_snapshot, SnapshotId=name) == "InvalidSnapshot.NotFound"


def test_a_deprecation_has_a_date_to_come(shelves: Shelves, image: str) -> None:
    ec2, now = shelves.ec2(), shelves.aws.clock.now()
    past = {"ImageId": image, "DeprecateAt": now - timedelta(days=1)}
    assert refused(ec2.enable_image_deprecation, **past) == "InvalidParameterValue"
    Ec2Images(ec2).deprecate(image, now + timedelta(days=1))
    # Its owner sees it all the same.
    assert image in listed(shelves)


def test_managed_images_are_listed_by_kilns_tag(shelves: Shelves, image: str) -> None:
    stray = shelves.put("eu-west-1", BAKE, shelves.aws.clock.now(), tagged=False)
    shelves.ec2().disable_image(ImageId=image)
    found = {facts.id: facts for facts in Ec2Shelf(shelves.ec2()).managed()}
    assert stray not in found
    assert found[image].state == "disabled"
    assert found[image].tags == bake_tags(BAKE, "image")
    sizes = Ec2Shelf(shelves.ec2()).sizes(v.snapshot for v in found[image].snapshots)
    assert sorted(sizes.values()) == [5 * 2**30, 8 * 2**30]


def test_of_all_launch_templates_the_latest_and_the_default_version_are_told(
    shelves: Shelves,
) -> None:
    two, one = shelves.template("two", "ami-1", "ami-2"), shelves.template("one", "ami-1")
    ec2 = shelves.ec2()
    rows = ec2.describe_launch_template_versions(Versions=["$Latest", "$Default"])
    told = {
        (row["LaunchTemplateId"], row["VersionNumber"], row["DefaultVersion"])
        for row in rows["LaunchTemplateVersions"]
    }
    assert told == {(two, 1, True), (two, 2, False), (one, 1, True)}
    call = ec2.describe_launch_template_versions
    assert refused(call, Versions=["1"]) == "InvalidParameterValue"
