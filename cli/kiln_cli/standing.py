"""How everything stands now, by the records alone: bakes, and layers with their instances."""

from __future__ import annotations

from typing import Any

from kiln.domain.instance import LayerInstance
from kiln.domain.stack import Layer, Stack
from kiln.ports import World
from kiln_cli.finding import by_hostname
from kiln_cli.gathering import waiting_for
from kiln_cli.place import Place
from kiln_cli.taking import takes

Row = dict[str, Any]


def bakes(place: Place) -> list[Row]:
    """Every bake, oldest first, JSON-ready."""
    records, line = place.world.records, place.world.turns.line()
    names = {*place.world.versions.names(), *records.baked()}
    found = [record for name in names for record in records.bakes(name)]
    return [
        {
            "id": record.plan.bake,
            "blueprint": record.plan.blueprint.name,
            "version": record.plan.version,
            "status": record.status.value,
            "state": record.state,
            "started": record.plan.started.isoformat(),
            "ended": record.ended.isoformat() if record.ended else None,
            "error": record.error,
            "cause": record.cause,
            "trigger": record.trigger.value,
            "skipped": record.skipped.model_dump() if record.skipped else None,
            "waits_for": waiting_for(record.plan.bake, line, place.world),
        }
        for record in sorted(found, key=lambda record: record.plan.started)
    ]


def layers(world: World) -> list[Row]:
    """Every layer with its instances and what it takes, JSON-ready."""
    taken = takes(world)
    return [
        _row(stack, layer, instances) | {"takes": taken.get(f"{stack.name}/{layer.name}", [])}
        for stack in world.records.stacks()
        for instances in [world.records.instances(stack.name)]
        for layer in stack.layers
    ]


def _row(stack: Stack, layer: Layer, instances: tuple[LayerInstance, ...]) -> Row:
    mine = sorted((i for i in instances if layer.name in i.layers), key=by_hostname)
    online = {i.image for i in mine if i.state.value == "online"}
    return {
        "stack": stack.name,
        "layer": layer.name,
        "kind": layer.kind,
        "platform": layer.platform,
        # What the layer serves from, where its online instances agree.
        "image": online.pop() if len(online) == 1 else None,
        "instances": [
            {
                "id": i.id,
                "ec2_id": i.ec2_id,
                "hostname": i.hostname,
                "state": i.state.value,
                "image": i.image,
                "layers": list(i.layers),
                "type": i.instance_type,
                "scaling": i.scaling.value,
                "planned": i.planned,
                "error": i.error,
            }
            for i in mine
        ],
    }
