"""EC2's launch templates and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import translated
from kiln.domain.group import ALIAS, VersionFacts
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from kiln.ports import VersionOrder

# EC2 API, error codes: a template or a version that is not there.
_NOT_FOUND = (
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidLaunchTemplateName.NotFoundException",
)


class Ec2Templates:
    """The part of `Groups` that is EC2's."""

    def __init__(self, ec2: EC2Client) -> None:
        self._ec2 = ec2

    def version(self, template: str, version: str) -> VersionFacts | None:
        """One version, its image resolved where a parameter names it."""
        row = self._one(template, version, False)
        if row is None:
            return None
        data = row["LaunchTemplateData"]
        image = data.get("ImageId", "")
        resolved = image
        if image.startswith(ALIAS):
            again = self._one(template, str(row["VersionNumber"]), True) or row
            resolved = again["LaunchTemplateData"].get("ImageId", "")
        return VersionFacts(
            template=template,
            number=row["VersionNumber"],
            image=image,
            resolved=resolved,
            instance_type=data.get("InstanceType"),
        )

    def _one(self, template: str, version: str, resolve: bool) -> Any:
        try:
            with translated("ec2", "DescribeLaunchTemplateVersions"):
                found = self._ec2.describe_launch_template_versions(
                    LaunchTemplateId=template, Versions=[version], ResolveAlias=resolve
                )
        except AwsRefused as error:
            if error.code in _NOT_FOUND:
                return None
            raise
        return next(iter(found["LaunchTemplateVersions"]), None)

    def add(self, order: VersionOrder) -> int:
        """A new version; its number. Looked for by its label first: a token is forgotten after a
        while, a label is not."""
        known = self.labelled(order.template, order.label)
        if known is not None:
            return known
        with translated("ec2", "CreateLaunchTemplateVersion"):
            made = self._ec2.create_launch_template_version(
                LaunchTemplateId=order.template,
                SourceVersion=str(order.source),
                VersionDescription=order.label,
                LaunchTemplateData={"ImageId": order.image},
                ClientToken=order.token,
            )
        return made["LaunchTemplateVersion"]["VersionNumber"]

    def labelled(self, template: str, label: str) -> int | None:
        """The number of the version with this label, None where there is none."""
        with translated("ec2", "DescribeLaunchTemplateVersions"):
            pages = self._ec2.get_paginator("describe_launch_template_versions").paginate(
                LaunchTemplateId=template, PaginationConfig={"PageSize": 200}
            )
            for page in pages:
                for row in page["LaunchTemplateVersions"]:
                    if row.get("VersionDescription") == label:
                        return row["VersionNumber"]
        return None

    def delete(self, template: str, number: int) -> None:
        """Delete a version; AwsRefused where EC2 keeps it."""
        with translated("ec2", "DeleteLaunchTemplateVersions"):
            answer = self._ec2.delete_launch_template_versions(
                LaunchTemplateId=template, Versions=[str(number)]
            )
        for kept in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]:
            why = kept.get("ResponseError", {})
            if "DoesNotExist" not in why.get("Code", ""):
                code, said = why.get("Code", "Unknown"), why.get("Message", "")
                raise AwsRefused("ec2", "DeleteLaunchTemplateVersions", code, said)
