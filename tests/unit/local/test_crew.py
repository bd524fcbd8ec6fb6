"""Threads of a local AWS: none outlives it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from kiln_local.clock import SimClock
from kiln_local.crew import Ended


def ended(action: Callable[[SimClock], object]) -> tuple[list[str], list[str]]:
    """What a thread did before and after its local AWS ended, and which threads are left."""
    clock = SimClock(speed=10)
    seen, begun = [], threading.Event()

    def work() -> None:
        seen.append("before")
        begun.set()
        action(clock)
        seen.append("after")

    clock.crew.start(work)
    assert begun.wait(10)
    clock.end()
    return seen, clock.join()


@pytest.mark.parametrize(
    "action",
    [
        lambda clock: clock.sleep(10_000),
        lambda clock: clock.crew.Event().wait(),
        lambda clock: clock.crew.Event().wait(10_000),
    ],
)
def test_who_waits_when_the_local_aws_ends_does_nothing_more(
    action: Callable[[SimClock], object],
) -> None:
    assert ended(action) == (["before"], [])


def test_a_fault_of_what_is_being_taken_apart_is_no_news() -> None:
    def fail(clock: SimClock) -> None:
        while not clock.crew.over:
            pass
        raise ValueError("the backend is gone")

    assert ended(fail) == (["before"], [])


def test_nothing_starts_and_nobody_waits_once_it_has_ended() -> None:
    clock = SimClock(speed=10)
    clock.end()
    clock.crew.start(lambda: pytest.fail("it ran"))
    clock.later(0, lambda: pytest.fail("it ran"))
    with pytest.raises(Ended):
        clock.crew.Event().wait()
    assert clock.join() == []


def test_an_event_of_the_crew_still_wakes_who_waits() -> None:
    clock = SimClock(speed=100)
    event, woken = clock.crew.Event(), threading.Event()
    clock.crew.start(lambda: event.wait(10_000) and woken.set())
    event.set()
    assert woken.wait(10)
    assert not clock.crew.Event().wait(1)
    clock.end()
