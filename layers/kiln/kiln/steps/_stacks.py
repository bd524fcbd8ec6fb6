"""What the steps of layers read of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.errors import InstanceGone

if TYPE_CHECKING:
    from kiln.domain.instance import LayerInstance
    from kiln.domain.stack import Layer, Stack
    from kiln.ports import World


def stack_of(name: str, world: World) -> Stack:
    """A stored stack. InstanceGone where it was deleted."""
    stack = world.records.stack(name)
    if stack is None:
        raise InstanceGone(f"stack {name} is gone; apply its file again")
    return stack


def layers_of(entry: LayerInstance, world: World) -> tuple[Layer, ...]:
    """The layers of an instance, in the stack's own order; at least one."""
    found = stack_of(entry.stack, world).layers_of(entry.layers)
    if not found:
        raise InstanceGone(f"{entry.hostname}: its layer {entry.place} is gone from the stack")
    return found


def layer_of(entry: LayerInstance, world: World) -> Layer:
    """The layer that an instance was made for, or the first one left of it."""
    return first_of(entry, layers_of(entry, world))


def first_of(entry: LayerInstance, layers: tuple[Layer, ...]) -> Layer:
    """Of an instance's layers the one that it was made for, or the first one left."""
    return next((layer for layer in layers if layer.name == entry.layer), layers[0])


def target_groups(entry: LayerInstance, world: World) -> tuple[str, ...]:
    """The target groups of all layers of an instance, each once."""
    groups = (group for layer in layers_of(entry, world) for group in layer.target_groups)
    return tuple(dict.fromkeys(groups))
