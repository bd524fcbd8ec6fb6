"""EC2's images over time: CreateImage, DeregisterImage, deprecation, and the public images.

moto makes an image available at once, keeps no name unique, knows no tags on snapshots, no
deprecation and no block device but its own; this adds what is missing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError
from moto.ec2.models.amis import Ami
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.utils import random_ami_id

from kiln_local.patches import Patches
from kiln_local.volumes import reading_s, snapshots

if TYPE_CHECKING:
    from kiln_local.ec2 import Ec2

_MANAGED = "kiln:bake"


class LocalImage(Ami):  # type: ignore[misc]
    """An image with a root volume of its own size, and volumes beside it: device and snapshot."""

    root_size = 8
    beside: tuple[tuple[str, Any], ...] = ()
    ena_support = True
    deprecation_time: str | None = None
    state_reason: dict[str, str] | None = None

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        """The root volume first; an instance-store root has none."""
        if self.root_device_type != "ebs":
            return []
        root = (self.root_device_name, self.ebs_snapshot, self.root_size)
        more = ((device, snapshot, snapshot.volume_size) for device, snapshot in self.beside)
        return [_mapping(*volume) for volume in (root, *more)]


def _mapping(device: str, snapshot: Any, size: int) -> dict[str, Any]:
    ebs = {
        "SnapshotId": snapshot.id,
        "VolumeSize": size,
        "DeleteOnTermination": True,
        "VolumeType": "gp3",
        "Encrypted": snapshot.encrypted,
    }
    return {"DeviceName": device, "Ebs": ebs}


def connect(patches: Patches, ec2: Ec2) -> None:
    """Patch moto's images."""

    def create_image(self: AmisResponse) -> ActionResult:
        self.error_on_dryrun()
        names = ("InstanceId", "Name", "Description", "TagSpecifications", "BlockDeviceMappings")
        request = {n: self._get_param(n) for n in names}
        return ActionResult({"ImageId": _create(ec2, self.ec2_backend, request).id})

    def deregister_image(self: AmisResponse) -> ActionResult:
        image, also = self._get_param("ImageId"), self._get_param("DeleteAssociatedSnapshots")
        self.error_on_dryrun()
        settled = _deregister(ec2, self.ec2_backend, image, bool(also))
        return ActionResult({"Return": True, "DeleteSnapshotResults": settled})

    def enable_image_deprecation(self: AmisResponse) -> ActionResult:
        image = image_of(self.ec2_backend, self._get_param("ImageId"))
        at = self._get_param("DeprecateAt")
        moment = (
            at
            if isinstance(at, datetime)
            else datetime.fromisoformat(str(at).replace("Z", "+00:00"))
        )
        image.deprecation_time = f"{moment:%Y-%m-%dT%H:%M:00.000Z}"
        return ActionResult({"Return": True})

    def register_image(self: AmisResponse) -> ActionResult:
        self.error_on_dryrun()
        names = ("ImageLocation", "Name", "Description", "VirtualizationType", "EnaSupport")
        request = {n: self._get_param(n) for n in (*names, "TagSpecifications")}
        return ActionResult({"ImageId": _register(ec2, request).id})

    _hide_deprecated(patches, ec2)
    patches.set(AmisResponse, "register_image", register_image)
    patches.set(AmisResponse, "create_image", create_image)
    patches.set(AmisResponse, "deregister_image", deregister_image)
    patches.set(AmisResponse, "enable_image_deprecation", enable_image_deprecation)


def _hide_deprecated(patches: Patches, ec2: Ec2) -> None:
    """DescribeImages shows what is deprecated to who asks for it or names it."""
    every_image = AmisResponse.describe_images

    def describe_images(self: AmisResponse) -> ActionResult:
        found = every_image(self).result["Images"]
        asked = self._get_param("ImageIds", []) or self._get_param("IncludeDeprecated")
        return ActionResult({"Images": [i for i in found if asked or not _hidden(ec2, i)]})

    patches.set(AmisResponse, "describe_images", describe_images)


def _hidden(ec2: Ec2, image: Ami) -> bool:
    """Whether an image is deprecated and another account's: its owner sees it all the same."""
    at, own = getattr(image, "deprecation_time", None), ec2.backend.account_id
    if at is None or image.owner_id == own:
        return False
    return datetime.fromisoformat(str(at)) <= ec2.clock.now()


def image_of(backend: Any, image_id: str) -> Any:
    """An image of one Region of an account. Raises as EC2 does where there is none."""
    if image_id not in backend.amis:
        raise InvalidAMIIdError(image_id)
    return backend.amis[image_id]


def _root_key(backend: Any, instance: Any, source: Any) -> str | None:
    """The key of an instance's root volume."""
    root = instance.block_device_mapping.get(source.root_device_name)
    volume = backend.volumes.get(root.volume_id) if root else None
    return volume.kms_key_id if volume else None


def _root_size(instance: Any, source: Any) -> int:
    """GiB of an instance's root volume."""
    root = instance.block_device_mapping.get(source.root_device_name)
    return int(root.size) if root and root.size else int(source.root_size)


