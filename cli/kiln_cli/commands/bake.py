"""`kiln bake`: a blueprint to an image."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kiln_cli import completing, options

if TYPE_CHECKING:
    from kiln_cli.baking import Pace
    from kiln_cli.opening import Opened
    from kiln_cli.result import BakeResult

# Of this machine's time, on a terminal and elsewhere: a look asks AWS ten times, and a log is read
# later.
_DRAWN_EVERY_S, _LOGGED_EVERY_S = 1.0, 15.0


@click.command(epilog="Example: kiln bake blueprints/al2023-web.yaml --local --json")
@click.argument(
    "targets",
    metavar="FILE|NAME[@N]...",
    nargs=-1,
    required=True,
    shell_complete=completing.blueprints,
)
@options.together(options.local, options.speed, options.stacks, options.project, options.stack_name)
@options.together(options.faults, options.throttle)
@click.option("--force", is_flag=True, help="Bake although nothing has changed.")
@click.option(
    "--no-wait", is_flag=True, help="Start, print and end; `kiln status` says how it goes."
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what `kiln report` writes, of the last bake.",
)
@options.as_json
def command(targets: tuple[str, ...], **given: Any) -> int:
    """Make an image from the blueprint in FILE, or from the one stored under NAME.

    NAME@7 is version 7 of a stored blueprint, NAME alone the latest.
    Several are baked one after the other, and --json prints one object a line. Whatever is wrong
    is refused before anything is launched. What would make the newest image once more is skipped,
    unless --force is given. With --local the bakes run in a fresh local AWS, with
    the stacks of the blueprint's project (stacks/*.yaml) applied. With --faults the result says
    which of them have acted, and which never did.
    """
    if given["local"] and given["no_wait"]:
        raise options.usage("--no-wait needs an account: the local AWS ends with the command")
    if given["report"] and given["no_wait"]:
        raise options.usage("--report and --no-wait: there is nothing to report yet")
    if not given["local"] and (given["faults"] or given["throttle"]):
        raise options.usage("--faults and --throttle need --local: AWS has its own")
    found = [(target, _path(target, given["local"])) for target in targets]
    from kiln_cli import opening

    with opening.opened(given) as at:
        for target, path in found:
            opening.apply_stacks(given, path, at.place)
            _check(target, path, at, given["local"])
        return max([_bake(target, path, at, given) for target, path in found])


def _path(target: str, local: bool) -> Path | None:
    """The file that a target names, readable; None where it names a stored blueprint."""
    from kiln_cli import project
    from kiln_cli.files import read_blueprint

    path = project.find_blueprint(target)
    if path:
        read_blueprint(path)
    elif local:
        raise options.usage(f"{target} is no file; --local bakes a blueprint file")
    return path


def _check(target: str, path: Path | None, at: Opened, local: bool) -> None:
    """Refuse the last blueprint before the first is baked."""
    from kiln_cli import baking

    wanted = baking.wanted_from(target, path, at.place)
    # A base that is to be baked first is no image yet.
    if not (local and baking.is_on_another(wanted)):
        baking.check(wanted, at.place)


def _bake(target: str, path: Path | None, at: Opened, given: dict[str, Any]) -> int:
    from kiln_cli import baking
    from kiln_cli.timing import estimate

    wanted = baking.wanted_from(target, path, at.place)
    if given["local"]:
        baking.bake_bases(wanted, at.place, at.pace)
    plan = baking.check(wanted, at.place)
    guess = estimate(at.place.world.records.bakes(wanted.name))
    baking.start(wanted, plan, at.place, given["force"])
    click.echo(f"bake {plan.bake} has started" + (f"; {guess}" if guess else ""), err=True)
    if given["no_wait"]:
        return _started(plan.bake, at, given["as_json"])
    try:
        with _telling(plan.bake, at, given["as_json"]) as pace:
            result = baking.finish(plan, at.place, at.ledger, pace)
    except KeyboardInterrupt:
        if not given["local"]:
            click.echo(f"{plan.bake} goes on; `kiln watch {plan.bake}` shows how", err=True)
        raise
    if given["report"]:
        _write_report(plan.bake, at, given["report"])
    return _show(result, given["as_json"])


@contextmanager
def _telling(bake: str, at: Opened, quiet: bool) -> Iterator[Pace]:
    """How to wait within the block: with what happens on stderr, unless a program asks."""
    if quiet:
        yield at.pace
        return
    from kiln_cli.screen import Paced, screen
    from kiln_cli.watching import Watch

    watch = Watch(at.place, (bake,))
    with screen() as show:
        every_s = _DRAWN_EVERY_S if sys.stderr.isatty() else _LOGGED_EVERY_S
        tell = Paced(every_s, lambda: show(watch.look()))
        yield replace(at.pace, tell=tell)
        show(watch.look())


def _write_report(bake: str, at: Opened, path: Path) -> None:
    from kiln_cli.pages.report import write
    from kiln_cli.pages.telling import tell

    write(tell(at.place, at.ledger, bake), path)
    click.echo(f"{path} is written", err=True)


def _started(bake: str, at: Opened, as_json: bool) -> int:
    from kiln_cli.gathering import gather
    from kiln_cli.printing import emit

    if as_json:
        emit(gather(at.place, at.ledger, bake).as_json())
    else:
        click.echo(bake)
    return 0


def _show(result: BakeResult, as_json: bool) -> int:
    from kiln_cli.printing import emit
    from kiln_cli.summary import show

    if as_json:
        emit(result.as_json())
    else:
        show(result)
    return 0 if result.succeeded else 1
