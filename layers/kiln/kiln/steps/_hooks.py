"""The lifecycle hooks and tags of the Auto Scaling groups of a stack: what is missing, and put
there.

Used by the `kiln` command, when a stack is applied and when a bake is planned.
"""

from __future__ import annotations

from kiln.domain.group import GroupFacts
from kiln.domain.hooks import hooks_of
from kiln.domain.naming import TAG_LAYER, TAG_MANAGED, TAG_STACK
from kiln.domain.stack import Layer, Stack
from kiln.errors import InvalidBlueprint
from kiln.ports import World
from kiln.steps._groups import group_of


def check_groups(stack: Stack, world: World) -> None:
    """Raise InvalidBlueprint where a group is not there, or is another layer's."""
    taken = {
        layer.group: f"{other.name}/{layer.name}"
        for other in world.records.stacks()
        if other.name != stack.name
        for layer in other.layers
        if layer.group
    }
    for layer in _grouped(stack):
        if layer.group in taken:
            raise InvalidBlueprint(
                f"layers: {layer.name}: Auto Scaling group {layer.group} is the group of layer "
                f"{taken[layer.group]}; a group is of one layer"
            )
        group_of(f"{stack.name}/{layer.name}", layer, world)


def missing_hooks(layer: Layer, world: World) -> tuple[str, ...]:
    """The hooks that a layer's group should have and has not, or has otherwise."""
    wanted = hooks_of(layer, world.settings.deployment)
    known = set(world.groups.hooks(layer.group or "")) if wanted else set()
    return tuple(hook.name for hook in wanted if hook not in known)


def put_hooks(stack: Stack, before: Stack | None, world: World) -> tuple[str, ...]:
    """Give every group of a stack its tags and hooks, and take the hooks from those that need them
    no longer; what was done, a line each."""
    done: list[str] = []
    kept: set[tuple[str, str]] = set()
    for layer in _grouped(stack):
        group = group_of(f"{stack.name}/{layer.name}", layer, world)
        done += _tag(stack, layer, group, world)
        missing = missing_hooks(layer, world)
        for hook in hooks_of(layer, world.settings.deployment):
            kept.add((group.name, hook.name))
            if hook.name in missing:
                world.groups.put_hook(group.name, hook)
                done.append(f"group {group.name}: hook {hook.name} put")
    # What the stack's layers are now first: they may have had recipes before.
    for layer in (*_grouped(stack), *(_grouped(before) if before else ())):
        done += _remove(layer.group or "", kept, world)
    return tuple(done)


def _grouped(stack: Stack) -> tuple[Layer, ...]:
    return tuple(layer for layer in stack.layers if layer.kind == "autoscaling")


def _tag(stack: Stack, layer: Layer, group: GroupFacts, world: World) -> list[str]:
    """Instances carry Kiln's tag from the call that launches them: commands reach no others."""
    wanted = {
        TAG_MANAGED: "true",
        TAG_STACK: stack.name,
        TAG_LAYER: f"{stack.name}/{layer.name}",
    }
    if wanted.items() <= group.tags.items():
        return []
    world.groups.tag(group.name, wanted)
    return [f"group {group.name}: tagged as {wanted[TAG_LAYER]}"]


def _remove(group: str, kept: set[tuple[str, str]], world: World) -> list[str]:
    if world.groups.describe(group) is None:
        return []
    own = {f"{world.settings.deployment}-{way}" for way in ("launch", "terminate")}
    surplus = [
        hook.name
        for hook in world.groups.hooks(group)
        if hook.name in own and (group, hook.name) not in kept
    ]
    for name in surplus:
        world.groups.delete_hook(group, name)
    return [f"group {group}: hook {name} removed" for name in surplus]
