"""EC2's images out of use: disabled, enabled again, last launched, and the sizes of snapshots."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from kiln.adapters._ec2 import by_tag, pages
from kiln.adapters._errors import translated
from kiln.adapters.images import image_of
from kiln.domain.naming import TAG_MANAGED
from kiln.ports import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_ec2 import EC2Client

    from kiln.domain.image import ImageFacts

# A filter of a Describe call takes 200 values (EC2 API reference).
_MOST_VALUES = 200
_GIB = 2**30


class Ec2Shelf:
    """`Shelf` on EC2."""

    def __init__(self, ec2: EC2Client) -> None:
        self._ec2 = ec2

    def managed(self) -> tuple[ImageFacts, ...]:
        """DescribeImages leaves out what is disabled unless it is asked for it."""
        request = {
            "Owners": ["self"],
            "Filters": by_tag(TAG_MANAGED, "true"),
            "IncludeDeprecated": True,
            "IncludeDisabled": True,
        }
        found = pages(self._ec2, "describe_images", request)
        return tuple(image_of(row) for page in found for row in page["Images"])

    def disable(self, image: str) -> None:
        """DisableImage."""
        with translated("ec2", "DisableImage"):
            self._ec2.disable_image(ImageId=image)

    def enable(self, image: str) -> None:
        """EnableImage."""
        with translated("ec2", "EnableImage"):
            self._ec2.enable_image(ImageId=image)

    def launched(self, image: str) -> datetime | None:
        """The attribute lastLaunchedTime; there is none of an image that nobody launched."""
        value = self._attribute(image, "lastLaunchedTime").get("LastLaunchedTime", {}).get("Value")
        return datetime.fromisoformat(value.replace("Z", "+00:00")) if value else None

    def reach(self, image: str) -> Reach:
        """The attribute launchPermission."""
        rows = self._attribute(image, "launchPermission").get("LaunchPermissions", ())
        return Reach(
            accounts=_values(rows, "UserId"),
            organizations=_values(rows, "OrganizationArn"),
            organizational_units=_values(rows, "OrganizationalUnitArn"),
            public="all" in _values(rows, "Group"),
        )

    def _attribute(self, image: str, name: str) -> Any:
        with translated("ec2", "DescribeImageAttribute"):
            return self._ec2.describe_image_attribute(ImageId=image, Attribute=name)  # type: ignore[arg-type]

    def sizes(self, snapshots: Iterable[str]) -> dict[str, int]:
        """FullSnapshotSizeInBytes where EC2 says it, else the size of the volume, which is never
        less."""
        wanted = list(snapshots)
        parts = [wanted[at : at + _MOST_VALUES] for at in range(0, len(wanted), _MOST_VALUES)]
        return {
            row["SnapshotId"]: row.get("FullSnapshotSizeInBytes") or row["VolumeSize"] * _GIB
            for part in parts
            for page in pages(self._ec2, "describe_snapshots", _by_id(part))
            for row in page["Snapshots"]
        }


def _by_id(snapshots: list[str]) -> dict[str, Any]:
    # A filter, unlike a list of ids, does not fail on one that is gone.
    return {"OwnerIds": ["self"], "Filters": [{"Name": "snapshot-id", "Values": snapshots}]}


def _values(rows: Iterable[Any], key: str) -> tuple[str, ...]:
    return tuple(row[key] for row in rows if key in row)
