"""What carries a bake's tag: found by the adapter on moto as by the fake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kiln.adapters._table import Table
from kiln.adapters.leftovers import Ec2Leftovers, Place
from kiln.domain.naming import bake_tags
from tests.builders import BAKE
from tests.moto_clients import mock_aws, moto_client

REGION = "eu-west-1"
TAGS = [{"Key": key, "Value": value} for key, value in bake_tags(BAKE, "builder").items()]
BUCKET = "bundles"


class Ground:
    """An account with one of everything that a bake may leave behind, and as much of nobody's."""

    def __init__(self) -> None:
        self.ec2 = moto_client("ec2")
        self.s3 = moto_client("s3")
        self.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.dynamodb = moto_client("dynamodb")
        keys = {"PK": "HASH", "SK": "RANGE"}
        self.dynamodb.create_table(
            TableName="kiln",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": k, "KeyType": v} for k, v in keys.items()],
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
        )
        self.leftovers = self.looking(BUCKET)
        self.made = {
            "instance": self.launch(),
            "volume": self.volume(),
            "network-interface": self.interface(),
            "bundle": f"{BUCKET}/bundles/{BAKE}",
        }
        self.made["image"] = self.image(self.made["instance"])
        self.s3.put_object(Bucket=BUCKET, Key=f"bundles/{BAKE}/image.part.00", Body=b"x")

    def looking(self, bundles: str) -> Ec2Leftovers:
        """The adapter, with a bucket of bundles or without."""
        place = Place(lambda _: self.ec2, REGION, self.s3, bundles)
        return Ec2Leftovers(place, Table(self.dynamodb, "kiln"))

    def _tagged(self, kind: str) -> dict[str, Any]:
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": TAGS}]}

    def launch(self) -> str:
        base = self.ec2.register_image(Name="base", RootDeviceName="/dev/xvda")["ImageId"]
        answer = self.ec2.run_instances(
            ImageId=base, MinCount=1, MaxCount=1, **self._tagged("instance")
        )
        self.ec2.run_instances(ImageId=base, MinCount=1, MaxCount=1)
        return str(answer["Instances"][0]["InstanceId"])

    def volume(self) -> str:
        self.ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)
        answer = self.ec2.create_volume(
            AvailabilityZone=f"{REGION}a", Size=1, **self._tagged("volume")
        )
        return str(answer["VolumeId"])

    def interface(self) -> str:
        subnet = self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        answer = self.ec2.create_network_interface(
            SubnetId=subnet, **self._tagged("network-interface")
        )
        return str(answer["NetworkInterface"]["NetworkInterfaceId"])

    def image(self, instance: str, name: str = "web") -> str:
        answer = self.ec2.create_image(InstanceId=instance, Name=name, **self._tagged("image"))
        image = str(answer["ImageId"])
        # moto's CreateImage tags no snapshot.
        self.ec2.create_tags(Resources=[self.snapshot(image)], Tags=TAGS)
        return image

    def snapshot(self, image: str) -> str:
        (found,) = self.ec2.describe_images(ImageIds=[image])["Images"]
        return str(found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"])


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """An account of its own."""
    with mock_aws():
        yield Ground()


def test_everything_with_a_bakes_tag_is_found_and_nothing_else(ground: Ground) -> None:
    found = ground.leftovers.here()
    by_kind = {thing.kind: thing for thing in found}
    assert {kind: by_kind[kind].id for kind in ground.made} == ground.made
    assert {thing.bake for thing in found} == {BAKE}
    assert by_kind["instance"].role == "builder"
    assert by_kind["volume"].state == by_kind["network-interface"].state == "available"
    assert [thing.made is None for thing in found if thing.kind == "bundle"] == [True]
    assert len({thing.id for thing in found if thing.kind == "instance"}) == 1


def test_the_snapshots_of_an_image_are_in_use_until_it_is_gone(ground: Ground) -> None:
    image = ground.image(ground.made["instance"], "short-lived")
    snapshot = ground.snapshot(image)
    assert snapshot in ground.leftovers.used_snapshots(REGION)
    assert snapshot in {s.id for s in ground.leftovers.there(REGION) if s.kind == "snapshot"}
    ground.ec2.deregister_image(ImageId=image)
    assert snapshot not in ground.leftovers.used_snapshots(REGION)


def test_an_interface_is_deleted_once_and_twice(ground: Ground) -> None:
    mine = ground.interface()
    assert mine in {thing.id for thing in ground.leftovers.here()}
    for _ in range(2):
        ground.leftovers.delete_interface(mine)
    assert mine not in {thing.id for thing in ground.leftovers.here()}


def test_a_kiln_without_bundles_looks_for_none(ground: Ground) -> None:
    assert "bundle" not in {thing.kind for thing in ground.looking("").here()}


def test_the_regions_that_were_noted_are_remembered_once(ground: Ground) -> None:
    assert ground.leftovers.regions() == frozenset()
    for region in ("us-east-1", "us-east-1", "eu-west-2"):
        ground.leftovers.note_region(region)
    assert ground.leftovers.regions() == {"us-east-1", "eu-west-2"}
