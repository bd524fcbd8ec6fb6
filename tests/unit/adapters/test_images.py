"""What is asked of EC2 for images and snapshots, word for word, and how its answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kiln.adapters.images import Ec2Images
from kiln.domain.image import Snapshot
from kiln.domain.platforms import ImageName
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import ImageOrder
from tests.builders import BAKE
from tests.stubs import Script, scripted


@pytest.fixture
def ec2() -> Iterator[Script]:
    with scripted("ec2") as script:
        yield script


@pytest.fixture
def images(ec2: Script) -> Ec2Images:
    return Ec2Images(ec2.client)


def an_answer(identifier: str = "ami-1", **facts: Any) -> dict[str, Any]:
    """An image as DescribeImages gives it, with a root and a data volume."""
    common: dict[str, Any] = {
        "ImageId": identifier,
        "Name": f"web-{identifier}",
        "State": "available",
        "CreationDate": "2026-11-01T10:00:00.000Z",
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 8}},
            {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-2", "VolumeSize": 50}},
            {"DeviceName": "/dev/sdc", "VirtualName": "ephemeral0"},
        ],
    }
    return common | facts


def test_an_image_is_read_with_its_snapshots_and_dates(ec2: Script, images: Ec2Images) -> None:
    facts: dict[str, Any] = {
        "BootMode": "uefi-preferred",
        "DeprecationTime": "2027-11-01T10:00:00.000Z",
        "Tags": [{"Key": "kiln:bake", "Value": BAKE}],
    }
    ec2.answer("describe_images", {"Images": [an_answer(**facts)]}, {"ImageIds": ["ami-1"]})
    found = images.describe("ami-1")
    assert found is not None
    assert (found.name, found.state, found.ena) == ("web-ami-1", "available", True)
    assert (found.boot_mode, found.deprecated_at) == ("uefi-preferred", "2027-11-01T10:00:00.000Z")
    assert found.tags == {"kiln:bake": BAKE}
    assert found.snapshots == (
        Snapshot(device="/dev/xvda", snapshot="snap-1", size_gib=8),
        Snapshot(device="/dev/sdb", snapshot="snap-2", size_gib=50),
    )


def test_an_image_that_failed_says_why_in_ec2s_words(ec2: Script, images: Ec2Images) -> None:
    """EC2 API, StateReason: Client.InstanceInitiatedShutdown, Server.InternalError, ..."""
    reason = {"Code": "Client.InternalError", "Message": "Client error on launch"}
    pending: dict[str, Any] = {
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}]
    }
    failed = an_answer(State="failed", StateReason=reason, **pending)
    ec2.answer("describe_images", {"Images": [failed]})
    found = images.describe("ami-1")
    assert found is not None
    assert (found.state, found.state_reason) == ("failed", "Client error on launch")
    assert found.snapshots == ()


@pytest.mark.parametrize("code", ["InvalidAMIID.NotFound", "InvalidAMIID.Malformed"])
def test_an_image_that_is_not_there_is_none(ec2: Script, images: Ec2Images, code: str) -> None:
    ec2.refuse("describe_images", code)
    assert images.describe("ami-1") is None


def test_an_image_that_may_not_be_seen_is_an_error(ec2: Script, images: Ec2Images) -> None:
    ec2.refuse("describe_images", "UnauthorizedOperation", 403)
    with pytest.raises(AwsRefused):
        images.describe("ami-1")


def test_the_newest_image_may_be_on_any_page(ec2: Script, images: Ec2Images) -> None:
    request: dict[str, Any] = {
        "Owners": ["099720109477"],
        "Filters": [
            {"Name": "name", "Values": ["ubuntu-*"]},
            {"Name": "state", "Values": ["available"]},
        ],
        "MaxResults": 1000,
    }
    old = an_answer("ami-1", CreationDate="2025-01-01T00:00:00.000Z")
    new = an_answer("ami-2", CreationDate="2026-01-01T00:00:00.000Z")
    middle = an_answer("ami-3", CreationDate="2025-06-01T00:00:00.000Z")
    ec2.answer("describe_images", {"Images": [old, new], "NextToken": "more"}, request)
    ec2.answer("describe_images", {"Images": [middle]}, request | {"NextToken": "more"})
    found = images.newest(ImageName("099720109477", "ubuntu-*"))
    assert found is not None
    assert found.id == "ami-2"


def test_deprecated_images_are_seen_where_they_are_asked_for(
    ec2: Script, images: Ec2Images
) -> None:
    filters = [
        {"Name": "name", "Values": ["al2023-ami-*"]},
        {"Name": "state", "Values": ["available"]},
    ]
    request = {"Owners": ["amazon"], "Filters": filters, "IncludeDeprecated": True}
    ec2.answer("describe_images", {"Images": [an_answer()]}, request | {"MaxResults": 1000})
    assert images.newest(ImageName("amazon", "al2023-ami-*"), deprecated=True)


def test_only_the_accounts_own_image_of_exactly_that_name_counts(
    ec2: Script, images: Ec2Images
) -> None:
    filters = [{"Name": "name", "Values": ["web-1"]}]
    request = {"Owners": ["self"], "Filters": filters, "MaxResults": 1000}
    ec2.answer("describe_images", {"Images": [an_answer(Name="web-10")]}, request)
    assert images.named("web-1") is None


def test_an_image_is_made_of_a_stopped_instance_with_its_tags(
    ec2: Script, images: Ec2Images
) -> None:
    tags = [{"Key": "kiln:bake", "Value": BAKE}]
    request = {
        "InstanceId": "i-1",
        "Name": "web-1",
        "Description": "Front end",
        "NoReboot": True,
        "TagSpecifications": [
            {"ResourceType": "image", "Tags": tags},
            {"ResourceType": "snapshot", "Tags": tags},
        ],
    }
    ec2.answer("create_image", {"ImageId": "ami-1"}, request)
    order = ImageOrder("i-1", "web-1", "Front end", {"kiln:bake": BAKE})
    assert images.create(order) == "ami-1"


def test_a_device_that_an_image_is_not_to_have_is_left_out(ec2: Script, images: Ec2Images) -> None:
    """EC2 API, BlockDeviceMapping, NoDevice: an empty string omits the device."""
    request = {
        "InstanceId": "i-1",
        "Name": "web-1",
        "Description": "",
        "NoReboot": True,
        "TagSpecifications": [
            {"ResourceType": "image", "Tags": []},
            {"ResourceType": "snapshot", "Tags": []},
        ],
        "BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "NoDevice": ""}],
    }
    ec2.answer("create_image", {"ImageId": "ami-1"}, request)
    assert images.create(ImageOrder("i-1", "web-1", "", {}, without=("/dev/sdf",))) == "ami-1"


def test_a_name_that_is_taken_is_told_by_ec2s_code(ec2: Script, images: Ec2Images) -> None:
    ec2.refuse("create_image", "InvalidAMIName.Duplicate")
    with pytest.raises(AwsRefused) as found:
        images.create(ImageOrder("i-1", "web-1", "", {}))
    assert found.value.code == "InvalidAMIName.Duplicate"


DEREGISTER = {"ImageId": "ami-1", "DeleteAssociatedSnapshots": True}


def test_ec2_deletes_the_snapshots_with_the_image(ec2: Script, images: Ec2Images) -> None:
    """A snapshot that another image uses is skipped: it belongs to that one now."""
    results = [
        {"SnapshotId": "snap-1", "ReturnCode": "success"},
        {"SnapshotId": "snap-2", "ReturnCode": "skipped"},
    ]
    ec2.answer("describe_images", {"Images": [an_answer()]})
    ec2.answer("deregister_image", {"Return": True, "DeleteSnapshotResults": results}, DEREGISTER)
    images.deregister("ami-1")


def test_snapshots_that_ec2_leaves_are_deleted_apart(ec2: Script, images: Ec2Images) -> None:
    results = [{"SnapshotId": "snap-1", "ReturnCode": "internal-error"}]
    ec2.answer("describe_images", {"Images": [an_answer()]})
    ec2.answer("deregister_image", {"Return": True, "DeleteSnapshotResults": results}, DEREGISTER)
    ec2.answer("delete_snapshot", {}, {"SnapshotId": "snap-1"})
    ec2.refuse("delete_snapshot", "InvalidSnapshot.NotFound")
    images.deregister("ami-1")


def test_an_image_that_is_gone_is_passed_over(ec2: Script, images: Ec2Images) -> None:
    ec2.answer("describe_images", {"Images": []})
    images.deregister("ami-1")


def test_an_image_that_goes_meanwhile_leaves_no_snapshot(ec2: Script, images: Ec2Images) -> None:
    ec2.answer("describe_images", {"Images": [an_answer()]})
    ec2.refuse("deregister_image", "InvalidAMIID.NotFound")
    ec2.answer("delete_snapshot", {}, {"SnapshotId": "snap-1"})
    ec2.answer("delete_snapshot", {}, {"SnapshotId": "snap-2"})
    images.deregister("ami-1")


def test_an_image_that_cannot_be_deregistered_yet_is_not_passed_over(
    ec2: Script, images: Ec2Images
) -> None:
    """InvalidAMIID.Unavailable says two things: deregistered already, or in the wrong state."""
    ec2.answer("describe_images", {"Images": [an_answer(State="pending")]})
    ec2.refuse("deregister_image", "InvalidAMIID.Unavailable")
    with pytest.raises(AwsBusy, match="ami-1 is pending"):
        images.deregister("ami-1")


def test_an_image_that_is_deregistered_already_is_passed_over(
    ec2: Script, images: Ec2Images
) -> None:
    found = an_answer(State="deregistered", BlockDeviceMappings=[])
    ec2.answer("describe_images", {"Images": [found]})
    ec2.refuse("deregister_image", "InvalidAMIID.Unavailable")
    images.deregister("ami-1")


def test_an_image_that_may_not_be_deregistered_is_an_error(ec2: Script, images: Ec2Images) -> None:
    ec2.answer("describe_images", {"Images": [an_answer()]})
    ec2.refuse("deregister_image", "UnauthorizedOperation", 403)
    with pytest.raises(AwsRefused):
        images.deregister("ami-1")


def test_snapshots_of_a_bake_come_from_every_page(ec2: Script, images: Ec2Images) -> None:
    request: dict[str, Any] = {
        "OwnerIds": ["self"],
        "Filters": [{"Name": "tag:kiln:bake", "Values": [BAKE]}],
        "MaxResults": 1000,
    }
    first = {"Snapshots": [{"SnapshotId": "snap-1"}], "NextToken": "more"}
    ec2.answer("describe_snapshots", first, request)
    last = {"Snapshots": [{"SnapshotId": "snap-2"}]}
    ec2.answer("describe_snapshots", last, request | {"NextToken": "more"})
    assert images.snapshots_of_bake(BAKE) == ("snap-1", "snap-2")


def test_a_snapshot_in_use_is_an_error(ec2: Script, images: Ec2Images) -> None:
    ec2.refuse("delete_snapshot", "InvalidSnapshot.InUse")
    with pytest.raises(AwsRefused, match=r"InvalidSnapshot\.InUse"):
        images.delete_snapshot("snap-1")


def test_tags_go_on_all_resources_at_once(ec2: Script, images: Ec2Images) -> None:
    request = {"Resources": ["ami-1", "snap-1"], "Tags": [{"Key": "team", "Value": "shop"}]}
    ec2.answer("create_tags", {}, request)
    images.tag(iter(["ami-1", "snap-1"]), {"team": "shop"})


def test_tags_that_another_call_writes_are_tried_again(ec2: Script, images: Ec2Images) -> None:
    """ConcurrentTagAccess: EC2 API reference, "Error codes for the Amazon EC2 API"."""
    ec2.refuse("create_tags", "ConcurrentTagAccess")
    with pytest.raises(AwsBusy):
        images.tag(["ami-1"], {"team": "shop"})


def test_the_date_of_deprecation_is_sent_in_whole_seconds(ec2: Script, images: Ec2Images) -> None:
    at = datetime(2027, 1, 1, 12, tzinfo=UTC)
    request = {"ImageId": "ami-1", "DeprecateAt": at}
    ec2.answer("enable_image_deprecation", {"Return": True}, request)
    images.deprecate("ami-1", at.replace(microsecond=123456))
