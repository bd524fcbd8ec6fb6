"""Simulated time: real time, sped up. One scheduler thread does what is due, and the threads that
it starts end with it.

A wait of `s` simulated seconds takes `s / speed` real ones; speed 1 is real time. What this
machine works takes real time, and so `speed` simulated seconds a second; or one, where the clock is
steady.
"""

from __future__ import annotations

import datetime as real_datetime
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from kiln_local.crew import Crew, Module

_log = logging.getLogger(__name__)
# Real seconds for a thread to come back from what it is doing when its local AWS ends.
_PATIENCE_S = 5.0


class Steady(float):
    """A speed of waits alone. While a thread of the crew works, a real second is a simulated one,
    or as much of one as `working` says, so that no time-out passes because this machine is slow or
    busy with something else. At a speed that is not steady, a hundredth of a second of work is
    three simulated seconds at 300."""

    working: float

    def __new__(cls, waiting: float, working: float = 1.0) -> Self:
        """Simulated seconds a real one: while everybody waits, and while somebody works."""
        made = super().__new__(cls, waiting)
        made.working = working
        return made


class SimClock:
    """Simulated time since it was made, and the things to do at simulated times."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self.steady = isinstance(speed, Steady)
        self._pace = speed.working if isinstance(speed, Steady) else speed
        self._start = datetime.now(UTC)
        self._passed_s, self._mark = 0.0, time.monotonic()
        self._working = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._ended = False
        self.crew = Crew(self)
        self._thread = threading.Thread(target=self._work, name="kiln-clock", daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        """Simulated seconds since the start."""
        with self._changed:
            passed = self._passed_s + (time.monotonic() - self._mark) * self._rate()
            if self.steady and self._due and not self._working:
                # Nobody oversleeps what is due, however late this machine wakes the scheduler.
                return max(self._passed_s, min(passed, self._due[0][0]))
            return passed

    def _rate(self) -> float:
        return self._pace if self._working else self.speed

    def work(self, more: int) -> None:
        """So many threads more, or less, work."""
        if not self.steady or not more:
            return
        with self._changed:
            self._passed_s, self._mark = self.seconds(), time.monotonic()
            before, self._working = self._working, self._working + more
            if before and not self._working:
                # What is due comes sooner now than the scheduler's thread thinks.
                self._changed.notify()

    @contextmanager
    def working(self) -> Iterator[None]:
        """What a thread outside does within the block is work too."""
        more = 0 if isinstance(threading.current_thread(), self.crew.Thread) else 1
        self.work(more)
        try:
            yield
        finally:
            self.work(-more)

    def now(self) -> datetime:
        """Simulated now, aware, UTC."""
        return self._start + timedelta(seconds=self.seconds())

    def sleep(self, seconds: float) -> None:
        """Sleep simulated seconds. Raises Ended where the local AWS ends meanwhile."""
        self.crew.sleep(seconds)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later, in the scheduler's thread; it must not block."""
        with self._changed:
            heapq.heappush(self._due, (self.seconds() + seconds, next(self._order), action))
            self._changed.notify()

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something later, in a thread of its own."""
        self.after(seconds, lambda: self.crew.start(action))

    def end(self) -> None:
        """Forget everything that is due, and end whoever waits."""
        with self._changed:
            self._ended = True
            self._due.clear()
            self._changed.notify()
        self.crew.end()

    def join(self) -> list[str]:
        """Wait a little for all threads to end; the names of those that have not."""
        self._thread.join(timeout=_PATIENCE_S)
        return self.crew.join(_PATIENCE_S)

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._ended:
                    return
                wait = (self._due[0][0] - self.seconds()) / self._rate() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                # First: what is due holds the time.
                self.work(1)
                action = heapq.heappop(self._due)[2]
            _guarded(action)
            self.work(-1)


def _guarded(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:  # noqa: BLE001 - one fault must not end the time of all others
        _log.exception("a scheduled action of the local AWS failed")


def datetime_module(clock: SimClock) -> Any:
    """A stand-in for the module `datetime` whose `datetime.now` is simulated."""

    class SimDatetime(datetime):
        @classmethod
        def now(cls, tz: real_datetime.tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock.now().astimezone(tz) if tz else clock.now().replace(tzinfo=None)

    return Module(real_datetime, datetime=SimDatetime)


def time_module(clock: SimClock) -> Any:
    """A stand-in for the module `time` whose `sleep` and `time` are simulated."""
    return Module(time, sleep=clock.sleep, time=lambda: clock.now().timestamp())


def threading_module(clock: SimClock) -> Any:
    """A stand-in for the module `threading` whose threads and events are the clock's crew's."""
    return Module(threading, Thread=clock.crew.Thread, Event=clock.crew.Event)
