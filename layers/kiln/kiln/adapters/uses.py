"""What uses images in one Region, as EC2, Auto Scaling and Systems Manager tell it.

EC2's own DescribeImageReferences is not asked: it knows no Auto Scaling group, no launch
configuration, no fleet and no override, and of a launch template not which version it found
(docs/decisions/0021-life-of-an-image.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kiln.adapters._ec2 import pages, tags_of
from kiln.adapters._errors import translated
from kiln.domain.group import ALIAS
from kiln.domain.naming import TAG_LAYER
from kiln.domain.uses import Kind, Use
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client

    from kiln.adapters.parameters import SsmPointers

# Every state in which an instance has not gone for good: a stopped one starts from its own root,
# but what it was made from is what it is replaced by.
_ALIVE = ["pending", "running", "shutting-down", "stopping", "stopped"]
_MOST_VALUES = 200
# A fleet in any other state launches nothing any more (EC2 API, FleetStateCode, BatchState).
_FLEETS = ("submitted", "active", "modifying")
# Instance refreshes that have ended (Auto Scaling API, InstanceRefresh, Status).
_ENDED = ("Successful", "Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful")
_NO_VERSION = (
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidLaunchTemplateName.NotFoundException",
)


@dataclass(frozen=True)
class _Named:
    """An image as somebody names it: an id, or `resolve:ssm:` and a parameter."""

    kind: Kind
    name: str
    image: str
    detail: str = ""


@dataclass(frozen=True)
class _Pin:
    """A version of a launch template that a group or a fleet names: a number, `$Latest`,
    `$Default`, or nothing, which means `$Default`."""

    kind: Kind
    name: str
    template: str
    version: str


class AwsUses:
    """`Uses` on AWS. The client of Auto Scaling is made when it is first needed: most of those who
    have business with a Region never ask what uses an image."""

    def __init__(
        self, ec2: EC2Client, autoscaling: Callable[[], AutoScalingClient], pointers: SsmPointers
    ) -> None:
        self._ec2 = ec2
        self._make = autoscaling
        self._pointers = pointers

    @cached_property
    def _autoscaling(self) -> AutoScalingClient:
        return self._make()

    def of(self, images: Iterable[str]) -> tuple[Use, ...]:
        """Instances are asked for by their images; all others are few, and are read whole."""
        wanted = list(dict.fromkeys(images))
        if not wanted:
            return ()
        said = [*self._groups(), *self._fleets(), *self._spot_fleets()]
        pins = {pin for pin in said if isinstance(pin, _Pin)}
        named = [name for name in said if isinstance(name, _Named)]
        named += [*self._configurations(), *self._templates(pins)]
        found = [*self._instances(wanted), *self._resolved(named), *self._parameters()]
        return tuple(use for use in found if use.image in set(wanted))

    # ------------------------------------------------------------ instances

    def _instances(self, images: list[str]) -> Iterator[Use]:
        for at in range(0, len(images), _MOST_VALUES):
            filters = [
                {"Name": "image-id", "Values": images[at : at + _MOST_VALUES]},
                {"Name": "instance-state-name", "Values": _ALIVE},
            ]
            for page in pages(self._ec2, "describe_instances", {"Filters": filters}):
                for reservation in page["Reservations"]:
                    yield from map(_instance, reservation["Instances"])

    # ------------------------------------------------------------ launch templates

    def _templates(self, pins: Iterable[_Pin]) -> Iterator[_Named]:
        """The default and the latest version of every launch template, which launches that name no
        number use, and what groups and fleets name. The other versions are history."""
        followed = dict(self._followed())
        for which, row in followed.items():
            if which[0].startswith("lt-"):
                yield _version(
                    "launch-template", row["LaunchTemplateId"], row, which[1][1:].lower()
                )
        for pin in sorted(pins, key=lambda pin: (pin.kind, pin.name, pin.template, pin.version)):
            which = pin.template, pin.version or "$Default"
            row = followed.get(which) if which[1].startswith("$") else self._one(*which)
            if row:
                yield _version(pin.kind, pin.name, row, row["LaunchTemplateId"])

    def _followed(self) -> Iterator[tuple[tuple[str, str], Any]]:
        """Rows by the template's id, and by its name, and `$Default` or `$Latest`."""
        request = {"Versions": ["$Latest", "$Default"]}
        answer = pages(self._ec2, "describe_launch_template_versions", request)
        rows = [row for page in answer for row in page["LaunchTemplateVersions"]]
        for row in sorted(rows, key=lambda row: row["VersionNumber"]):
            for template in (row["LaunchTemplateId"], row["LaunchTemplateName"]):
                # One that is both comes once; of two the higher number, which is last here, is the
                # latest.
                yield (template, "$Latest"), row
                if row.get("DefaultVersion"):
                    yield (template, "$Default"), row

    def _one(self, template: str, version: str) -> Any:
        """A version by its number; None where it is not there: who names it launches nothing."""
        key = "LaunchTemplateId" if template.startswith("lt-") else "LaunchTemplateName"
        request: dict[str, Any] = {key: template, "Versions": [version]}
        try:
            with translated("ec2", "DescribeLaunchTemplateVersions"):
                found = self._ec2.describe_launch_template_versions(**request)
        except AwsRefused as error:
            if error.code in _NO_VERSION:
                return None
            raise
        return next(iter(found["LaunchTemplateVersions"]), None)

    # ------------------------------------------------------------ groups and fleets

    def _groups(self) -> Iterator[_Named | _Pin]:
        with translated("autoscaling", "DescribeAutoScalingGroups"):
            answer = self._autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
                PaginationConfig={"PageSize": 100}
            )
            rows = [row for page in answer for row in page["AutoScalingGroups"]]
        for row in rows:
            settings = [row, *self._refreshes(row["AutoScalingGroupName"])]
            for setting in settings:
                yield from _launches(row["AutoScalingGroupName"], setting)

    def _refreshes(self, group: str) -> list[Any]:
        """What refreshes that go on lead a group to; it is set so once they have succeeded."""
        with translated("autoscaling", "DescribeInstanceRefreshes"):
            found = self._autoscaling.describe_instance_refreshes(AutoScalingGroupName=group)
        going = (row for row in found["InstanceRefreshes"] if row["Status"] not in _ENDED)
        return [row.get("DesiredConfiguration", {}) for row in going]

    def _configurations(self) -> Iterator[_Named]:
        with translated("autoscaling", "DescribeLaunchConfigurations"):
            answer = self._autoscaling.get_paginator("describe_launch_configurations").paginate(
                PaginationConfig={"PageSize": 100}
            )
            rows = [row for page in answer for row in page["LaunchConfigurations"]]
        for row in rows:
            name = row["LaunchConfigurationName"]
            yield _Named("launch-configuration", name, row.get("ImageId", ""))

    def _fleets(self) -> Iterator[_Named | _Pin]:
        for page in pages(self._ec2, "describe_fleets", {}):
            for row in page["Fleets"]:
                if row.get("FleetState") in _FLEETS:
                    configs = row.get("LaunchTemplateConfigs", ())
                    yield from _configured(row["FleetId"], configs, ())

    def _spot_fleets(self) -> Iterator[_Named | _Pin]:
        for page in pages(self._ec2, "describe_spot_fleet_requests", {}):
            for row in page["SpotFleetRequestConfigs"]:
                if row.get("SpotFleetRequestState") in _FLEETS:
                    config = row["SpotFleetRequestConfig"]
                    templates = config.get("LaunchTemplateConfigs", ())
                    plain = config.get("LaunchSpecifications", ())
                    yield from _configured(row["SpotFleetRequestId"], templates, plain)

    # ------------------------------------------------------------ parameters

    def _resolved(self, named: list[_Named]) -> Iterator[Use]:
        aliases = {n.image.removeprefix(ALIAS) for n in named if n.image.startswith(ALIAS)}
        values = self._pointers.values(aliases)
        for one in named:
            name = one.image.removeprefix(ALIAS)
            image = values.get(name, "") if one.image.startswith(ALIAS) else one.image
            detail = one.detail + (f", by parameter {name}" if image != one.image else "")
            yield Use(kind=one.kind, name=one.name, image=image, detail=detail.lstrip(", "))

    def _parameters(self) -> Iterator[Use]:
        for name, image in self._pointers.every().items():
            yield Use(kind="parameter", name=name, image=image)


