"""Who may use an image and its snapshots, in this account and in others, and what makes launches of
it faster. moto asks nobody's leave: it shares what EC2 does not, and shows nobody what is shared.

Codes and words: EC2 API; those for keys as users of Packer have met them (hashicorp/packer issues
7410 and 7499).
"""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import AmiBackend
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.iam.models import iam_backends
from moto.sts.exceptions import STSClientError
from moto.sts.models import STSBackend

from kiln_local.ec2 import Ec2
from kiln_local.images import image_of, image_snapshots
from kiln_local.patches import Patches

_Row = dict[str, Any]
# EnableFastLaunch: "Value must be 6 or greater".
_FEWEST_LAUNCHES = 6


def connect(patches: Patches, ec2: Ec2) -> None:
    """Patch moto's images, snapshots and roles."""
    _share_images(patches)
    _share_snapshots(patches)
    _show_shared(patches)
    _roles_exist(patches)
    Faster(ec2).connect(patches)


def _has_default_key(snapshot: Any) -> bool:
    key, backend = snapshot.kms_key_id or "", snapshot.ec2_backend
    return snapshot.encrypted and (
        not key or "alias/aws/" in key or key == backend.default_kms_key_id
    )


def _share_images(patches: Patches) -> None:
    modify = AmisResponse.modify_image_attribute

    def modify_image_attribute(self: AmisResponse) -> Any:
        image = image_of(self.ec2_backend, self._get_param("ImageId"))
        added = self._get_param("LaunchPermission", {}).get("Add", [])
        for permission in added:
            _check_arns(permission)
        stored = image_snapshots(image) if image.root_device_type == "ebs" else []
        if added and any(map(_has_default_key, stored)):
            raise EC2ClientError(
                "InvalidParameter",
                "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify another "
                "snapshot",
            )
        return modify(self)

    patches.set(AmisResponse, "modify_image_attribute", modify_image_attribute)


def _check_arns(permission: dict[str, str]) -> None:
    for key, what in (("OrganizationArn", "organization/"), ("OrganizationalUnitArn", "ou/")):
        arn = permission.get(key)
        if arn and f":organizations::{arn.split(':')[4]}:{what}" not in arn:
            raise EC2ClientError(
                "InvalidParameterValue", f"Value ({arn}) for parameter {key} is invalid."
            )


def _share_snapshots(patches: Patches) -> None:
    modify = ElasticBlockStore.modify_snapshot_attribute

    def modify_snapshot_attribute(self: ElasticBlockStore) -> Any:
        snapshot = self.ec2_backend.get_snapshot(self._get_param("SnapshotId"))
        if _has_default_key(snapshot):
            raise EC2ClientError(
                "OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared"
            )
        return modify(self)

    patches.set(ElasticBlockStore, "modify_snapshot_attribute", modify_snapshot_attribute)


def _show_shared(patches: Patches) -> None:
    """An account sees an image that another one shares with it, without the owner's tags (EC2 User
    Guide, "Share an AMI with specific AWS accounts"). Which accounts an organization has is not
    known here."""
    describe = AmiBackend.describe_images

    def describe_images(self: Any, ami_ids: Any = None, *args: Any, **kwargs: Any) -> list[Any]:
        wanted = list(ami_ids or ())
        shared = {i.id: i for i in _shared_with(self) if i.id in wanted and i.id not in self.amis}
        rest = [name for name in wanted if name not in shared]
        found = describe(self, rest, *args, **kwargs) if rest or not wanted else []
        return [*found, *shared.values()]

    patches.set(AmiBackend, "describe_images", describe_images)


def _shared_with(backend: Any) -> list[Any]:
    permission = {"UserId": backend.account_id}
    found = []
    for account in list(ec2_backends):
        other = ec2_backends[account]
        if account == backend.account_id or backend.region_name not in other:
            continue
        for image in other[backend.region_name].amis.values():
            if permission in image.launch_permissions:
                seen = copy.copy(image)
                seen.ec2_backend = backend
                found.append(seen)
    return found


