"""What steps find out about the Auto Scaling group of a layer, and refuse before anything
changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiln.domain.group import (
    GroupFacts,
    VersionFacts,
    check_group,
    check_same_kind,
    check_way_back,
    types_of,
)
from kiln.errors import InvalidBlueprint, Unsupported

if TYPE_CHECKING:
    from kiln.domain.image import ImageFacts
    from kiln.domain.stack import Layer
    from kiln.ports import World


@dataclass(frozen=True)
class Ground:
    """A group, and the version of its launch template that it is set to."""

    group: GroupFacts
    former: VersionFacts

    @property
    def types(self) -> tuple[str, ...]:
        """The instance types that it launches; none where it names their properties instead."""
        return types_of(self.group, self.former)


def group_of(path: str, layer: Layer, world: World) -> GroupFacts:
    """The group of a layer. InvalidBlueprint where there is none."""
    group = world.groups.describe(layer.group or "")
    if group is None:
        raise InvalidBlueprint(
            f"layers: {path}: Auto Scaling group {layer.group} does not exist in this Region; "
            "create it, or correct the layer's group"
        )
    return group


def ground_of(path: str, layer: Layer, world: World) -> Ground:
    """What a rollout to a layer starts from. Raises InvalidBlueprint, Unsupported."""
    group = group_of(path, layer, world)
    template = group.template
    check_group(group, world.groups.using(template.id))
    former = world.groups.version(template.id, template.setting)
    if former is None:
        raise Unsupported(
            f"Auto Scaling group {group.name} is set to version {template.setting} of launch "
            f"template {template.id}, which does not exist; set it to one that does"
        )
    return Ground(group, former)


def check_image(ground: Ground, image: ImageFacts, world: World) -> None:
    """Refuse an image from which nothing leads back, or of another kind where no type says what it
    runs. Raises InvalidBlueprint, Unsupported."""
    check_way_back(ground.group, ground.former, image.id)
    if ground.types:
        return
    former = world.images.describe(ground.former.resolved)
    if former is not None:
        check_same_kind(ground.group, former, image)
