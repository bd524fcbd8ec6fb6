"""Whose turn it is: pure decisions on a line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiln.domain.turns import Line, Turn, turn_for
from tests.builders import NOW


def a_turn(blueprint: str, second: int) -> Turn:
    """A bake that asked so many seconds after the others' morning."""
    bake = f"{blueprint}-20261123-1015{second:02d}-9f3a"
    return turn_for(bake, f"execution-{second}", NOW + timedelta(seconds=second))


WEB, APP, API, SECOND, THIRD = (
    *(a_turn("web", 1), a_turn("app", 2), a_turn("api", 3)),
    *(a_turn("web", 4), a_turn("web", 5)),
)


@pytest.mark.parametrize(
    ("running", "waiting", "turn", "most", "lets"),
    [
        ((), (), WEB, 1, True),
        ((APP,), (), WEB, 1, False),
        ((APP,), (), WEB, 2, True),
        ((WEB,), (), SECOND, 9, False),
        ((WEB,), (), WEB, 1, True),
        ((), (WEB,), SECOND, 9, False),
        ((), (WEB, APP), API, 2, False),
        ((), (WEB, APP), API, 3, True),
        # Who waits for another bake of its blueprint holds up nobody else.
        ((WEB,), (SECOND,), a_turn("late", 6), 2, True),
        # One of a blueprint at a time: the second of two that wait takes no place either.
        ((), (WEB, SECOND), a_turn("late", 6), 2, True),
        # Whoever has come later stands behind.
        ((), (APP,), WEB, 1, True),
    ],
)
def test_a_bake_goes_when_its_blueprint_is_free_and_few_enough_are_before_it(
    running: tuple[Turn, ...], waiting: tuple[Turn, ...], turn: Turn, most: int, lets: bool
) -> None:
    assert Line(running=running, waiting=waiting).lets(turn, most) is lets


def test_the_next_ones_are_as_many_as_may_go_in_the_order_of_the_line() -> None:
    line = Line(running=(WEB,), waiting=(APP, API, SECOND))
    assert line.next_up(1) == ()
    assert line.next_up(2) == (APP,)
    assert line.next_up(9) == (APP, API)


@pytest.mark.parametrize(
    ("turn", "looked_at", "said"),
    [
        (SECOND, (WEB,), f"{WEB.bake}, of the same blueprint"),
        (THIRD, (SECOND,), f"{SECOND.bake}, of the same blueprint"),
        (APP, (WEB,), "one of 1 turns, 0 in line before it"),
        (API, (APP,), "one of 1 turns, 1 in line before it"),
    ],
)
def test_who_waits_looks_at_the_one_before_it_alone(
    turn: Turn, looked_at: tuple[Turn, ...], said: str
) -> None:
    line = Line(running=(WEB,), waiting=(APP, API, SECOND, THIRD))
    assert line.in_the_way(turn) == looked_at
    assert line.obstacle(turn, 1) == said
