"""An Auto Scaling group as a layer: what it launches, what Kiln can do to it, and what it cannot.

Facts: Auto Scaling API, AutoScalingGroup, LaunchTemplateSpecification, MixedInstancesPolicy; Auto
Scaling User Guide, "Undo changes with a manual or auto rollback".
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from kiln.domain.model import Model
from kiln.errors import InvalidBlueprint, Unsupported

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts

# EC2 User Guide, "Use a Systems Manager parameter instead of an AMI ID".
ALIAS = "resolve:ssm:"
# Without one of these a refresh stands still (Auto Scaling User Guide, "Suspend and resume
# processes").
_NEEDED = ("Launch", "Terminate", "InstanceRefresh")


class TemplateUse(Model):
    """A launch template as a group names it: `version` is a number, `$Latest`, `$Default`, or
    empty, which means `$Default`."""

    id: str
    version: str = ""

    @property
    def setting(self) -> str:
        """The version that is meant."""
        return self.version or "$Default"

    @property
    def pinned(self) -> bool:
        """Whether it is a number."""
        return not self.setting.startswith("$")


class GroupFacts(Model):
    """What DescribeAutoScalingGroups says of a group. `templates` are all that it names, the one
    that counts first; `policy` is its mixed instances policy as the API takes it; `types` are the
    instance types that the policy names; `held` are its instances that wait for a launch hook."""

    name: str
    size: int
    templates: tuple[TemplateUse, ...] = ()
    policy: dict[str, Any] | None = None
    launch_configuration: str | None = None
    types: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    tags: dict[str, str] = {}

    @property
    def template(self) -> TemplateUse:
        """The template that counts. Unsupported for a launch configuration."""
        if not self.templates:
            raise Unsupported(
                f"Auto Scaling group {self.name} launches from launch configuration "
                f"{self.launch_configuration}, which cannot be given another image; make a launch "
                "template of it and set the group to that"
            )
        return self.templates[0]


class VersionFacts(Model):
    """One version of a launch template. `image` is what it says, `resolved` the image that this
    stands for now."""

    template: str
    number: int
    image: str
    resolved: str
    instance_type: str | None = None

    @property
    def by_parameter(self) -> bool:
        """Whether its image is named by a parameter."""
        return self.image.startswith(ALIAS)


def check_group(group: GroupFacts, others: tuple[GroupFacts, ...]) -> None:
    """Raise Unsupported for a group whose image Kiln cannot change without a surprise; `others` are
    the groups that name its template too."""
    template = group.template
    suspended = [name for name in _NEEDED if name in group.suspended]
    if suspended:
        raise Unsupported(
            f"Auto Scaling group {group.name} has suspended {', '.join(suspended)}; resume that, "
            "or an instance refresh stands still"
        )
    for override in (group.policy or {}).get("LaunchTemplate", {}).get("Overrides") or ():
        for key in ("LaunchTemplateSpecification", "ImageId"):
            if key in override:
                raise Unsupported(
                    f"Auto Scaling group {group.name}: the override for "
                    f"{override.get('InstanceType', 'instance requirements')} has an image of its "
                    f"own ({key}), which a rollout would not change; remove it there"
                )
    for other in others:
        followed = [use for use in other.templates if use.id == template.id]
        if other.name != group.name and any(use.setting == "$Latest" for use in followed):
            raise Unsupported(
                f"launch template {template.id} of Auto Scaling group {group.name} is shared with "
                f"group {other.name}, which follows its $Latest version and would take the image "
                f"too; set {other.name} to a numbered version, or give it a template of its own"
            )


def check_way_back(group: GroupFacts, former: VersionFacts, image: str) -> None:
    """Raise Unsupported where no version of the template leads back to what runs now."""
    if former.by_parameter and former.resolved == image:
        raise Unsupported(
            f"Auto Scaling group {group.name}: its launch template {former.template} takes its "
            f"image from {former.image}, which names {image} already, so that nothing leads back "
            "from it; set the template's image by its id, or move the parameter after the rollout"
        )


def check_same_kind(group: GroupFacts, former: ImageFacts, image: ImageFacts) -> None:
    """Raise InvalidBlueprint where a group whose types are chosen by their properties would be
    given an image of another kind: nothing but the former image says what those types run."""
    for key in ("architecture", "virtualization"):
        was, becomes = getattr(former, key), getattr(image, key)
        if was != becomes:
            raise InvalidBlueprint(
                f"Auto Scaling group {group.name} runs {was} images, {image.id} is {becomes}"
            )


def types_of(group: GroupFacts, version: VersionFacts) -> tuple[str, ...]:
    """The instance types that a group launches; none where it names properties instead."""
    if group.types:
        return group.types
    overrides = (group.policy or {}).get("LaunchTemplate", {}).get("Overrides")
    return () if overrides or not version.instance_type else (version.instance_type,)


def is_reversible(group: GroupFacts, former: VersionFacts) -> bool:
    """Whether Auto Scaling itself rolls a refresh of the group back."""
    return group.template.pinned and not former.by_parameter


def configuration(
    template: str, version: str, policy: dict[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """A group's launch setting with its template at a version, as the API takes it: the mixed
    policy where there is one, and the template by its id alone."""
    use = {"LaunchTemplateId": template} | ({"Version": version} if version else {})
    if policy is None:
        return {"LaunchTemplate": use}
    changed = copy.deepcopy(policy)
    changed["LaunchTemplate"]["LaunchTemplateSpecification"] = use
    return {"MixedInstancesPolicy": changed}
