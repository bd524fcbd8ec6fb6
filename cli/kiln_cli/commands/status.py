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

    place = account(stack_name)
    if bake:
        return _one(bake, place, as_json)
    rows = _all(place)
    if as_json:
        emit({"bakes": rows})
    else:
        table(("BAKE", "STATUS", "STATE", "WHY"), [_cells(row) for row in rows])
    return 0


def _one(bake: str, place: Place, as_json: bool) -> int:
    from kiln.domain.naming import BAKE_ID
    from kiln.errors import AwsRefused, InvalidBlueprint
    from kiln_cli.gathering import gather
    from kiln_cli.ledgers import AccountLedger
    from kiln_cli.printing import emit
    from kiln_cli.summary import show

    if not BAKE_ID.match(bake):
        raise options.usage(f"{bake!r} is no bake id; one looks like web-20261123-101500-9f3a")
    try:
        result = gather(place, AccountLedger(place), bake)
    except AwsRefused as error:
        if error.code != "ExecutionDoesNotExist":
            raise
        raise InvalidBlueprint(f"bake {bake} does not exist; `kiln status` lists all") from error
    if as_json:
        emit(result.as_json())
    else:
        show(result)
    return 1 if result.failed else 0


def _all(place: Place) -> list[dict[str, Any]]:
    from kiln_cli.gathering import waiting_for

    records, line = place.world.records, place.world.turns.line()
    names = {*place.world.versions.names(), *records.baked()}
    found = [record for name in names for record in records.bakes(name)]
    return [
        {
            "id": record.plan.bake,
            "blueprint": record.plan.blueprint.name,
            "version": record.plan.version,
            "status": record.status.value,
            "state": record.state,
            "started": record.plan.started.isoformat(),
            "ended": record.ended.isoformat() if record.ended else None,
            "error": record.error,
            "cause": record.cause,
            "trigger": record.trigger.value,
            "skipped": record.skipped.model_dump() if record.skipped else None,
            "waits_for": waiting_for(record.plan.bake, line, place.world),
        }
        for record in sorted(found, key=lambda record: record.plan.started)
    ]


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    why = row["error"] or row["waits_for"] or (row["skipped"] or {}).get("reason")
    return row["id"], row["status"], row["state"], why
