"""`kiln distribute`: an image to the Regions where it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln_cli.distributing import Distributed


@click.command(epilog="Example: kiln distribute ami-0123456789abcdef0 --region us-east-1 --json")
@click.argument("image")
@click.option(
    "--region",
    "regions",
    multiple=True,
    help="Only this Region, whether it has the image or not; may be repeated.",
)
@click.option(
    "--newest",
    is_flag=True,
    help="Go by the newest version of the blueprint, not by the one that was baked.",
)
@click.option("--no-wait", is_flag=True, help="Start, print and end.")
@options.together(options.stack_name, options.as_json)
def command(image: str, **given: Any) -> int:
    """Distribute IMAGE again to the Regions where that failed, without a new bake.

    What is there already is found and not made twice.
    """
    import time

    from kiln_cli import baking, distributing, history
    from kiln_cli.place import account
    from kiln_cli.printing import progress

    place = account(given["stack_name"])
    record = distributing.recorded(image, place.world)
    execution = distributing.start(record, given["regions"], given["newest"], place)
    progress(f"distribution of {image} has started: {execution}")
    if given["no_wait"]:
        now = history.describe(place.client("stepfunctions"), execution)
        return _show(distributing.told(image, execution, now, place.world), given["as_json"])
    pace = baking.Pace(time.sleep, baking.backing_off)
    return _show(distributing.finish(image, execution, place, pace), given["as_json"])


def _show(found: Distributed, as_json: bool) -> int:
    from kiln_cli.distributing import rows
    from kiln_cli.printing import emit, plain, table

    if as_json:
        emit(found.model_dump(mode="json"))
    else:
        table(("REGION", "IMAGE", "STATUS", "SHARED WITH"), rows(found.places))
        if found.error:
            click.echo(f"\n{plain(found.error)}: {plain(found.cause or 'no cause given')}")
    return 0 if found.status in ("SUCCEEDED", "RUNNING") else 1
