"""`kiln layers`: layers and what runs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln.domain.instance import LayerInstance
    from kiln.domain.stack import Layer, Stack


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
        emit(rows)
        return 0
    cells = [line for row in rows for line in _lines(row)]
    table(("LAYER", "KIND", "PLATFORM", "INSTANCE", "HOSTNAME", "STATE", "IMAGE"), cells)
    return 0


def _row(stack: Stack, layer: Layer, instances: tuple[LayerInstance, ...]) -> dict[str, Any]:
    mine = [i for i in instances if i.layer == layer.name]
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
            }
            for i in mine
        ],
    }


def _lines(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    head = (f"{row['stack']}/{row['layer']}", row["kind"], row["platform"])
    cells = ("ec2_id", "hostname", "state", "image")
    instances = row["instances"] or [dict.fromkeys(cells)]
    return [(*head, *(instance[cell] for cell in cells)) for instance in instances]
