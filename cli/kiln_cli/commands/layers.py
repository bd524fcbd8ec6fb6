"""`kiln layers`: layers and what runs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln.domain.stack import Layer, LayerInstance, Stack


@click.command(epilog="Example: kiln layers --json")
@options.together(options.stack_name, options.as_json)
def command(stack_name: str, as_json: bool) -> int:
    """List the layers of all stacks with their instances."""
    from kiln_cli.place import account
    from kiln_cli.printing import emit, table

    records = account(stack_name).world.records
    rows = []
    for stack in records.stacks():
        instances = records.instances(stack.name)
        rows += [_row(stack, layer, instances) for layer in stack.layers]
    if as_json:
        emit({"layers": rows})
        return 0
    cells = [line for row in rows for line in _lines(row)]
    table(("LAYER", "KIND", "PLATFORM", "INSTANCE", "HOSTNAME", "STATE", "IMAGE"), cells)
    return 0


def _row(stack: Stack, layer: Layer, instances: tuple[LayerInstance, ...]) -> dict[str, Any]:
    mine = [i for i in instances if i.layer == layer.name]
    return {
        "layer": f"{stack.name}/{layer.name}",
        "kind": layer.kind,
        "platform": layer.platform,
        "chef": layer.chef,
        "instance_type": layer.instance_type,
        "group": layer.group,
        "instances": [
            {"id": i.ec2_id, "hostname": i.hostname, "state": i.state.value, "image": i.image}
            for i in mine
        ],
    }


def _lines(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    head = (row["layer"], row["kind"], row["platform"])
    instances = row["instances"] or [{"id": None, "hostname": None, "state": None, "image": None}]
    return [(*head, i["id"], i["hostname"], i["state"], i["image"]) for i in instances]