def _create(ec2: Ec2, backend: Any, request: dict[str, Any]) -> LocalImage:
    instance_id = request["InstanceId"]
    instance = backend.get_instance(instance_id)
    _check_create(backend, instance, request["Name"])
    source = backend.amis[instance.image_id]
    image = LocalImage(
        backend,
        random_ami_id(),
        instance=instance,
        name=request["Name"],
        description=request["Description"] or "",
        state="pending",
        root_device_type="ebs",
        root_device_name=source.root_device_name,
        snapshot_description=f"Created by CreateImage({instance_id})",
    )
    image.boot_mode, image.ena_support = source.boot_mode, source.ena_support
    image.creation_date = ec2.clock.now()
    image.root_size = image.ebs_snapshot.volume.size = _root_size(instance, source)
    image.ebs_snapshot.encrypted, image.ebs_snapshot.status = True, "pending"
    image.ebs_snapshot.kms_key_id = _root_key(backend, instance, source)
    tags = {
        given["ResourceType"]: {tag["Key"]: tag["Value"] for tag in given["Tags"]}
        for given in request["TagSpecifications"] or ()
    }
    image.add_tags(tags.get("image", {}))
    image.ebs_snapshot.add_tags(tags.get("snapshot", {}))
    mappings = request["BlockDeviceMappings"] or ()
    without = {mapping["DeviceName"] for mapping in mappings if "NoDevice" in mapping}
    image.beside = tuple(snapshots(ec2, instance, without, tags.get("snapshot", {})))
    backend.amis[image.id] = image
    ec2.room.capture(instance_id, image.id)
    _become_available(ec2, image, reading_s(ec2, instance))
    return image


def _register(ec2: Ec2, request: dict[str, Any]) -> LocalImage:
    """RegisterImage of a bundle; from snapshots is nothing that Kiln does (billing codes are
    lost)."""
    location = request["ImageLocation"]
    if not location or ec2.read_bundle is None:
        raise EC2ClientError(
            "InvalidRequest", "The local AWS registers images by the location of a manifest only"
        )
    check_name(ec2.backend, request["Name"])
    bundle, tar = ec2.read_bundle(location)
    image = LocalImage(
        ec2.backend,
        random_ami_id(),
        name=request["Name"],
        description=request["Description"] or "",
        state="pending",
        virtualization_type=request["VirtualizationType"] or "paravirtual",
        architecture=bundle.architecture,
        image_location=location,
        root_device_type="instance-store",
        root_device_name="/dev/sda1",
    )
    image.boot_mode, image.ena_support = None, str(request["EnaSupport"]).lower() == "true"
    image.creation_date = ec2.clock.now()
    # moto gives every image a snapshot; this one has none.
    ec2.backend.snapshots.pop(image.ebs_snapshot.id, None)
    for specification in request["TagSpecifications"] or ():
        if specification["ResourceType"] == "image":
            image.add_tags({tag["Key"]: tag["Value"] for tag in specification["Tags"]})
    ec2.backend.amis[image.id] = image
    ec2.room.image_from_tar(image.id, tar)
    _become_available(ec2, image)
    return image


def _check_create(backend: Any, instance: Any, name: str) -> None:
    if instance._state.name not in ("running", "stopped", "stopping"):
        raise EC2ClientError(
            "IncorrectState",
            f"Instance '{instance.id}' is not 'running', 'stopping' or 'stopped'.",
        )
    check_name(backend, name)


def check_name(backend: Any, name: str) -> None:
    """Raise as EC2 does for a name that another image of the account has here."""
    own = (ami for ami in list(backend.amis.values()) if ami.owner_id == backend.account_id)
    taken = next((ami for ami in own if ami.name == name), None)
    if taken:
        raise EC2ClientError(
            "InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {taken.id}"
        )


def _become_available(ec2: Ec2, image: LocalImage, whole_s: float = 0.0) -> None:
    tags = {tag["key"]: tag["value"] for tag in image.get_tags()}
    interval = ec2.recorder.begin(tags.get(_MANAGED, ""), "image")

    def finish() -> None:
        if image.id not in image.ec2_backend.amis or image.state != "pending":
            return
        image.ebs_snapshot.status = "completed"
        image.state = "available"
        ec2.recorder.end(interval)
        region = image.ec2_backend.region_name
        ec2.events.image_changed(image.id, "available", region=region)

    blocks_s = whole_s * ec2.latencies.draw("image-blocks")
    ec2.clock.after(ec2.latencies.draw("image-available") + blocks_s, finish)


def fail(ec2: Ec2, image: Any, reason: str) -> bool:
    """A fault on request: an image that is being made turns `failed`; False for another one."""
    if image.state != "pending":
        return False
    for snapshot in image_snapshots(image):
        snapshot.status = "error"
    image.state = "failed"
    image.state_reason = {"Code": "Client.InternalError", "Message": reason}
    ec2.events.image_changed(image.id, "failed", reason, image.ec2_backend.region_name)
    return True


def _deregister(
    ec2: Ec2, backend: Any, image_id: str, also_snapshots: bool
) -> list[dict[str, str]]:
    image = image_of(backend, image_id)
    backend.amis.pop(image_id)
    backend.deleted_amis.append(image_id)
    ec2.room.forget_image(image_id)
    ec2.events.image_changed(image_id, "deregistered", region=backend.region_name)
    if not also_snapshots:
        return []
    names = [snapshot.id for snapshot in image_snapshots(image)]
    gone = [name for name in names if backend.snapshots.pop(name, None)]
    for name in gone:
        ec2.room.linux.disks.forget(name)
    return [{"SnapshotId": name, "ReturnCode": "success"} for name in gone]


def image_snapshots(image: Any) -> list[Any]:
    """All snapshots of an image, of its root and of the volumes beside it."""
    return [image.ebs_snapshot, *(snapshot for _, snapshot in image.beside)]
