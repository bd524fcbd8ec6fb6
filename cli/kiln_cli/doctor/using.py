"""What stored blueprints and layers ask of the account: the types that are launched, the keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kiln.domain.blueprint import Blueprint, blueprint_from
from kiln.errors import InvalidBlueprint
from kiln.ports import World
from kiln.steps._versions import version_of
from kiln_cli.doctor.site import Key, Used

# What the template's blueprints begin with: of a deployment without any.
USUAL = "m7i.large"


def used(world: World, region: str) -> Used:
    """By the latest versions of all blueprints and by all layers. Raises AwsRefused, AwsBusy."""
    types: dict[str, list[str]] = defaultdict(list)
    keys: list[Key] = []
    for blueprint in _blueprints(world):
        # Others are tried only where the first one cannot be had.
        for name in blueprint.builder.instance_types[:1]:
            types[name].append(f"blueprint {blueprint.name}")
        keys += keys_of(blueprint, region)
    for stack in world.records.stacks():
        for layer in stack.layers:
            if layer.instance_type:
                types[layer.instance_type].append(f"layer {stack.name}/{layer.name}")
    return Used({name: tuple(who) for name, who in types.items()} or usual().types, tuple(keys))


def usual() -> Used:
    """Where nothing is stored: what most blueprints name."""
    return Used({USUAL: ("most blueprints",)})


def _blueprints(world: World) -> Iterator[Blueprint]:
    for name in world.versions.names():
        try:
            yield blueprint_from(version_of(name, None, world).document)
        except InvalidBlueprint:
            # A version of an older Kiln; `kiln validate` says what is wrong with it.
            continue


def keys_of(blueprint: Blueprint, region: str) -> Iterator[Key]:
    """The keys of a blueprint's images, here and in other Regions."""
    share = tuple(blueprint.distribute.accounts)
    named = f"blueprint {blueprint.name}"
    if key := blueprint.builder.volume.kms_key:
        yield Key(key, region, named, share)
    for target in blueprint.distribute.regions:
        if target.kms_key:
            yield Key(target.kms_key, target.region, named, share)