def _roles_exist(patches: Patches) -> None:
    """A role that another account has not made cannot be assumed; moto lends it all the same."""
    assume = STSBackend.assume_role

    def assume_role(self: Any, *args: Any, **asked: Any) -> Any:
        arn = asked["role_arn"]
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        roles = iam_backends[account][self.partition].roles.values()
        if account != self.account_id and all(role.name != name for role in roles):
            raise STSClientError(
                "AccessDenied",
                f"User: arn:{self.partition}:sts::{self.account_id}:assumed-role/local is not "
                f"authorized to perform: sts:AssumeRole on resource: {arn}",
            )
        return assume(self, *args, **asked)

    patches.set(STSBackend, "assume_role", assume_role)


class Faster:
    """Fast launch of Windows, fast restore of snapshots: asked for, then on, which takes time."""

    def __init__(self, ec2: Ec2) -> None:
        self._ec2 = ec2
        self._launches: dict[str, _Row] = {}
        self._restores: dict[tuple[str, str], _Row] = {}

    def connect(self, patches: Patches) -> None:
        """Add the calls that moto does not have."""
        enable, tell, restore, told = (
            *(self._enable, self._launching),
            *(self._restore, self._restoring),
        )
        patches.set(AmisResponse, "enable_fast_launch", lambda r: ActionResult(enable(r)))
        patches.set(AmisResponse, "describe_fast_launch_images", lambda r: ActionResult(tell(r)))
        name = "enable_fast_snapshot_restores"
        patches.set(ElasticBlockStore, name, lambda r: ActionResult(restore(r)))
        name = "describe_fast_snapshot_restores"
        patches.set(ElasticBlockStore, name, lambda r: ActionResult(told(r)))

    def _enable(self, response: Any) -> _Row:
        image = image_of(response.ec2_backend, response._get_param("ImageId"))
        parallel = int(response._get_param("MaxParallelLaunches") or _FEWEST_LAUNCHES)
        if image.platform != "windows" or parallel < _FEWEST_LAUNCHES:
            raise EC2ClientError(
                "InvalidParameter",
                f"Fast launch is for images of Windows, {_FEWEST_LAUNCHES} launches at a time or "
                f"more; {image.id} with {parallel} is refused.",
            )
        wanted = response._get_param("SnapshotConfiguration") or {}
        row = {
            "ImageId": image.id,
            "ResourceType": "snapshot",
            "SnapshotConfiguration": {
                "TargetResourceCount": int(wanted.get("TargetResourceCount") or 5)
            },
            "MaxParallelLaunches": parallel,
            "OwnerId": image.owner_id,
            "State": "enabling",
        }
        self._launches[image.id] = row
        self._later("fast-launch-enabled", row)
        return row

    def _launching(self, response: Any) -> _Row:
        wanted = response._get_param("ImageIds", [])
        found = [row for name, row in self._launches.items() if not wanted or name in wanted]
        return {"FastLaunchImages": found}

    def _restore(self, response: Any) -> _Row:
        zones = response._get_param("AvailabilityZones", [])
        known = {zone.name for zone in response.ec2_backend.describe_availability_zones()}
        if set(zones) - known:
            raise EC2ClientError(
                "InvalidParameterValue",
                f"Invalid availability zone: {', '.join(sorted(set(zones) - known))}",
            )
        rows = []
        for name in response._get_param("SourceSnapshotIds", []):
            snapshot = response.ec2_backend.get_snapshot(name)
            for zone in zones:
                row = {"SnapshotId": snapshot.id, "AvailabilityZone": zone, "State": "enabling"}
                rows.append(self._restores.setdefault((name, zone), row))
                self._later("fast-restore-enabled", row)
        return {"Successful": rows, "Unsuccessful": []}

    def _restoring(self, response: Any) -> _Row:
        known = response.ec2_backend.snapshots
        rows = [row for (name, _), row in self._restores.items() if name in known]
        return {"FastSnapshotRestores": rows}

    def _later(self, latency: str, row: _Row) -> None:
        self._ec2.clock.after(
            self._ec2.latencies.draw(latency), lambda: row.update(State="enabled")
        )
