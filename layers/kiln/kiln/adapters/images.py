"""EC2's images with their snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._ec2 import by_tag, pages, tag_list, tags_of
from kiln.adapters._errors import ignoring, translated
from kiln.domain.image import ImageFacts, Snapshot
from kiln.domain.naming import TAG_BAKE
from kiln.errors import AwsBusy, AwsRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from mypy_boto3_ec2 import EC2Client

    from kiln.domain.platforms import ImageName
    from kiln.ports import ImageOrder

# DeregisterImage, DeleteSnapshotResults: what needs no second try. A snapshot that another image
# uses is skipped, and belongs to that one.
_SETTLED = ("success", "skipped")
_VALUES = 200


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

    def all_of(self, images: Iterable[str]) -> tuple[ImageFacts, ...]:
        """These images. A list of ids fails as a whole on one that is unknown
        (InvalidAMIID.NotFound), and takes no MaxResults; a filter does neither, and takes 200
        values (EC2 API reference, DescribeImages)."""
        wanted = list(images)
        parts = (wanted[at : at + _VALUES] for at in range(0, len(wanted), _VALUES))
        filters = ([{"Name": "image-id", "Values": part}] for part in parts)
        return tuple(
            found for each in filters for found in self._described(Owners=["self"], Filters=each)
        )

    def newest(self, pattern: ImageName, *, deprecated: bool = False) -> ImageFacts | None:
        """The newest available image of an owner by name."""
        filters = [
            {"Name": "name", "Values": [pattern.name]},
            {"Name": "state", "Values": ["available"]},
        ]
        more = {"IncludeDeprecated": True} if deprecated else {}
        found = self._described(Owners=[pattern.owner], Filters=filters, **more)
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
            yield from map(image_of, page["Images"])

    def create(self, order: ImageOrder) -> str:
        """CreateImage of a stopped instance: nothing is rebooted, every volume is at rest. Of a
        bundle it is RegisterImage."""
        if order.manifest:
            return self._register(order, order.manifest)
        tags = tag_list(order.tags)
        request: dict[str, Any] = {
            "InstanceId": order.instance,
            "Name": order.name,
            "Description": order.description,
            "NoReboot": True,
            "TagSpecifications": [
                {"ResourceType": "image", "Tags": tags},
                {"ResourceType": "snapshot", "Tags": tags},
            ],
        }
        if order.without:
            # EC2 API, BlockDeviceMapping, NoDevice: an empty string omits the device.
            request["BlockDeviceMappings"] = [
                {"DeviceName": device, "NoDevice": ""} for device in order.without
            ]
        with translated("ec2", "CreateImage"):
            answer = self._ec2.create_image(**request)
        return answer["ImageId"]

    def _register(self, order: ImageOrder, manifest: str) -> str:
        with translated("ec2", "RegisterImage"):
            answer = self._ec2.register_image(
                ImageLocation=manifest,
                Name=order.name,
                Description=order.description,
                VirtualizationType=order.virtualization,
                EnaSupport=order.ena,
                TagSpecifications=[{"ResourceType": "image", "Tags": tag_list(order.tags)}],
            )
        return answer["ImageId"]

    def deregister(self, image: str) -> None:
        """Deregister with the snapshots; what EC2 does not settle itself is deleted apart."""
        found = self.describe(image)
        if found is None:
            return
        settled = self._deregister(found)
        for volume in found.snapshots:
            if volume.snapshot not in settled:
                self.delete_snapshot(volume.snapshot)

    def _deregister(self, image: ImageFacts) -> set[str]:
        """Deregister; the snapshots that are settled by it."""
        try:
            with translated("ec2", "DeregisterImage"):
                answer = self._ec2.deregister_image(
                    ImageId=image.id, DeleteAssociatedSnapshots=True
                )
        except AwsRefused as error:
            # EC2's table of errors: Unavailable is an image that is deregistered already, or one
            # in a state that forbids it for now. Who passes over the second leaves it behind.
            unavailable = error.code == "InvalidAMIID.Unavailable"
            if unavailable and image.state != "deregistered":
                raise AwsBusy(f"{image.id} is {image.state} and stays for now: {error}") from error
            if not unavailable and error.code != "InvalidAMIID.NotFound":
                raise
            return set()
        results = answer.get("DeleteSnapshotResults", [])
        return {r["SnapshotId"] for r in results if r.get("ReturnCode") in _SETTLED}

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
        """Set the time from which the image counts as deprecated.

        EC2 takes whole seconds (YYYY-MM-DDTHH:MM:SSZ) and rounds them to the minute.
        """
        with translated("ec2", "EnableImageDeprecation"):
            self._ec2.enable_image_deprecation(ImageId=image, DeprecateAt=at.replace(microsecond=0))


def image_of(found: Any) -> ImageFacts:
    """An image as DescribeImages tells it."""
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
        location=found.get("ImageLocation", ""),
        tags=tags_of(found),
        snapshots=tuple(_snapshots(found)),
        devices=tuple(m["DeviceName"] for m in found.get("BlockDeviceMappings", ())),
        # EC2 API, EnableImageDeregistrationProtection: enabled-with-cooldown and the like.
        protected=str(found.get("DeregistrationProtection", "")).startswith("enabled"),
    )


def _snapshots(found: Any) -> Iterator[Snapshot]:
    for mapping in found.get("BlockDeviceMappings", ()):
        ebs = mapping.get("Ebs", {})
        if ebs.get("SnapshotId"):
            size = int(ebs.get("VolumeSize") or 0)
            yield Snapshot(device=mapping["DeviceName"], snapshot=ebs["SnapshotId"], size_gib=size)
