"""What carries a bake's tag, by EC2's Describe calls and the folders of the bundles' bucket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from kiln.adapters._ec2 import by_tag, pages, tags_of
from kiln.adapters._errors import ignoring, translated
from kiln.domain.leftover import Kind, Leftover
from kiln.domain.naming import TAG_BAKE, TAG_MANAGED, TAG_ROLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client

    from kiln.adapters._table import Table

# A string set: two functions may add to it at once.
_REGIONS = ("CATALOGUE", "REGIONS")
_OURS = [*by_tag(TAG_MANAGED, "true"), {"Name": "tag-key", "Values": [TAG_BAKE]}]


@dataclass(frozen=True)
class Place:
    """Where to look: clients of EC2 by Region, the own Region, the bucket of bundles."""

    ec2: Callable[[str], EC2Client]
    region: str
    s3: S3Client
    bundles: str


class Ec2Leftovers:
    """`Leftovers` on EC2, S3 and DynamoDB."""

    def __init__(self, place: Place, table: Table) -> None:
        self._ec2 = cache(place.ec2)
        self._region = place.region
        self._s3 = place.s3
        self._bundles = place.bundles
        self._table = table

    def here(self) -> tuple[Leftover, ...]:
        """Everything of the own Region."""
        region = self._region
        return (
            *self._instances(),
            *self._attachable("describe_volumes", "Volumes", "volume", "VolumeId"),
            *self._attachable(
                "describe_network_interfaces",
                "NetworkInterfaces",
                "network-interface",
                "NetworkInterfaceId",
            ),
            *self.there(region),
            *self._folders(),
        )

    def _instances(self) -> Iterator[Leftover]:
        for page in pages(self._ec2(self._region), "describe_instances", {"Filters": _OURS}):
            for reservation in page["Reservations"]:
                for found in reservation["Instances"]:
                    state = found["State"]["Name"]
                    yield self._one("instance", found, "InstanceId", state, found["LaunchTime"])

    def _attachable(self, method: str, key: str, kind: Kind, name: str) -> Iterator[Leftover]:
        for page in pages(self._ec2(self._region), method, {"Filters": _OURS}):
            for found in page[key]:
                state = found.get("State") or found["Status"]
                yield self._one(kind, found, name, state, found.get("CreateTime"))

    def _one(
        self, kind: Kind, found: Any, name: str, state: str, made: datetime | None
    ) -> Leftover:
        # DescribeNetworkInterfaces alone calls its tags TagSet.
        tags = tags_of({"Tags": found.get("Tags") or found.get("TagSet", ())})
        return Leftover(
            kind=kind,
            id=found[name],
            region=self._region,
            bake=tags[TAG_BAKE],
            role=tags.get(TAG_ROLE, ""),
            state=state,
            made=made,
        )

    def there(self, region: str) -> tuple[Leftover, ...]:
        """Images and snapshots of a Region."""
        return (*self._images(region), *self._snapshots(region))

    def _images(self, region: str) -> Iterator[Leftover]:
        request = {"Owners": ["self"], "Filters": _OURS, "IncludeDisabled": True}
        for page in pages(self._ec2(region), "describe_images", request):
            for found in page["Images"]:
                made = datetime.fromisoformat(found["CreationDate"])
                yield self._of_region("image", found["ImageId"], region, found, made)

    def _snapshots(self, region: str) -> Iterator[Leftover]:
        request = {"OwnerIds": ["self"], "Filters": _OURS}
        for page in pages(self._ec2(region), "describe_snapshots", request):
            for found in page["Snapshots"]:
                made = found["StartTime"]
                yield self._of_region("snapshot", found["SnapshotId"], region, found, made)

    def _of_region(
        self, kind: Kind, name: str, region: str, found: Any, made: datetime
    ) -> Leftover:
        tags = tags_of(found)
        return Leftover(
            kind=kind,
            id=name,
            region=region,
            bake=tags[TAG_BAKE],
            role=tags.get(TAG_ROLE, ""),
            state=found["State"],
            made=made,
        )

    def _folders(self) -> Iterator[Leftover]:
        if not self._bundles:
            return
        with translated("s3", "ListObjectsV2"):
            listed = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bundles, Prefix="bundles/", Delimiter="/"
            )
            for page in listed:
                for folder in page.get("CommonPrefixes", ()):
                    location = f"{self._bundles}/{folder['Prefix'].rstrip('/')}"
                    yield Leftover(
                        kind="bundle",
                        id=location,
                        region=self._region,
                        bake=location.rpartition("/")[2],
                        state="stored",
                    )

    def note_region(self, region: str) -> None:
        """One UpdateItem."""
        self._table.change_set(_REGIONS, "ADD", region)

    def regions(self) -> frozenset[str]:
        """One GetItem."""
        return frozenset(self._table.read_set(_REGIONS))

    def used_snapshots(self, region: str) -> frozenset[str]:
        """One DescribeImages of everything that the account owns, disabled images too."""
        request = {"Owners": ["self"], "Filters": [], "IncludeDisabled": True}
        return frozenset(
            mapping["Ebs"]["SnapshotId"]
            for page in pages(self._ec2(region), "describe_images", request)
            for found in page["Images"]
            for mapping in found.get("BlockDeviceMappings", ())
            if "SnapshotId" in mapping.get("Ebs", {})
        )

    def delete_interface(self, interface: str) -> None:
        """DeleteNetworkInterface."""
        gone = "InvalidNetworkInterfaceID.NotFound"
        with ignoring(gone), translated("ec2", "DeleteNetworkInterface"):
            self._ec2(self._region).delete_network_interface(NetworkInterfaceId=interface)
