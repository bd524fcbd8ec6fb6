"""`kiln apply FILE...`: blueprints and stacks into the table."""

from __future__ import annotations

from pathlib import Path

import click

from kiln_cli import options


@click.command(epilog="Example: kiln apply stacks/shop.yaml blueprints/al2023-web.yaml")
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@options.together(options.stack_name, options.as_json)
def command(files: tuple[Path, ...], stack_name: str, as_json: bool) -> int:
    """Store the blueprints and stacks in FILEs.

    All files are read before the first is stored. Applied again, they change nothing.
    """
    from kiln_cli.applying import apply_file
    from kiln_cli.files import read_any
    from kiln_cli.place import account
    from kiln_cli.printing import emit

    read = [read_any(path) for path in files]
    world = account(stack_name).world
    applied = [apply_file(file, world) for file in read]
    if as_json:
        emit({"applied": [vars(row) for row in applied]})
        return 0
    for row in applied:
        version = f" version {row.version}" if row.version else ""
        click.echo(f"{row.kind} {row.name}{version}: {row.change}")
    return 0
