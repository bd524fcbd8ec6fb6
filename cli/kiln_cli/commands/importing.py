"""`kiln import`: stack files from what another service has left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kiln_cli import completing, options


@click.group(epilog="Example: kiln import opsworks stacks.json layers.json instances.json")
def command() -> None:
    """Write stack files from what another service has left."""


@command.command(
    "opsworks",
    epilog="Example: kiln import opsworks stacks.json layers.json instances.json -o stacks",
)
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A .yaml file for one stack, or a folder for NAME.yaml of each; default: stdout.",
)
@click.option(
    "--platform",
    shell_complete=completing.platforms,
    help="For layers whose own platform cannot be told.",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
@options.as_json
def opsworks(files: tuple[Path, ...], output: Path | None, **given: Any) -> int:
    """Write a stack file for each stack in saved `aws opsworks describe-...` output.

    FILEs are the JSON of describe-stacks, -layers, -instances and, where you have them, -apps,
    -elastic-load-balancers, -load-based-auto-scaling, -time-based-auto-scaling and -volumes, in any
    order. What cannot be carried over is said on stderr, field by field, and stands at the head of
    the file. Nothing is asked of AWS.
    """
    from kiln.domain.platforms import PLATFORMS
    from kiln_cli.opsworks import convert, export, placing
    from kiln_cli.printing import emit

    platform = given["platform"]
    if platform and platform not in PLATFORMS:
        raise options.usage(f"--platform: {platform} is none of {', '.join(PLATFORMS)}")
    stacks = convert.convert(export.read_export(files), platform)
    placed = placing.place(stacks, output, given["force"], given["as_json"])
    placing.tell(stacks)
    if given["as_json"]:
        rows = [
            convert.shown(stack) | {"file": str(path) if path else None}
            for stack, path in zip(stacks, placed, strict=True)
        ]
        emit({"stacks": rows})
    return 0
