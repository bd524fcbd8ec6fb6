"""From a blueprint to a plan: resolve the base, check that everything fits, decide every name.

Used by PlanBake and by the `kiln` command, which refuses with the same words before it starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kiln.domain.bake import Adoption, BakePlan
from kiln.domain.blueprint import Blueprint, LayerTarget, blueprint_from
from kiln.domain.bundle import check_bundle
from kiln.domain.cleanup import chef_versions
from kiln.domain.documents import for_step
from kiln.domain.feed import check_strategy
from kiln.domain.fit import CANDIDATES, Fit, TypeFacts, check_fit, default_types, fit
from kiln.domain.image import ImageFacts, check_base
from kiln.domain.known_release import check_base_release, image_of, unknown_release
from kiln.domain.naming import image_name
from kiln.domain.platforms import PLATFORMS, Architecture, Family
from kiln.domain.release import check_lock
from kiln.domain.stack import Layer, next_hostname, split_layer
from kiln.errors import IncompatibleBase, InvalidBlueprint
from kiln.steps._bases import found_or, resolve
from kiln.steps._distribution import check_distribution
from kiln.steps._groups import check_image, ground_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from kiln.ports import World


@dataclass(frozen=True)
class PlanOrder:
    """What to plan: a blueprint's document with its version, under a bake's id."""

    document: dict[str, Any]
    version: int
    bake: str
    started: datetime


def make_plan(order: PlanOrder, world: World) -> BakePlan:
    """A plan that holds. Raises InvalidBlueprint, BaseImageNotFound, IncompatibleBase,
    Unsupported."""
    blueprint = blueprint_from(order.document)
    check_supported(blueprint)
    check_distribution(blueprint.distribute, world)
    check_lock(blueprint.platform, blueprint.release_lock, order.started.date())
    adopted = _layer(blueprint.base.layer, "base.layer", world) if blueprint.base.layer else None
    base = _resolve(blueprint, adopted, world)
    check_base(base, world.clock.now(), blueprint.base.allow_deprecated)
    _check_release(blueprint, base, world)
    check_bundle(blueprint, base)
    kinds = _kinds(blueprint, base, adopted, world)
    fits = tuple(_fits(kinds, blueprint, base, world))
    check_fit(base, fits, lambda: _fitting(blueprint, base, world))
    return BakePlan(
        bake=order.bake,
        version=order.version,
        document=order.document,
        base=base,
        instance_types=tuple(kind.name for kind in kinds),
        fits=fits,
        subnets=blueprint.builder.subnets or world.settings.subnets,
        image_name=image_name(blueprint.image.name, order.bake, order.version),
        started=order.started,
        adoption=_adoption(blueprint, adopted, world),
    )


def check_supported(blueprint: Blueprint) -> None:
    """Raise Unsupported, naming the key, for what Kiln cannot do yet."""
    if blueprint.chef and blueprint.chef not in chef_versions(blueprint.platform):
        allowed = ", ".join(chef_versions(blueprint.platform)) or "none: leave the key out"
        raise InvalidBlueprint(
            f"chef: OpsWorks never ran Chef {blueprint.chef} on {blueprint.platform}; allowed: "
            f"{allowed}"
        )
    for step in (*blueprint.steps, *blueprint.verify.steps):
        for_step(step, "" if step.script else None, blueprint.family is Family.WINDOWS)


def _check_release(blueprint: Blueprint, base: ImageFacts, world: World) -> None:
    """Raise InvalidBlueprint for a lock to a release that never was, IncompatibleBase for one that
    the base has left behind."""
    platform, lock = blueprint.platform, blueprint.release_lock
    check_base_release(platform, lock, base)
    asked = image_of(platform, lock, base)
    if asked and world.images.newest(asked, deprecated=True) is None:
        raise unknown_release(platform, lock, asked)


def _resolve(blueprint: Blueprint, adopted: Layer | None, world: World) -> ImageFacts:
    base = blueprint.base
    if adopted:
        return _newest_of_platform(blueprint, adopted, world)
    return resolve(base, world)


def _newest_of_platform(blueprint: Blueprint, layer: Layer, world: World) -> ImageFacts:
    if layer.platform != blueprint.platform:
        raise InvalidBlueprint(
            f"platform: {blueprint.platform} is not the platform of layer {blueprint.base.layer}, "
            f"which is {layer.platform}"
        )
    kind = _known_types((layer.instance_type or "",), "base.layer: instance_type", world)[0]
    source = PLATFORMS[blueprint.platform].newest_base(Architecture(kind.architectures[-1]))
    if isinstance(source, str):
        source = world.parameters.read(source)
        found = world.images.describe(source) if source else None
    else:
        deprecated = blueprint.base.allow_deprecated
        found = world.images.newest(source, deprecated=deprecated) if source else None
    return found_or(found, f"base.layer: no public image of {blueprint.platform} was found")


def _layer(path: str, key: str, world: World) -> Layer:
    name, layer_name = split_layer(path)
    stack = world.records.stack(name)
    layer = stack.layer(layer_name) if stack else None
    if layer is None:
        known = [f"{s.name}/{found.name}" for s in world.records.stacks() for found in s.layers]
        raise InvalidBlueprint(
            f"{key}: {path} is not a layer of an applied stack; known: {', '.join(known) or 'none'}"
        )
    return layer


def _kinds(
    blueprint: Blueprint, base: ImageFacts, adopted: Layer | None, world: World
) -> tuple[TypeFacts, ...]:
    """What the builder may be: the blueprint's types, else the layer's, else what runs the base."""
    names = blueprint.builder.instance_types
    if not names and adopted and adopted.instance_type:
        names = (adopted.instance_type,)
    if names:
        return _known_types(names, "builder.instance_types", world)
    found = _fitting(blueprint, base, world)
    if not found:
        raise IncompatibleBase(
            f"builder.instance_types: none of {', '.join(CANDIDATES)} runs {base.id} "
            f"({base.name}) in this Region; name a type that does"
        )
    return found


def _fitting(blueprint: Blueprint, base: ImageFacts, world: World) -> tuple[TypeFacts, ...]:
    """Types of every Region that run both the base and the image."""
    image = base.model_copy(update={"root_device_type": blueprint.root_device})
    return default_types((base, image), world.fleet.types(CANDIDATES))


def _fits(
    kinds: tuple[TypeFacts, ...], blueprint: Blueprint, base: ImageFacts, world: World
) -> Iterator[Fit]:
    """The base beside every type of the builder, and the image beside every type of a layer."""
    image = base.model_copy(update={"root_device_type": blueprint.root_device})
    for kind in kinds:
        # The builder boots the base, and a clone on the same type boots the image.
        row = fit(base, kind, "builder.instance_types")
        also = fit(image, kind, "builder.instance_types").misfits
        yield row.model_copy(update={"misfits": tuple(dict.fromkeys((*row.misfits, *also)))})
    for target in blueprint.layers:
        layer = _target(target, blueprint, world)
        if target.strategy != "none":
            key = f"layers: {target.layer}"
            for kind in _known_types(_types(target.layer, layer, image, world), key, world):
                yield fit(image, kind, key)


def _types(path: str, layer: Layer, image: ImageFacts, world: World) -> tuple[str, ...]:
    """The instance types of a layer, of an Auto Scaling group those that it launches."""
    if layer.kind == "instances":
        return (layer.instance_type or "",)
    ground = ground_of(path, layer, world)
    check_image(ground, image, world)
    return ground.types


def _known_types(names: Iterable[str], key: str, world: World) -> tuple[TypeFacts, ...]:
    names = tuple(names)
    types = world.fleet.types(names) if names else ()
    unknown = [name for name in names if name not in {kind.name for kind in types}]
    if unknown:
        raise InvalidBlueprint(
            f"{key}: {', '.join(unknown)} is not an instance type of this Region"
        )
    return types


def _target(target: LayerTarget, blueprint: Blueprint, world: World) -> Layer:
    """The layer that takes the image, checked unless it only hears of it."""
    layer = _layer(target.layer, "layers", world)
    if target.strategy == "none":
        return layer
    if layer.kind == "autoscaling":
        check_strategy(target.layer, target.strategy)
    if layer.platform != blueprint.platform and (layer.kind == "instances" or layer.platform):
        raise InvalidBlueprint(
            f"layers: {target.layer} is {layer.platform}, the blueprint is {blueprint.platform}"
        )
    return layer


def _adoption(blueprint: Blueprint, layer: Layer | None, world: World) -> Adoption | None:
    if layer is None or blueprint.base.layer is None:
        return None
    stack, name = split_layer(blueprint.base.layer)
    taken = {instance.hostname for instance in world.records.instances(stack)}
    chef = layer.chef or blueprint.chef
    return Adoption(stack=stack, layer=name, chef=chef, hostname=next_hostname(name, taken))
