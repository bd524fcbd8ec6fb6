"""`kiln promote`: an image into the next channel of its blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import completing, options

if TYPE_CHECKING:
    from kiln.steps.promote_image import Promoted

# As kiln.domain.channel has them; the help of a command imports no model.
CHANNELS = ("dev", "staging", "prod")


@click.command(epilog="Example: kiln promote al2023-web --to staging --dry-run")
@click.argument("target", metavar="IMAGE|BLUEPRINT", shell_complete=completing.blueprint_names)
@click.option("--to", type=click.Choice(CHANNELS), required=True, help="Where it is to go.")
@click.option(
    "--from",
    "source",
    type=click.Choice(CHANNELS),
    help="The channel that it is in now. Default: of a BLUEPRINT, the one before.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change and which layers follow.")
@options.together(options.stack_name, options.as_json)
def command(target: str, **given: Any) -> int:
    """Let IMAGE, or the one that BLUEPRINT has in the channel before, into a channel.

    An image must be, or have been, in the channel before. The layers that take the channel's images
    get a rollout each. To go back, name an IMAGE that the channel had before.
    """
    import time

    from kiln_cli import baking, promoting
    from kiln_cli.place import account

    place = account(given["stack_name"])
    pace = baking.Pace(time.sleep, baking.backing_off)
    wish = promoting.Wish(target, given["to"], given["source"], given["dry_run"])
    return _show(promoting.promote(wish, place, pace), given["as_json"])


def _show(found: Promoted, as_json: bool) -> int:
    from kiln_cli import promoting
    from kiln_cli.printing import emit, plain, progress, table

    if as_json:
        emit(found.model_dump(mode="json"))
        return 0
    for line in promoting.told(found):
        click.echo(plain(line))
    if found.layers and found.changed:
        table(("LAYER", "ROLLOUT", "RUNS NOW"), promoting.rows(found))
        if not found.dry_run:
            progress("`kiln rollout status LAYER` follows a layer")
    return 0
