"""`kiln report`: a bake as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from kiln_cli import options


@click.command(epilog="Example: kiln report web-20261123-101500-9f3a --output report.html")
@click.argument("bake")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Default: BAKE.html in this folder.",
)
@options.stack_name
@click.option("--json", "as_json", is_flag=True, help='Print {"report": FILE}.')
def command(bake: str, output: Path | None, stack_name: str, as_json: bool) -> int:
    """Write what is known of BAKE into one HTML file that needs nothing else.

    The state machine with what happened in it, a timeline that tells AWS's time from Kiln's, what
    the steps said, what the clean-up removed, the identities compared, packages, lineage, rollouts
    and cost. `kiln bake --report FILE` writes one when the bake has ended.
    """
    from kiln_cli.finding import existing
    from kiln_cli.ledgers import AccountLedger
    from kiln_cli.pages.report import write
    from kiln_cli.pages.telling import tell
    from kiln_cli.place import account
    from kiln_cli.printing import emit, progress

    place = account(stack_name)
    path = output or Path(f"{bake}.html")
    with existing(bake):
        report = tell(place, AccountLedger(place), bake)
    write(report, path)
    if as_json:
        emit({"report": str(path)})
    else:
        progress(f"{path} is written")
    return 0
