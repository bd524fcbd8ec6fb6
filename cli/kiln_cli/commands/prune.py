"""`kiln prune`: take images out of use that have had their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import completing, options

if TYPE_CHECKING:
    from kiln.steps.prune_images import ImagesPruned, Pruned


@click.command(epilog="Example: kiln prune al2023-web --dry-run")
@click.argument(
    "blueprints",
    metavar="[BLUEPRINT]...",
    nargs=-1,
    shell_complete=completing.blueprint_names,
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@click.option("--region", "regions", multiple=True, help="Only in this Region; may be repeated.")
@options.together(options.stack_name, options.as_json)
def command(blueprints: tuple[str, ...], **given: Any) -> int:
    """Deprecate, disable and delete images as the lifecycle of their blueprints says.

    The same happens once a day by itself. What is in use is neither disabled nor deleted; each
    image that its rules have come to is named, with what is done and what holds it back.
    """
    from kiln_cli import pruning
    from kiln_cli.place import account
    from kiln_cli.printing import emit

    wish = pruning.Wish(blueprints, given["regions"], given["dry_run"])
    found = pruning.prune(wish, account(given["stack_name"]))
    if given["as_json"]:
        emit(pruning.as_json(found))
    else:
        _show(found)
    failed = any(row.error for row in found.images) or found.busy
    return 1 if failed else 0


def _show(found: ImagesPruned) -> None:
    from kiln_cli import pruning
    from kiln_cli.printing import plain, progress, table

    if found.images:
        rows = [_cells(row, found.dry_run) for row in found.images]
        table(("IMAGE", "REGION", "BLUEPRINT", "WHAT", "FREES", "WHY"), rows)
    else:
        progress("no image has come to a rule of its blueprint's lifecycle")
    for region, why in found.busy.items():
        progress(f"{region}: nothing more for now: {plain(why)}")
    click.echo(pruning.summary(found))


def _cells(row: Pruned, dry_run: bool) -> tuple[str, ...]:
    from kiln_cli.pruning import frees, what, why

    return row.here, row.region, row.blueprint, what(row, dry_run), frees(row), why(row)
