"""EC2's images out of use: disabled, enabled again, last launched, and what still needs a snapshot.

moto changes the state of an image and nothing else. EC2 takes its permissions away, hides it, and
shares it with nobody until it is enabled (EC2 User Guide, "Disable an Amazon EC2 AMI"); it tells of
a launch a day later (EC2 API, DescribeImageAttribute). Codes: EC2 API, "Error codes for the Amazon
EC2 API" (InvalidAMIID.Unavailable: in no state to launch from or to change; InvalidSnapshot.InUse).
That an image in the wrong state is refused with the first of them by DisableImage and EnableImage
too, and a date in the past with InvalidParameterValue, is assumed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidSnapshotInUse
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.responses.amis import AmisResponse

from kiln_local.ec2 import Ec2
from kiln_local.images import image_of, image_snapshots
from kiln_local.patches import Patches

# EC2 API, DescribeImageAttribute, LastLaunchedTime: "there is a 24-hour delay".
_TOLD_AFTER = timedelta(hours=24)


def connect(patches: Patches, ec2: Ec2) -> None:
    """Patch moto's images and snapshots."""
    patches.set(AmisResponse, "disable_image", _becoming(ec2, "available", "disabled"))
    patches.set(AmisResponse, "enable_image", _becoming(ec2, "disabled", "available"))
    _tell_launches(patches, ec2)
    _hide_disabled(patches)
    _share_nothing_disabled(patches)
    _refuse_past_dates(patches, ec2)
    _keep_snapshots(patches)


def _becoming(ec2: Ec2, before: str, after: str) -> Any:
    def change(self: AmisResponse) -> ActionResult:
        self.error_on_dryrun()
        image = image_of(self.ec2_backend, self._get_param("ImageId"))
        if image.state not in (before, after):
            raise _unavailable(image)
        if image.state == before:
            image.state = after
            image.launch_permissions = []
            ec2.events.image_changed(image.id, after, region=image.ec2_backend.region_name)
        return ActionResult({"Return": True})

    return change


def _unavailable(image: Any) -> EC2ClientError:
    return EC2ClientError("InvalidAMIID.Unavailable", f"The image ID '{image.id}' is {image.state}")


def _tell_launches(patches: Patches, ec2: Ec2) -> None:
    describe = AmisResponse.describe_image_attribute

    def describe_image_attribute(self: AmisResponse) -> ActionResult:
        image = image_of(self.ec2_backend, self._get_param("ImageId"))
        if self._get_param("Attribute") != "lastLaunchedTime":
            return describe(self)
        told = ec2.clock.now() - _TOLD_AFTER
        known = [at for at in getattr(image, "launches", ()) if at <= told]
        value = {"Value": f"{max(known):%Y-%m-%dT%H:%M:%SZ}"} if known else {}
        return ActionResult({"ImageId": image.id, "LastLaunchedTime": value})

    patches.set(AmisResponse, "describe_image_attribute", describe_image_attribute)


def _hide_disabled(patches: Patches) -> None:
    """DescribeImages shows what is disabled to who asks for it or names it."""
    every_image = AmisResponse.describe_images

    def describe_images(self: AmisResponse) -> ActionResult:
        found = every_image(self).result["Images"]
        asked = self._get_param("ImageIds", []) or self._get_param("IncludeDisabled")
        return ActionResult({"Images": [i for i in found if asked or i.state != "disabled"]})

    patches.set(AmisResponse, "describe_images", describe_images)


def _share_nothing_disabled(patches: Patches) -> None:
    modify = AmisResponse.modify_image_attribute

    def modify_image_attribute(self: AmisResponse) -> Any:
        image = image_of(self.ec2_backend, self._get_param("ImageId"))
        if image.state == "disabled":
            raise _unavailable(image)
        return modify(self)

    patches.set(AmisResponse, "modify_image_attribute", modify_image_attribute)


def _refuse_past_dates(patches: Patches, ec2: Ec2) -> None:
    enable = AmisResponse.enable_image_deprecation

    def enable_image_deprecation(self: AmisResponse) -> Any:
        at = self._get_param("DeprecateAt")
        if not isinstance(at, datetime):
            at = datetime.fromisoformat(str(at).replace("Z", "+00:00"))
        # moto reads the time that botocore writes in UTC without its zone.
        if at.replace(tzinfo=at.tzinfo or UTC) < ec2.clock.now():
            raise EC2ClientError(
                "InvalidParameterValue", f"DeprecateAt {at:%Y-%m-%dT%H:%M:%SZ} is in the past."
            )
        return enable(self)

    patches.set(AmisResponse, "enable_image_deprecation", enable_image_deprecation)


def _keep_snapshots(patches: Patches) -> None:
    """No snapshot goes while an image of the account needs it, a disabled one too."""
    delete = EBSBackend.delete_snapshot

    def delete_snapshot(self: Any, snapshot_id: str) -> Any:
        for image in list(self.amis.values()):
            stored = image_snapshots(image) if hasattr(image, "beside") else [image.ebs_snapshot]
            if any(snapshot.id == snapshot_id for snapshot in stored):
                raise InvalidSnapshotInUse(snapshot_id, image.id)
        return delete(self, snapshot_id)

    patches.set(EBSBackend, "delete_snapshot", delete_snapshot)
