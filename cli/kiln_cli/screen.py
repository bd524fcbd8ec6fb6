"""What is watched, on a terminal: a picture that changes where the terminal can show one, else
lines. Both go to stderr, for stdout is for data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kiln_cli.printing import plain, progress
from kiln_cli.timing import minutes
from kiln_cli.watching import BakeView, Lines, View

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

# Lines of output under a bake: more would push the others off the screen.
_TAIL = 6
_TONE = {"SUCCEEDED": "green", "RUNNING": "yellow", "WAITING": "yellow", "SKIPPED": "dim"}

Show = Callable[[View], None]


@contextmanager
def screen() -> Iterator[Show]:
    """Shows views within the block, the last of them until others come."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _line_by_line(Lines())
        return
    from rich.live import Live

    with Live(console=console, auto_refresh=False, transient=False) as live:
        yield lambda view: live.update(picture(view, console), refresh=True)


def _line_by_line(lines: Lines) -> Show:
    def show(view: View) -> None:
        for line in lines.of(view):
            progress(line)

    return show


def picture(view: View, console: Console) -> RenderableType:
    """Bakes with the ends of what their steps said, and rollouts with their instances."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [_bakes(view)] if view.bakes else []
    for bake in view.bakes:
        room = max(20, console.width - 2)
        tail = list(bake.lines())[-_TAIL:] if bake.runs or bake.cause else []
        parts += [Text(f"  {plain(line)[:room]}", style="dim", no_wrap=True) for line in tail]
    if view.rollouts:
        parts.append(_rollouts(view))
    return Group(*parts or [Text("nothing runs")])


def _bakes(view: View) -> Table:
    from rich.text import Text

    made = _table("BAKE", "STATUS", "STATE", "WAITS FOR", "TIME")
    for bake in view.bakes:
        tone = _TONE.get(bake.status, "red")
        cells = (bake.bake, Text(bake.status, style=tone), bake.state, plain(bake.why))
        made.add_row(*cells, _time(bake))
    return made


def _time(bake: BakeView) -> str:
    if not bake.runs or bake.expected_s is None:
        return minutes(bake.elapsed_s)
    return f"{minutes(bake.elapsed_s)} of about {minutes(bake.expected_s)}"


def _rollouts(view: View) -> Table:
    from rich.text import Text

    made = _table("ROLLOUT", "IMAGE", "STATUS", "INSTANCES")
    for rollout in view.rollouts:
        tone = _TONE.get(rollout.status, "red")
        status = rollout.status + (" back" if rollout.way_back else "")
        made.add_row(
            rollout.layer, rollout.image, Text(status, style=tone), rollout.instances or "none"
        )
    return made


def _table(*headers: str) -> Table:
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        made.add_column(header)
    return made


class Paced:
    """Calls something at most once in so many seconds of this machine's time."""

    def __init__(self, every_s: float, call: Callable[[], None]) -> None:
        self._every_s, self._call = every_s, call
        self._due = 0.0

    def __call__(self) -> None:
        """If it is time."""
        now = time.monotonic()
        if now >= self._due:
            self._call()
            self._due = time.monotonic() + self._every_s
