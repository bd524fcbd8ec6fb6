"""Time that passes while nobody works: no time-out depends on how fast this machine is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from kiln_local.clock import SimClock, Steady


@pytest.fixture
def clock() -> Iterator[SimClock]:
    """A steady clock, faster than any work here."""
    made = SimClock(speed=Steady(10_000))
    yield made
    made.end()
    assert made.join() == []


def test_a_second_of_work_is_a_second(clock: SimClock) -> None:
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        ended.wait(10)

    clock.crew.start(work)
    begun.wait(10)
    # Never faster than real time, however often and however late one looks.
    simulated, real = clock.seconds(), time.monotonic()
    time.sleep(0.05)
    assert clock.seconds() - simulated <= time.monotonic() - real + 0.001
    ended.set()


def test_what_a_thread_outside_does_is_work_where_it_says_so(clock: SimClock) -> None:
    with clock.working():
        simulated, real = clock.seconds(), time.monotonic()
        time.sleep(0.05)
        assert clock.seconds() - simulated <= time.monotonic() - real + 0.001


def test_who_waits_is_woken_when_it_is_due_and_no_later(clock: SimClock) -> None:
    woken: list[float] = []
    over = threading.Event()

    def wait() -> None:
        begin = clock.seconds()
        for _ in range(20):
            clock.sleep(100)
        woken.append(clock.seconds() - begin)
        over.set()

    real = time.monotonic()
    clock.crew.start(wait)
    assert over.wait(30)
    # Twenty times late by what this machine takes to wake a thread would be many seconds more.
    assert 2000 <= woken[0] <= 2000 + (time.monotonic() - real) + 0.01


def test_time_stands_still_for_what_is_due_while_others_work(clock: SimClock) -> None:
    said: list[str] = []
    over = threading.Event()

    def work() -> None:
        time.sleep(0.05)
        said.append("worked")

    def due() -> None:
        said.append("due")
        over.set()

    clock.crew.start(work)
    clock.after(60, due)
    assert over.wait(30)
    assert said == ["worked", "due"]


def test_an_event_wakes_whoever_waits_and_a_time_limit_ends_a_wait(clock: SimClock) -> None:
    event, found = clock.crew.Event(), []
    threads = [clock.crew.Thread(target=lambda: found.append(event.wait(1e9))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert event.wait(50) is False
    event.set()
    for thread in threads:
        thread.join()
    assert found == [True, True, True]
    assert event.wait(0) is True


def test_a_thread_that_waits_for_another_one_does_not_work(clock: SimClock) -> None:
    over = threading.Event()

    def parent() -> None:
        child = clock.crew.Thread(target=lambda: clock.sleep(10_000))
        child.start()
        child.join()
        over.set()

    clock.crew.start(parent)
    # A second; ten thousand where its parent counted as working.
    assert over.wait(60)
