"""`kiln dlq`: what could not be delivered, and once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kiln_cli import options

if TYPE_CHECKING:
    from kiln_cli.dead_letters import DeadLetter


@click.group(
    options_metavar="", subcommand_metavar="list|replay", epilog="Example: kiln dlq list --json"
)
def command() -> None:
    """List the events that nobody could take, or send them to their targets again."""


@command.command("list", epilog="Example: kiln dlq list --json")
@options.together(options.stack_name, options.as_json)
def listing(stack_name: str, as_json: bool) -> int:
    """List the dead letters, oldest first: for whom, why they were not taken. None is lost by
    looking."""
    from kiln_cli import dead_letters
    from kiln_cli.place import account
    from kiln_cli.printing import emit

    place = account(stack_name)
    found = dead_letters.letters(place)
    dead_letters.put_back(found, place)
    if as_json:
        emit({"letters": [letter.as_json() for letter in found]})
    else:
        _show(found)
    return 0


@command.command("replay", epilog="Example: kiln dlq replay")
@click.argument("ids", metavar="[ID...]", nargs=-1)
@options.together(options.stack_name, options.as_json)
def replay(ids: tuple[str, ...], stack_name: str, as_json: bool) -> int:
    """Send the letters named by ID, or all that say for whom they were, to their targets again.

    A letter leaves the queue once its target has taken it; one that fails again comes back. What
    Kiln has done already it does not do twice.
    """
    from kiln_cli import dead_letters
    from kiln_cli.place import account
    from kiln_cli.printing import emit, progress

    place = account(stack_name)
    found = dead_letters.letters(place)
    gone: list[DeadLetter] = []
    try:
        for letter in dead_letters.replay(dead_letters.chosen(found, ids), place):
            gone.append(letter)
            progress(f"{letter.id}: sent to {_name(letter)}")
    finally:
        dead_letters.put_back([letter for letter in found if letter not in gone], place)
    left = [letter.id for letter in found if letter not in gone]
    if as_json:
        emit({"replayed": [letter.id for letter in gone], "left": left})
    else:
        click.echo(f"{len(gone)} sent again, {len(left)} left")
    return 0


def _show(found: list[DeadLetter]) -> None:
    from kiln_cli.printing import progress, table

    if not found:
        progress("no dead letters")
        return
    rows = [
        (
            *(letter.id, f"{letter.sent:%Y-%m-%d %H:%M}", _name(letter), letter.about),
            f"{letter.error}: {' '.join(letter.cause.split())[:80]}",
        )
        for letter in found
    ]
    table(("ID", "SENT", "FOR", "ABOUT", "WHY"), rows)


def _name(letter: DeadLetter) -> str:
    return letter.target.rpartition(":")[2] if letter.target else "unknown"
