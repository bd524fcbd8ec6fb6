"""`kiln blueprints`: what is stored of them, and whether they are baked without anybody asking."""

from __future__ import annotations

from typing import Any

import click

from kiln_cli import completing, options
from kiln_cli.commands import pausing
from kiln_cli.commands.images import Listing


@click.group(
    cls=Listing,
    options_metavar="",
    subcommand_metavar="[list] [NAME] | show NAME[@N] | log NAME | pause NAME | resume NAME",
    epilog="Example: kiln blueprints --json",
)
def command() -> None:
    """List the blueprints that are stored, show a version of one, or what its versions changed;
    pause rebuilds of one, or resume them.

    For a blueprint that is called as one of the subcommands write `kiln blueprints list`.
    """


command.add_command(pausing.pause)
command.add_command(pausing.resume)


@command.command("list", epilog="Example: kiln blueprints list al2023-web --json")
@click.argument("name", required=False, shell_complete=completing.blueprint_names)
@options.together(options.stack_name, options.as_json)
def listing(name: str | None, stack_name: str, as_json: bool) -> int:
    """List all blueprints, or the one called NAME: version, newest image, channels, schedule."""
    from kiln_cli.place import account
    from kiln_cli.printing import emit, table
    from kiln_cli.versions import listed

    rows = listed(name, account(stack_name).world)
    if as_json:
        emit({"blueprints": rows})
        return 0
    cells = [(r["name"], r["version"], r["image"], *r["channels"].values()) for r in rows]
    table(
        ("BLUEPRINT", "VERSION", "NEWEST IMAGE", "DEV", "STAGING", "PROD", "SCHEDULE"),
        [(*cell, row["schedule"]) for cell, row in zip(cells, rows, strict=True)],
    )
    return 0


@command.command("show", epilog="Example: kiln blueprints show al2023-web@1")
@click.argument("name", metavar="NAME[@N]", shell_complete=completing.blueprint_names)
@options.together(options.stack_name, options.as_json)
def show(name: str, stack_name: str, as_json: bool) -> int:
    """Print version N of a blueprint, or the latest, as the YAML that `kiln apply` takes.

    Scripts that were files beside it stand in it as text.
    """
    from kiln.domain.version import split_version
    from kiln.steps._versions import version_of
    from kiln_cli.place import account
    from kiln_cli.printing import emit, progress
    from kiln_cli.versions import as_yaml, shown

    version = version_of(*split_version(name), account(stack_name).world)
    if as_json:
        emit(shown(version))
        return 0
    progress(f"{version.label}{_signed(shown(version))}")
    click.echo(as_yaml(version), nl=False)
    return 0


@command.command("log", epilog="Example: kiln blueprints log al2023-web")
@click.argument("name", shell_complete=completing.blueprint_names)
@options.together(options.stack_name, options.as_json)
def log(name: str, stack_name: str, as_json: bool) -> int:
    """Say who stored which version of a blueprint when, why, and what it changed.

    Then what its channels have held, who brought it there and when.
    """
    from kiln_cli.place import account
    from kiln_cli.printing import emit
    from kiln_cli.versions import logged, promotions

    world = account(stack_name).world
    rows, held = logged(name, world), promotions(name, world)
    if as_json:
        emit({"blueprint": name, "versions": rows, "channels": held})
        return 0
    for row in rows:
        _print(name, row)
    _print_channels(held)
    return 0


def _print_channels(held: dict[str, list[dict[str, Any]]]) -> None:
    from kiln_cli.printing import table

    cells = [
        (channel, *(e[key] for key in ("image", "version", "source")), _when(e), e["by"] or "-")
        for channel, entries in held.items()
        for e in entries
    ]
    if cells:
        click.echo()
        table(("CHANNEL", "IMAGE", "VERSION", "FROM", "AT", "BY"), cells)


def _when(entry: dict[str, Any]) -> str:
    at = entry["at"][:19].replace("T", " ")
    return f"{at} (back)" if entry["back"] else at


def _print(name: str, row: dict[str, Any]) -> None:
    from kiln_cli.difference import Difference
    from kiln_cli.printing import plain

    click.echo(plain(f"{name}@{row['number']}{_signed(row)}"))
    for change in row["difference"]:
        click.echo(f"  {plain(Difference(**change).line)}")


def _signed(row: dict[str, Any]) -> str:
    """Who, when and why, as far as it is known."""
    when = f" {row['at'][:19].replace('T', ' ')}" if row["at"] else ""
    who = f" by {row['author']}" if row["author"] else ""
    why = f": {' '.join(row['message'].split())}" if row["message"] else ""
    return f"{when}{who}{why}"
