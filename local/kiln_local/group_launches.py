"""What an Auto Scaling group launches, and its members as Auto Scaling tells them.

A configuration is either `{"LaunchTemplate": ...}` or `{"MixedInstancesPolicy": ...}`, in the
shapes of Auto Scaling's API (DesiredConfiguration). Of a mixed policy the first override is
launched, on demand: the allocation strategy `prioritized` with capacity for everything.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import ASG_NAME_TAG, InstanceState
from moto.core.exceptions import ServiceException
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion

from kiln_local.templates import Templates

Configuration = dict[str, Any]
MOVING = frozenset({"Terminating", "Terminating:Wait", "Terminating:Proceed", "Terminated"})


@dataclass(frozen=True)
class Source:
    """What one instance is launched from: image, type and, unless from a launch configuration, the
    version of a template."""

    image: str
    instance_type: str
    version: LaunchTemplateVersion | None = None

    @property
    def template(self) -> dict[str, str] | None:
        """As Auto Scaling tells it of an instance: the version always by its number."""
        if self.version is None:
            return None
        template = self.version.template
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "Version": str(self.version.number),
        }


class Member(InstanceState):  # type: ignore[misc]
    """An instance of a group. `since_s` is when it entered its lifecycle state, `fresh` names the
    refresh that launched it."""

    def __init__(self, instance: Any, group: Any, source: Source, fresh: str = "") -> None:
        protected = group.new_instances_protected_from_scale_in
        super().__init__(instance, "Pending", "Healthy", protected, group)
        self.source = source
        self.fresh = fresh
        self.since_s = 0.0

    @property
    def launch_template(self) -> dict[str, str] | None:
        """The template and version that it was launched from."""
        return self.source.template

    @property
    def leaving(self) -> bool:
        """Whether it is on its way out."""
        return self.lifecycle_state in MOVING

    @property
    def serving(self) -> bool:
        """Whether it is InService."""
        return bool(self.lifecycle_state == "InService")


def configuration_of(group: Any) -> Configuration:
    """What a group is set to; nothing for a launch configuration."""
    if group.mixed_instances_policy:
        return {"MixedInstancesPolicy": copy.deepcopy(group.mixed_instances_policy)}
    if group.ec2_launch_template is None:
        return {}
    found = {"LaunchTemplateId": group.ec2_launch_template.id}
    version = group.provided_launch_template_version
    return {"LaunchTemplate": found | ({"Version": version} if version else {})}


def specification(configuration: Configuration) -> dict[str, Any]:
    """Its LaunchTemplateSpecification."""
    policy = configuration.get("MixedInstancesPolicy")
    found = policy["LaunchTemplate"] if policy else configuration
    key = "LaunchTemplateSpecification" if policy else "LaunchTemplate"
    return dict(found.get(key) or {})


def source_of(group: Any, configuration: Configuration, templates: Templates) -> Source:
    """What the next instance is launched from. ValidationError where that cannot be."""
    if not configuration:
        return Source(group.launch_config.image_id, group.launch_config.instance_type)
    override = _override(configuration)
    own = override.get("LaunchTemplateSpecification")
    version = version_of(group.ec2_backend, own or specification(configuration))
    kind = override.get("InstanceType") or version.data.get("InstanceType")
    if not kind:
        raise ValidationError("The launch template has no instance type and the group names none")
    try:
        image = override.get("ImageId") or templates.image_of(version)
    except ServiceException as error:
        raise ValidationError(
            f"You must use a valid fully-formed launch template. {error}"
        ) from error
    if not image:
        raise ValidationError("You must use a valid fully-formed launch template. It has no image")
    return Source(str(image), str(kind), version)


def _override(configuration: Configuration) -> dict[str, Any]:
    policy = configuration.get("MixedInstancesPolicy")
    found = (policy["LaunchTemplate"].get("Overrides") or [{}]) if policy else [{}]
    for key in ("WeightedCapacity", "InstanceRequirements"):
        if any(key in override for override in found):
            raise ValidationError(f"The local AWS does not understand {key}")
    return dict(found[0])


def version_of(backend: Any, wanted: dict[str, Any]) -> LaunchTemplateVersion:
    try:
        template: LaunchTemplate = (
            backend.get_launch_template(wanted["LaunchTemplateId"])
            if wanted.get("LaunchTemplateId")
            else backend.get_launch_template_by_name(wanted.get("LaunchTemplateName"))
        )
        return template.get_version(wanted.get("Version") or "$Default")
    except ServiceException as error:
        raise ValidationError(
            f"You must use a valid fully-formed launch template. {error}"
        ) from error


def run(group: Any, source: Source) -> Any:
    """Launch one instance for a group; EC2's own errors pass."""
    tags = group.get_propagated_tags() | {ASG_NAME_TAG: group.name}
    subnets = (group.vpc_zone_identifier or "").split(",")
    data = source.version.data if source.version else {}
    mappings = data.get("BlockDeviceMappings")
    given: dict[str, Any] = {"block_device_mappings": mappings} if mappings else {}
    reservation = group.ec2_backend.run_instances(
        source.image,
        1,
        data.get("UserData") if source.version else group.user_data,
        data.get("SecurityGroups") or [],
        instance_type=source.instance_type,
        tags={"instance": tags},
        placement=None if subnets[0] else group.availability_zones[0],
        launch_template=source.template
        and {key: source.template[key] for key in ("LaunchTemplateId", "Version")},
        is_instance_type_default=False,
        # Spread over the subnets, the emptiest first.
        subnet_id=_emptiest(group, subnets) if subnets[0] else None,
        key_name=data.get("KeyName"),
        **given,
    )
    return reservation.instances[0]


def _emptiest(group: Any, subnets: list[str]) -> str:
    used = [member.instance.subnet_id for member in group.instance_states if not member.leaving]
    return min(subnets, key=lambda subnet: (used.count(subnet), subnets.index(subnet)))
