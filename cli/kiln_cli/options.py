"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Function = Callable[..., Any]

# Nine minutes in three seconds. Documents take their real time: more is hardly faster.
DEFAULT_SPEED = 200.0
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(path_type=Path)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
stack_name = click.option(
    "--stack-name",
    default="kiln",
    show_default=True,
    help="CloudFormation stack that is Kiln.",
)
local = click.option("--local", is_flag=True, help="Use the local AWS: no account, no network.")
speed = click.option(
    "--speed",
    type=click.FloatRange(0.01, 1_000),
    default=DEFAULT_SPEED,
    show_default=True,
    help="How much faster than AWS the local AWS runs; 1 is real time.",
)
project = click.option(
    "--project", type=FOLDER, help="Folder with template.yaml; default: found from here upwards."
)
stacks = click.option(
    "--stack",
    "stacks",
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="Stack file to apply first; may be repeated.",
)
faults = click.option(
    "--faults",
    type=FILE,
    metavar="FILE",
    help="What goes wrong in the local AWS, as YAML or JSON; docs/faults.md has examples.",
)
throttle = click.option(
    "--throttle", is_flag=True, help="Apply EC2's token buckets in the local AWS."
)


def together(*options: Function) -> Function:
    """Several options as one decorator, in this order in the help."""

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def usage(problem: str) -> click.UsageError:
    """Wrong use: one line, status 2."""
    return click.UsageError(problem)
