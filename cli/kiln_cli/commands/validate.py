"""`kiln validate FILE...`: what is wrong with a file, without asking AWS."""

from __future__ import annotations

from pathlib import Path

import click

from kiln_cli import options


@click.command(epilog="Example: kiln validate blueprints/*.yaml stacks/*.yaml")
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@options.as_json
def command(files: tuple[Path, ...], as_json: bool) -> int:
    """Check blueprint and stack FILEs by their own rules; ask nobody.

    Every file is checked, and each that is wrong is one line on stderr.
    """
    from kiln.errors import Refused
    from kiln_cli.files import read_any
    from kiln_cli.places import said_place
    from kiln_cli.printing import emit, plain

    rows = []
    for path in files:
        message = None
        try:
            read_any(path)
        except Refused as error:
            message = str(error)
            click.echo(f"kiln: {plain(' '.join(message.split()))}", err=True)
        line, column = said_place(message or "")
        row = {"file": str(path), "valid": message is None, "message": message}
        rows.append(row | {"line": line, "column": column})
    if as_json:
        emit({"files": rows})
    else:
        for row in rows:
            if row["valid"]:
                click.echo(f"{plain(str(row['file']))}: valid")
    return 0 if all(row["valid"] for row in rows) else 2
