"""EC2's images with their snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kiln.adapters._ec2 import by_tag, pages, tag_list, tags_of
from kiln.adapters._errors import ignoring, translated
from kiln.domain.image import ImageFacts, Snapshot
from kiln.domain.naming import TAG_BAKE
from kiln.domain.platforms import ImageName
from kiln.errors import AwsRefused
from kiln.ports import ImageOrder

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")


class Ec2Images:
    """`Images` on EC2."""

    def __init__(self, ec2: EC2Client) -> None:
        self._ec2 = ec2

    def describe(self, image: str) -> ImageFacts | None:
        """One image; deprecated ones are found by id too."""
        try:
            return next(self._described(ImageIds=[image]), None)
        except AwsRefused as error:
            if error.code.startswith("InvalidAMIID"):
                return None
            raise

    def newest(self, pattern: ImageName) -> ImageFacts | None:
        """The newest available image of an owner by name."""
        filters = [
            {"Name": "name", "Values": [pattern.name]},
            {"Name": "state", "Values": ["available"]},
        ]
        found = self._described(Owners=[pattern.owner], Filters=filters)
        return max(found, key=lambda image: image.created, default=None)

    def named(self, name: str) -> ImageFacts | None:
        """The account's own image of exactly that name."""
        found = self._described(Owners=["self"], Filters=[{"Name": "name", "Values": [name]}])
        return next((image for image in found if image.name == name), None)

    def of_bake(self, bake: str) -> tuple[ImageFacts, ...]:
        """The account's own images with the bake's tag."""
        return tuple(self._described(Owners=["self"], Filters=by_tag(TAG_BAKE, bake)))

    def _described(self, **request: Any) -> Iterator[ImageFacts]:
        for page in pages(self._ec2, "describe_images", request):
            yield from map(_image, page["Images"])

    def create(self, order: ImageOrder) -> str:
        """CreateImage of a stopped instance: nothing is rebooted, every volume is at rest."""
        tags = tag_list(order.tags)
        with translated("ec2", "CreateImage"):
            answer = self._ec2.create_image(
                InstanceId=order.instance,
                Name=order.name,
                Description=order.description,
                NoReboot=True,
                TagSpecifications=[
                    {"ResourceType": "image", "Tags": tags},
                    {"ResourceType": "snapshot", "Tags": tags},
                ],
            )
        return answer["ImageId"]

    def deregister(self, image: str) -> None:
        """Deregister with the snapshots; those that AWS leaves are found by their tag and deleted
        apart."""
        with ignoring(*_GONE), translated("ec2", "DeregisterImage"):
            self._ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)

    def snapshots_of_bake(self, bake: str) -> tuple[str, ...]:
        """Snapshots with the bake's tag."""
        request = {"OwnerIds": ["self"], "Filters": by_tag(TAG_BAKE, bake)}
        found = pages(self._ec2, "describe_snapshots", request)
        return tuple(snap["SnapshotId"] for page in found for snap in page["Snapshots"])

    def delete_snapshot(self, snapshot: str) -> None:
        """Delete a snapshot."""
        with ignoring("InvalidSnapshot.NotFound"), translated("ec2", "DeleteSnapshot"):
            self._ec2.delete_snapshot(SnapshotId=snapshot)

    def tag(self, resources: Iterable[str], tags: dict[str, str]) -> None:
        """Put tags on images and snapshots."""
        with translated("ec2", "CreateTags"):
            self._ec2.create_tags(Resources=list(resources), Tags=tag_list(tags))

    def deprecate(self, image: str, at: datetime) -> None:
        """Set the time from which the image counts as deprecated; EC2 rounds it to the minute."""
        with translated("ec2", "EnableImageDeprecation"):
            self._ec2.enable_image_deprecation(ImageId=image, DeprecateAt=at)


def _image(found: Any) -> ImageFacts:
    return ImageFacts(
        id=found["ImageId"],
        name=found.get("Name", ""),
        state=found["State"],
        state_reason=found.get("StateReason", {}).get("Message", ""),
        created=found.get("CreationDate", ""),
        architecture=found["Architecture"],
        virtualization=found.get("VirtualizationType", "hvm"),
        ena=bool(found.get("EnaSupport")),
        boot_mode=found.get("BootMode"),
        root_device_type=found.get("RootDeviceType", "ebs"),
        root_device=found.get("RootDeviceName") or "/dev/xvda",
        deprecated_at=found.get("DeprecationTime"),
        tags=tags_of(found),
        snapshots=tuple(_snapshots(found)),
    )


def _snapshots(found: Any) -> Iterator[Snapshot]:
    for mapping in found.get("BlockDeviceMappings", ()):
        ebs = mapping.get("Ebs", {})
        if ebs.get("SnapshotId"):
            size = int(ebs.get("VolumeSize") or 0)
            yield Snapshot(device=mapping["DeviceName"], snapshot=ebs["SnapshotId"], size_gib=size)
