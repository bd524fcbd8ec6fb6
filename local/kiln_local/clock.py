"""Simulated time: real time, sped up. One scheduler thread does what is due.

A wait of `s` simulated seconds takes `s / speed` real ones; speed 1 is real time.
"""

from __future__ import annotations

import datetime as real_datetime
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

_log = logging.getLogger(__name__)


class SimClock:
    """Simulated time since it was made, and the things to do at simulated times."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._real_start = time.monotonic()
        self._start = datetime.now(UTC)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="kiln-clock", daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        """Simulated seconds since the start."""
        return (time.monotonic() - self._real_start) * self.speed

    def now(self) -> datetime:
        """Simulated now, aware, UTC."""
        return self._start + timedelta(seconds=self.seconds())

    def sleep(self, seconds: float) -> None:
        """Sleep simulated seconds."""
        time.sleep(max(0.0, seconds) / self.speed)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later, in the scheduler's thread; it must not block."""
        with self._changed:
            heapq.heappush(self._due, (self.seconds() + seconds, next(self._order), action))
            self._changed.notify()

    def end(self) -> None:
        """Forget everything that is due."""
        with self._changed:
            self._ended = True
            self._due.clear()
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._ended:
                    return
                wait = (self._due[0][0] - self.seconds()) / self.speed if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                action = heapq.heappop(self._due)[2]
            _guarded(action)


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

    return _Module(real_datetime, datetime=SimDatetime)


def time_module(clock: SimClock) -> Any:
    """A stand-in for the module `time` whose `sleep` and `time` are simulated."""
    return _Module(time, sleep=clock.sleep, time=lambda: clock.now().timestamp())


def event_class(clock: SimClock) -> type[threading.Event]:
    """An Event whose waits are simulated."""

    class SimEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return super().wait(None if timeout is None else timeout / clock.speed)

    return SimEvent


class _Module:
    """A module with some of its names replaced."""

    def __init__(self, module: Any, **replaced: Any) -> None:
        self._module = module
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def threading_module(clock: SimClock) -> Any:
    """A stand-in for the module `threading` whose Event waits simulated seconds."""
    return _Module(threading, Event=event_class(clock))
