"""Records of a layer's instances: written, and brought to other layers. Nothing is launched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.model import explain
from kiln.domain.scaling import PlannedInstance, Scaling
from kiln.domain.stack import Layer, Stack, next_hostname
from kiln.errors import AwsBusy, InvalidRequest
from kiln.ports import World
from kiln_cli.finding import Found


@dataclass(frozen=True)
class Wanted:
    """What `kiln layers add` was asked for; `hours` as they were written."""

    count: int = 1
    instance_type: str | None = None
    scaling: str = "always"
    hours: dict[str, Any] = field(default_factory=dict)
    also_in: tuple[str, ...] = ()


def add(found: Found, wanted: Wanted, world: World) -> tuple[LayerInstance, ...]:
    """New records of a layer, stopped, with hostnames of their own."""
    if found.layer.kind != "instances":
        raise InvalidRequest(
            f"{found.path} is of kind {found.layer.kind}: its Auto Scaling group "
            f"{found.layer.group} adds instances"
        )
    others = [layer_beside(found.stack, name) for name in wanted.also_in]
    check_alike([found.layer, *others])
    wanted = replace(wanted, also_in=tuple(layer.name for layer in others))
    taken = {entry.hostname for entry in world.records.instances(found.stack.name)}
    taken |= {planned.hostname for layer in found.stack.layers for planned in layer.instances}
    added = []
    for _ in range(wanted.count):
        planned = _planned(found, wanted, next_hostname(found.layer.name, taken))
        entry = new_record(found, planned, None, world)
        world.records.add_instance(entry)
        taken.add(entry.hostname)
        added.append(entry)
    return tuple(added)


def _planned(found: Found, wanted: Wanted, hostname: str) -> PlannedInstance:
    try:
        planned = PlannedInstance.model_validate(
            {
                "hostname": hostname,
                "scaling": wanted.scaling,
                "hours": wanted.hours,
                "instance_type": wanted.instance_type,
                "also_in": wanted.also_in,
            }
        )
    except ValidationError as error:
        raise InvalidRequest(explain(error, PlannedInstance)) from error
    if (planned.scaling is Scaling.TIME) != bool(planned.hours):
        raise InvalidRequest("--hours go with --scaling time, and it with them")
    if planned.scaling is Scaling.LOAD and found.layer.load is None:
        raise InvalidRequest(
            f"{found.path} has no load: in its stack file; --scaling load needs it"
        )
    return planned


def layer_beside(stack: Stack, name: str) -> Layer:
    """A layer of the same stack, by its name or by stack/layer. InvalidRequest."""
    layer = stack.layer(name.removeprefix(f"{stack.name}/"))
    if layer is None or layer.kind != "instances":
        known = ", ".join(layer.name for layer in stack.layers if layer.kind == "instances")
        raise InvalidRequest(
            f"{name} is no layer of stack {stack.name} with instances of its own; known: {known}"
        )
    return layer


def check_alike(layers: list[Layer]) -> None:
    """Raise InvalidRequest where one instance cannot be in all of these layers."""
    first = layers[0]
    for layer in layers[1:]:
        for key in ("platform", "chef"):
            one, other = getattr(first, key), getattr(layer, key)
            if one != other:
                raise InvalidRequest(
                    f"{first.name} has {key} {one or 'none'}, {layer.name} has {other or 'none'}: "
                    "no instance can be in both"
                )


def new_record(
    found: Found, planned: PlannedInstance, name: str | None, world: World
) -> LayerInstance:
    """A stopped instance that runs the layer's image; `name` is what the stack file calls it."""
    taken = world.records.layer_images(found.path)
    image = world.images.describe(taken[-1].image) if taken else None
    layer = found.layer
    return LayerInstance(
        id=str(uuid4()),
        stack=found.stack.name,
        layers=tuple(dict.fromkeys((layer.name, *planned.also_in))),
        hostname=planned.hostname,
        state=InstanceState.STOPPED,
        image=taken[-1].image if taken else None,
        platform=layer.platform or "",
        architecture=image.architecture if image else "",
        root_device=image.root_device_type if image else "ebs",
        instance_type=planned.instance_type or layer.instance_type or "",
        scaling=planned.scaling,
        hours=planned.hours,
        created_at=world.clock.now().isoformat(),
        planned=name,
    )


def assign(entry: LayerInstance, stack: Stack, names: Iterable[str], world: World) -> LayerInstance:
    """An instance that is in exactly these layers; the one that it was made for stays first."""
    layers = [layer_beside(stack, name) for name in names]
    if entry.state is not InstanceState.STOPPED:
        raise InvalidRequest(
            f"{entry.hostname} is {entry.state}: the layers of an instance change only while it is "
            f"stopped; `kiln layers stop {entry.hostname}` first"
        )
    check_alike(layers)
    if entry.platform and layers[0].platform != entry.platform:
        raise InvalidRequest(
            f"{entry.hostname} is {entry.platform}, layer {layers[0].name} is {layers[0].platform}"
        )
    ordered = tuple(dict.fromkeys(layer.name for layer in layers))
    ordered = tuple(sorted(ordered, key=lambda name: name != entry.layer))
    if ordered == entry.layers:
        return entry
    written = world.records.replace_instance(entry.model_copy(update={"layers": ordered}))
    if written is None:
        raise AwsBusy(f"the record of {entry.hostname} changed just now; try again")
    return written
