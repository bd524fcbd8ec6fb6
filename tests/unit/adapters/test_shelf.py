"""What is asked of EC2 about images out of use, word for word, and how answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kiln.adapters.shelf import Ec2Shelf
from kiln.adapters.workshop import DynamoWorkshop
from kiln.errors import AwsRefused
from kiln.ports import Reach
from tests.builders import NOW, a_document, a_plan, a_record
from tests.stubs import Script, scripted

GIB = 2**30
UNIT = "arn:aws:organizations::111122223333:ou/o-aaaaaaaaaa/ou-aaaa-bbbbbbbb"


@pytest.fixture
def ec2() -> Iterator[Script]:
    with scripted("ec2") as script:
        yield script


@pytest.fixture
def shelf(ec2: Script) -> Ec2Shelf:
    return Ec2Shelf(ec2.client)


def test_managed_images_are_listed_with_what_is_deprecated_and_what_is_disabled(
    ec2: Script, shelf: Ec2Shelf
) -> None:
    request = {
        "Owners": ["self"],
        "Filters": [{"Name": "tag:kiln:managed", "Values": ["true"]}],
        "IncludeDeprecated": True,
        "IncludeDisabled": True,
        "MaxResults": 1000,
    }
    row = {
        "ImageId": "ami-1",
        "State": "disabled",
        "Architecture": "x86_64",
        "DeregistrationProtection": "enabled-with-cooldown",
    }
    ec2.answer("describe_images", {"Images": [row]}, request)
    (image,) = shelf.managed()
    assert (image.id, image.state, image.protected) == ("ami-1", "disabled", True)


def test_an_image_is_disabled_and_enabled_by_its_id(ec2: Script, shelf: Ec2Shelf) -> None:
    ec2.answer("disable_image", {"Return": True}, {"ImageId": "ami-1"})
    ec2.answer("enable_image", {"Return": True}, {"ImageId": "ami-1"})
    shelf.disable("ami-1")
    shelf.enable("ami-1")
    ec2.refuse("disable_image", "UnauthorizedOperation")
    with pytest.raises(AwsRefused, match="DisableImage was refused: UnauthorizedOperation"):
        shelf.disable("ami-1")


def test_a_last_launch_is_read_where_there_was_one(ec2: Script, shelf: Ec2Shelf) -> None:
    request = {"ImageId": "ami-1", "Attribute": "lastLaunchedTime"}
    answer = {"ImageId": "ami-1", "LastLaunchedTime": {"Value": "2026-11-20T08:00:00Z"}}
    ec2.answer("describe_image_attribute", answer, request)
    assert shelf.launched("ami-1") == datetime(2026, 11, 20, 8, tzinfo=UTC)
    ec2.answer("describe_image_attribute", {"ImageId": "ami-1"}, request)
    assert shelf.launched("ami-1") is None


def test_who_may_launch_an_image_is_told_by_kind(ec2: Script, shelf: Ec2Shelf) -> None:
    rows = [{"UserId": "210987654321"}, {"OrganizationalUnitArn": UNIT}, {"Group": "all"}]
    request = {"ImageId": "ami-1", "Attribute": "launchPermission"}
    ec2.answer("describe_image_attribute", {"LaunchPermissions": rows}, request)
    assert shelf.reach("ami-1") == Reach(("210987654321",), (), (UNIT,), True)
    ec2.answer("describe_image_attribute", {"LaunchPermissions": []}, request)
    assert not shelf.reach("ami-1").shared


def test_a_snapshot_is_as_large_as_ec2_says_or_as_its_volume(ec2: Script, shelf: Ec2Shelf) -> None:
    request = {
        "OwnerIds": ["self"],
        "Filters": [{"Name": "snapshot-id", "Values": ["snap-1", "snap-2", "snap-3"]}],
        "MaxResults": 1000,
    }
    rows = [
        {"SnapshotId": "snap-1", "VolumeSize": 8, "FullSnapshotSizeInBytes": 3 * GIB},
        {"SnapshotId": "snap-2", "VolumeSize": 8},
    ]
    ec2.answer("describe_snapshots", {"Snapshots": rows}, request)
    assert shelf.sizes(["snap-1", "snap-2", "snap-3"]) == {"snap-1": 3 * GIB, "snap-2": 8 * GIB}
    assert shelf.sizes([]) == {}


def test_bakes_of_late_are_those_of_this_month_and_the_one_before() -> None:
    record = a_record(a_plan(a_document()))
    with scripted("dynamodb") as dynamodb:
        for month, items in (("202610", []), ("202611", [record])):
            request = {
                "TableName": "table",
                "KeyConditionExpression": "PK = :pk AND begins_with(SK, :sk)",
                "ExpressionAttributeValues": {
                    ":pk": {"S": "BLUEPRINT#web"},
                    ":sk": {"S": f"BAKE#web-{month}"},
                },
                "ConsistentRead": True,
            }
            rows = [{"body": {"S": item.model_dump_json()}} for item in items]
            dynamodb.answer("query", {"Items": rows}, request)
        workshop = DynamoWorkshop(dynamodb.client, "table")
        assert workshop.lately("web", NOW) == (record,)
