"""A state machine as a drawing: its states one below the other, in the order in which the machine
is written, so that the good way leads straight down; what jumps ahead runs on the right, what goes
back on the left. Of what catches errors only the way that was taken is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from kiln_cli.history import Span

Verdict = Literal["passed", "failed", "under way", "not entered"]

ROW, BOX_WIDTH, BOX_HEIGHT, LANE, MARGIN = 38, 208, 28, 14, 10


@dataclass(frozen=True)
class Node:
    """A state: how often it was entered and for how long, in seconds."""

    name: str
    kind: str
    x: int
    y: int
    visits: int
    seconds: float
    verdict: Verdict

    @property
    def middle(self) -> int:
        """The height at which ways begin and end."""
        return self.y + BOX_HEIGHT // 2


@dataclass(frozen=True)
class Way:
    """From a state to one that may follow, as an SVG path; `caught` is one that an error takes."""

    path: str
    taken: bool
    caught: bool


@dataclass(frozen=True)
class Drawing:
    """What a template needs to draw the machine."""

    nodes: tuple[Node, ...]
    ways: tuple[Way, ...]
    width: int
    height: int
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT


@dataclass(frozen=True)
class _Jump:
    start: int
    end: int
    caught: bool = False

    @property
    def between(self) -> range:
        return range(min(self.start, self.end), max(self.start, self.end) + 1)


def draw(machine: dict[str, Any], spans: Sequence[Span], elapsed_s: float, failed: str) -> Drawing:
    """The machine with what happened in it: `failed` is the state in which the execution failed, ""
    where it did not. States of a Map are part of the Map."""
    states = machine["States"]
    rows = {name: row for row, name in enumerate(states)}
    visited = [span for span in spans if span.name in rows]
    taken = {(rows[a.name], rows[b.name]) for a, b in pairwise(visited)}
    jumps = sorted(_jumps(states, rows, taken), key=lambda j: (len(j.between), j.start))
    straight = [j for j in jumps if j.end == j.start + 1]
    right = _lanes(j for j in jumps if j.end > j.start + 1)
    left = _lanes(j for j in jumps if j.end <= j.start)
    x = MARGIN + LANE * (1 + max(left.values(), default=0))
    nodes = tuple(
        _node(name, states[name]["Type"], (x, MARGIN + row * ROW), visited, (elapsed_s, failed))
        for name, row in rows.items()
    )
    ways = [(j, _down(nodes[j.start], nodes[j.end])) for j in straight]
    ways += [(j, _around(nodes[j.start], nodes[j.end], lane)) for j, lane in right.items()]
    ways += [(j, _around(nodes[j.start], nodes[j.end], -lane)) for j, lane in left.items()]
    return Drawing(
        nodes=nodes,
        # Those that were taken lie above the others.
        ways=tuple(
            sorted(
                (Way(path, (j.start, j.end) in taken, j.caught) for j, path in ways),
                key=lambda way: way.taken,
            )
        ),
        width=x + BOX_WIDTH + LANE * (1 + max(right.values(), default=0)) + MARGIN,
        height=2 * MARGIN + ROW * len(rows),
    )


def _jumps(
    states: dict[str, Any], rows: dict[str, int], taken: set[tuple[int, int]]
) -> Iterator[_Jump]:
    for name, state in states.items():
        next_ones = dict.fromkeys(rows[to] for to in _next(state))
        yield from (_Jump(rows[name], to) for to in next_ones)
        for to in dict.fromkeys(rows[caught["Next"]] for caught in state.get("Catch", ())):
            if to not in next_ones and (rows[name], to) in taken:
                yield _Jump(rows[name], to, caught=True)


def _next(state: dict[str, Any]) -> Iterator[str]:
    """What may follow a state that ends well."""
    for choice in (*state.get("Choices", ()), state):
        if "Next" in choice:
            yield choice["Next"]
    if "Default" in state:
        yield state["Default"]


def _lanes(jumps: Iterable[_Jump]) -> dict[_Jump, int]:
    """For each jump, short ones first, the nearest lane (1, 2, ...) that is free on its way."""
    full: list[set[int]] = []
    found: dict[_Jump, int] = {}
    for jump in jumps:
        needed = set(jump.between)
        lane = next((n for n, used in enumerate(full) if not used & needed), len(full))
        if lane == len(full):
            full.append(set())
        full[lane] |= needed
        found[jump] = lane + 1
    return found


def _node(
    name: str, kind: str, at: tuple[int, int], visited: Sequence[Span], told: tuple[float, str]
) -> Node:
    elapsed_s, failed = told
    mine = [span for span in visited if span.name == name]
    open_one = any(span.exited_s is None for span in mine)
    verdict: Verdict = "not entered"
    if mine:
        verdict = "failed" if name == failed else "under way" if open_one else "passed"
    took = sum((elapsed_s if s.exited_s is None else s.exited_s) - s.entered_s for s in mine)
    return Node(name, kind, *at, len(mine), took, verdict)


def _down(start: Node, end: Node) -> str:
    x = start.x + BOX_WIDTH // 2
    return f"M {x} {start.y + BOX_HEIGHT} V {end.y}"


def _around(start: Node, end: Node, lane: int) -> str:
    side = start.x + (BOX_WIDTH if lane > 0 else 0)
    return f"M {side} {start.middle} H {side + lane * LANE} V {end.middle} H {side}"
