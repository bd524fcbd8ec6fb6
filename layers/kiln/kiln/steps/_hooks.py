"""The lifecycle hooks and tags of the Auto Scaling groups of a stack: what is missing, and put
there.

Used by the `kiln` command, when a stack is applied and when a bake is planned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kiln.domain.hooks import Hook, hooks_of
from kiln.domain.naming import TAG_LAYER, TAG_MANAGED, TAG_STACK
from kiln.errors import InvalidBlueprint
from kiln.steps._groups import group_of
from kiln.steps._instances import ask_configure

if TYPE_CHECKING:
    from kiln.domain.group import GroupFacts
    from kiln.domain.instance import LayerInstance
    from kiln.domain.stack import Layer, Stack
    from kiln.ports import World


@dataclass(frozen=True)
class GroupChange:
    """One thing to do for a group: tags on it and on what it launches, a hook to be put or removed,
    a record of an instance to be forgotten."""

    group: str
    tags: dict[str, str] = field(default_factory=dict)
    put: Hook | None = None
    remove: str = ""
    forget: LayerInstance | None = None


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


def put_hooks(stack: Stack, before: Stack | None, world: World) -> tuple[GroupChange, ...]:
    """Make the groups of a stack what they should be; what was done."""
    changes = group_changes(stack, before, world)
    make_so(changes, world)
    return changes


def group_changes(stack: Stack, before: Stack | None, world: World) -> tuple[GroupChange, ...]:
    """What the groups of a stack lack, and what those need no longer that were of it before."""
    found: list[GroupChange] = []
    kept: set[tuple[str, str]] = set()
    for layer in _grouped(stack):
        group = group_of(f"{stack.name}/{layer.name}", layer, world)
        found += _tags(stack, layer, group)
        missing = missing_hooks(layer, world)
        for hook in hooks_of(layer, world.settings.deployment):
            kept.add((group.name, hook.name))
            found += [GroupChange(group.name, put=hook)] if hook.name in missing else []
    former = _grouped(before) if before else ()
    # What the stack's layers are now first: they may have had recipes before.
    for name in dict.fromkeys(layer.group or "" for layer in (*_grouped(stack), *former)):
        found += _surplus(name, kept, world)
    groups = {layer.name: layer.group for layer in _grouped(stack)}
    for layer in former:
        if groups.get(layer.name) != layer.group:
            found += _forgotten(stack.name, layer, world)
    return tuple(found)


def make_so(changes: tuple[GroupChange, ...], world: World) -> None:
    """Carry changes out; again is harmless."""
    for change in changes:
        if change.tags:
            world.groups.tag(change.group, change.tags)
        if change.put:
            world.groups.put_hook(change.group, change.put)
        if change.remove:
            world.groups.delete_hook(change.group, change.remove)
        if change.forget:
            world.records.remove_instance(change.forget)
    forgotten = [change.forget for change in changes if change.forget]
    if forgotten:
        ask_configure(forgotten[-1], "offline", world)


def _grouped(stack: Stack) -> tuple[Layer, ...]:
    return tuple(layer for layer in stack.layers if layer.kind == "autoscaling")


def _tags(stack: Stack, layer: Layer, group: GroupFacts) -> list[GroupChange]:
    """Instances carry Kiln's tag from the call that launches them: commands reach no others."""
    wanted = {
        TAG_MANAGED: "true",
        TAG_STACK: stack.name,
        TAG_LAYER: f"{stack.name}/{layer.name}",
    }
    same = wanted.items() <= group.tags.items()
    return [] if same else [GroupChange(group.name, tags=wanted)]


def _surplus(group: str, kept: set[tuple[str, str]], world: World) -> list[GroupChange]:
    if world.groups.describe(group) is None:
        return []
    own = {f"{world.settings.deployment}-{way}" for way in ("launch", "terminate")}
    return [
        GroupChange(group, remove=hook.name)
        for hook in world.groups.hooks(group)
        if hook.name in own and (group, hook.name) not in kept
    ]


def _forgotten(stack: str, layer: Layer, world: World) -> list[GroupChange]:
    """A layer gives its group up: the group keeps its instances, the layer's records go."""
    entries = (entry for entry in world.records.instances(stack) if entry.layer == layer.name)
    return [GroupChange(layer.group or "", forget=entry) for entry in entries]
