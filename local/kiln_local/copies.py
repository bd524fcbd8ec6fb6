"""EC2's copies of images between Regions: CopyImage over time, and copies that fail on request.

Codes and words: EC2 API, CopyImage and "Error codes for the Amazon EC2 API"; what EC2 says of a
copy that failed, and of one that was to be unencrypted, as users of Packer have met it
(hashicorp/packer issues 6737 and 8271).
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.utils import random_ami_id

from kiln_local import sharing
from kiln_local.ec2 import Ec2
from kiln_local.images import LocalImage, check_name, image_of, image_snapshots
from kiln_local.patches import Patches

# EC2's own words where the key of a copy cannot be used: it authenticates keys when it uses them.
REASON = "Copy image failed with an internal error."
_ASKED = (
    *("SourceImageId", "SourceRegion", "Name", "Description", "ClientToken", "Encrypted"),
    *("KmsKeyId", "TagSpecifications"),
)


class Copies:
    """The copies of one local AWS."""

    def __init__(self, ec2: Ec2) -> None:
        self._ec2 = ec2
        self._failing: dict[str, str] = {}
        self._tokens: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}

    def fail(self, region: str, reason: str = REASON) -> None:
        """Let every copy to a Region fail from now on, once EC2 is at it."""
        self._failing[region] = reason

    def mend(self, region: str) -> None:
        """Let copies to a Region succeed again."""
        self._failing.pop(region, None)

    def copy(self, backend: Any, request: dict[str, Any]) -> str:
        """The id of the copy; the same token gives the same one, whatever has become of it."""
        token = backend.region_name, request["ClientToken"] or ""
        with self._ec2.lock:
            if token[1] and token in self._tokens:
                return _again(self._tokens[token], request)
            image = self._make(backend, request)
            if token[1]:
                self._tokens[token] = image.id, request
        self._go_on(image)
        return str(image.id)

    def _make(self, backend: Any, request: dict[str, Any]) -> LocalImage:
        source = image_of(
            ec2_backends[backend.account_id][request["SourceRegion"]], request["SourceImageId"]
        )
        _check(source, request)
        check_name(backend, request["Name"])
        image = LocalImage(
            backend,
            random_ami_id(),
            source_ami=source,
            name=request["Name"],
            description=request["Description"] or "",
            state="pending",
            image_location=f"{backend.account_id}/{request['Name']}",
            root_device_type=source.root_device_type,
            root_device_name=source.root_device_name,
            snapshot_description=f"Copied for DestinationAmi {request['Name']} from {source.id}",
        )
        image.boot_mode, image.ena_support = source.boot_mode, source.ena_support
        image.root_size = image.ebs_snapshot.volume.size = source.root_size
        image.creation_date = self._ec2.clock.now()
        tags = {
            given["ResourceType"]: {tag["Key"]: tag["Value"] for tag in given["Tags"]}
            for given in request["TagSpecifications"] or ()
        }
        image.add_tags(tags.get("image", {}))
        image.beside = tuple((device, self._beside(backend, s)) for device, s in source.beside)
        for old, new in zip(image_snapshots(source), image_snapshots(image), strict=True):
            new.status, new.encrypted = "pending", old.encrypted or _yes(request["Encrypted"])
            new.kms_key_id = request["KmsKeyId"]
            new.add_tags(tags.get("snapshot", {}))
        backend.amis[image.id] = image
        self._ec2.room.copy_image(source.id, image.id)
        return image

    def _beside(self, backend: Any, source: Any) -> Any:
        """A copy of the snapshot of a volume beside the root, with its files."""
        volume = backend.create_volume(size=source.volume_size, zone_name=f"{backend.region_name}a")
        made = backend.create_snapshot(volume.id, f"Copied from {source.id}")
        backend.delete_volume(volume.id)
        self._ec2.room.linux.disks.copy(source.id, made.id)
        return made

    def _go_on(self, image: LocalImage) -> None:
        tags = {tag["key"]: tag["value"] for tag in image.get_tags()}
        region = image.ec2_backend.region_name
        interval = self._ec2.recorder.begin(tags.get("kiln:bake", ""), "copy")

        def finish() -> None:
            self._ec2.recorder.end(interval)
            if image.id not in image.ec2_backend.amis or image.state != "pending":
                return
            reason = self._failing.get(region, "")
            for snapshot in image_snapshots(image):
                snapshot.status = "error" if reason else "completed"
            image.state = "failed" if reason else "available"
            if reason:
                image.state_reason = {"Code": "Client.InternalError", "Message": reason}
            self._ec2.events.image_changed(image.id, image.state, reason, region)

        self._ec2.clock.after(self._ec2.latencies.draw("image-copied"), finish)


def _again(former: tuple[str, dict[str, Any]], asked: dict[str, Any]) -> str:
    image, asked_before = former
    if asked != asked_before:
        raise EC2ClientError(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in "
            "previous request(s).",
        )
    return image


def _check(source: Any, request: dict[str, Any]) -> None:
    if source.state != "available":
        raise EC2ClientError(
            "InvalidAMIID.Unavailable", f"The image ID '{source.id}' is not available"
        )
    if source.root_device_type != "ebs":
        raise EC2ClientError("InvalidRequest", "The local AWS copies EBS-backed images only.")
    locked = [s.id for s in image_snapshots(source) if s.encrypted]
    if locked and not _yes(request["Encrypted"]):
        raise EC2ClientError(
            "InvalidRequest",
            f"Snapshot {locked[0]} is encrypted. Creating an unencrypted copy from "
            "an encrypted snapshot is not supported.",
        )


def _yes(given: Any) -> bool:
    return str(given).lower() == "true"


def connect(patches: Patches, copies: Copies, ec2: Ec2) -> None:
    """Patch moto's CopyImage, and who may use an image and its copies."""

    def copy_image(self: AmisResponse) -> ActionResult:
        self.error_on_dryrun()
        request = {name: self._get_param(name) for name in _ASKED}
        return ActionResult({"ImageId": copies.copy(self.ec2_backend, request)})

    patches.set(AmisResponse, "copy_image", copy_image)
    sharing.connect(patches, ec2)
