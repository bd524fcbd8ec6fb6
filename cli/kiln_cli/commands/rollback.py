"""`kiln rollback LAYER`: back to the image that a layer ran before."""

from __future__ import annotations

import click

from kiln_cli import completing, options
from kiln_cli.commands.rollout import no_wait


@click.command(epilog="Example: kiln rollback shop/web")
@click.argument("layer", shell_complete=completing.layers)
@options.together(no_wait, options.stack_name, options.as_json)
def command(layer: str, no_wait: bool, stack_name: str, as_json: bool) -> int:
    """Bring LAYER back to the image that it ran before, by a rollout of its own.

    It waits for no approval and looks at no alarm: the image that it leaves may be why they ring.
    """
    from kiln_cli import rolling
    from kiln_cli.commands.rollout import begin
    from kiln_cli.finding import find_layer
    from kiln_cli.opening import at_account

    at = at_account(stack_name)
    world = at.place.world
    found = find_layer(layer, world)
    rolling.check_free(found, world)
    image = rolling.image_before(found, world)
    wish = rolling.Wish(
        at.place.caller(), "replace", {"approval": "none", "alarms": ()}, forced=True
    )
    return begin(rolling.plan(image, found, wish, world), at, no_wait, as_json)
