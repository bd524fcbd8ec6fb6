"""`kiln sweep`: what belongs to no running bake."""

from __future__ import annotations

from typing import Any

import click

from kiln_cli import options


@click.command(epilog="Example: kiln sweep --dry-run")
@click.option("--dry-run", is_flag=True, help="Say what would go and remove nothing.")
@click.option(
    "--grace",
    default="2h",
    show_default=True,
    help="How old a thing must be at least: 0s, 90s, 10m, 2h, 30d.",
)
@options.together(options.stack_name, options.as_json)
def command(dry_run: bool, grace: str, stack_name: str, as_json: bool) -> int:
    """Remove what bakes have left behind, in every Region, as Kiln does by itself each hour.

    Instances, volumes, network interfaces, images, snapshots and bundles that carry the tag of a
    bake which runs no more and does not need them. Rollouts, changes of instances, rounds of
    Configure and distributions whose execution was stopped are brought to an end. Ends with
    status 1 where something could not be removed or looked at.
    """
    from kiln_cli.invoking import invoke
    from kiln_cli.place import account
    from kiln_cli.printing import emit

    asked = {"dry_run": dry_run, "grace_s": _seconds(grace)}
    found = invoke(account(stack_name), "SweepFunctionName", asked)
    if as_json:
        emit(found)
    else:
        _show(found, dry_run)
    good = ("removed", "found")
    stuck = [leak for leak in found["leaks"] if leak["outcome"] not in good]
    return 1 if stuck or found["unseen"] else 0


def _seconds(grace: str) -> int:
    from kiln.domain.durations import seconds

    try:
        return seconds(grace)
    except ValueError as error:
        raise options.usage(f"--grace: {error}") from error


def _show(found: dict[str, Any], dry_run: bool) -> None:
    from kiln_cli.printing import plain, progress, table

    for bake in found["ended"]:
        verb = "would be ended" if dry_run else "is ended"
        progress(f"{bake} {verb}: its execution runs no more and it was not torn down")
    for what in found.get("taken_over", ()):
        verb = "would be taken over" if dry_run else "is taken over"
        progress(f"{what} {verb}: its execution has ended and what it worked on has not")
    for region, why in found["unseen"].items():
        progress(f"{region} could not be looked at: {plain(why)}")
    keys = ("kind", "id", "region", "bake", "outcome")
    if found["leaks"]:
        rows = [[leak[key] for key in keys] for leak in found["leaks"]]
        table([key.upper() for key in keys], rows)
    else:
        progress("nothing is left behind")
