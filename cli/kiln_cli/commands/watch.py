"""`kiln watch`: bakes and rollouts while they run."""

from __future__ import annotations

import time

import click

from kiln_cli import options


@click.command(epilog="Example: kiln watch web-20261123-101500-9f3a")
@click.argument("bakes", metavar="[BAKE]...", nargs=-1)
@options.together(options.stack_name, options.as_json)
def command(bakes: tuple[str, ...], stack_name: str, as_json: bool) -> int:
    """Show BAKEs and their rollouts until they have ended; all that run where none is named.

    States, time passed and expected, what steps said as Run Command tells it, a layer's instances
    by state. Without a terminal each change is a line on stderr. Ctrl-C ends the watching and
    nothing else. Status 1 if one of them failed.
    """
    from kiln_cli.finding import existing
    from kiln_cli.gathering import look_up
    from kiln_cli.place import account
    from kiln_cli.printing import emit, progress
    from kiln_cli.screen import screen
    from kiln_cli.watching import View, Watch

    place = account(stack_name)
    watch, view = Watch(place, bakes), View()
    for bake in bakes:
        with existing(bake):
            look_up(place, bake)
    try:
        with screen() as show:
            while (view := watch.look()).runs:
                show(view)
                time.sleep(2.0)
            show(view)
    except KeyboardInterrupt:
        names = ", ".join(b.bake for b in view.bakes if b.runs) or "what runs"
        progress(f"{names} goes on; `kiln watch` shows it again")
        raise
    if as_json:
        emit(
            {
                "bakes": {bake.bake: bake.status for bake in view.bakes},
                "rollouts": {rollout.rollout: rollout.status for rollout in view.rollouts},
            }
        )
    return 1 if view.failed else 0
