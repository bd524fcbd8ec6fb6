"""`kiln status`: how bakes stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln_cli.place import Place


@click.command(epilog="Example: kiln status web-20261123-101500-9f3a --json")
@click.argument("bake", required=False)
@options.together(options.stack_name, options.as_json)
def command(bake: str | None, stack_name: str, as_json: bool) -> int:
    """Say how BAKE stands, with what `kiln bake` prints; without BAKE, list all bakes."""
    from kiln_cli.place import account
    from kiln_cli.printing import emit, table
    from kiln_cli.standing import bakes

    place = account(stack_name)
    if bake:
        return _one(bake, place, as_json)
    rows = bakes(place)
    if as_json:
        emit({"bakes": rows})
    else:
        table(("BAKE", "STATUS", "STATE", "WHY"), [_cells(row) for row in rows])
    return 0


def _one(bake: str, place: Place, as_json: bool) -> int:
    from kiln_cli.finding import existing
    from kiln_cli.gathering import gather
    from kiln_cli.ledgers import AccountLedger
    from kiln_cli.printing import emit
    from kiln_cli.summary import show

    with existing(bake):
        result = gather(place, AccountLedger(place), bake)
    if as_json:
        emit(result.as_json())
    else:
        show(result)
    return 1 if result.failed else 0


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    why = row["error"] or row["waits_for"] or (row["skipped"] or {}).get("reason")
    return row["id"], row["status"], row["state"], why