def _version(kind: Kind, name: str, row: Any, detail: str) -> _Named:
    image = row["LaunchTemplateData"].get("ImageId", "")
    return _Named(kind, name, image, f"{detail} version {row['VersionNumber']}")


def _instance(row: Any) -> Use:
    tags = tags_of(row)
    return Use(
        kind="instance",
        name=row["InstanceId"],
        image=row["ImageId"],
        detail=row["State"]["Name"],
        layer=tags.get(TAG_LAYER, ""),
        hostname=tags.get("Name", ""),
    )


def _launches(group: str, setting: Any) -> Iterator[_Named | _Pin]:
    """The versions and images that a setting of a group names: its own, or that of a refresh."""
    policy = setting.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    uses = [setting.get("LaunchTemplate"), policy.get("LaunchTemplateSpecification")]
    for override in policy.get("Overrides", ()):
        uses.append(override.get("LaunchTemplateSpecification"))
        if override.get("ImageId"):
            yield _Named("autoscaling-group", group, override["ImageId"], "an override")
    yield from _pins("autoscaling-group", group, uses)


def _configured(
    fleet: str, configs: Iterable[Any], plain: Iterable[Any]
) -> Iterator[_Named | _Pin]:
    """The versions and images that a fleet names."""
    for config in configs:
        yield from _pins("fleet", fleet, [config.get("LaunchTemplateSpecification")])
        for override in config.get("Overrides", ()):
            if override.get("ImageId"):
                yield _Named("fleet", fleet, override["ImageId"], "an override")
    for specification in plain:
        if specification.get("ImageId"):
            yield _Named("fleet", fleet, specification["ImageId"])


def _pins(kind: Kind, name: str, uses: Iterable[Any]) -> Iterator[_Pin]:
    for use in uses:
        if use:
            template = use.get("LaunchTemplateId") or use["LaunchTemplateName"]
            yield _Pin(kind, name, template, str(use.get("Version") or ""))
