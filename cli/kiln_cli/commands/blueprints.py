"""`kiln blueprints`: what is stored of blueprints."""

from __future__ import annotations

import click

from kiln_cli.commands import pausing


@click.group(
    options_metavar="",
    subcommand_metavar="pause NAME | resume NAME",
    epilog="Example: kiln blueprints resume al2023-web",
)
def command() -> None:
    """Say whether a blueprint is baked without anybody asking."""


command.add_command(pausing.pause)
command.add_command(pausing.resume)
