"""`kiln apply FILE...`: blueprints and stacks into the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln_cli.applying import Applied, FilePlan
    from kiln_cli.opening import Opened

# A line or two of a terminal; what takes longer to say belongs beside the file.
LONGEST_MESSAGE = 500


@click.command(epilog="Example: kiln apply stacks/shop.yaml blueprints/al2023-web.yaml --dry-run")
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@click.option("-m", "--message", default="", help="Why, kept with each new version of a blueprint.")
@click.option("--dry-run", is_flag=True, help="Show the difference and store nothing.")
@options.together(options.stack_name, options.as_json)
def command(files: tuple[Path, ...], dry_run: bool, message: str, **given: Any) -> int:
    """Show how the blueprints and stacks in FILEs differ from what is stored, then store them.

    All files are read and checked before the first is stored. A stack's planned instances are
    written down, stopped; nothing is launched. A blueprint's schedule becomes what its `rebuild`
    says. Applied again, the files change nothing.
    """
    from kiln_cli.applying import plan_files
    from kiln_cli.files import read_any
    from kiln_cli.opening import at_account
    from kiln_cli.printing import emit

    read = [read_any(path) for path in files]
    if len(message) > LONGEST_MESSAGE:
        raise options.usage(f"--message: has {len(message)} characters; {LONGEST_MESSAGE} at most")
    at = at_account(given["stack_name"])
    plans = plan_files(read, at.place.world)
    if not given["as_json"]:
        _show(plans, dry_run)
    status = 0 if dry_run else _carry_out(plans, message, at)
    if given["as_json"]:
        rows = [plan.applied.as_json() for plan in plans]
        emit({"applied": rows, "dry_run": dry_run})
    return status


def _show(plans: list[FilePlan], dry_run: bool) -> None:
    from kiln_cli.printing import plain

    for plan in plans:
        applied = plan.applied
        version = f" version {applied.version}" if applied.version else ""
        would = " (not stored)" if dry_run and applied.change != "unchanged" else ""
        click.echo(f"{applied.kind} {applied.name}{version}: {applied.change}{would}")
        for row in applied.difference:
            click.echo(f"  {plain(row.line)}")


def _carry_out(plans: list[FilePlan], message: str, at: Opened) -> int:
    from kiln_cli.applying import carry_out, signature

    world = at.place.world
    signed = signature(plans, at.place, message)
    going = {e.id: e for plan in plans for e in (plan.records.removed if plan.records else ())}
    done: list[Applied] = [carry_out(plan, world, signed) for plan in plans]
    executions = {name: found for one in done for name, found in one.executions.items()}
    if not executions:
        return 0
    from kiln_cli.changing import follow
    from kiln_cli.printing import progress

    outcomes = follow([going[name] for name in executions], executions, world, at.pace)
    failed = [outcome for outcome in outcomes if outcome.error]
    for outcome in failed:
        progress(f"kiln: {outcome.hostname}: {outcome.error}: {' '.join(outcome.cause.split())}")
    return 1 if failed else 0
