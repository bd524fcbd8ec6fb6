"""What reaches a terminal: JSON, tables, progress. Text from machines loses its control codes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


def emit(value: Any) -> None:
    """One JSON object (or list) on stdout, on one line."""
    click.echo(json.dumps(value))


def progress(text: str) -> None:
    """What is going on, on stderr."""
    click.echo(plain(text), err=True)


def plain(text: str) -> str:
    """The text without what could steer a terminal: a step's output is no part of ours."""
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns on stdout, as wide as they need to be."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, show_header=bool(headers), header_style="bold")
    for header in headers or [""] * max((len(row) for row in rows), default=0):
        made.add_column(header, no_wrap=True)
    for row in rows:
        made.add_row(*(Text(plain(str("-" if cell is None else cell))) for cell in row))
    console = Console(highlight=False)
    console.width = max(console.width, console.measure(made, options=_endless(console)).maximum)
    with console.capture() as printed:
        console.print(made)
    for line in printed.get().splitlines():
        click.echo(line.rstrip())


def _endless(console: Console) -> ConsoleOptions:
    return console.options.update(width=10_000)
