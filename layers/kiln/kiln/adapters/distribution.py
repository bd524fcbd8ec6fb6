"""EC2's ways to hand an image on: copies, permissions, launch templates, fast launch and restore;
in any Region, and in accounts whose role Kiln may assume."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from kiln.adapters._ec2 import pages, tag_list
from kiln.adapters._errors import translated
from kiln.adapters.images import Ec2Images
from kiln.adapters.parameters import SsmParameters, SsmPointers
from kiln.adapters.shelf import Ec2Shelf
from kiln.adapters.uses import AwsUses
from kiln.errors import AwsBusy, AwsRefused
from kiln.ports import CopyOrder, Place, Sharing

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_sts import STSClient

    from kiln.domain.distribution import FastLaunch, TemplateTarget

# How a client is made: service, Region, credentials (the session's own where there are none).
Clients = Callable[[str, str, dict[str, str]], Any]
_SESSION = "kiln-distribution"
# DescribeFastLaunchImages, FastLaunchStateCode: what goes on, or is done.
_FAST = ("enabling", "enabled")


class Ec2Outlet:
    """`Outlet` on EC2."""

    def __init__(self, ec2: EC2Client) -> None:
        self._ec2 = ec2

    def copy(self, order: CopyOrder) -> str:
        """One CopyImage call in the Region that gets the copy. It is encrypted always, as EC2 makes
        no other of an encrypted snapshot; under the default key where none is named."""
        tags = tag_list(order.tags)
        request: dict[str, Any] = {
            "SourceImageId": order.image,
            "SourceRegion": order.source,
            "Name": order.name,
            "Description": order.description,
            "ClientToken": order.token,
            "Encrypted": True,
            "TagSpecifications": [
                {"ResourceType": "image", "Tags": tags},
                {"ResourceType": "snapshot", "Tags": tags},
            ],
        }
        if order.kms_key:
            request["KmsKeyId"] = order.kms_key
        try:
            with translated("ec2", "CopyImage"):
                return str(self._ec2.copy_image(**request)["ImageId"])
        except AwsRefused as error:
            # EC2's table of errors: "you might have too many snapshot copies in progress".
            if error.code == "ResourceLimitExceeded":
                raise AwsBusy(f"{error}; other copies are in progress") from error
            raise

    def share(self, image: str, sharing: Sharing) -> None:
        """ModifyImageAttribute: permissions that are there already are passed over."""
        added = [
            *({"UserId": account} for account in sharing.accounts),
            *({"OrganizationArn": arn} for arn in sharing.organizations),
            *({"OrganizationalUnitArn": arn} for arn in sharing.organizational_units),
        ]
        with translated("ec2", "ModifyImageAttribute"):
            self._ec2.modify_image_attribute(
                ImageId=image,
                Attribute="launchPermission",
                LaunchPermission={"Add": added},  # type: ignore[typeddict-item]
            )

    def share_snapshots(self, snapshots: Iterable[str], accounts: Iterable[str]) -> None:
        """ModifySnapshotAttribute, one call a snapshot."""
        added = list(accounts)
        for snapshot in snapshots:
            with translated("ec2", "ModifySnapshotAttribute"):
                self._ec2.modify_snapshot_attribute(
                    SnapshotId=snapshot,
                    Attribute="createVolumePermission",
                    OperationType="add",
                    UserIds=added,
                )

    def knows_template(self, template: TemplateTarget) -> bool:
        """DescribeLaunchTemplates of one."""
        key = "LaunchTemplateIds" if template.id else "LaunchTemplateNames"
        request: dict[str, Any] = {key: [template.label]}
        try:
            with translated("ec2", "DescribeLaunchTemplates"):
                return bool(self._ec2.describe_launch_templates(**request)["LaunchTemplates"])
        except AwsRefused as error:
            if error.code.startswith("InvalidLaunchTemplate"):
                return False
            raise

    def add_version(self, template: TemplateTarget, image: str, token: str) -> int:
        """CreateLaunchTemplateVersion from the latest one, unless some version has this image. What
        the former says of snapshots is left out by EC2 itself."""
        wanted = _named(template) | {"Filters": [{"Name": "image-id", "Values": [image]}]}
        for page in pages(self._ec2, "describe_launch_template_versions", wanted):
            for found in page["LaunchTemplateVersions"]:
                if found["LaunchTemplateData"].get("ImageId") == image:
                    return int(found["VersionNumber"])
        with translated("ec2", "CreateLaunchTemplateVersion"):
            answer = self._ec2.create_launch_template_version(
                **_named(template),
                SourceVersion="$Latest",
                VersionDescription=f"Kiln: {image}",
                LaunchTemplateData={"ImageId": image},
                ClientToken=token,
            )
        return int(answer["LaunchTemplateVersion"]["VersionNumber"])

    def make_default(self, template: TemplateTarget, version: int) -> None:
        """ModifyLaunchTemplate."""
        with translated("ec2", "ModifyLaunchTemplate"):
            self._ec2.modify_launch_template(**_named(template), DefaultVersion=str(version))

    def enable_fast_launch(self, image: str, wish: FastLaunch) -> None:
        """EnableFastLaunch, unless it is on or on its way: EC2 launches instances for each call."""
        with translated("ec2", "DescribeFastLaunchImages"):
            found = self._ec2.describe_fast_launch_images(ImageIds=[image])["FastLaunchImages"]
        if any(entry.get("State") in _FAST for entry in found):
            return
        request: dict[str, Any] = {"ImageId": image, "ResourceType": "snapshot"}
        if wish.target_resource_count:
            count = {"TargetResourceCount": wish.target_resource_count}
            request["SnapshotConfiguration"] = count
        if wish.max_parallel:
            request["MaxParallelLaunches"] = wish.max_parallel
        with translated("ec2", "EnableFastLaunch"):
            self._ec2.enable_fast_launch(**request)

    def enable_fast_restore(self, snapshots: Iterable[str], zones: Iterable[str]) -> None:
        """EnableFastSnapshotRestores answers what it could not do in its body."""
        with translated("ec2", "EnableFastSnapshotRestores"):
            answer = self._ec2.enable_fast_snapshot_restores(
                AvailabilityZones=list(zones), SourceSnapshotIds=list(snapshots)
            )
        for failed in answer.get("Unsuccessful", ()):
            for state in failed.get("FastSnapshotRestoreStateErrors", ()):
                error = state.get("Error", {})
                message = f"{failed.get('SnapshotId')} in {state.get('AvailabilityZone')}: "
                raise AwsRefused(
                    "ec2",
                    "EnableFastSnapshotRestores",
                    error.get("Code", "Unknown"),
                    message + error.get("Message", ""),
                )


def _named(template: TemplateTarget) -> dict[str, Any]:
    key = "LaunchTemplateId" if template.id else "LaunchTemplateName"
    return {key: template.label}


class AwsRegions:
    """`Regions` on AWS. `role` is the ARN of a role of another account with `{account}` in it;
    `sts` gives the client that assumes it."""

    def __init__(self, clients: Clients, sts: Callable[[], STSClient], own: str, role: str) -> None:
        self._clients = clients
        self._sts = sts
        self._own = own
        self._role = role
        self._places: dict[str, Place] = {}

    def at(self, region: str, account: str | None = None) -> Place:
        """A Region, its clients made on first use. Credentials of a role are asked for anew each
        time: a function that stays warm outlives them."""
        if account:
            return self._place(region, self._credentials(account))
        if region not in self._places:
            self._places[region] = self._place(region, {})
        return self._places[region]

    def _place(self, region: str, credentials: dict[str, str]) -> Place:
        ec2 = self._clients("ec2", region, credentials)
        ssm = self._clients("ssm", region, credentials)
        autoscaling = partial(self._clients, "autoscaling", region, credentials)
        uses = AwsUses(ec2, autoscaling, SsmPointers(ssm))
        return Place(Ec2Images(ec2), SsmParameters(ssm), Ec2Outlet(ec2), uses, Ec2Shelf(ec2))

    def _credentials(self, account: str) -> dict[str, str]:
        role = self._role.format(account=account)
        with translated("sts", "AssumeRole"):
            answer = self._sts().assume_role(RoleArn=role, RoleSessionName=_SESSION)
        given = answer["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def enabled(self) -> frozenset[str]:
        """DescribeRegions lists those that are enabled, unless it is asked for all."""
        with translated("ec2", "DescribeRegions"):
            found = self._clients("ec2", self._own, {}).describe_regions()["Regions"]
        return frozenset(region["RegionName"] for region in found)
